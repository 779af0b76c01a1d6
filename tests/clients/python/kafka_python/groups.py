"""kafka-python: consumer groups."""

import sys

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from groups import GroupChecks
from harness import PATIENCE_S, Suite
from kafka_python import NAME, VERSION
from kafka_python.records import Client
from members import AUTO_COMMIT_MS, HEARTBEAT_MS, SESSION_MS, Member, Place

ASSIGNORS = {
    assignor.name: assignor
    for assignor in [
        CooperativeStickyAssignor,
        RangePartitionAssignor,
        RoundRobinPartitionAssignor,
        StickyPartitionAssignor,
    ]
}


class KafkaPythonMember(Member):
    """A member by kafka-python."""

    def open(self):
        self.consumer = KafkaConsumer(
            bootstrap_servers=self.address,
            group_id=self.group,
            group_instance_id=self.instance,
            auto_offset_reset="earliest",
            partition_assignment_strategy=[ASSIGNORS[self.assignor]],
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            enable_auto_commit=self.auto_commit,
            auto_commit_interval_ms=AUTO_COMMIT_MS,
            fetch_max_wait_ms=50,
        )
        self.consumer.subscribe([self.topic], listener=Listener(self))

    def poll(self):
        batches = self.consumer.poll(100)
        return [
            Place(record.partition, record.offset, record.value)
            for records in batches.values()
            for record in records
        ]

    def assigned(self):
        return [at.partition for at in self.consumer.assignment()]

    def shut(self):
        self.consumer.close(timeout_ms=PATIENCE_S * 1000)

    def commit(self, offsets=None, metadata=""):
        self.consumer.commit(self._offsets(offsets, metadata), timeout_ms=PATIENCE_S * 1000)

    def commit_async(self):
        outcomes = []
        self.consumer.commit_async(callback=lambda _offsets, answer: outcomes.append(answer))

        def outcome():
            if not outcomes:
                return None
            return outcomes[0] if isinstance(outcomes[0], Exception) else True

        return outcome

    def committed(self, partition):
        found = self.consumer.committed(TopicPartition(self.topic, partition), metadata=True)
        return (found.offset, found.metadata) if found else (None, "")

    def seek(self, partition, offset):
        self.consumer.seek(TopicPartition(self.topic, partition), offset)

    def pause(self, partition):
        self.consumer.pause(TopicPartition(self.topic, partition))

    def resume(self, partition):
        self.consumer.resume(TopicPartition(self.topic, partition))

    def _offsets(self, offsets, metadata):
        if offsets is None:
            return None
        return {
            TopicPartition(self.topic, partition): OffsetAndMetadata(offset, metadata, -1)
            for partition, offset in offsets.items()
        }


class Listener(ConsumerRebalanceListener):
    """Tells the member of its partitions."""

    def __init__(self, member):
        self.member = member

    def on_partitions_assigned(self, _partitions):
        self.member.came()

    def on_partitions_revoked(self, partitions):
        self.member.went(at.partition for at in partitions)


if __name__ == "__main__":
    from confluent.groups import ConfluentMember

    suite = Suite(NAME, VERSION, "groups")
    GroupChecks(suite, Client(sys.argv[1]), KafkaPythonMember, other=ConfluentMember)
    suite.run()

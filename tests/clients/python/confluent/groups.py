"""confluent-kafka: consumer groups."""

import sys

from confluent_kafka import Consumer, TopicPartition

from confluent import NAME, VERSION
from confluent.records import Client
from groups import GroupChecks
from harness import PATIENCE_S, Suite
from members import AUTO_COMMIT_MS, HEARTBEAT_MS, SESSION_MS, Member, Place


class ConfluentMember(Member):
    """A member by librdkafka."""

    def open(self):
        settings = {
            "bootstrap.servers": self.address,
            "group.id": self.group,
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": self.assignor,
            "session.timeout.ms": SESSION_MS,
            "heartbeat.interval.ms": HEARTBEAT_MS,
            "enable.auto.commit": self.auto_commit,
            "auto.commit.interval.ms": AUTO_COMMIT_MS,
            "fetch.wait.max.ms": 50,
        }
        if self.instance:
            settings["group.instance.id"] = self.instance
        if not self.auto_commit:
            settings["on_commit"] = self._committed
        self.commits = []
        self.consumer = Consumer(settings)
        self.consumer.subscribe(
            [self.topic],
            on_assign=lambda _consumer, _partitions: self.came(),
            on_revoke=lambda _consumer, partitions: self.went(at.partition for at in partitions),
        )

    def poll(self):
        messages = self.consumer.consume(100, timeout=0.1)
        for message in messages:
            assert not message.error(), message.error()
        return [Place(one.partition(), one.offset(), one.value()) for one in messages]

    def assigned(self):
        return [at.partition for at in self.consumer.assignment()]

    def shut(self):
        self.consumer.close()

    def commit(self, offsets=None, metadata=""):
        if offsets is None:
            done = self.consumer.commit(asynchronous=False)
        else:
            places = [
                TopicPartition(self.topic, partition, offset, metadata)
                for partition, offset in offsets.items()
            ]
            done = self.consumer.commit(offsets=places, asynchronous=False)
        for at in done:
            assert not at.error, at.error

    def commit_async(self):
        self.consumer.commit(asynchronous=True)
        return lambda: self.commits[0] if self.commits else None

    def committed(self, partition):
        (found,) = self.consumer.committed([TopicPartition(self.topic, partition)], PATIENCE_S)
        assert not found.error, found.error
        return (found.offset if found.offset >= 0 else None, found.metadata)

    def seek(self, partition, offset):
        self.consumer.seek(TopicPartition(self.topic, partition, offset))

    def pause(self, partition):
        self.consumer.pause([TopicPartition(self.topic, partition)])

    def resume(self, partition):
        self.consumer.resume([TopicPartition(self.topic, partition)])

    def _committed(self, error, _partitions):
        self.commits = [*self.commits, error or True]


if __name__ == "__main__":
    from kafka_python.groups import KafkaPythonMember

    suite = Suite(NAME, VERSION, "groups")
    GroupChecks(suite, Client(sys.argv[1]), ConfluentMember, other=KafkaPythonMember)
    suite.not_offered("assignor-sticky", "librdkafka has `cooperative-sticky` only")
    suite.run()

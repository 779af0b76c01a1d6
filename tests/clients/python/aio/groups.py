"""aiokafka: consumer groups."""

import sys

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from aio import NAME, VERSION, Loop
from aio.records import Client
from groups import GroupChecks
from harness import Suite
from members import AUTO_COMMIT_MS, HEARTBEAT_MS, SESSION_MS, Member, Place

ASSIGNORS = {
    assignor.name: assignor
    for assignor in [RangePartitionAssignor, RoundRobinPartitionAssignor, StickyPartitionAssignor]
}


class AioMember(Member):
    """A member by aiokafka, with an event loop of its own."""

    def open(self):
        self.loop = Loop()
        self.run = self.loop.run
        self.run(self._open())

    async def _open(self):
        self.consumer = AIOKafkaConsumer(
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
        await self.consumer.start()

    def poll(self):
        batches = self.run(self.consumer.getmany(timeout_ms=100))
        return [
            Place(record.partition, record.offset, record.value)
            for records in batches.values()
            for record in records
        ]

    def assigned(self):
        return [at.partition for at in self.consumer.assignment()]

    def shut(self):
        self.run(self.consumer.stop())

    def commit(self, offsets=None, metadata=""):
        if offsets is not None:
            offsets = {self._at(number): (offset, metadata) for number, offset in offsets.items()}
        self.run(self.consumer.commit(offsets))

    def commit_async(self):
        # The member's polls drive the loop, and so the task.
        task = self.loop.loop.create_task(self.consumer.commit())
        return lambda: (task.exception() or True) if task.done() else None

    def committed(self, partition):
        return self.run(self._committed(self._at(partition)))

    async def _committed(self, at):
        # The consumer tells the offset alone.
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await admin.start()
        try:
            found = (await admin.list_consumer_group_offsets(self.group)).get(at)
            offset = await self.consumer.committed(at)
        finally:
            await admin.close()
        assert offset == (found.offset if found else None), "consumer and admin disagree"
        return (offset, found.metadata if found else "")

    def seek(self, partition, offset):
        self.run(within_loop(self.consumer.seek, self._at(partition), offset))

    def pause(self, partition):
        self.run(within_loop(self.consumer.pause, self._at(partition)))

    def resume(self, partition):
        self.run(within_loop(self.consumer.resume, self._at(partition)))

    def _at(self, partition):
        return TopicPartition(self.topic, partition)


async def within_loop(function, *arguments):
    """Calls a function that is not asynchronous and wants a running loop all the same."""
    function(*arguments)


class Listener(ConsumerRebalanceListener):
    """Tells the member of its partitions."""

    def __init__(self, member):
        self.member = member

    def on_partitions_assigned(self, _assigned):
        self.member.came()

    def on_partitions_revoked(self, revoked):
        self.member.went(at.partition for at in revoked)


if __name__ == "__main__":
    from confluent.groups import ConfluentMember

    suite = Suite(NAME, VERSION, "groups")
    GroupChecks(suite, Client(sys.argv[1]), AioMember, other=ConfluentMember)
    suite.not_offered("assignor-cooperative")
    suite.run()

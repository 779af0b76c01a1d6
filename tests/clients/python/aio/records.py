"""aiokafka: produce and consume."""

import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError

from aio import NAME, VERSION, Loop, create_topic
from harness import Suite
from records import Read, RecordChecks


class Client:
    """The theme's client. Its consumers are assigned their partition by hand."""

    too_big_errors = MessageSizeTooLargeError

    def __init__(self, address):
        self.address = address
        self.run = Loop().run
        self.run(self._start())

    async def _start(self):
        self.consumer = AIOKafkaConsumer(
            bootstrap_servers=self.address,
            group_id=None,
            auto_offset_reset="none",
            max_partition_fetch_bytes=4_000_000,
        )
        await self.consumer.start()

    def create(self, topic, partitions):
        self.run(create_topic(self.address, topic, partitions))

    def produce(self, topic, partition, records, **options):
        return self.run(self._produce(topic, partition, records, **options))

    async def _produce(self, topic, partition, records, codec="none", idempotent=False, acks="all"):
        producer = AIOKafkaProducer(
            bootstrap_servers=self.address,
            compression_type=None if codec == "none" else codec,
            enable_idempotence=idempotent,
            acks=acks,
            linger_ms=100,
            max_request_size=8_000_000,
            max_batch_size=500_000,
        )
        await producer.start()
        try:
            pending = [
                await producer.send(
                    topic,
                    record.value,
                    record.key,
                    partition=partition,
                    timestamp_ms=record.timestamp_ms,
                    headers=list(record.headers),
                )
                for record in records
            ]
            sent = [await one for one in pending]
            return [one.offset for one in sent] if acks else []
        finally:
            await producer.stop()

    def read(self, topic, partition, offset, count):
        return self.run(self._read_many(TopicPartition(topic, partition), offset, count))

    async def _read_many(self, asked, offset, count):
        self.consumer.assign([asked])
        self.consumer.seek(asked, offset)
        return [self._read(await self.consumer.getone(asked)) for _ in range(count)]

    def read_nothing(self, topic):
        return self.run(self._look(TopicPartition(topic, 0)))

    async def _look(self, asked):
        self.consumer.assign([asked])
        self.consumer.seek(asked, 0)
        return list(await self.consumer.getmany(asked, timeout_ms=1000))

    def offset_at(self, topic, partition, timestamp_ms):
        asked = TopicPartition(topic, partition)
        found = self.run(self.consumer.offsets_for_times({asked: timestamp_ms}))[asked]
        return found.offset if found else None

    def watermarks(self, topic, partition):
        asked = TopicPartition(topic, partition)
        first = self.run(self.consumer.beginning_offsets([asked]))
        after = self.run(self.consumer.end_offsets([asked]))
        return (first[asked], after[asked])

    def is_too_big(self, refusal):
        return refusal.errno == MessageSizeTooLargeError.errno

    def _read(self, message):
        return Read(
            message.offset, message.key, message.value, tuple(message.headers), message.timestamp
        )


if __name__ == "__main__":
    suite = Suite(NAME, VERSION, "records")
    RecordChecks(suite, Client(sys.argv[1]))
    suite.run()

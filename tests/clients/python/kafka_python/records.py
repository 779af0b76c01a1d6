"""kafka-python: produce and consume."""

import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import MessageSizeTooLargeError

from harness import PATIENCE_S, Suite
from kafka_python import NAME, VERSION, create_topic
from records import Read, RecordChecks


class Client:
    """The theme's client. Its consumers are assigned their partition by hand."""

    too_big_errors = MessageSizeTooLargeError

    def __init__(self, address):
        self.address = address
        self.consumer = KafkaConsumer(
            bootstrap_servers=address,
            group_id=None,
            auto_offset_reset="none",
            max_partition_fetch_bytes=4_000_000,
        )

    def create(self, topic, partitions):
        create_topic(self.address, topic, partitions)

    def produce(self, topic, partition, records, codec="none", idempotent=False, acks="all"):
        producer = KafkaProducer(
            bootstrap_servers=self.address,
            compression_type=None if codec == "none" else codec,
            enable_idempotence=idempotent,
            acks=acks,
            linger_ms=100,
            max_request_size=8_000_000,
            batch_size=500_000,
        )
        pending = [
            producer.send(
                topic,
                record.value,
                record.key,
                headers=list(record.headers),
                partition=partition,
                timestamp_ms=record.timestamp_ms,
            )
            for record in records
        ]
        producer.flush(PATIENCE_S)
        try:
            return [one.get(PATIENCE_S).offset for one in pending]
        finally:
            producer.close(PATIENCE_S)

    def read(self, topic, partition, offset, count):
        asked = TopicPartition(topic, partition)
        self.consumer.assign([asked])
        self.consumer.seek(asked, offset)
        reads = []
        while len(reads) < count:
            batches = self.consumer.poll(PATIENCE_S * 1000, max_records=count - len(reads))
            assert batches, f"{topic}: nothing more after {len(reads)} records"
            reads += [self._read(message) for message in batches[asked]]
        return reads

    def read_nothing(self, topic):
        asked = TopicPartition(topic, 0)
        self.consumer.assign([asked])
        self.consumer.seek_to_beginning(asked)
        return list(self.consumer.poll(1000))

    def offset_at(self, topic, partition, timestamp_ms):
        asked = TopicPartition(topic, partition)
        found = self.consumer.offsets_for_times({asked: timestamp_ms})[asked]
        return found.offset if found else None

    def watermarks(self, topic, partition):
        asked = TopicPartition(topic, partition)
        first = self.consumer.beginning_offsets([asked])
        after = self.consumer.end_offsets([asked])
        return (first[asked], after[asked])

    def is_too_big(self, refusal):
        return refusal.errno == MessageSizeTooLargeError.errno

    def _read(self, message):
        headers = tuple((name, value) for name, value in message.headers)
        return Read(message.offset, message.key, message.value, headers, message.timestamp)


if __name__ == "__main__":
    suite = Suite(NAME, VERSION, "records")
    RecordChecks(suite, Client(sys.argv[1]))
    suite.run()

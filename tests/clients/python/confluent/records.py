"""confluent-kafka: produce and consume."""

import sys

from confluent_kafka import (
    TIMESTAMP_CREATE_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)

from confluent import NAME, VERSION, create_topic
from harness import PATIENCE_S, Suite
from records import Read, RecordChecks


class Client:
    """The theme's client. Its consumers are assigned their partition by hand."""

    too_big_errors = KafkaException

    def __init__(self, address):
        self.address = address
        self.consumer = self._consumer()

    def create(self, topic, partitions):
        create_topic(self.address, topic, partitions)

    def produce(self, topic, partition, records, codec="none", idempotent=False, acks="all"):
        settings = {
            "bootstrap.servers": self.address,
            "compression.type": codec,
            "enable.idempotence": idempotent,
            "acks": acks,
            "linger.ms": 100,
            "message.max.bytes": 8_000_000,
        }
        producer, offsets, errors = Producer(settings), [], []

        def delivered(error, message):
            if error:
                errors.append(error)
            else:
                offsets.append(message.offset())

        place = {} if partition is None else {"partition": partition}
        for record in records:
            producer.produce(
                topic,
                record.value,
                record.key,
                on_delivery=delivered,
                timestamp=record.timestamp_ms or 0,
                headers=list(record.headers),
                **place,
            )
        if producer.flush(PATIENCE_S):
            raise TimeoutError(f"{topic}: records that were never acknowledged")
        if errors:
            raise KafkaException(errors[0])
        return offsets

    def read(self, topic, partition, offset, count):
        self.consumer.assign([TopicPartition(topic, partition, offset)])
        reads = []
        while len(reads) < count:
            messages = self.consumer.consume(count - len(reads), timeout=PATIENCE_S)
            assert messages, f"{topic}: nothing more after {len(reads)} records"
            reads += [self._read(message) for message in messages]
        return reads

    def read_nothing(self, topic):
        # Told at the end of a partition, and so it need not wait for nothing.
        consumer = self._consumer({"enable.partition.eof": True})
        consumer.assign([TopicPartition(topic, 0, 0)])
        message = consumer.poll(PATIENCE_S)
        consumer.close()
        assert message, "no answer"
        if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
            return []
        return [self._read(message)]

    def offset_at(self, topic, partition, timestamp_ms):
        asked = TopicPartition(topic, partition, timestamp_ms)
        (found,) = self.consumer.offsets_for_times([asked], timeout=PATIENCE_S)
        assert not found.error, found.error
        return found.offset if found.offset >= 0 else None

    def watermarks(self, topic, partition):
        asked = TopicPartition(topic, partition)
        return self.consumer.get_watermark_offsets(asked, timeout=PATIENCE_S)

    def is_too_big(self, refusal):
        return refusal.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE

    def _consumer(self, more=None):
        settings = {
            "bootstrap.servers": self.address,
            "group.id": "assigned-by-hand",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            # The next partition waits for the fetch of the one before.
            "fetch.wait.max.ms": 50,
        }
        return Consumer(settings | (more or {}))

    def _read(self, message):
        assert not message.error(), message.error()
        kind, timestamp_ms = message.timestamp()
        assert kind == TIMESTAMP_CREATE_TIME, kind
        headers = tuple(message.headers() or ())
        return Read(message.offset(), message.key(), message.value(), headers, timestamp_ms)


if __name__ == "__main__":
    suite = Suite(NAME, VERSION, "records")
    RecordChecks(suite, Client(sys.argv[1]))
    suite.run()

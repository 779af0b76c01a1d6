"""confluent-kafka (librdkafka) and kafka-python against the address given.

Producers with and without idempotence and consumers without groups: what is
served. A transaction is refused at once.
"""

import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaConsumer, KafkaProducer
from kafka import TopicPartition as KafkaTopicPartition

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
RECORDS = 2000
PATIENCE_S = 30


def records():
    return [(f"key-{n}".encode(), f"value-{n} that repeats that repeats".encode()) for n in range(RECORDS)]


def librdkafka(address):
    admin = AdminClient({"bootstrap.servers": address})
    topics = [NewTopic(f"librdkafka-{codec}", num_partitions=3) for codec in CODECS]
    for name, made in admin.create_topics(topics).items():
        made.result(PATIENCE_S)
    for at, codec in enumerate(CODECS):
        topic = f"librdkafka-{codec}"
        idempotent = at % 2 == 1
        producer = Producer(
            {"bootstrap.servers": address, "compression.codec": codec, "enable.idempotence": idempotent, "acks": "all"}
        )
        acknowledged = []
        failed = []

        def delivered(error, message):
            failed.append(error) if error else acknowledged.append(message.offset())

        for key, value in records():
            producer.produce(topic, value, key, partition=1, on_delivery=delivered)
        assert producer.flush(PATIENCE_S) == 0
        assert not failed, failed[0]
        assert acknowledged == list(range(RECORDS))

        consumer = Consumer(
            {"bootstrap.servers": address, "group.id": "none", "enable.auto.commit": False, "enable.partition.eof": False}
        )
        consumer.assign([TopicPartition(topic, 1, 0)])
        read = []
        while len(read) < RECORDS:
            messages = consumer.consume(500, timeout=PATIENCE_S)
            assert messages, f"{topic}: nothing more after {len(read)} records"
            for message in messages:
                assert not message.error(), message.error()
                read.append((message.key(), message.value()))
        assert read == records(), topic
        assert consumer.get_watermark_offsets(TopicPartition(topic, 1), timeout=PATIENCE_S) == (0, RECORDS)
        consumer.close()
    transactional = Producer({"bootstrap.servers": address, "transactional.id": "none"})
    begun = time.monotonic()
    try:
        transactional.init_transactions(PATIENCE_S)
        raise AssertionError("a transaction was begun")
    except KafkaException as refused:
        assert refused.args[0].fatal(), refused
    assert time.monotonic() - begun < PATIENCE_S / 2, "the refusal took as long as an outage"
    for name, gone in admin.delete_topics(["librdkafka-none"]).items():
        gone.result(PATIENCE_S)
    assert "librdkafka-none" not in admin.list_topics(timeout=PATIENCE_S).topics
    print(f"confluent-kafka: {RECORDS} records through each of {', '.join(CODECS)}, with idempotence and without")


def kafka_python(address):
    for codec, idempotent in [(None, True), ("gzip", False)]:
        topic = f"kafka-python-{codec}"
        producer = KafkaProducer(
            bootstrap_servers=address, acks="all", compression_type=codec, enable_idempotence=idempotent
        )
        pending = [producer.send(topic, value, key) for key, value in records()]
        offsets = [one.get(PATIENCE_S).offset for one in pending]
        assert offsets == list(range(RECORDS)), topic
        producer.close()

        consumer = KafkaConsumer(
            bootstrap_servers=address, group_id=None, auto_offset_reset="earliest", consumer_timeout_ms=PATIENCE_S * 1000
        )
        partition = KafkaTopicPartition(topic, 0)
        consumer.assign([partition])
        assert consumer.end_offsets([partition]) == {partition: RECORDS}
        read = []
        for message in consumer:
            read.append((message.key, message.value))
            if len(read) == RECORDS:
                break
        assert read == records(), topic
        consumer.close()
    print(f"kafka-python: {RECORDS} records, idempotent and plain, gzip and not")


librdkafka(sys.argv[1])
kafka_python(sys.argv[1])

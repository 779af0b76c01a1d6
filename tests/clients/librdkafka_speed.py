"""How fast librdkafka is through confluent-kafka, in a loop that does nothing else.

    librdkafka_speed.py ADDRESS TOPIC RECORDS [RECORD_BYTES]

Appends RECORDS to partition 0 of TOPIC with acks=all and waits until all of them are
acknowledged; then reads them. Prints one line of JSON with the rates of both; MB is 10^6
bytes of values. The loop is Python's, so it is one core that hands records over: the
figures are what a Python program can have, not what librdkafka could do.
"""

import json
import os
import sys
import time

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition, libversion

CONSUMED_AT_ONCE = 10_000
PATIENCE_S = 60


def produce(address, topic, records, value):
    producer = Producer(
        {
            "bootstrap.servers": address,
            "acks": "all",
            "linger.ms": 5,
            "batch.size": 1_000_000,
            "batch.num.messages": 100_000,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 512 * 1024,
            # Nobody is told of each record; a failure of any is.
            "delivery.report.only.error": True,
        }
    )
    failed = []

    def delivered(error, _message):
        failed.append(error)

    # A batch begins before the clock does: the connection is made.
    producer.produce(topic, value, partition=0, on_delivery=delivered)
    assert producer.flush(PATIENCE_S) == 0
    started = time.monotonic()
    for _ in range(records - 1):
        while True:
            try:
                producer.produce(topic, value, partition=0, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.01)
    assert producer.flush(PATIENCE_S) == 0
    assert not failed, failed[0]
    return time.monotonic() - started


def consume(address, topic, records, value):
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "speed",
            "enable.auto.commit": False,
            "check.crcs": True,
            "fetch.max.bytes": 64 << 20,
            "max.partition.fetch.bytes": 16 << 20,
            "queued.max.messages.kbytes": 256 * 1024,
            "queued.min.messages": 1_000_000,
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    started, read = time.monotonic(), 0
    while read < records:
        messages = consumer.consume(CONSUMED_AT_ONCE, timeout=PATIENCE_S)
        assert messages, f"nothing more after {read} records"
        for message in messages:
            error = message.error()
            assert not error or error.code() == KafkaError._PARTITION_EOF, error
            read += 1
    elapsed = time.monotonic() - started
    assert messages[-1].value() == value and messages[-1].offset() == records - 1
    consumer.close()
    return elapsed


def rate(records, record_bytes, elapsed):
    return {
        "records_per_second": round(records / elapsed),
        "megabytes_per_second": round(records * record_bytes / elapsed / 1e6, 1),
    }


def main():
    address, topic, records = sys.argv[1], sys.argv[2], int(sys.argv[3])
    record_bytes = int(sys.argv[4]) if len(sys.argv) > 4 else 1024
    value = os.urandom(record_bytes)
    produced = rate(records, record_bytes, produce(address, topic, records, value))
    consumed = rate(records, record_bytes, consume(address, topic, records, value))
    print(json.dumps({"librdkafka": libversion()[0], "produce": produced, "consume": consumed}))


if __name__ == "__main__":
    main()

"""kcat: produce and consume."""

import itertools
import json
import re
import sys

import confluent.records
from confluent import create_topic
from harness import Suite
from kcat import NAME, VERSION, KcatFailed, kcat
from records import Read, RecordChecks

KEY_END = r"\x01"
RECORD_END = r"\x02"


class Client:
    """The theme's client. Every call is a run of kcat."""

    too_big_errors = KcatFailed

    def __init__(self, address):
        self.address = address

    def create(self, topic, partitions):
        create_topic(self.address, topic, partitions)

    def produce(self, topic, partition, records, codec="none", idempotent=False, acks="all"):
        if any(record.timestamp_ms for record in records):
            # Another hand prepares what kcat cannot: it sets no timestamps.
            other = confluent.records.Client(self.address)
            return other.produce(topic, partition, records)
        options = ["-z", codec] if codec != "none" else []
        options += ["-p", partition] if partition is not None else []
        options += ["-X", f"enable.idempotence={str(idempotent).lower()}", "-X", f"acks={acks}"]
        offsets = []
        for more, alike in itertools.groupby(records, self._options):
            offsets += self._produce(topic, list(alike), [*options, *more])
        return offsets

    def _options(self, record):
        # Headers and NULLs hold for all records of a run.
        nulls = ["-Z"] if record.value is None else []
        headers = [["-H", f"{name}={value.decode()}"] for name, value in record.headers]
        return nulls + sum(headers, [])

    def _produce(self, topic, records, options):
        keyed = any(record.key is not None for record in records)
        lines = b"\x02".join(
            (record.key + b"\x01" if keyed else b"") + (record.value or b"") for record in records
        )
        options += ["-D", RECORD_END, "-X", "message.max.bytes=8000000", "-X", "linger.ms=50"]
        options += ["-K", KEY_END] if keyed else []
        _, said = kcat(self.address, "-P", "-t", topic, "-vvv", *options, stdin=lines)
        return [int(one) for one in re.findall(r"delivered to partition.*offset (\d+)", said)]

    def read(self, topic, partition, offset, count):
        where = ["-t", topic, "-p", partition, "-o", offset, "-c", count]
        lines, _ = kcat(self.address, "-C", *where, "-q", "-J")
        return [read(json.loads(line)) for line in lines.splitlines()]

    def read_nothing(self, topic):
        lines, _ = kcat(self.address, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J")
        return lines.splitlines()

    def offset_at(self, topic, partition, timestamp_ms):
        answer, _ = kcat(self.address, "-Q", "-t", f"{topic}:{partition}:{timestamp_ms}")
        offset = int(answer.rsplit(" ", 1)[1])
        return offset if offset >= 0 else None

    def watermarks(self, topic, partition):
        return (self.offset_at(topic, partition, -2), self.offset_at(topic, partition, -1))

    def is_too_big(self, refusal):
        return "Message size too large" in str(refusal)


def read(line):
    """A record by its line of JSON."""

    def encoded(text):
        return None if text is None else text.encode()

    names, values = line.get("headers", [])[::2], line.get("headers", [])[1::2]
    headers = tuple((name, encoded(value)) for name, value in zip(names, values, strict=True))
    return Read(line["offset"], encoded(line["key"]), encoded(line["payload"]), headers, line["ts"])


if __name__ == "__main__":
    suite = Suite(NAME, VERSION, "records")
    RecordChecks(suite, Client(sys.argv[1]))
    suite.not_offered("timestamps", "shown with every record, but none can be set")
    suite.run()

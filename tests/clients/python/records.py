"""What every client must be able to do with records.

The checks are written once, over a `Client` that each library's file provides:

    create(topic, partitions)
    produce(topic, partition, records, **options) -> offsets
    read(topic, partition, offset, count) -> [Read]
    read_nothing(topic) -> [Read], after a look of about a second
    offset_at(topic, partition, timestamp_ms) -> offset, or None behind the end
    watermarks(topic, partition) -> (first, next)

Options of `produce`: `codec`, `idempotent`, `acks` (0, 1 or "all"). The
partition None leaves the choice to the client's partitioner.
"""

from typing import NamedTuple

from harness import equal

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
DAY_MS = 86_400_000
FIRST_MS = 1_356_998_400_000  # 2013-01-01


class Record(NamedTuple):
    """A record to produce."""

    key: bytes | None
    value: bytes | None
    headers: tuple = ()
    timestamp_ms: int | None = None


class Read(NamedTuple):
    """A record that was consumed."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple
    timestamp_ms: int


def many(count):
    """Records with keys, and values that compress well."""
    return [Record(b"key-%d" % n, b"value %d that repeats " % n * 8) for n in range(count)]


def expect(reads, records, what):
    """Fails unless keys and values came back in order, without a gap in the offsets."""
    equal([(read.key, read.value) for read in reads], [record[:2] for record in records], what)
    offsets = [read.offset for read in reads]
    equal(offsets, list(range(offsets[0], offsets[0] + len(offsets))), f"{what}: offsets")


class RecordChecks:
    """The checks of the theme. Each works on a topic of its own."""

    def __init__(self, suite, client):
        self.client = client
        self.prefix = suite.client
        for codec in CODECS:
            suite.add(f"codec-{codec}", self.codec, codec)
        suite.add_all(self)

    def topic(self, name, partitions=1):
        topic = f"{self.prefix}-{name}"
        self.client.create(topic, partitions)
        return topic

    def codec(self, codec):
        topic, records = self.topic(f"codec-{codec}", 3), many(1000)
        offsets = self.client.produce(topic, 1, records, codec=codec)
        equal(offsets, list(range(len(records))), "acknowledged offsets")
        expect(self.client.read(topic, 1, 0, len(records)), records, codec)

    def acks(self):
        topic = self.topic("acks")
        for acks in ["all", 1, 0]:
            self.client.produce(topic, 0, many(50), acks=acks)
        # What nobody acknowledged is there as well, after the rest.
        expect(self.client.read(topic, 0, 0, 150), many(50) * 3, "records of all three")

    def idempotent(self):
        topic, records = self.topic("idempotent"), many(2000)
        offsets = self.client.produce(topic, 0, records, idempotent=True, codec="gzip")
        equal(offsets, list(range(len(records))), "acknowledged offsets")
        expect(self.client.read(topic, 0, 0, len(records)), records, "idempotent")

    def keys(self):
        topic = self.topic("keys", 4)
        records = [Record(b"key-%d" % (n % 16), b"%d" % n) for n in range(320)]
        self.client.produce(topic, None, records)
        homes, found = {}, []
        for partition in range(4):
            first, after = self.client.watermarks(topic, partition)
            reads = self.client.read(topic, partition, first, after - first) if after else []
            for read in reads:
                equal(homes.setdefault(read.key, partition), partition, f"home of {read.key}")
            found += [read.value for read in reads]
        equal(sorted(found), sorted(record.value for record in records), "values")
        assert len(set(homes.values())) > 1, "sixteen keys in one partition"

    def order(self):
        topic = self.topic("order")
        batches = [[Record(None, b"%d-%d" % (batch, n)) for n in range(100)] for batch in range(5)]
        for batch in batches:
            self.client.produce(topic, 0, batch)
        expect(self.client.read(topic, 0, 0, 500), sum(batches, []), "five batches")

    def nulls(self):
        topic = self.topic("nulls")
        records = [Record(None, b"no key"), Record(b"no value", None), Record(b"empty", b"")]
        self.client.produce(topic, 0, records)
        expect(self.client.read(topic, 0, 0, 3), records, "nulls")

    def headers(self):
        topic = self.topic("headers")
        headers = (("color", b"blue"), ("color", b"green"), ("empty", b""))
        records = [Record(b"with", b"headers", headers), Record(b"without", b"any")]
        self.client.produce(topic, 0, records)
        reads = self.client.read(topic, 0, 0, 2)
        equal([read.headers for read in reads], [headers, ()], "headers")

    def timestamps(self):
        topic = self.topic("timestamps")
        records = [Record(None, b"%d" % n, (), FIRST_MS + n * DAY_MS) for n in range(5)]
        self.client.produce(topic, 0, records)
        reads = self.client.read(topic, 0, 0, 5)
        equal([read.timestamp_ms for read in reads], [record[3] for record in records], "times")

    def big_records(self):
        topic = self.topic("big-records")
        records = [Record(b"%d" % n, bytes([65 + n]) * 900 * 1024) for n in range(3)]
        self.client.produce(topic, 0, records)
        expect(self.client.read(topic, 0, 0, 3), records, "big records")

    def too_big(self):
        topic = self.topic("too-big")
        try:
            self.client.produce(topic, 0, [Record(None, b"x" * 3 * 1024 * 1024)])
        except self.client.too_big_errors as refusal:
            assert self.client.is_too_big(refusal), refusal
        else:
            raise AssertionError("three megabytes were taken")
        self.client.produce(topic, 0, [Record(None, b"small")])
        expect(self.client.read(topic, 0, 0, 1), [Record(None, b"small")], "after the refusal")

    def from_offset(self):
        topic, records = self.topic("from-offset"), many(100)
        for n in range(0, 100, 10):
            self.client.produce(topic, 0, records[n : n + 10])
        for offset in [0, 10, 99]:
            expect(self.client.read(topic, 0, offset, 100 - offset), records[offset:], offset)

    def middle_of_batch(self):
        topic, records = self.topic("middle-of-batch"), many(300)
        self.client.produce(topic, 0, records, codec="gzip")
        for offset in [1, 150, 299]:
            reads = self.client.read(topic, 0, offset, 300 - offset)
            equal(reads[0].offset, offset, "first offset")
            expect(reads, records[offset:], f"from {offset}")

    def from_timestamp(self):
        topic = self.topic("from-timestamp")
        self.client.produce(topic, 0, self.dated())
        days = [
            (FIRST_MS - DAY_MS, 0),
            (FIRST_MS + 2 * DAY_MS, 2),
            (FIRST_MS + 2 * DAY_MS + 1, 3),
            (FIRST_MS + 30 * DAY_MS, None),
        ]
        for timestamp_ms, offset in days:
            found = self.client.offset_at(topic, 0, timestamp_ms)
            equal(found, offset, f"offset of {timestamp_ms}")

    def dated(self):
        return [Record(None, b"%d" % n, (), FIRST_MS + n * DAY_MS) for n in range(10)]

    def watermarks(self):
        topic = self.topic("watermarks", 2)
        self.client.produce(topic, 1, many(42))
        equal(self.client.watermarks(topic, 0), (0, 0), "of the empty partition")
        equal(self.client.watermarks(topic, 1), (0, 42), "of the other")

    def empty_topic(self):
        topic = self.topic("empty-topic")
        equal(self.client.read_nothing(topic), [], "records of an empty topic")
        equal(self.client.watermarks(topic, 0), (0, 0), "watermarks of an empty topic")

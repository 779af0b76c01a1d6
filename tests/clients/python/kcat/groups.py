"""kcat: consumer groups."""

import json
import queue
import re
import subprocess
import sys
import threading

from confluent_kafka import Consumer, TopicPartition

from groups import GroupChecks
from harness import PATIENCE_S, Suite
from kcat import NAME, VERSION
from kcat.records import Client
from members import AUTO_COMMIT_MS, HEARTBEAT_MS, SESSION_MS, Member, Place


class KcatMember(Member):
    """A member that is a process. What it says of its partitions is read along."""

    def open(self):
        settings = {
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": self.assignor,
            "session.timeout.ms": SESSION_MS,
            "heartbeat.interval.ms": HEARTBEAT_MS,
            "auto.commit.interval.ms": AUTO_COMMIT_MS,
            "fetch.wait.max.ms": 50,
        }
        if self.instance:
            settings["group.instance.id"] = self.instance
        options = [f"-X{name}={value}" for name, value in settings.items()]
        self.process = subprocess.Popen(
            ["kcat", "-b", self.address, *options, "-u", "-J", "-G", self.group, self.topic],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.own = frozenset()
        self.lines = queue.SimpleQueue()
        threading.Thread(target=self._read_along, daemon=True).start()
        threading.Thread(target=self._hear, daemon=True).start()

    def _read_along(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def _hear(self):
        for line in self.process.stderr:
            partitions = frozenset(map(int, re.findall(r"\[(\d+)\]", line)))
            if "assigned:" in line or "incremental assignment" in line:
                self.own = self.own | partitions
                self.came()
            elif "revoked:" in line or "incremental revoke" in line:
                self.own = self.own - partitions
                self.went(partitions)

    def poll(self):
        try:
            line = self.lines.get(timeout=0.1)
        except queue.Empty:
            assert self.process.poll() is None, f"kcat ended with {self.process.poll()}"
            return []
        return [Place(line["partition"], line["offset"], line["payload"].encode())]

    def assigned(self):
        return self.own

    def shut(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)

    def commit(self, offsets=None, metadata=""):
        """Nothing: kcat commits when it leaves."""

    def committed(self, partition):
        # Nobody joins for this: a consumer that asks and does not subscribe.
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": self.group})
        try:
            (found,) = consumer.committed([TopicPartition(self.topic, partition)], PATIENCE_S)
        finally:
            consumer.close()
        return (found.offset if found.offset >= 0 else None, found.metadata)


if __name__ == "__main__":
    from kafka_python.groups import KafkaPythonMember

    suite = Suite(NAME, VERSION, "groups")
    GroupChecks(suite, Client(sys.argv[1]), KcatMember, other=KafkaPythonMember)
    suite.not_offered("assignor-sticky", "librdkafka has `cooperative-sticky` only")
    for feature in ["commit-sync", "commit-async", "commit-metadata", "seek", "pause"]:
        suite.not_offered(feature)
    suite.run()

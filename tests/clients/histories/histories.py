"""Histories of consumer groups, from seeds, with real members that die.

    histories.py PYRALOG [--seeds FROM TO] [--side-by-side N] [--keep]

Each seed has a node of its own. Three members read what a producer writes; one joins,
one leaves, one is killed, in an order and at moments that the seed chooses, and then
the node is killed and started again on its data. `judge.py` says what was wrong.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import judge
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

ASSIGNORS = ["range", "roundrobin", "cooperative-sticky"]
# The least that a node takes, and what most members have.
SESSION_MS = 6000
HEARTBEAT_MS = 500
PATIENCE_S = 60
TOPIC, GROUP = "history", "readers"
# A node that is killed is no news to be told of.
QUIET = {"log_level": 0}


class Node:
    """A node on a data directory that outlives it."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.process, self.address = binary, folder, None, None
        self.log = open(folder / "node.log", "ab")

    def start(self):
        """Always on the same port after the first time: clients come back to it."""
        ports = ["--random-ports"]
        if self.address is not None:
            ports = ["--listen-addr", self.address, "--http-addr", "127.0.0.1:0", "--link-addr", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [self.binary, "dev", *ports, "--data-dir", str(self.folder / "data")],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        for line in self.process.stdout:
            words = line.split()
            if words[:1] == ["Kafka"]:
                self.address = words[1]
            if line.strip() == "ready":
                # Nothing more is read from it, so it must not fill.
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return
        raise RuntimeError(f"the node did not start; see {self.folder}/node.log")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)


class Member:
    """A process of `member.py` and the lines it said."""

    def __init__(self, name, plan):
        self.name, self.lines = name, []
        script = pathlib.Path(__file__).with_name("member.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), json.dumps({**plan, "name": name})], stdout=subprocess.PIPE, text=True
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append({**json.loads(line), "member": self.name})

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.lines.append({"t": time.monotonic(), "member": self.name, "event": "killed"})

    def leave(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self):
        status = self.process.wait(PATIENCE_S)
        self.reader.join()
        assert status == 0, f"member {self.name} ended with {status}"

    def owns(self):
        owned = set()
        for line in list(self.lines):
            if line["event"] == "assigned":
                owned |= set(line["partitions"])
            elif line["event"] == "revoked":
                owned -= set(line["partitions"])
        return owned


class Producing:
    """Writes to random partitions until it is told to stop, and counts what is durable."""

    def __init__(self, address, partitions, rng):
        self.counts = {partition: 0 for partition in range(partitions)}
        self.failed, self.stopping, self.rng = [], threading.Event(), rng
        self.producer = Producer(
            {
                **QUIET,
                "bootstrap.servers": address,
                "enable.idempotence": True,
                "linger.ms": 5,
                "reconnect.backoff.max.ms": 500,
            }
        )
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _delivered(self, error, message):
        if error:
            self.failed.append(str(error))
        else:
            self.counts[message.partition()] = max(self.counts[message.partition()], message.offset() + 1)

    def _run(self):
        while not self.stopping.wait(0.01):
            for _ in range(20):
                partition = self.rng.randrange(len(self.counts))
                self.producer.produce(TOPIC, b"x" * 100, partition=partition, on_delivery=self._delivered)
            self.producer.poll(0)

    def finish(self):
        self.stopping.set()
        self.thread.join()
        assert self.producer.flush(PATIENCE_S) == 0, "the producer could not deliver everything"
        assert not self.failed, self.failed[0]


class Sampling:
    """Asks again and again how far the group has come."""

    def __init__(self, address, partitions):
        self.samples, self.stopping, self.partitions = [], threading.Event(), partitions
        # Its own consumer, without ever joining: it only asks.
        self.consumer = Consumer(
            {**QUIET, "bootstrap.servers": address, "group.id": GROUP, "enable.auto.commit": False}
        )
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def ask(self):
        begun = time.monotonic()
        wanted = [TopicPartition(TOPIC, partition) for partition in range(self.partitions)]
        try:
            answer = self.consumer.committed(wanted, timeout=2)
        except KafkaException:
            return None
        if any(partition.error for partition in answer):
            return None
        offsets = {partition.partition: partition.offset for partition in answer if partition.offset >= 0}
        self.samples.append((begun, time.monotonic(), offsets))
        return offsets

    def _run(self):
        while not self.stopping.wait(0.1):
            self.ask()

    def finish(self):
        self.stopping.set()
        self.thread.join()
        self.consumer.close()


def until(what, condition):
    """Waits for a condition that others bring about."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about in {PATIENCE_S} s"
        time.sleep(0.02)


def history(binary, seed, folder):
    rng = random.Random(seed)
    partitions = rng.choice([3, 6, 7])
    plan = {
        "topic": TOPIC,
        "group": GROUP,
        "assignor": ASSIGNORS[seed % len(ASSIGNORS)],
        "static": rng.random() < 0.3,
        "auto_commit": rng.random() < 0.5,
        "session_ms": SESSION_MS,
        "heartbeat_ms": HEARTBEAT_MS,
    }
    node = Node(binary, folder)
    node.start()
    plan["bootstrap"] = node.address
    admin = AdminClient({**QUIET, "bootstrap.servers": node.address})  # its answer goes with it
    admin.create_topics([NewTopic(TOPIC, num_partitions=partitions)])[TOPIC].result(PATIENCE_S)
    # Chance of its own: threads must not change the order of what is to happen.
    producing = Producing(node.address, partitions, random.Random(seed))
    sampling = Sampling(node.address, partitions)
    members = [Member(f"member-{number}", plan) for number in range(3)]
    everything = set(range(partitions))
    living = lambda: [member for member in members if member.process.poll() is None]
    owned = lambda: set().union(*(member.owns() for member in living()), set())
    until("an owner for every partition", lambda: owned() == everything)
    restarted = []
    steps = ["join", "leave", "kill"]
    rng.shuffle(steps)
    for step in [*steps, "node"]:
        time.sleep(rng.uniform(0, 1.5))  # the moment is the seed's choice
        if step == "join":
            members.append(Member(f"member-{len(members)}", plan))
        elif step == "leave":
            rng.choice(living()).leave()
        elif step == "kill":
            rng.choice(living()).kill()
        else:
            node.kill()
            node.start()
            restarted.append({"t": time.monotonic(), "member": "node", "event": "restarted"})
    time.sleep(rng.uniform(0, 1))
    producing.finish()
    done = lambda: sampling.samples and all(
        sampling.samples[-1][2].get(partition, 0) >= count for partition, count in producing.counts.items()
    )
    until("a commit of everything", done)
    end = time.monotonic()
    for member in living():
        member.leave()
    for member in members:
        if member.process.returncode is None:
            member.wait()
    sampling.finish()
    lines = [line for member in members for line in member.lines] + restarted
    # The rest of a session, a heartbeat to hear of it, and a busy machine.
    dead = (SESSION_MS + 2 * HEARTBEAT_MS) / 1000 + 2.0
    # A static member that leaves says nothing: it may come back within its session.
    session = SESSION_MS / 1000
    bounds = {"alive": dead if plan["static"] else session, "dead": dead, "session": session}
    (folder / "lines.json").write_text("\n".join(json.dumps(line) for line in sorted(lines, key=lambda line: line["t"])))
    complaints = (
        [f"{line['member']} met {line['what']}" for line in lines if line["event"] == "error"]
        + judge.everything_was_read(producing.counts, lines)
        + judge.nobody_waited(range(partitions), lines, bounds, end)
        + judge.nothing_went_back(sampling.samples, lines)
        + judge.one_owner(lines)
    )
    node.stop()
    what = f"{plan['assignor']}, {'static' if plan['static'] else 'dynamic'}, {'auto' if plan['auto_commit'] else 'sync'} commit"
    what += f", {partitions} partitions, {' '.join(steps)} node, {sum(producing.counts.values())} records"
    return what, complaints


def run(arguments, seed):
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"history-{seed}-"))
    begun = time.monotonic()
    try:
        what, complaints = history(arguments.pyralog, seed, folder)
    except Exception as error:  # one that breaks must not hide the others
        what, complaints = "not judged", [f"{type(error).__name__}: {error}"]
    seconds = time.monotonic() - begun
    verdict = "ok" if not complaints else "WRONG"
    print(f"{verdict} history {seed}: {what} ({seconds:.1f} s)", flush=True)
    for complaint in complaints[:10]:
        print(f"   {complaint}", flush=True)
    if complaints:
        print(f"   what happened is in {folder}; once more: --seeds {seed} {seed + 1}", flush=True)
    elif not arguments.keep:
        shutil.rmtree(folder)
    return not complaints


# Histories that may be wrong once.
AGAIN_MAX = 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pyralog")
    parser.add_argument("--seeds", nargs=2, type=int, default=[0, 20])
    parser.add_argument("--side-by-side", type=int, default=max(2, (os.cpu_count() or 2) * 2))
    parser.add_argument("--keep", action="store_true", help="keep the folders of good histories too")
    arguments = parser.parse_args()
    seeds = range(*arguments.seeds)
    with ThreadPoolExecutor(arguments.side_by_side) as pool:
        good = list(pool.map(lambda seed: run(arguments, seed), seeds))
    # What a client does is not decided by the seed: librdkafka, now and then, falls behind
    # what it has delivered when a node restarts in the middle of a round. A history that
    # is wrong again, alone, is the node's fault.
    again = [seed for seed, right in zip(seeds, good) if not right]
    if len(again) > AGAIN_MAX:
        sys.exit(f"{len(again)} of {len(good)} histories are wrong")
    for seed in again:
        print(f"once more, alone: history {seed}")
    right = [run(arguments, seed) and run(arguments, seed) for seed in again]
    print(f"{sum(good)} of {len(good)} histories are right, {sum(right)} of the others when run again, twice")
    sys.exit(0 if good and all(right) else 1)


if __name__ == "__main__":
    main()

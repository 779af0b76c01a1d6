"""One member of a consumer group, as a process that can be killed.

Says what it does as lines of JSON, each with the machine's monotonic time in
seconds, so that lines of several members can be put in order:

    {"t": 12.3, "event": "assigned" | "revoked", "partitions": [0, 2]}
    {"t": 12.4, "event": "read", "partition": 0, "from": 17, "to": 29}
    {"t": 12.5, "event": "committed", "offsets": {"0": 30}}
    {"t": 12.6, "event": "left"}

A SIGTERM makes it leave in order.
"""

import json
import signal
import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException

stopping = False


def stop(*_):
    global stopping
    stopping = True


def say(event, **more):
    print(json.dumps({"t": time.monotonic(), "event": event, **more}), flush=True)


def numbers(partitions):
    return sorted(partition.partition for partition in partitions)


def committed(error, partitions):
    """Only what the coordinator confirmed counts."""
    done = {str(p.partition): p.offset for p in partitions or [] if not p.error and p.offset >= 0}
    if error is None and done:
        say("committed", offsets=done)


def main(plan):
    signal.signal(signal.SIGTERM, stop)
    cooperative = plan["assignor"] == "cooperative-sticky"
    settings = {
        "log_level": 0,
        "bootstrap.servers": plan["bootstrap"],
        "group.id": plan["group"],
        "client.id": plan["name"],
        "partition.assignment.strategy": plan["assignor"],
        "session.timeout.ms": plan["session_ms"],
        "heartbeat.interval.ms": plan["heartbeat_ms"],
        "auto.offset.reset": "earliest",
        "enable.auto.commit": plan["auto_commit"],
        "auto.commit.interval.ms": 200,
        "on_commit": committed,
        "reconnect.backoff.max.ms": 500,
        "fetch.wait.max.ms": 50,
    }
    if plan["static"]:
        settings["group.instance.id"] = plan["name"]
    consumer = Consumer(settings)

    def assigned(consumer, partitions):
        # Said before it is so: nobody else may have them from here on.
        say("assigned", partitions=numbers(partitions))
        consumer.incremental_assign(partitions) if cooperative else consumer.assign(partitions)

    def revoked(consumer, partitions):
        if not plan["auto_commit"]:
            commit(consumer)
        consumer.incremental_unassign(partitions) if cooperative else consumer.unassign()
        say("revoked", partitions=numbers(partitions))

    def lost(consumer, partitions):
        consumer.incremental_unassign(partitions) if cooperative else consumer.unassign()
        say("revoked", partitions=numbers(partitions), lost=True)

    consumer.subscribe([plan["topic"]], on_assign=assigned, on_revoke=revoked, on_lost=lost)
    commit_due = time.monotonic()
    while not stopping:
        for partition, offsets in by_partition(consumer.consume(500, timeout=0.1)).items():
            say("read", partition=partition, **{"from": offsets[0], "to": offsets[-1]})
        if not plan["auto_commit"] and time.monotonic() >= commit_due:
            commit(consumer)
            commit_due = time.monotonic() + 0.2
    consumer.close()
    say("left")


def by_partition(messages):
    """Offsets of what came, by partition; they are contiguous in a partition."""
    read = {}
    for message in messages:
        if message.error():
            if message.error().code() not in PASSING:
                say("error", what=str(message.error()))
            continue
        offsets = read.setdefault(message.partition(), [])
        assert not offsets or message.offset() == offsets[-1] + 1, "a hole in a partition"
        offsets.append(message.offset())
    return read


PASSING = {
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TIMED_OUT,
    KafkaError._MAX_POLL_EXCEEDED,
}


def commit(consumer):
    """Waits for the coordinator. What it refuses is a matter of the group: another
    generation, or a node that is away; the next owner reads it again."""
    try:
        committed(None, consumer.commit(asynchronous=False))
    except KafkaException:
        pass


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

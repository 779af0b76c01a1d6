"""kafka-python: administration."""

import sys
from contextlib import contextmanager

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.admin import (
    AlterConfigOp,
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    NewTopic,
    OffsetSpec,
)
from kafka.errors import (
    GroupIdNotFoundError,
    InvalidConfigurationError,
    InvalidPartitionsError,
    NoError,
    NonEmptyGroupError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)

from harness import PATIENCE_S, Suite, equal
from kafka_python import NAME, VERSION, create_topic
from kafka_python.groups import KafkaPythonMember
from kafka_python.records import Client
from members import until
from records import many


@contextmanager
def refused(error):
    """Fails unless the block is refused with this error of the client."""
    try:
        yield
    except error:
        return
    raise AssertionError(f"not refused with {error.__name__}")


class AdminChecks:
    """The checks of the theme, by the features' names."""

    def __init__(self, address):
        self.client = Client(address)
        self.admin = KafkaAdminClient(bootstrap_servers=address)

    def topic(self, name, partitions=2, records=0):
        topic = f"kafka-python-admin-{name}"
        create_topic(self.client.address, topic, partitions)
        if records:
            self.client.produce(topic, 0, many(records))
        return topic

    def partitions(self, topic):
        (found,) = self.admin.describe_topics([topic])
        return sorted(at["partition_index"] for at in found["partitions"])

    def configs(self, topic):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        return self.admin.describe_configs([resource], config_filter="all")["topic"][topic]

    def create_topics(self):
        new = {"num_partitions": 3, "configs": {"max.message.bytes": "2000000"}}
        self.admin.create_topics({"kafka-python-new": new}, validate_only=True)
        assert "kafka-python-new" not in self.admin.list_topics()
        self.admin.create_topics({"kafka-python-new": new}, wait_for_metadata=True)
        equal(self.partitions("kafka-python-new"), [0, 1, 2], "partitions")
        found = self.configs("kafka-python-new")["max.message.bytes"]
        equal(found["value"], "2000000", "configuration")

    def delete_topics(self):
        topic = self.topic("gone")
        self.admin.delete_topics([topic])
        assert topic not in self.admin.list_topics()

    def describe_topics(self):
        topic = self.topic("described")
        assert topic in self.admin.list_topics()
        equal(self.partitions(topic), [0, 1], "partitions")

    def create_partitions(self):
        topic = self.topic("more-partitions")
        self.admin.create_partitions({topic: 5})
        equal(self.partitions(topic), [0, 1, 2, 3, 4], "partitions")
        self.client.produce(topic, 4, many(10))
        equal(len(self.client.read(topic, 4, 0, 10)), 10, "records of a new partition")
        with refused(InvalidPartitionsError):
            self.admin.create_partitions({topic: 3})

    def describe_configs(self):
        found = self.configs(self.topic("configured"))
        equal(found["cleanup.policy"]["value"], "delete", "cleanup.policy")
        (broker,) = self.admin.describe_cluster()["brokers"]
        resource = ConfigResource(ConfigResourceType.BROKER, broker["broker_id"])
        found = self.admin.describe_configs([resource], config_filter="all")
        assert found["broker"], "a broker without configurations"

    def incremental_alter_configs(self):
        topic = self.topic("incremental")
        default = self.configs(topic)["max.message.bytes"]["value"]
        self.alter(topic, {"max.message.bytes": (AlterConfigOp.SET, "2000000")}, incremental=True)
        equal(self.configs(topic)["max.message.bytes"]["value"], "2000000", "set")
        self.alter(topic, {"max.message.bytes": (AlterConfigOp.DELETE, None)}, incremental=True)
        equal(self.configs(topic)["max.message.bytes"]["value"], default, "deleted")

    def alter_configs(self):
        topic = self.topic("altered")
        self.alter(topic, {"max.message.bytes": "3000000"}, incremental=False)
        equal(self.configs(topic)["max.message.bytes"]["value"], "3000000", "configuration")

    def alter(self, topic, configs, incremental):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs)
        self.admin.alter_configs([resource], incremental=incremental)

    def describe_cluster(self):
        found = self.admin.describe_cluster()
        assert found["cluster_id"], "a cluster without a name"
        nodes = [broker["broker_id"] for broker in found["brokers"]]
        equal(nodes, [found["controller_id"]], "nodes")

    def describe_log_dirs(self):
        topic = self.topic("on-disk", records=10)
        (broker,) = self.admin.describe_log_dirs({topic: [0, 1]})
        sizes = {
            at["partition_index"]: at["partition_size"]
            for directory in broker["log_dirs"]
            for one in directory["topics"]
            for at in one["partitions"]
        }
        equal(sorted(sizes), [0, 1], "partitions")
        assert sizes[0] > 0, "ten records without a byte"

    def list_offsets(self):
        at = TopicPartition(self.topic("offsets", records=7), 0)
        for spec, expected in [(OffsetSpec.EARLIEST, 0), (OffsetSpec.LATEST, 7)]:
            equal(self.admin.list_partition_offsets({at: spec})[at].offset, expected, spec)

    def delete_records(self):
        topic = self.topic("shortened", records=10)
        at = TopicPartition(topic, 0)
        equal(self.admin.delete_records({at: 4})[at]["low_watermark"], 4, "first offset")
        equal(self.client.watermarks(topic, 0), (4, 10), "watermarks")
        equal(self.client.read(topic, 0, 4, 1)[0].offset, 4, "first record")

    def list_groups(self):
        group = self.group("listed")
        assert group in [one["group_id"] for one in self.admin.list_groups()], "not listed"

    def describe_groups(self):
        topic = self.topic("described-group")
        member = KafkaPythonMember(self.client.address, topic, topic, "range")
        until(lambda: len(member.partitions) == 2, "an assignment")
        found = self.admin.describe_groups([topic])[topic]
        equal((found["group_state"], found["protocol_data"]), ("Stable", "range"), "group")
        equal(len(found["members"]), 1, "members")
        equal(self.admin.delete_groups([topic])[topic], NonEmptyGroupError.__name__, "refusal")
        member.close()

    def delete_groups(self):
        group = self.group("deleted-group")
        equal(self.admin.delete_groups([group])[group], "OK", "answer")
        again = self.admin.delete_groups([group])[group]
        equal(again, GroupIdNotFoundError.__name__, "answer the second time")

    def list_group_offsets(self):
        group = self.group("group-offsets")
        equal(self.offsets(group), {0: (5, "by the consumer")}, "offsets")

    def alter_group_offsets(self):
        group = self.group("altered-offsets")
        wanted = {
            TopicPartition(group, 0): OffsetAndMetadata(2, "two", -1),
            TopicPartition(group, 1): OffsetAndMetadata(0, "", -1),
        }
        answers = self.admin.alter_group_offsets(group, wanted)
        equal(set(answers.values()), {NoError}, "answers")
        equal(self.offsets(group), {0: (2, "two"), 1: (0, "")}, "offsets")

    def delete_group_offsets(self):
        group = self.group("deleted-offsets")
        answers = self.admin.delete_group_offsets(group, [TopicPartition(group, 0)])
        equal(set(answers.values()), {NoError}, "answers")
        equal(self.offsets(group), {}, "offsets")

    def error_topic_exists(self):
        topic = self.topic("twice")
        with refused(TopicAlreadyExistsError):
            self.admin.create_topics([NewTopic(topic, 1, 1)])

    def error_unknown_topic(self):
        with refused(UnknownTopicOrPartitionError):
            self.admin.delete_topics(["nowhere"])

    def error_bad_config(self):
        for name, value in [("no.such.config", "1"), ("max.message.bytes", "many")]:
            new = {"num_partitions": 1, "configs": {name: value}}
            with refused(InvalidConfigurationError):
                self.admin.create_topics({"kafka-python-bad": new})

    def group(self, name):
        """A group with an offset and without members."""
        topic = self.topic(name, records=10)
        consumer = KafkaConsumer(
            bootstrap_servers=self.client.address, group_id=topic, enable_auto_commit=False
        )
        at = TopicPartition(topic, 0)
        consumer.assign([at])
        consumer.commit({at: OffsetAndMetadata(5, "by the consumer", -1)})
        consumer.close(timeout_ms=PATIENCE_S * 1000)
        return topic

    def offsets(self, group):
        found = self.admin.list_group_offsets(group)[group]
        return {at.partition: (place.offset, place.metadata) for at, place in found.items()}


if __name__ == "__main__":
    suite = Suite(NAME, VERSION, "admin")
    suite.add_all(AdminChecks(sys.argv[1]))
    suite.run()

"""confluent-kafka: administration."""

import sys
from contextlib import contextmanager

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from confluent import NAME, VERSION, create_topic
from confluent.groups import ConfluentMember
from confluent.records import Client
from harness import PATIENCE_S, Suite, equal
from members import until
from records import many


def result(futures):
    """What the only future of an answer comes to."""
    (future,) = futures.values()
    return future.result(PATIENCE_S)


@contextmanager
def refused(code):
    """Fails unless the block is refused with this error of the client."""
    try:
        yield
    except KafkaException as refusal:
        equal(refusal.args[0].code(), code, "error")
        assert refusal.args[0].str(), "an error without a word"
    else:
        raise AssertionError(f"not refused with {code}")


class AdminChecks:
    """The checks of the theme, by the features' names."""

    def __init__(self, address):
        self.client = Client(address)
        self.admin = AdminClient({"bootstrap.servers": address, "log_level": 4})

    def topic(self, name, partitions=2, records=0):
        topic = f"confluent-admin-{name}"
        create_topic(self.client.address, topic, partitions)
        if records:
            self.client.produce(topic, 0, many(records))
        return topic

    def configs(self, topic):
        return result(self.admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))

    def create_topics(self):
        new = NewTopic("confluent-new", num_partitions=3, config={"max.message.bytes": "2000000"})
        result(self.admin.create_topics([new], validate_only=True))
        assert "confluent-new" not in self.admin.list_topics(timeout=PATIENCE_S).topics
        result(self.admin.create_topics([new]))
        found = self.admin.list_topics("confluent-new", timeout=PATIENCE_S).topics["confluent-new"]
        equal(sorted(found.partitions), [0, 1, 2], "partitions")
        equal(self.configs("confluent-new")["max.message.bytes"].value, "2000000", "configuration")

    def delete_topics(self):
        topic = self.topic("gone")
        result(self.admin.delete_topics([topic]))
        assert topic not in self.admin.list_topics(timeout=PATIENCE_S).topics

    def describe_topics(self):
        topic = self.topic("described")
        found = result(self.admin.describe_topics(TopicCollection([topic])))
        equal([at.id for at in found.partitions], [0, 1], "partitions")
        assert all(at.leader for at in found.partitions), "a partition without a leader"

    def create_partitions(self):
        topic = self.topic("more-partitions")
        result(self.admin.create_partitions([NewPartitions(topic, 5)]))
        found = self.admin.list_topics(topic, timeout=PATIENCE_S).topics[topic]
        equal(sorted(found.partitions), [0, 1, 2, 3, 4], "partitions")
        self.client.produce(topic, 4, many(10))
        equal(len(self.client.read(topic, 4, 0, 10)), 10, "records of a new partition")
        with refused(KafkaError.INVALID_PARTITIONS):
            result(self.admin.create_partitions([NewPartitions(topic, 3)]))

    def describe_configs(self):
        found = self.configs(self.topic("configured"))
        equal(found["cleanup.policy"].value, "delete", "cleanup.policy")
        assert found["max.message.bytes"].is_default, "a default that is not one"
        (broker,) = self.admin.list_topics(timeout=PATIENCE_S).brokers
        resource = ConfigResource(ResourceType.BROKER, str(broker))
        assert result(self.admin.describe_configs([resource])), "a broker without configurations"

    def incremental_alter_configs(self):
        topic = self.topic("incremental")
        for operation, expected in [
            (AlterConfigOpType.SET, "2000000"),
            (AlterConfigOpType.DELETE, self.configs(topic)["max.message.bytes"].value),
        ]:
            entry = ConfigEntry("max.message.bytes", "2000000", incremental_operation=operation)
            resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
            result(self.admin.incremental_alter_configs([resource]))
            equal(self.configs(topic)["max.message.bytes"].value, expected, operation)

    def alter_configs(self):
        topic = self.topic("altered")
        resource = ConfigResource(
            ResourceType.TOPIC, topic, set_config={"max.message.bytes": "3000000"}
        )
        result(self.admin.alter_configs([resource]))
        equal(self.configs(topic)["max.message.bytes"].value, "3000000", "configuration")

    def describe_cluster(self):
        found = self.admin.describe_cluster().result(PATIENCE_S)
        assert found.cluster_id, "a cluster without a name"
        equal([node.id for node in found.nodes], [found.controller.id], "nodes")

    def list_offsets(self):
        topic = self.topic("offsets", records=7)
        at = TopicPartition(topic, 0)
        for spec, expected in [(OffsetSpec.earliest(), 0), (OffsetSpec.latest(), 7)]:
            equal(result(self.admin.list_offsets({at: spec})).offset, expected, spec)

    def delete_records(self):
        topic = self.topic("shortened", records=10)
        found = result(self.admin.delete_records([TopicPartition(topic, 0, 4)]))
        equal(found.low_watermark, 4, "first offset")
        equal(self.client.watermarks(topic, 0), (4, 10), "watermarks")
        equal(self.client.read(topic, 0, 4, 1)[0].offset, 4, "first record")

    def list_groups(self):
        group = self.group("listed")
        found = self.admin.list_consumer_groups().result(PATIENCE_S)
        assert not found.errors, found.errors
        states = {one.group_id: one.state for one in found.valid}
        equal(states.get(group), ConsumerGroupState.EMPTY, "state")

    def describe_groups(self):
        topic = self.topic("described-group")
        member = ConfluentMember(self.client.address, topic, topic, "range")
        until(lambda: len(member.partitions) == 2, "an assignment")
        found = result(self.admin.describe_consumer_groups([topic]))
        equal(found.state, ConsumerGroupState.STABLE, "state")
        equal(found.partition_assignor, "range", "assignor")
        (shown,) = found.members
        equal(sorted(at.partition for at in shown.assignment.topic_partitions), [0, 1], "share")
        with refused(KafkaError.NON_EMPTY_GROUP):
            result(self.admin.delete_consumer_groups([topic]))
        member.close()

    def delete_groups(self):
        group = self.group("deleted-group")
        result(self.admin.delete_consumer_groups([group]))
        with refused(KafkaError.GROUP_ID_NOT_FOUND):
            result(self.admin.delete_consumer_groups([group]))

    def list_group_offsets(self):
        equal(self.offsets(self.group("group-offsets")), {0: 5}, "offsets")

    def alter_group_offsets(self):
        group = self.group("altered-offsets")
        places = [TopicPartition(group, 0, 2), TopicPartition(group, 1, 0)]
        asked = ConsumerGroupTopicPartitions(group, places)
        result(self.admin.alter_consumer_group_offsets([asked]))
        equal(self.offsets(group), {0: 2, 1: 0}, "offsets")

    def error_topic_exists(self):
        topic = self.topic("twice")
        with refused(KafkaError.TOPIC_ALREADY_EXISTS):
            result(self.admin.create_topics([NewTopic(topic, num_partitions=1)]))

    def error_unknown_topic(self):
        with refused(KafkaError.UNKNOWN_TOPIC_OR_PART):
            result(self.admin.delete_topics(["nowhere"]))

    def error_bad_config(self):
        for name, value in [("no.such.config", "1"), ("max.message.bytes", "many")]:
            new = NewTopic("confluent-bad", num_partitions=1, config={name: value})
            with refused(KafkaError.INVALID_CONFIG):
                result(self.admin.create_topics([new]))

    def group(self, name):
        """A group with an offset and without members."""
        topic = self.topic(name, records=10)
        asked = ConsumerGroupTopicPartitions(topic, [TopicPartition(topic, 0, 5)])
        result(self.admin.alter_consumer_group_offsets([asked]))
        return topic

    def offsets(self, group):
        asked = ConsumerGroupTopicPartitions(group)
        found = result(self.admin.list_consumer_group_offsets([asked]))
        return {at.partition: at.offset for at in found.topic_partitions}


if __name__ == "__main__":
    suite = Suite(NAME, VERSION, "admin")
    suite.add_all(AdminChecks(sys.argv[1]))
    suite.not_offered("describe-log-dirs")
    suite.not_offered("delete-group-offsets")
    suite.run()

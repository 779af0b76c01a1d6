"""aiokafka: administration.

Its admin gives answers as they came; what is wrong in them is for the caller
to see.
"""

import sys

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    InvalidConfigurationError,
    InvalidPartitionsError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from aio import NAME, VERSION, create_topic
from aio.groups import AioMember
from aio.records import Client
from harness import Suite, equal
from members import until
from records import many


class AdminChecks:
    """The checks of the theme, by the features' names."""

    def __init__(self, address):
        self.client = Client(address)
        self.run = self.client.run
        self.run(self.start(address))

    async def start(self, address):
        self.admin = AIOKafkaAdminClient(bootstrap_servers=address)
        await self.admin.start()

    def topic(self, name, partitions=2, records=0):
        topic = f"aiokafka-admin-{name}"
        self.run(create_topic(self.client.address, topic, partitions))
        if records:
            self.client.produce(topic, 0, many(records))
        return topic

    def partitions(self, topic):
        (found,) = self.run(self.admin.describe_topics([topic]))
        return sorted(at["partition"] for at in found["partitions"])

    def configs(self, kind, name):
        (answer,) = self.run(self.admin.describe_configs([ConfigResource(kind, str(name))]))
        ((code, _message, _kind, _name, entries),) = answer.resources
        equal(code, 0, "error")
        return {entry[0]: entry[1] for entry in entries}

    def create_topics(self):
        configs = {"max.message.bytes": "2000000"}
        new = NewTopic("aiokafka-new", 3, 1, topic_configs=configs)
        self.run(self.admin.create_topics([new], validate_only=True))
        assert "aiokafka-new" not in self.run(self.admin.list_topics())
        self.run(self.admin.create_topics([new]))
        equal(self.partitions("aiokafka-new"), [0, 1, 2], "partitions")
        found = self.configs(ConfigResourceType.TOPIC, "aiokafka-new")
        equal(found["max.message.bytes"], "2000000", "configuration")

    def delete_topics(self):
        topic = self.topic("gone")
        answer = self.run(self.admin.delete_topics([topic]))
        equal(answer.topic_error_codes, [(topic, 0)], "answer")
        assert topic not in self.run(self.admin.list_topics())

    def describe_topics(self):
        topic = self.topic("described")
        assert topic in self.run(self.admin.list_topics())
        equal(self.partitions(topic), [0, 1], "partitions")

    def create_partitions(self):
        topic = self.topic("more-partitions")
        self.run(self.admin.create_partitions({topic: NewPartitions(5)}))
        equal(self.partitions(topic), [0, 1, 2, 3, 4], "partitions")
        try:
            self.run(self.admin.create_partitions({topic: NewPartitions(3)}))
        except InvalidPartitionsError:
            return
        raise AssertionError("partitions were taken away")

    def describe_configs(self):
        found = self.configs(ConfigResourceType.TOPIC, self.topic("configured"))
        equal(found["cleanup.policy"], "delete", "cleanup.policy")
        (broker,) = self.run(self.admin.describe_cluster())["brokers"]
        found = self.configs(ConfigResourceType.BROKER, broker["node_id"])
        assert found, "a broker without configurations"

    def alter_configs(self):
        topic = self.topic("altered")
        configs = {"max.message.bytes": "3000000"}
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs)
        (answer,) = self.run(self.admin.alter_configs([resource]))
        equal(answer.resources[0][0], 0, "error")
        found = self.configs(ConfigResourceType.TOPIC, topic)
        equal(found["max.message.bytes"], "3000000", "configuration")

    def describe_cluster(self):
        found = self.run(self.admin.describe_cluster())
        nodes = [broker["node_id"] for broker in found["brokers"]]
        equal(nodes, [found["controller_id"]], "nodes")

    def delete_records(self):
        topic = self.topic("shortened", records=10)
        at = TopicPartition(topic, 0)
        found = self.run(self.admin.delete_records({at: RecordsToDelete(4)}))
        equal(found[at], 4, "first offset")
        equal(self.client.watermarks(topic, 0), (4, 10), "watermarks")
        equal(self.client.read(topic, 0, 4, 1)[0].offset, 4, "first record")

    def list_groups(self):
        group = self.group("listed")
        found = self.run(self.admin.list_consumer_groups())
        assert group in [one[0] for one in found], "not listed"

    def describe_groups(self):
        topic = self.topic("described-group")
        member = AioMember(self.client.address, topic, topic, "range")
        until(lambda: len(member.partitions) == 2, "an assignment")
        (answer,) = self.run(self.admin.describe_consumer_groups([topic]))
        ((code, name, state, _kind, protocol, members, *_),) = answer.groups
        equal((code, name, state, protocol), (0, topic, "Stable", "range"), "group")
        equal(len(members), 1, "members")
        member.close()

    def list_group_offsets(self):
        group = self.group("group-offsets")
        found = self.run(self.admin.list_consumer_group_offsets(group))
        equal(found, {TopicPartition(group, 0): (5, "by the consumer")}, "offsets")

    def error_topic_exists(self):
        equal(self.refusal(NewTopic(self.topic("twice"), 1, 1)), TopicAlreadyExistsError, "error")

    def error_unknown_topic(self):
        answer = self.run(self.admin.delete_topics(["nowhere"]))
        ((_topic, code),) = answer.topic_error_codes
        equal(for_code(code), UnknownTopicOrPartitionError, "error")

    def error_bad_config(self):
        for name, value in [("no.such.config", "1"), ("max.message.bytes", "many")]:
            new = NewTopic("aiokafka-bad", 1, 1, topic_configs={name: value})
            equal(self.refusal(new), InvalidConfigurationError, "error")

    def refusal(self, new):
        answer = self.run(self.admin.create_topics([new]))
        return for_code(answer.topic_errors[0][1])

    def group(self, name):
        """A group with an offset and without members."""
        topic = self.topic(name, records=10)
        self.run(self.commit(topic))
        return topic

    async def commit(self, topic):
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.client.address, group_id=topic, enable_auto_commit=False
        )
        await consumer.start()
        try:
            at = TopicPartition(topic, 0)
            consumer.assign([at])
            await consumer.commit({at: (5, "by the consumer")})
        finally:
            await consumer.stop()


if __name__ == "__main__":
    suite = Suite(NAME, VERSION, "admin")
    suite.add_all(AdminChecks(sys.argv[1]))
    for feature in [
        "incremental-alter-configs",
        "describe-log-dirs",
        "list-offsets",
        "delete-groups",
        "alter-group-offsets",
        "delete-group-offsets",
    ]:
        suite.not_offered(feature)
    suite.run()

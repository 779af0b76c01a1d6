"""confluent-kafka, which is librdkafka in Python."""

import confluent_kafka
from confluent_kafka.admin import AdminClient, NewTopic

from harness import PATIENCE_S

NAME = "confluent-kafka"
VERSION = confluent_kafka.__version__


def create_topic(address, topic, partitions):
    """Creates a topic and waits until it is there."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 4})
    made = admin.create_topics([NewTopic(topic, num_partitions=partitions)])
    made[topic].result(PATIENCE_S)

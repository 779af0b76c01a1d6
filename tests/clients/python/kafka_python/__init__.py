"""kafka-python, Kafka's protocol in Python alone."""

import kafka
from kafka.admin import KafkaAdminClient, NewTopic

NAME = "kafka-python"
VERSION = kafka.__version__


def create_topic(address, topic, partitions):
    """Creates a topic."""
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics([NewTopic(topic, num_partitions=partitions, replication_factor=1)])
    admin.close()

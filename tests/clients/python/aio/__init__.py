"""aiokafka, Kafka for asyncio.

The shared checks are not asynchronous: `Loop` runs what they ask for.
"""

import asyncio

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from harness import PATIENCE_S

NAME = "aiokafka"
VERSION = aiokafka.__version__


class Loop:
    """An event loop of one's own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()

    def run(self, coroutine):
        """Runs it to its end, within the patience of a check."""

        async def bounded():
            return await asyncio.wait_for(coroutine, PATIENCE_S)

        return self.loop.run_until_complete(bounded())


async def create_topic(address, topic, partitions):
    """Creates a topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        new = NewTopic(topic, num_partitions=partitions, replication_factor=1)
        response = await admin.create_topics([new])
        assert response.topic_errors[0][1] == 0, response
    finally:
        await admin.close()

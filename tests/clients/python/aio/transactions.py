"""aiokafka: transactions."""

import sys

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from aio import NAME, VERSION, Loop
from harness import Suite
from transactions import refusal


class TransactionChecks:
    """The check of the theme."""

    def __init__(self, address):
        self.address = address

    def transactions(self):
        refusal(lambda: Loop().run(self.begin()), KafkaError)

    async def begin(self):
        producer = AIOKafkaProducer(bootstrap_servers=self.address, transactional_id="none")
        await producer.start()
        try:
            await producer.begin_transaction()
        finally:
            await producer.stop()


if __name__ == "__main__":
    suite = Suite(NAME, VERSION, "transactions")
    suite.add_all(TransactionChecks(sys.argv[1]))
    suite.run()

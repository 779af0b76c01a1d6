"""confluent-kafka: transactions."""

import logging
import sys

from confluent_kafka import KafkaException, Producer

from confluent import NAME, VERSION
from harness import PATIENCE_S, Suite
from transactions import refusal


class TransactionChecks:
    """The check of the theme."""

    def __init__(self, address):
        self.address = address

    def transactions(self):
        settings = {"bootstrap.servers": self.address, "transactional.id": "none"}
        # Otherwise librdkafka tells the terminal, too, what it throws.
        producer = Producer(settings, logger=logging.Logger("nobody", logging.CRITICAL))
        refusal(lambda: producer.init_transactions(PATIENCE_S), KafkaException)


if __name__ == "__main__":
    suite = Suite(NAME, VERSION, "transactions")
    suite.add_all(TransactionChecks(sys.argv[1]))
    suite.run()

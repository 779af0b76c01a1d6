"""kafka-python: transactions."""

import sys

from kafka import KafkaProducer
from kafka.errors import KafkaError

from harness import Suite
from kafka_python import NAME, VERSION
from transactions import refusal


class TransactionChecks:
    """The check of the theme."""

    def __init__(self, address):
        self.address = address

    def transactions(self):
        producer = KafkaProducer(bootstrap_servers=self.address, transactional_id="none")
        refusal(producer.init_transactions, KafkaError)


if __name__ == "__main__":
    suite = Suite(NAME, VERSION, "transactions")
    suite.add_all(TransactionChecks(sys.argv[1]))
    suite.run()

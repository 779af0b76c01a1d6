"""kcat: transactions."""

import sys

from harness import Suite
from kcat import NAME, VERSION, KcatFailed, kcat
from transactions import refusal


class TransactionChecks:
    """The check of the theme."""

    def __init__(self, address):
        self.address = address

    def transactions(self):
        options = ["-P", "-t", "kcat-transaction", "-X", "transactional.id=none"]
        refusal(lambda: kcat(self.address, *options, stdin=b"a record"), KcatFailed)


if __name__ == "__main__":
    suite = Suite(NAME, VERSION, "transactions")
    suite.add_all(TransactionChecks(sys.argv[1]))
    suite.run()

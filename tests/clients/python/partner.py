"""A member by kafka-python for suites in other languages.

    python -m partner ADDRESS GROUP TOPIC ASSIGNOR

Tells its partitions and what it reads as lines of JSON, and leaves at the end
of its input.
"""

import json
import sys

from kafka_python.groups import KafkaPythonMember


class Partner(KafkaPythonMember):
    """Tells what happens to it."""

    told = None

    def poll(self):
        reads = super().poll()
        partitions = sorted(self.assigned())
        if partitions != self.told:
            self.told = partitions
            tell({"partitions": partitions})
        for read in reads:
            tell({"read": read._asdict() | {"value": read.value.decode()}})
        return reads


def tell(news):
    print(json.dumps(news), flush=True)


partner = Partner(*sys.argv[1:5])
sys.stdin.read()
partner.close()

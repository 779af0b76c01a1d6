"""kcat: what it can tell about a cluster. It changes nothing."""

import json
import sys

from confluent import create_topic
from harness import FEATURES, Suite, equal
from kcat import NAME, VERSION, kcat
from kcat.records import Client
from records import many


class AdminChecks:
    """The checks of the theme, by the features' names."""

    def __init__(self, address):
        self.address = address

    def metadata(self, *more):
        text, _ = kcat(self.address, "-L", "-J", *more)
        return json.loads(text)

    def describe_topics(self):
        create_topic(self.address, "kcat-admin-described", 3)
        (found,) = self.metadata("-t", "kcat-admin-described")["topics"]
        equal([at["partition"] for at in found["partitions"]], [0, 1, 2], "partitions")
        names = [topic["topic"] for topic in self.metadata()["topics"]]
        assert "kcat-admin-described" in names, "not in the list of all topics"

    def describe_cluster(self):
        found = self.metadata()
        equal([broker["id"] for broker in found["brokers"]], [found["controllerid"]], "nodes")

    def list_offsets(self):
        topic, client = "kcat-admin-offsets", Client(self.address)
        create_topic(self.address, topic, 1)
        client.produce(topic, 0, many(7))
        equal(client.watermarks(topic, 0), (0, 7), "offsets")


if __name__ == "__main__":
    checks = AdminChecks(sys.argv[1])
    suite = Suite(NAME, VERSION, "admin")
    suite.add_all(checks)
    for feature in FEATURES["admin"]["features"]:
        if not hasattr(checks, feature.replace("-", "_")):
            suite.not_offered(feature)
    suite.run()

"""kcat, librdkafka on the command line."""

import re
import subprocess

from harness import PATIENCE_S

NAME = "kcat"
VERSION = re.search(
    r"^Version ([\d.]+)",
    subprocess.run(["kcat", "-V"], capture_output=True, text=True, check=True).stdout,
    re.MULTILINE,
)[1]


class KcatFailed(Exception):
    """kcat ended with an error. Carries what it said."""


def kcat(address, *arguments, stdin=b""):
    """Runs kcat to its end. Returns what it wrote to its two outputs."""
    command = ["kcat", "-b", address, *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=PATIENCE_S)
    if done.returncode:
        raise KcatFailed(done.stderr.decode())
    return done.stdout.decode(), done.stderr.decode()

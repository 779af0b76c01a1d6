"""Runs real Kafka clients against the address given, side by side.

    run.py [--only CLIENT] [--write] ADDRESS

Every client and theme is a process of its own, with topics and groups of its
own. The table of what came out has to be the one in `docs/clients.md`;
`--write` makes it so. Folders with the clients' packages are below
`$CARGO_TARGET_DIR`: `clients` is a virtual environment of Python and
`clients-node` has the packages of Node.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import table

HERE = Path(__file__).parent
DOCUMENT = HERE.parent.parent / "docs/clients.md"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache/pyralog-target"))
THEMES = ["groups", "records", "admin", "transactions"]  # the longest first
AT_ONCE = 6  # most of the time, a suite waits
SUITE_PATIENCE_S = 150


def suites(address):
    """The command of every suite, the slowest theme first, by name."""
    packages = TARGET / "clients-node"
    # Node looks for packages in the folders above a file.
    shutil.copytree(HERE / "node", packages / "suites", dirs_exist_ok=True)
    shutil.copy(HERE / "features.json", packages)
    found = {}
    for theme in THEMES:
        for client in ["confluent", "kafka_python", "aio", "kcat"]:
            found[f"{client} {theme}"] = [sys.executable, "-m", f"{client}.{theme}", address]
        for client in ["kafkajs", "platformatic"]:
            suite = packages / f"suites/{client}/{theme}.mjs"
            found[f"{client} {theme}"] = ["node", suite, address]
    return found


def run(name, command, report):
    """Runs a suite to its end, then shows what it said. True if nothing failed."""
    environment = os.environ | {
        "CLIENTS_REPORT": str(report),
        "CLIENTS_PYTHON": sys.executable,
        "CLIENTS_PYTHON_FOLDER": str(HERE / "python"),
        "NODE_NO_WARNINGS": "1",
    }
    begun = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=HERE / "python",
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        said, _ = process.communicate(timeout=SUITE_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        said += f"FAILED {name}: not done within {SUITE_PATIENCE_S} s\n"
    took_s = time.monotonic() - begun
    print(f"--- {name} ({took_s:.0f} s)\n{said}", end="", flush=True)
    return process.returncode == 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--only", metavar="CLIENT", help="this client's suites, no table")
    arguments.add_argument("--write", action="store_true", help="write the table")
    arguments.add_argument("address")
    arguments = arguments.parse_args()
    commands = {
        name: command
        for name, command in suites(arguments.address).items()
        if not arguments.only or name.startswith(f"{arguments.only} ")
    }
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        report.touch()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            passed = list(pool.map(lambda item: run(*item, report), commands.items()))
        lines = [json.loads(line) for line in report.read_text().splitlines()]
    for line in lines:
        if line["outcome"] == "failed":
            print("FAILED", line["client"], line["theme"], line["check"], line["note"])
    if not all(passed):
        return 1
    if arguments.only:
        return 0
    return table.settle(lines, DOCUMENT, arguments.write)


if __name__ == "__main__":
    sys.exit(main())

"""Runs the checks of one client and theme, and says how each came out.

A suite is made of named checks. The names are the rows of the compatibility
table (`features.json`), and a suite says something about every row of its
theme: the check passes, or the client does not offer it, or the node does not
serve it. What is said goes to the terminal and, as a line of JSON, to the file
that `CLIENTS_REPORT` names. `CLIENTS_CHECKS` names the only checks to run,
separated by commas.
"""

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

PATIENCE_S = 30
FEATURES = json.loads((Path(__file__).parent.parent / "features.json").read_text())

OK = "ok"
NOT_OFFERED = "unsupported-by-client"
NOT_SERVED = "not-served"
FAILED = "failed"


class NotServed(Exception):
    """The node refuses what is asked, at once and clearly. Carries the refusal."""


class Suite:
    """The checks of one client and one theme."""

    def __init__(self, client, version, theme):
        self.client = client
        self.version = version
        self.theme = theme
        self._checks = {}
        self._absent = {}

    def add(self, name, function, *arguments):
        """Takes a call as the check of this name."""
        self._checks[name] = lambda: function(*arguments)

    def add_all(self, checks):
        """Takes the methods that are called like a feature of the theme."""
        for name in FEATURES[self.theme]["features"]:
            method = getattr(checks, name.replace("-", "_"), None)
            if method:
                self.add(name, method)

    def not_offered(self, name, note=""):
        """Says that the client has no such thing, whatever the server."""
        self._checks.pop(name, None)
        self._absent[name] = note

    def run(self):
        """Runs every check and ends the process: 0 if none failed."""
        features = FEATURES[self.theme]["features"]
        said = self._checks.keys() | self._absent.keys()
        assert said == features.keys(), f"{self.client}: {sorted(said ^ features.keys())}"
        wanted = os.environ.get("CLIENTS_CHECKS")
        failures = 0
        signal.signal(signal.SIGALRM, _out_of_time)
        for name in wanted.split(",") if wanted else features:
            if name in self._absent:
                self._report(name, NOT_OFFERED, self._absent[name])
            else:
                failures += self._run(name) == FAILED
        sys.stdout.flush()
        # Not by way of the interpreter: a client whose check failed may have
        # threads that never end.
        os._exit(1 if failures else 0)

    def _run(self, name):
        begun = time.monotonic()
        outcome, note = OK, ""
        signal.alarm(PATIENCE_S)
        try:
            self._checks[name]()
        except NotServed as refusal:
            outcome, note = NOT_SERVED, str(refusal)
        except Exception as error:  # whatever a client throws is a failed check
            signal.alarm(0)
            outcome, note = FAILED, f"{type(error).__name__}: {error}"
            traceback.print_exc(file=sys.stdout)
        finally:
            signal.alarm(0)
        self._report(name, outcome, note, round((time.monotonic() - begun) * 1000))
        return outcome

    def _report(self, name, outcome, note, took_ms=None):
        subject = f"{self.client} {self.theme} {name}"
        if outcome == FAILED:
            print(f"FAILED {subject}: {note}", flush=True)
        elif outcome == OK:
            print(f"ok {subject} ({took_ms} ms)", flush=True)
        else:
            print(f"{outcome} {subject} {note}".rstrip(), flush=True)
        line = {
            "client": self.client,
            "version": self.version,
            "theme": self.theme,
            "check": name,
            "outcome": outcome,
            "note": note,
        }
        if "CLIENTS_REPORT" in os.environ:
            with open(os.environ["CLIENTS_REPORT"], "a") as report:
                report.write(json.dumps(line) + "\n")


def _out_of_time(_signal, _frame):
    raise TimeoutError(f"not done within {PATIENCE_S} s")


def equal(found, expected, what):
    """Fails, and shows the first difference of two lists, if they differ."""
    if found == expected:
        return
    if isinstance(found, list) and isinstance(expected, list):
        pairs = zip(found, expected, strict=False)
        at = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
        if at is None:
            raise AssertionError(f"{what}: {len(found)} instead of {len(expected)}")
        found, expected = f"{found[at]!r:.200} at {at}", repr(expected[at])[:200]
    raise AssertionError(f"{what}: {found} instead of {expected}")

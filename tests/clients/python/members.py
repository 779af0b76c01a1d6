"""A member of a consumer group, in a thread of its own.

Consumers may only be used by one thread, which has to come back to them often:
a member's thread polls, and does in between what the checks ask of it. Each
library's file says how, by the methods of `Member` that raise here.
"""

import queue
import threading
from concurrent.futures import Future
from typing import NamedTuple

from harness import PATIENCE_S

SESSION_MS = 40_000  # longer than a check may take: nobody is missed by accident
HEARTBEAT_MS = 250
AUTO_COMMIT_MS = 200

# Told of everything that happens to any member.
_news = threading.Condition()
_failures = []


def until(condition, what):
    """Waits until the condition holds. It is looked at whenever a member had news."""
    with _news:
        if not _news.wait_for(lambda: _failures or condition(), PATIENCE_S - 2):
            raise TimeoutError(f"never came: {what}")
        if _failures:
            raise _failures.pop()


class Place(NamedTuple):
    """A record that a member read."""

    partition: int
    offset: int
    value: bytes


class Member:
    """One member. `partitions` and the lists are replaced, never changed."""

    def __init__(self, address, group, topic, assignor, auto_commit=False, instance=None):
        self.address, self.group, self.topic = address, group, topic
        self.assignor, self.auto_commit, self.instance = assignor, auto_commit, instance
        self.partitions = frozenset()
        self.reads = []
        self.assignments = 0
        self.revoked = frozenset()
        self._jobs = queue.SimpleQueue()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    # What a library's file provides, all of it called in the member's thread.

    def open(self):
        """Subscribes."""
        raise NotImplementedError

    def poll(self):
        """The places read within the next tenth of a second or so."""
        raise NotImplementedError

    def assigned(self):
        """The numbers of the partitions that are the member's."""
        raise NotImplementedError

    def shut(self):
        """Leaves, unless the member is static."""
        raise NotImplementedError

    def commit(self, offsets=None, metadata=""):
        """Commits offsets by partition, or what was read, and waits."""
        raise NotImplementedError

    def commit_async(self):
        """Commits what was read and returns a function that tells the outcome:
        None as long as there is none, True, or the error."""
        raise NotImplementedError

    def committed(self, partition):
        """The committed offset, or None, and its metadata."""
        raise NotImplementedError

    def seek(self, partition, offset):
        """Goes on from there."""
        raise NotImplementedError

    def pause(self, partition):
        """Reads no more of it."""
        raise NotImplementedError

    def resume(self, partition):
        """Reads it again."""
        raise NotImplementedError

    # What the checks use, from their thread.

    def do(self, method, *arguments):
        """Runs a method in the member's thread and returns what it returns."""
        done = Future()
        self._jobs.put((done, method, arguments))
        return done.result(PATIENCE_S)

    def values(self):
        """What was read, sorted."""
        return sorted(read.value for read in self.reads)

    def close(self):
        """Ends the member and its thread."""
        self._ended.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "a consumer that does not close"
        if _failures:
            raise _failures.pop()

    # Called by the library's file when partitions come and go.

    def came(self):
        """Counts an assignment."""
        self.assignments += 1

    def went(self, partitions):
        """Remembers what was taken away."""
        self.revoked = self.revoked | frozenset(partitions)

    def _live(self):
        try:
            self.open()
            while not self._ended.is_set():
                self._work()
                reads = self.poll()
                with _news:
                    self.reads = self.reads + reads
                    self.partitions = frozenset(self.assigned())
                    _news.notify_all()
            self.shut()
        except Exception as error:  # told by `until` or `close`, in the thread of the check
            _failures.append(error)
        with _news:
            self.partitions = frozenset()
            _news.notify_all()

    def _work(self):
        while not self._jobs.empty():
            done, method, arguments = self._jobs.get()
            try:
                done.set_result(method(*arguments))
            except Exception as error:  # belongs to the check that asked
                done.set_exception(error)

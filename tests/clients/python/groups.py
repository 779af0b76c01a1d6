"""What every client must be able to do in a consumer group.

The checks are written once: over `records.Client`, which produces, and a class
of `members.Member`, which consumes.
"""

from contextlib import contextmanager

from harness import equal
from members import until
from records import Record

ASSIGNORS = ["range", "roundrobin", "sticky", "cooperative-sticky"]


def values(partition, numbers):
    """Records whose values tell partition and number."""
    return [Record(None, b"%d-%d" % (partition, number)) for number in numbers]


class GroupChecks:
    """The checks of the theme. Each has a topic and a group of its own."""

    def __init__(self, suite, client, member, other=None, assignor="range"):
        self.client, self.member, self.other = client, member, other
        self.assignor = assignor
        self.prefix = suite.client
        for name in ASSIGNORS:
            suite.add(f"assignor-{name.removesuffix('-sticky')}", self.shared_by, name)
        suite.add_all(self)

    def subscribe(self):
        with self.group("subscribe", 3) as group:
            group.produce(range(10))
            (member,) = group.join(1)
            until(lambda: len(member.reads) >= 30, "thirty records")
            equal(member.values(), group.values(range(10)), "values")

    def shared_by(self, assignor):
        with self.group(f"assignor-{assignor}", 4, assignor) as group:
            (first,) = group.join(1)
            group.settled(4)
            (second,) = group.join(1)
            group.settled(2, 2)
            group.produce(range(10))
            until(lambda: len(first.reads + second.reads) >= 40, "forty records")
            for member in [first, second]:
                equal({read.partition for read in member.reads}, member.partitions, "read from")
            equal(sorted(first.values() + second.values()), group.values(range(10)), "values")
            if assignor == "cooperative-sticky":
                kept = first.partitions
                assert not kept & first.revoked, "a partition that stayed was taken away"

    def three_members(self):
        with self.group("three-members", 6) as group:
            members = group.join(3)
            group.settled(2, 2, 2)
            group.produce(range(10))
            until(lambda: sum(len(member.reads) for member in members) >= 60, "sixty records")
            found = sum((member.values() for member in members), [])
            equal(sorted(found), group.values(range(10)), "values")

    def join_rebalance(self):
        with self.group("join-rebalance", 6) as group:
            group.join(1)
            group.settled(6)
            group.join(1)
            group.settled(3, 3)
            group.join(1)
            group.settled(2, 2, 2)

    def leave_rebalance(self):
        with self.group("leave-rebalance", 6) as group:
            members = group.join(3)
            group.settled(2, 2, 2)
            # The others hear of it long before a session would be over.
            group.leave(members[0])
            group.settled(3, 3)
            group.leave(members[1])
            group.settled(6)

    def commit_sync(self):
        with self.group("commit-sync", 1) as group:
            member = group.reader(10)
            member.do(member.commit)
            equal(member.do(member.committed, 0)[0], 10, "what was read, committed")
            member.do(member.commit, {0: 7})
            equal(member.do(member.committed, 0)[0], 7, "the offset given")

    def commit_async(self):
        with self.group("commit-async", 1) as group:
            member = group.reader(10)
            outcome = member.do(member.commit_async)
            until(outcome, "the outcome of a commit")
            equal(outcome(), True, "outcome")
            equal(member.do(member.committed, 0)[0], 10, "committed")

    def commit_auto(self):
        with self.group("commit-auto", 1) as group:
            member = group.reader(10, auto_commit=True)
            # Another member asks, so that the first is free to go on.
            # Each question waits for the member's next poll; the check's end bounds them.
            while member.do(member.committed, 0)[0] != 10:
                pass

    def commit_metadata(self):
        with self.group("commit-metadata", 1) as group:
            member = group.reader(10)
            note = "from München, 7 of 10"
            member.do(member.commit, {0: 7}, note)
            equal(member.do(member.committed, 0), (7, note), "offset and metadata")

    def committed_survive(self):
        with self.group("committed-survive", 1) as group:
            member = group.reader(10)
            member.do(member.commit)
            group.leave(member)
            group.produce(range(10, 15))
            (heir,) = group.join(1)
            until(lambda: len(heir.reads) >= 5, "the records after the commit")
            equal([read.offset for read in heir.reads], list(range(10, 15)), "offsets")

    def seek(self):
        with self.group("seek", 1) as group:
            member = group.reader(10)
            member.do(member.seek, 0, 5)
            until(lambda: len(member.reads) >= 15, "five records once more")
            equal([read.offset for read in member.reads[10:]], list(range(5, 10)), "offsets")

    def pause(self):
        with self.group("pause", 2) as group:
            member = group.reader(20)
            member.do(member.pause, 0)
            group.produce(range(10, 20))
            until(lambda: len(member.reads) >= 30, "records of the partition that goes on")
            equal({read.partition for read in member.reads[20:]}, {1}, "read from")
            member.do(member.resume, 0)
            until(lambda: len(member.reads) >= 40, "records of the partition resumed")
            equal(member.values(), group.values(range(20)), "values")

    def static_member(self):
        with self.group("static-member", 4) as group:
            (first,) = group.join(1, instance="first")
            (second,) = group.join(1, instance="second")
            group.settled(2, 2)
            before, share = first.assignments, second.partitions
            # Goes without a word and comes back: nobody else notices.
            group.leave(second)
            (second,) = group.join(1, instance="second")
            until(lambda: second.partitions, "an assignment")
            equal(second.partitions, share, "the partitions of its former life")
            group.produce(range(10))
            until(lambda: len(first.reads + second.reads) >= 40, "forty records")
            equal(first.assignments, before, "rebalances of the other member")

    def mixed(self):
        with self.group("mixed", 4) as group:
            (own,) = group.join(1)
            group.settled(4)
            (others,) = group.join(1, member=self.other)
            group.settled(2, 2)
            group.produce(range(10))
            until(lambda: len(own.reads + others.reads) >= 40, "forty records")
            equal(sorted(own.values() + others.values()), group.values(range(10)), "values")
            group.leave(own)
            group.settled(4)

    @contextmanager
    def group(self, name, partitions, assignor=None):
        group = Group(self, f"{self.prefix}-{name}", partitions, assignor or self.assignor)
        try:
            yield group
        finally:
            group.disband()


class Group:
    """The members that a check started, over one topic."""

    def __init__(self, checks, name, partitions, assignor):
        self.checks, self.name = checks, name
        self.partitions = range(partitions)
        self.assignor = assignor
        self.members = []
        checks.client.create(name, partitions)

    def produce(self, numbers):
        """One record for each number, to every partition."""
        for partition in self.partitions:
            self.checks.client.produce(self.name, partition, values(partition, numbers))

    def values(self, numbers):
        """What `produce` produced, sorted."""
        return sorted(one.value for at in self.partitions for one in values(at, numbers))

    def join(self, count, member=None, **options):
        """Starts members."""
        make = member or self.checks.member
        new = [
            make(self.checks.client.address, self.name, self.name, self.assignor, **options)
            for _ in range(count)
        ]
        self.members += new
        return new

    def leave(self, member):
        """Ends a member."""
        self.members.remove(member)
        member.close()

    def reader(self, count, **options):
        """A member that has read the ten first records of every partition."""
        self.produce(range(10))
        (member,) = self.join(1, **options)
        until(lambda: len(member.reads) >= count, f"{count} records")
        return member

    def settled(self, *sizes):
        """Waits until the members have shares of these sizes, and every partition an owner."""

        def shared():
            shares = [member.partitions for member in self.members]
            together = frozenset().union(*shares) == frozenset(self.partitions)
            return together and sorted(map(len, shares)) == sorted(sizes)

        until(shared, f"shares of {sizes}")

    def disband(self):
        """Ends all members. Whatever a check found out before is what counts."""
        members, self.members = self.members, []
        for member in members:
            member.close()

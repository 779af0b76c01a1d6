"""The judge is judged: each anomaly is planted once, and must be named."""

import judge


def line(t, member, event, **more):
    return {"t": t, "member": member, "event": event, **more}


GOOD = [
    line(1.0, "a", "assigned", partitions=[0, 1]),
    line(1.5, "a", "read", partition=0, **{"from": 0, "to": 4}),
    line(1.6, "a", "committed", offsets={"0": 5}),
    line(2.0, "a", "revoked", partitions=[0, 1]),
    line(2.1, "a", "assigned", partitions=[0]),
    line(2.2, "b", "assigned", partitions=[1]),
    line(2.5, "b", "read", partition=1, **{"from": 0, "to": 9}),
    line(3.0, "b", "killed"),
    line(8.0, "a", "assigned", partitions=[1]),
]
BOUNDS = {"alive": 2.0, "dead": 6.0, "session": 3.0}


def complaints(lines=GOOD, produced={0: 5, 1: 10}, samples=((1.0, 1.1, {}), (2.0, 2.1, {0: 5})), end=9.0):
    return (
        judge.everything_was_read(produced, lines)
        + judge.nobody_waited(sorted(produced), lines, BOUNDS, end)
        + judge.nothing_went_back(samples, lines)
        + judge.one_owner(lines)
    )


def planted(what, about, **arguments):
    found = complaints(**arguments)
    assert any(about in complaint for complaint in found), f"{what} was not noticed: {found}"


assert complaints() == [], complaints()
planted("a record that nobody read", "record 5 of partition 0", produced={0: 6, 1: 10})
planted("a hole", "record 2 of partition 1", lines=[
    entry if entry["event"] != "read" or entry["partition"] == 0 else {**entry, "from": 3} for entry in GOOD
] + [line(2.4, "b", "read", partition=1, **{"from": 0, "to": 1})])
planted("a partition without an owner", "no owner for", lines=GOOD[:-1], end=20.0)
planted("a slow rebalance of the living", "no owner for", lines=[
    *GOOD[:4], line(5.1, "a", "assigned", partitions=[0]), *GOOD[5:7]
])
late = [*GOOD[:-1], line(10.5, "a", "assigned", partitions=[1])]
planted("a dead member that is kept too long", "no owner for", lines=late, end=12.0)
assert complaints(lines=[*late, line(3.5, "node", "restarted")], end=12.0) == []
planted("nobody at all", "nobody was ever", lines=[])
planted("an offset that went back", "went back", samples=((2.0, 2.1, {0: 5}), (3.0, 3.1, {0: 4})))
planted("a sample below what a member was told", "went back", samples=((2.0, 2.1, {0: 3}),))
back = ((2.0, 2.1, {0: 7}), (3.0, 3.1, {0: 6}), (3.5, 3.6, {0: 6}))
told = [line(2.5, "a", "committed", offsets={"0": 6})]
planted("an offset that went back to what was told before", "went back", samples=back, lines=[
    *GOOD, line(1.5, "a", "committed", offsets={"0": 6})
])
assert not [c for c in complaints(samples=back, lines=[*GOOD, *told]) if "went back" in c], "a client may"
planted("a lost offset", "lost its offset", samples=((2.0, 2.1, {0: 5}), (3.0, 3.1, {})))
planted("two owners", "was with", lines=GOOD[:3] + [line(1.8, "b", "assigned", partitions=[1])] + GOOD[3:])
print("judge: eleven anomalies planted, eleven named")

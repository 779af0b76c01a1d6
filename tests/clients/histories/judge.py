"""Judges a history of a consumer group. It knows lines of members, what was
produced, and samples of the committed offsets; nothing of how any of it came
about. Every function gives a list of complaints.
"""


def everything_was_read(produced, lines):
    """Every record at least once. `produced`: partition to its number of records."""
    complaints = []
    for partition, count in produced.items():
        seen = bytearray(count)
        for line in lines:
            if line["event"] == "read" and line["partition"] == partition:
                begin, end = line["from"], line["to"] + 1
                seen[begin:end] = b"\1" * (end - begin)
        missing = seen.find(0)
        if missing >= 0:
            complaints.append(f"record {missing} of partition {partition} was never read, of {count}")
    return complaints


def spells(lines):
    """Who had what, from when to when: (partition, member, from, to, how it ended)."""
    held, ended = {}, []
    for line in sorted(lines, key=lambda line: line["t"]):
        member, now = line["member"], line["t"]
        if line["event"] == "assigned":
            for partition in line["partitions"]:
                held.setdefault((partition, member), now)
        elif line["event"] in ("revoked", "killed", "left"):
            lost = line.get("partitions")
            for key in [key for key in held if key[1] == member and (lost is None or key[0] in lost)]:
                ended.append((*key, held.pop(key), now, line["event"]))
    return ended + [(*key, begun, None, "end") for key, begun in held.items()]


def nobody_waited(partitions, lines, bounds, end):
    """No partition was without an owner for longer than `bounds["alive"]` seconds, or
    `bounds["dead"]` if a member was killed in that time or shortly before it; and if the
    node was killed then too, `bounds["session"]` more: a coordinator that starts again
    cannot know who is dead, and gives everybody a session.
    """
    deaths = [line["t"] for line in lines if line["event"] == "killed"]
    restarts = [line["t"] for line in lines if line["event"] == "restarted"]
    first = min((line["t"] for line in lines if line["event"] == "assigned"), default=None)
    if first is None:
        return ["nobody was ever given anything"]
    complaints = []
    for partition in partitions:
        owned = sorted((begin, stop or end) for p, _, begin, stop, _ in spells(lines) if p == partition)
        covered = first
        for begin, stop in owned + [(end, end)]:
            gap = begin - covered
            near = lambda moments: any(covered - bounds["dead"] <= moment <= begin for moment in moments)
            bound = bounds["dead"] if near(deaths) else bounds["alive"]
            bound += bounds["session"] if near(deaths) and near(restarts) else 0
            if gap > bound:
                complaints.append(
                    f"partition {partition} had no owner for {gap:.1f} s (bound {bound:.1f}) from {covered:.1f}"
                )
            covered = max(covered, stop)
    return complaints


def nothing_went_back(samples, lines):
    """Committed offsets never go back, nor below what a member was told is committed,
    unless a member was told of the lower offset too, and no earlier: librdkafka sends a
    commit that was under way when a connection broke again, after a newer one.

    `samples`: (begun, ended, {partition: offset}) in the order in which they were asked.
    """
    complaints, seen = [], {}
    told = sorted(
        (line["t"], int(partition), offset)
        for line in lines
        if line["event"] == "committed"
        for partition, offset in line["offsets"].items()
    )
    raised = {}

    def see(partition, offset, at):
        if offset >= seen.get(partition, 0):
            seen[partition], raised[partition] = offset, at

    def was_told(partition, offset, begun):
        since = raised[partition]
        return any(p == partition and o == offset and since <= t <= begun + 1 for t, p, o in told)

    at = 0
    for begun, _, offsets in samples:
        while at < len(told) and told[at][0] <= begun:
            time, partition, offset = told[at]
            see(partition, offset, time)
            at += 1
        for partition, offset in offsets.items():
            if offset >= seen.get(partition, 0):
                see(partition, offset, begun)
            elif was_told(partition, offset, begun):
                seen[partition] = offset
            else:
                complaints.append(f"partition {partition} went back from {seen[partition]} to {offset} at {begun:.1f}")
        for partition in seen.keys() - offsets.keys():
            if seen[partition] > 0:
                complaints.append(f"partition {partition} lost its offset {seen[partition]} at {begun:.1f}")
    return complaints


def one_owner(lines):
    """No two members had a partition at the same time, but for one that was killed or
    believed lost: of those the group cannot know when they stopped."""
    complaints = []
    by_partition = {}
    for partition, member, begin, stop, how in spells(lines):
        by_partition.setdefault(partition, []).append((begin, stop, member, how))
    for partition, held in by_partition.items():
        held.sort()
        for (_, stop, one, how), (begin, _, other, _) in zip(held, held[1:]):
            if one != other and how != "killed" and (stop is None or stop > begin):
                complaints.append(f"partition {partition} was with {one} and {other} at {begin:.1f}")
    return complaints

// What every client must be able to do in a consumer group.
//
// The checks are written once: over `Client` of `records.mjs`, which produces,
// and members, which consume. `join(address, group, topic, options)` makes one
// and resolves when it has joined; `options` are `assignor`, `autoCommit`,
// `instance` and `news`, which is told of all that happens. A member has
//
//     partitions   the numbers of its partitions, sorted
//     rebalances   how often it was assigned partitions
//     revoked      the numbers of those that were ever taken away
//     reads        [{ partition, offset, value }]
//     commit(offsets)           of [partition, offset, metadata]; by default what was read
//     committed(partition)      → [offset or null, metadata]
//     seek(partition, offset), pause(partition), resume(partition)
//     close()

import assert from 'node:assert/strict'
import { equal } from './harness.mjs'
import { News } from './news.mjs'
import { range, record } from './records.mjs'

export const SESSION_MS = 40_000 // longer than a check may take: nobody is missed by accident
export const HEARTBEAT_MS = 250
export const AUTO_COMMIT_MS = 200

/** The members that a check started, over one topic. */
class Group {
  members = []
  news = new News()

  constructor(client, join, name, partitions, assignor) {
    Object.assign(this, { client, makeMember: join, name, assignor })
    this.partitions = range(partitions)
  }

  /** One record for each number, to every partition. */
  async produce(numbers) {
    for (const partition of this.partitions) {
      const records = numbers.map(number => record(null, `${partition}-${number}`))
      await this.client.produce(this.name, partition, records)
    }
  }

  /**
   * Waits until the members read all that `produce` produced. Some may come twice:
   * after a rebalance a client may go back to what was committed.
   */
  async readAll(numbers) {
    const expected = this.partitions.flatMap(at => numbers.map(number => `${at}-${number}`))
    const found = () =>
      new Set(this.members.flatMap(({ reads }) => reads.map(({ value }) => value)))
    await this.news.until(() => found().size >= expected.length, `${expected.length} values`)
    equal([...found()].toSorted(), expected.toSorted(), 'values')
  }

  /** Starts members, one after another. */
  async join(count, options = {}) {
    const { assignor, news, client, name } = this
    const joined = []
    for (const _ of range(count)) {
      const member = await this.makeMember(client.address, name, name, {
        assignor,
        news,
        ...options
      })
      this.members.push(member)
      joined.push(member)
    }
    return joined
  }

  /** A member that has read the first ten records of every partition. */
  async reader(options) {
    await this.produce(range(10))
    const [member] = await this.join(1, options)
    await this.read(10 * this.partitions.length)
    return member
  }

  /** Waits until the members read so many records in all. */
  async read(count) {
    const read = () => this.members.reduce((sum, member) => sum + member.reads.length, 0)
    await this.news.until(() => read() >= count, `${count} records`)
  }

  /** Ends a member. */
  async leave(member) {
    this.members.splice(this.members.indexOf(member), 1)
    await member.close()
  }

  /** Waits until the members have shares of these sizes, and every partition an owner. */
  async settled(...sizes) {
    const shared = () => {
      const shares = this.members.map(member => member.partitions)
      const together = new Set(shares.flat()).size === this.partitions.length
      return together && show(shares.map(share => share.length)) === show(sizes)
    }
    await this.news.until(shared, `shares of ${sizes}`)
  }
}

function show(numbers) {
  return numbers.toSorted().join()
}

/**
 * Adds the checks of the theme. Each has a topic and a group of its own.
 * Returns a function that adds one more, or another of the same name.
 */
export function addGroupChecks(suite, client, join, assignor = 'roundrobin') {
  const check = (name, partitions, run, wanted = assignor) =>
    suite.check(name, async () => {
      const full = `${suite.client.replace(/\W+/g, '-').replace(/^-/, '')}-${name}`
      await client.create(full, partitions)
      const group = new Group(client, join, full, partitions, wanted)
      try {
        await run(group)
      } finally {
        for (const member of group.members) await member.close()
      }
    })

  check('subscribe', 3, async group => {
    await group.produce(range(10))
    await group.join(1)
    await group.readAll(range(10))
  })

  for (const wanted of ['range', 'roundrobin', 'sticky', 'cooperative-sticky']) {
    const name = `assignor-${wanted.replace('-sticky', '')}`
    const run = async group => {
      const [first] = await group.join(1)
      await group.settled(4)
      await group.join(1)
      await group.settled(2, 2)
      await group.produce(range(10))
      await group.readAll(range(10))
      for (const { partitions, reads, revoked } of group.members) {
        // A fetch that was under way when a partition was taken away may still
        // bring records of it: not every library throws them away.
        const from = new Set(reads.map(read => read.partition))
        const late = [...from].filter(at => revoked.has(at) && !partitions.includes(at))
        for (const partition of late) from.delete(partition)
        equal([...from].toSorted(), partitions, 'read from')
      }
      if (wanted !== 'cooperative-sticky') return
      const moved = first.partitions.filter(partition => first.revoked.has(partition))
      equal(moved, [], 'partitions that stayed and were taken away')
    }
    check(name, 4, run, wanted)
  }

  check('three-members', 6, async group => {
    await group.join(3)
    await group.settled(2, 2, 2)
    await group.produce(range(10))
    await group.readAll(range(10))
  })

  check('join-rebalance', 6, async group => {
    await group.join(1)
    await group.settled(6)
    await group.join(1)
    await group.settled(3, 3)
    await group.join(1)
    await group.settled(2, 2, 2)
  })

  check('leave-rebalance', 6, async group => {
    const [first, second] = await group.join(3)
    await group.settled(2, 2, 2)
    // The others hear of it long before a session would be over.
    await group.leave(first)
    await group.settled(3, 3)
    await group.leave(second)
    await group.settled(6)
  })

  check('commit-sync', 1, async group => {
    const member = await group.reader()
    await member.commit()
    equal((await member.committed(0))[0], 10, 'what was read, committed')
    await member.commit([[0, 7]])
    equal((await member.committed(0))[0], 7, 'the offset given')
  })

  check('commit-async', 1, async group => {
    const member = await group.reader()
    let done = false
    const outcome = member.commit().then(() => {
      done = true
    })
    assert(!done, 'nobody waited')
    await outcome
    equal((await member.committed(0))[0], 10, 'committed')
  })

  check('commit-auto', 1, async group => {
    const member = await group.reader({ autoCommit: true })
    // Each question is a round trip; the check's end bounds them.
    while ((await member.committed(0))[0] !== 10);
  })

  check('commit-metadata', 1, async group => {
    const member = await group.reader()
    await member.commit([[0, 7, 'from München, 7 of 10']])
    equal(await member.committed(0), [7, 'from München, 7 of 10'], 'offset and metadata')
  })

  check('committed-survive', 1, async group => {
    const member = await group.reader()
    await member.commit()
    await group.leave(member)
    await group.produce(range(15).slice(10))
    const [heir] = await group.join(1)
    await group.read(5)
    equal(
      heir.reads.map(read => read.offset),
      range(15).slice(10),
      'offsets'
    )
  })

  check('seek', 1, async group => {
    const member = await group.reader()
    await member.seek(0, 5)
    await group.read(15)
    equal(
      member.reads.slice(10).map(read => read.offset),
      [5, 6, 7, 8, 9],
      'offsets'
    )
  })

  check('pause', 2, async group => {
    const member = await group.reader()
    member.pause(0)
    await group.produce(range(20).slice(10))
    await group.read(30)
    const from = new Set(member.reads.slice(20).map(read => read.partition))
    equal([...from], [1], 'read from while the other is paused')
    member.resume(0)
    await group.readAll(range(20))
  })

  return check
}

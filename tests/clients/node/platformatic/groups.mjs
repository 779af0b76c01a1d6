// @platformatic/kafka: consumer groups.

import { NAME, VERSION, settings, withAdmin } from './client.mjs'
import { Consumer, cooperativeStickyAssigner, roundRobinAssigner } from '@platformatic/kafka'
import { AUTO_COMMIT_MS, HEARTBEAT_MS, SESSION_MS, addGroupChecks } from '../groups.mjs'
import { Suite, equal } from '../harness.mjs'
import { Partner } from '../partner.mjs'
import { range } from '../records.mjs'
import { Client } from './records.mjs'

const ASSIGNORS = {
  roundrobin: { partitionAssigner: roundRobinAssigner, version: 1 },
  'cooperative-sticky': { partitionAssigner: cooperativeStickyAssigner, version: 3 }
}

/** A member by the library. */
export class Member {
  partitions = []
  rebalances = 0
  revoked = new Set()
  reads = []

  static async join(address, group, topic, { assignor, autoCommit, instance, news }) {
    const member = new Member()
    const { partitionAssigner, version } = ASSIGNORS[assignor]
    Object.assign(member, { address, group, topic, news })
    member.consumer = new Consumer({
      ...settings(address),
      groupId: group,
      groupInstanceId: instance,
      protocols: [{ name: assignor, version }],
      partitionAssigner,
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTime: 50,
      autocommit: autoCommit ? AUTO_COMMIT_MS : false
    })
    await member.#listen()
    return member
  }

  async #listen() {
    const { consumer, topic, news } = this
    consumer.on('consumer:group:join', ({ assignments }) => this.#own(assignments))
    const modes = { mode: 'committed', fallbackMode: 'earliest' }
    this.stream = await consumer.consume({ topics: [topic], ...modes })
    this.stream.on('error', error => news.fail(error))
    this.stream.on('data', ({ partition, offset, value }) => {
      this.reads.push({ partition, offset: Number(offset), value: value.toString() })
      news.tell()
    })
  }

  #own(assignments) {
    const mine = (assignments ?? []).filter(({ topic }) => topic === this.topic)
    const partitions = mine.flatMap(assignment => assignment.partitions).toSorted()
    for (const partition of this.partitions) {
      if (!partitions.includes(partition)) this.revoked.add(partition)
    }
    this.rebalances += 1
    this.partitions = partitions
    this.news.tell()
  }

  async commit(offsets = this.#next()) {
    await this.consumer.commit({
      offsets: offsets.map(([partition, offset]) => {
        return { topic: this.topic, partition, offset: BigInt(offset), leaderEpoch: -1 }
      })
    })
  }

  #next() {
    return [...new Map(this.reads.map(({ partition, offset }) => [partition, offset + 1]))]
  }

  async committed(partition) {
    const topics = [{ name: this.topic, partitionIndexes: [partition] }]
    const groups = [{ groupId: this.group, topics }]
    const list = admin => admin.listConsumerGroupOffsets({ groups })
    const [found] = await withAdmin(this.address, list)
    const { committedOffset, metadata } = found.topics[0].partitions[0]
    return [committedOffset < 0n ? null : Number(committedOffset), metadata]
  }

  async close() {
    await this.consumer.close(true)
  }
}

/** Pauses the stream: the library pauses all partitions of one, or none. */
async function pause(group) {
  const member = await group.reader()
  member.stream.pause()
  await group.produce(range(20).slice(10))
  equal(member.reads.length, 20, 'records read by a stream that is paused')
  member.stream.resume()
  await group.readAll(range(20))
}

/** A second life takes over from the first, and nobody else notices. */
async function takeOver(group) {
  const [first] = await group.join(1, { instance: 'first' })
  const [second] = await group.join(1, { instance: 'second' })
  await group.settled(2, 2)
  const [before, share] = [first.rebalances, second.partitions]
  group.members.pop()
  const [heir] = await group.join(1, { instance: 'second' })
  equal(heir.partitions, share, 'the partitions of its former life')
  await group.produce(range(10))
  await group.readAll(range(10))
  equal(first.rebalances, before, 'rebalances of the other member')
  await second.close().catch(() => {})
}

/** kafka-python joins, and stays when the library's member goes. */
async function mixed(group) {
  const [own] = await group.join(1)
  await group.settled(4)
  const { client, name, news } = group
  group.members.push(new Partner(client.address, name, name, group.assignor, news))
  await group.settled(2, 2)
  await group.produce(range(10))
  await group.readAll(range(10))
  await group.leave(own)
  await group.settled(4)
}

if (import.meta.filename === process.argv[1]) {
  const suite = new Suite(NAME, VERSION, 'groups')
  const check = addGroupChecks(suite, new Client(process.argv[2]), Member.join)
  check('pause', 2, pause)
  check('static-member', 4, takeOver)
  check('mixed', 4, mixed)
  suite.remark('pause', 'a stream as a whole, not a partition of it')
  suite.remark('static-member', 'it leaves when it is closed; one that died is taken over from')
  suite.notOffered('assignor-range')
  suite.notOffered('assignor-sticky')
  suite.notOffered('commit-metadata')
  suite.notOffered('seek', 'a stream starts at chosen offsets, and goes on from there')
  await suite.run()
}

// kafkajs: consumer groups.

import { AUTO_COMMIT_MS, HEARTBEAT_MS, SESSION_MS, addGroupChecks } from '../groups.mjs'
import { Suite } from '../harness.mjs'
import { NAME, VERSION, connect, withAdmin } from './client.mjs'
import { Client } from './records.mjs'

/** A member by kafkajs. */
export class Member {
  partitions = []
  rebalances = 0
  revoked = new Set()
  reads = []

  static async join(address, group, topic, { autoCommit = false, news }) {
    const member = new Member()
    Object.assign(member, { kafka: connect(address), group, topic, news })
    member.consumer = member.kafka.consumer({
      groupId: group,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: 50
    })
    await member.#listen(autoCommit)
    return member
  }

  async #listen(autoCommit) {
    const { consumer, topic, news } = this
    const { GROUP_JOIN, REBALANCING, CRASH } = consumer.events
    consumer.on(GROUP_JOIN, ({ payload }) => this.#own(payload.memberAssignment[topic] ?? []))
    consumer.on(REBALANCING, () => this.#own([]))
    consumer.on(CRASH, ({ payload }) => news.fail(payload.error))
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit,
      autoCommitInterval: AUTO_COMMIT_MS,
      eachMessage: async ({ partition, message }) => {
        const read = { partition, offset: Number(message.offset), value: message.value.toString() }
        this.reads.push(read)
        news.tell()
      }
    })
  }

  #own(partitions) {
    if (partitions.length) this.rebalances += 1
    for (const partition of this.partitions) this.revoked.add(partition)
    this.partitions = partitions.toSorted()
    this.news.tell()
  }

  async commit(offsets = this.#next()) {
    await this.consumer.commitOffsets(
      offsets.map(([partition, offset, metadata]) => {
        return { topic: this.topic, partition, offset: String(offset), metadata }
      })
    )
  }

  #next() {
    return [...new Map(this.reads.map(({ partition, offset }) => [partition, offset + 1]))]
  }

  async committed(partition) {
    const asked = { groupId: this.group, topics: [this.topic] }
    const [found] = await withAdmin(this.kafka, admin => admin.fetchOffsets(asked))
    const { offset, metadata } = found.partitions.find(at => at.partition === partition)
    return [offset === '-1' ? null : Number(offset), metadata]
  }

  async seek(partition, offset) {
    this.consumer.seek({ topic: this.topic, partition, offset: String(offset) })
  }

  pause(partition) {
    this.consumer.pause([{ topic: this.topic, partitions: [partition] }])
  }

  resume(partition) {
    this.consumer.resume([{ topic: this.topic, partitions: [partition] }])
  }

  async close() {
    await this.consumer.disconnect()
  }
}

if (import.meta.filename === process.argv[1]) {
  const suite = new Suite(NAME, VERSION, 'groups')
  addGroupChecks(suite, new Client(process.argv[2]), Member.join)
  const own = 'the only assignor is a round robin of its own, which no other library has'
  suite.remark('assignor-roundrobin', own)
  for (const name of ['assignor-range', 'assignor-sticky', 'assignor-cooperative', 'mixed']) {
    suite.notOffered(name, own)
  }
  suite.notOffered('static-member')
  await suite.run()
}

// kafkajs: produce and consume. Its consumers are always members of a group.

import { Suite } from '../harness.mjs'
import { News } from '../news.mjs'
import { addRecordChecks } from '../records.mjs'
import { CODECS, NAME, PRODUCER, VERSION, connect, createTopic, withAdmin } from './client.mjs'

/** The client of the theme's and of the groups' checks. */
export class Client {
  // Behind the end, it says where the end is.
  behindTheEnd = 10
  #groups = 0

  constructor(address) {
    this.address = address
    this.kafka = connect(address)
  }

  async create(topic, partitions) {
    await createTopic(this.kafka, topic, partitions)
  }

  async produce(topic, partition, records, { codec = 'none', idempotent = false, acks = -1 } = {}) {
    const limits = idempotent ? { idempotent, maxInFlightRequests: 1 } : {}
    const producer = this.kafka.producer({ ...PRODUCER, ...limits })
    await producer.connect()
    try {
      const messages = records.map(record => message(record, partition))
      const [result] = await producer.send({ topic, messages, acks, compression: CODECS[codec] })
      return result?.baseOffset === undefined ? null : Number(result.baseOffset)
    } finally {
      await producer.disconnect()
    }
  }

  async read(topic, partition, offset, count) {
    const [news, reads] = [new News(), []]
    const consumer = await this.#consumer(topic)
    try {
      await consumer.run({
        autoCommit: false,
        eachMessage: async ({ partition: from, message }) => {
          if (from === partition && Number(message.offset) >= offset) reads.push(read(message))
          news.tell()
        }
      })
      consumer.seek({ topic, partition, offset: String(offset) })
      await news.until(() => reads.length >= count, `${count} records of ${topic}`)
      return reads.slice(0, count)
    } finally {
      await consumer.disconnect()
    }
  }

  async readNothing(topic) {
    const [news, reads] = [new News(), []]
    let fetches = 0
    const consumer = await this.#consumer(topic)
    try {
      consumer.on(consumer.events.FETCH, () => {
        fetches += 1
        news.tell()
      })
      await consumer.run({ eachMessage: async ({ message }) => reads.push(read(message)) })
      await news.until(() => fetches >= 3, 'three fetches')
      return reads
    } finally {
      await consumer.disconnect()
    }
  }

  async offsetAt(topic, partition, timestampMs) {
    const find = admin => admin.fetchTopicOffsetsByTimestamp(topic, timestampMs)
    const found = await withAdmin(this.kafka, find)
    return Number(found.find(one => one.partition === partition).offset)
  }

  async watermarks(topic, partition) {
    const found = await withAdmin(this.kafka, admin => admin.fetchTopicOffsets(topic))
    const { low, high } = found.find(one => one.partition === partition)
    return [Number(low), Number(high)]
  }

  isTooBig(error) {
    return error.type === 'MESSAGE_TOO_LARGE'
  }

  async #consumer(topic) {
    const groupId = `kafkajs-reads-${topic}-${this.#groups++}`
    const limits = { maxWaitTimeInMs: 50, maxBytesPerPartition: 4_000_000 }
    const consumer = this.kafka.consumer({ groupId, ...limits })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    return consumer
  }
}

/** A record as kafkajs wants it: several headers of a name are an array. */
function message({ key, value, headers, timestampMs }, partition) {
  const together = {}
  for (const [name, text] of headers) {
    together[name] = name in together ? [together[name], text].flat() : text
  }
  const place = partition === null ? {} : { partition }
  const when = timestampMs === null ? {} : { timestamp: String(timestampMs) }
  return { key, value, headers: together, ...place, ...when }
}

/** What kafkajs read, as the checks want it. */
function read({ offset, key, value, headers, timestamp }) {
  return {
    offset: Number(offset),
    key: key?.toString() ?? null,
    value: value?.toString() ?? null,
    headers: Object.entries(headers).flatMap(([name, bytes]) =>
      [bytes].flat().map(one => [name, one.toString()])
    ),
    timestampMs: Number(timestamp)
  }
}

if (import.meta.filename === process.argv[1]) {
  const suite = new Suite(NAME, VERSION, 'records')
  addRecordChecks(suite, new Client(process.argv[2]))
  await suite.run()
}

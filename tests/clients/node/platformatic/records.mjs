// @platformatic/kafka: produce and consume. Its streams are always members of a group.

import { NAME, VERSION, createTopic, settings, withAdmin } from './client.mjs'
import { Consumer, Producer } from '@platformatic/kafka'
import { Suite } from '../harness.mjs'
import { News } from '../news.mjs'
import { addRecordChecks, range } from '../records.mjs'

const FIRST = -2n
const NEXT = -1n

/** The client of the theme's and of the groups' checks. */
export class Client {
  #groups = 0

  constructor(address) {
    this.address = address
  }

  async create(topic, partitions) {
    await createTopic(this.address, topic, partitions)
  }

  async produce(topic, partition, records, { codec = 'none', idempotent = false, acks = -1 } = {}) {
    const producer = new Producer(settings(this.address))
    try {
      const messages = records.map(record => message(record, topic, partition))
      const result = await producer.send({ messages, acks, idempotent, compression: codec })
      return result.offsets?.length === 1 ? Number(result.offsets[0].offset) : null
    } finally {
      await producer.close()
    }
  }

  async read(topic, partition, offset, count) {
    const [news, reads] = [new News(), []]
    const consumer = this.#consumer(topic)
    try {
      const stream = await this.#stream(consumer, topic, partition, offset)
      stream.on('error', error => news.fail(error))
      stream.on('data', message => {
        if (message.partition === partition) reads.push(read(message))
        news.tell()
      })
      await news.until(() => reads.length >= count, `${count} records of ${topic}`)
      return reads.slice(0, count)
    } finally {
      await consumer.close(true)
    }
  }

  async readNothing(topic) {
    const [news, reads] = [new News(), []]
    let fetches = 0
    const consumer = this.#consumer(topic)
    try {
      const stream = await this.#stream(consumer, topic, 0, 0)
      stream.on('error', error => news.fail(error))
      stream.on('data', message => reads.push(read(message)))
      stream.on('fetch', () => {
        fetches += 1
        news.tell()
      })
      await news.until(() => fetches >= 3, 'three fetches')
      return reads
    } finally {
      await consumer.close(true)
    }
  }

  async offsetAt(topic, partition, timestampMs) {
    const offset = await this.#offset(topic, partition, BigInt(timestampMs))
    return offset < 0 ? null : offset
  }

  async watermarks(topic, partition) {
    const first = await this.#offset(topic, partition, FIRST)
    return [first, await this.#offset(topic, partition, NEXT)]
  }

  isTooBig(error) {
    return error.findBy('apiId', 'MESSAGE_TOO_LARGE') !== null
  }

  async #offset(topic, partition, timestamp) {
    const topics = [{ name: topic, partitions: [{ partitionIndex: partition, timestamp }] }]
    const [found] = await withAdmin(this.address, admin => admin.listOffsets({ topics }))
    return Number(found.partitions[0].offset)
  }

  #consumer(topic) {
    const groupId = `platformatic-reads-${topic}-${this.#groups++}`
    return new Consumer({ ...settings(this.address), groupId, maxWaitTime: 50, autocommit: false })
  }

  async #stream(consumer, topic, partition, offset) {
    const metadata = await consumer.metadata({ topics: [topic] })
    // It wants an offset for every partition that may be assigned.
    const offsets = range(metadata.topics.get(topic).partitionsCount).map(at => {
      return { topic, partition: at, offset: at === partition ? BigInt(offset) : 0n }
    })
    return consumer.consume({ topics: [topic], mode: 'manual', offsets })
  }
}

/** A record as the library wants it. A map of byte strings keeps headers of one name apart. */
function message({ key, value, headers, timestampMs }, topic, partition) {
  const bytes = text => (text === null ? undefined : Buffer.from(text))
  const place = partition === null ? {} : { partition }
  const when = timestampMs === null ? {} : { timestamp: BigInt(timestampMs) }
  return {
    topic,
    key: bytes(key),
    value: bytes(value),
    headers: new Map(headers.map(([name, text]) => [bytes(name), bytes(text)])),
    ...place,
    ...when
  }
}

/** What the library read, as the checks want it. */
function read({ offset, key, value, headerEntries, timestamp }) {
  return {
    offset: Number(offset),
    key: key?.toString() ?? null,
    value: value?.toString() ?? null,
    headers: headerEntries.map(([name, bytes]) => [name.toString(), bytes.toString()]),
    timestampMs: Number(timestamp)
  }
}

if (import.meta.filename === process.argv[1]) {
  const suite = new Suite(NAME, VERSION, 'records')
  addRecordChecks(suite, new Client(process.argv[2]))
  suite.notOffered('codec-zstd', 'needs the zstd of Node 22; this run is on Node 20')
  await suite.run()
}

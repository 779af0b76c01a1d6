// What every client must be able to do with records.
//
// The checks are written once, over a `Client` that each library's file
// provides:
//
//     create(topic, partitions)
//     produce(topic, partition, records, options) → first offset, or null without acks
//     read(topic, partition, offset, count) → [{ offset, key, value, headers, timestampMs }]
//     readNothing(topic) → reads, after a look of about a second
//     offsetAt(topic, partition, timestampMs) → offset, or null behind the end
//     watermarks(topic, partition) → [first, next]
//     isTooBig(error)
//
// Records have `key`, `value`, `headers` (pairs) and `timestampMs`. Keys, values
// and the values of headers are text or null. Options of `produce`: `codec`,
// `idempotent`, `acks` (0, 1, -1). The partition null leaves the choice to the
// client's partitioner.

import assert from 'node:assert/strict'
import { equal } from './harness.mjs'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const DAY_MS = 86_400_000
const FIRST_MS = Date.UTC(2013, 0, 1)

/** A record to produce. */
export function record(key, value, headers = [], timestampMs = null) {
  return { key, value, headers, timestampMs }
}

/** Records with keys, and values that compress well. */
function many(count) {
  return range(count).map(n => record(`key-${n}`, `value ${n} that repeats `.repeat(8)))
}

/** Numbers from 0. */
export function range(count) {
  return Array.from({ length: count }, (_, n) => n)
}

/** Fails unless keys and values came back in order, without a gap in the offsets. */
function expect(reads, records, first, what) {
  const texts = list => list.map(({ key, value }) => [key, value])
  equal(texts(reads), texts(records), what)
  equal(
    offsets(reads),
    range(records.length).map(n => first + n),
    `${what}: offsets`
  )
}

function offsets(reads) {
  return reads.map(read => read.offset)
}

/** Adds the checks of the theme. Each works on a topic of its own. */
export function addRecordChecks(suite, client) {
  const topic = async (name, partitions = 1) => {
    const full = `${suite.client.replace(/\W+/g, '-').replace(/^-/, '')}-${name}`
    await client.create(full, partitions)
    return full
  }

  for (const codec of CODECS) {
    suite.check(`codec-${codec}`, async () => {
      const [name, records] = [await topic(`codec-${codec}`, 3), many(1000)]
      equal(await client.produce(name, 1, records, { codec }), 0, 'first offset')
      expect(await client.read(name, 1, 0, 1000), records, 0, codec)
    })
  }

  suite.check('acks', async () => {
    const name = await topic('acks')
    for (const acks of [-1, 1, 0]) await client.produce(name, 0, many(50), { acks })
    // What nobody acknowledged is there as well, after the rest.
    const expected = [...many(50), ...many(50), ...many(50)]
    expect(await client.read(name, 0, 0, 150), expected, 0, 'records of all three')
  })

  suite.check('idempotent', async () => {
    const [name, records] = [await topic('idempotent'), many(2000)]
    const options = { idempotent: true, codec: 'gzip' }
    equal(await client.produce(name, 0, records, options), 0, 'first offset')
    expect(await client.read(name, 0, 0, 2000), records, 0, 'idempotent')
  })

  suite.check('keys', async () => {
    const name = await topic('keys', 4)
    await client.produce(
      name,
      null,
      range(320).map(n => record(`key-${n % 16}`, `${n}`))
    )
    const homes = new Map()
    const found = []
    for (const partition of range(4)) {
      const [first, next] = await client.watermarks(name, partition)
      if (next === first) continue
      for (const read of await client.read(name, partition, first, next - first)) {
        if (!homes.has(read.key)) homes.set(read.key, partition)
        equal(homes.get(read.key), partition, `home of ${read.key}`)
        found.push(Number(read.value))
      }
    }
    equal(
      found.toSorted((one, other) => one - other),
      range(320),
      'values'
    )
    assert(new Set(homes.values()).size > 1, 'sixteen keys in one partition')
  })

  suite.check('order', async () => {
    const name = await topic('order')
    const batches = range(5).map(batch => range(100).map(n => record(null, `${batch}-${n}`)))
    for (const batch of batches) await client.produce(name, 0, batch)
    expect(await client.read(name, 0, 0, 500), batches.flat(), 0, 'five batches')
  })

  suite.check('nulls', async () => {
    const name = await topic('nulls')
    const records = [record(null, 'no key'), record('no value', null), record('empty', '')]
    await client.produce(name, 0, records)
    expect(await client.read(name, 0, 0, 3), records, 0, 'nulls')
  })

  suite.check('headers', async () => {
    const name = await topic('headers')
    const headers = client.headers ?? [
      ['color', 'blue'],
      ['color', 'green'],
      ['empty', '']
    ]
    await client.produce(name, 0, [record('with', 'headers', headers), record('without', 'any')])
    const reads = await client.read(name, 0, 0, 2)
    equal(
      reads.map(read => read.headers),
      [headers, []],
      'headers'
    )
  })

  suite.check('timestamps', async () => {
    const name = await topic('timestamps')
    const records = range(5).map(n => record(null, `${n}`, [], FIRST_MS + n * DAY_MS))
    await client.produce(name, 0, records)
    const reads = await client.read(name, 0, 0, 5)
    const times = list => list.map(one => one.timestampMs)
    equal(times(reads), times(records), 'timestamps')
  })

  suite.check('big-records', async () => {
    const name = await topic('big-records')
    const records = ['A', 'B', 'C'].map(letter => record(letter, letter.repeat(900 * 1024)))
    for (const one of records) await client.produce(name, 0, [one])
    expect(await client.read(name, 0, 0, 3), records, 0, 'big records')
  })

  suite.check('too-big', async () => {
    const name = await topic('too-big')
    const big = record(null, 'x'.repeat(3 * 1024 * 1024))
    await assert.rejects(client.produce(name, 0, [big]), error => client.isTooBig(error))
    await client.produce(name, 0, [record(null, 'small')])
    expect(await client.read(name, 0, 0, 1), [record(null, 'small')], 0, 'after the refusal')
  })

  suite.check('from-offset', async () => {
    const [name, records] = [await topic('from-offset'), many(100)]
    for (const n of range(10)) await client.produce(name, 0, records.slice(n * 10, n * 10 + 10))
    for (const offset of [0, 10, 99]) {
      const reads = await client.read(name, 0, offset, 100 - offset)
      expect(reads, records.slice(offset), offset, `from ${offset}`)
    }
  })

  suite.check('middle-of-batch', async () => {
    const [name, records] = [await topic('middle-of-batch'), many(300)]
    await client.produce(name, 0, records, { codec: 'gzip' })
    for (const offset of [1, 150, 299]) {
      const reads = await client.read(name, 0, offset, 300 - offset)
      expect(reads, records.slice(offset), offset, `from ${offset}`)
    }
  })

  suite.check('from-timestamp', async () => {
    const name = await topic('from-timestamp')
    await client.produce(
      name,
      0,
      range(10).map(n => record(null, `${n}`, [], FIRST_MS + n * DAY_MS))
    )
    for (const [timestampMs, offset] of [
      [FIRST_MS - DAY_MS, 0],
      [FIRST_MS + 2 * DAY_MS, 2],
      [FIRST_MS + 2 * DAY_MS + 1, 3],
      [FIRST_MS + 30 * DAY_MS, client.behindTheEnd ?? null]
    ]) {
      equal(await client.offsetAt(name, 0, timestampMs), offset, `offset of ${timestampMs}`)
    }
  })

  suite.check('watermarks', async () => {
    const name = await topic('watermarks', 2)
    await client.produce(name, 1, many(42))
    equal(await client.watermarks(name, 0), [0, 0], 'of the empty partition')
    equal(await client.watermarks(name, 1), [0, 42], 'of the other')
  })

  suite.check('empty-topic', async () => {
    const name = await topic('empty-topic')
    equal(await client.readNothing(name), [], 'records of an empty topic')
    equal(await client.watermarks(name, 0), [0, 0], 'watermarks of an empty topic')
  })
}

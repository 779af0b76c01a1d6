// kafkajs, with the codecs that it leaves to others.

import { createRequire } from 'node:module'
import { compress, decompress, init } from '@bokuweb/zstd-wasm'
import kafkajs from 'kafkajs'
import lz4 from 'lz4-napi'
import snappy from 'snappy'

const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = kafkajs

export const NAME = 'kafkajs'
export const VERSION = createRequire(import.meta.url)('kafkajs/package.json').version

/** Numbers of the codecs by their names. */
export const CODECS = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD
}

await init()
CompressionCodecs[CODECS.snappy] = () => ({
  compress: encoder => snappy.compress(encoder.buffer),
  decompress: buffer => snappy.uncompress(buffer)
})
CompressionCodecs[CODECS.lz4] = () => ({
  compress: encoder => lz4.compressFrame(encoder.buffer),
  decompress: buffer => lz4.decompressFrame(buffer)
})
CompressionCodecs[CODECS.zstd] = () => ({
  compress: async encoder => Buffer.from(compress(encoder.buffer, 3)),
  decompress: async buffer => Buffer.from(decompress(buffer))
})

/** A connection's settings, and how long it tries. */
export function connect(address) {
  return new Kafka({
    clientId: 'pyralog-clients',
    brokers: [address],
    logLevel: logLevel.NOTHING,
    retry: { retries: 3, initialRetryTime: 50 }
  })
}

/** Settings of every producer: the usual partitioner. */
export const PRODUCER = { createPartitioner: Partitioners.DefaultPartitioner }

/** Runs something with an admin that is connected. */
export async function withAdmin(kafka, use) {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Creates a topic and waits until it has leaders. */
export async function createTopic(kafka, topic, numPartitions) {
  await withAdmin(kafka, admin => admin.createTopics({ topics: [{ topic, numPartitions }] }))
}

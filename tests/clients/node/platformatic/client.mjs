// @platformatic/kafka. Its makers ask for Node 22; with what `node20.mjs` adds,
// all but zstd works on Node 20 as well.

import './node20.mjs'
import { readFileSync } from 'node:fs'
import { Admin } from '@platformatic/kafka'

const manifest = new URL('../package.json', import.meta.resolve('@platformatic/kafka'))

export const NAME = '@platformatic/kafka'
export const VERSION = JSON.parse(readFileSync(manifest)).version

/** A connection's settings, and how long it tries. */
export function settings(address) {
  return { clientId: 'pyralog-clients', bootstrapBrokers: [address], retries: 3, retryDelay: 100 }
}

/** Runs something with an admin. */
export async function withAdmin(address, use) {
  const admin = new Admin(settings(address))
  try {
    return await use(admin)
  } finally {
    await admin.close()
  }
}

/** Creates a topic. */
export async function createTopic(address, topic, partitions) {
  await withAdmin(address, admin =>
    admin.createTopics({ topics: [topic], partitions, replicas: 1 })
  )
}

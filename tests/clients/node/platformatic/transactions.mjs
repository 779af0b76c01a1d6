// @platformatic/kafka: transactions.

import { NAME, VERSION, settings } from './client.mjs'
import { Producer } from '@platformatic/kafka'
import { Suite } from '../harness.mjs'
import { addTransactionCheck } from '../transactions.mjs'

const suite = new Suite(NAME, VERSION, 'transactions')
addTransactionCheck(suite, async () => {
  const options = { ...settings(process.argv[2]), transactionalId: 'none', idempotent: true }
  const producer = new Producer(options)
  try {
    await producer.beginTransaction()
  } finally {
    await producer.close()
  }
})
await suite.run()

// kafkajs: transactions.

import { Suite } from '../harness.mjs'
import { addTransactionCheck } from '../transactions.mjs'
import { NAME, PRODUCER, VERSION, connect } from './client.mjs'

const kafka = connect(process.argv[2])
const suite = new Suite(NAME, VERSION, 'transactions')
addTransactionCheck(suite, async () => {
  const settings = {
    ...PRODUCER,
    transactionalId: 'none',
    maxInFlightRequests: 1,
    idempotent: true
  }
  const producer = kafka.producer(settings)
  await producer.connect()
  try {
    await producer.transaction()
  } finally {
    await producer.disconnect()
  }
})
await suite.run()

// A transaction is refused at once: with an error, not with an endless wait.

import assert from 'node:assert/strict'
import { NotServed, within } from './harness.mjs'

const AT_ONCE_MS = 10_000

/** Adds the check of the theme: `begin` begins a transaction. */
export function addTransactionCheck(suite, begin) {
  suite.check('transactions', async () => {
    const refusal = await within(
      begin().then(
        () => assert.fail('a transaction was begun'),
        error => error
      ),
      'the refusal',
      AT_ONCE_MS
    )
    assert(!(refusal instanceof assert.AssertionError), refusal.message)
    throw new NotServed('refused at once: this version has none')
  })
}

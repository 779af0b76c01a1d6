// Runs the checks of one client and theme, and says how each came out.
//
// A suite is made of named checks. The names are the rows of the compatibility
// table (`features.json`), and a suite says something about every row of its
// theme: the check passes, or the client does not offer it, or the node does
// not serve it. What is said goes to the terminal and, as a line of JSON, to
// the file that `CLIENTS_REPORT` names. `CLIENTS_CHECKS` names the only checks
// to run, separated by commas.

import assert from 'node:assert/strict'
import { appendFileSync, readFileSync } from 'node:fs'

export const PATIENCE_MS = 30_000
export const FEATURES = JSON.parse(readFileSync(new URL('../features.json', import.meta.url)))

/** The node refuses what is asked, at once and clearly. Carries the refusal. */
export class NotServed extends Error {}

/** The checks of one client and one theme. */
export class Suite {
  #checks = new Map()
  #absent = new Map()
  #remarks = new Map()

  constructor(client, version, theme) {
    this.client = client
    this.version = version
    this.theme = theme
  }

  /** Takes the function as the check of this name. */
  check(name, check) {
    this.#checks.set(name, check)
  }

  /** Says that the client has no such thing, whatever the server. */
  notOffered(name, note = '') {
    this.#checks.delete(name)
    this.#absent.set(name, note)
  }

  /** Says what to know of a check that passes. */
  remark(name, note) {
    this.#remarks.set(name, note)
  }

  /** Runs every check and ends the process: 0 if none failed. */
  async run() {
    const features = Object.keys(FEATURES[this.theme].features)
    const said = [...this.#checks.keys(), ...this.#absent.keys()]
    assert.deepEqual(said.toSorted(), features.toSorted(), `${this.client}: features`)
    const wanted = process.env.CLIENTS_CHECKS?.split(',') ?? features
    let failures = 0
    for (const name of wanted) {
      if (this.#absent.has(name)) {
        this.#report(name, 'unsupported-by-client', this.#absent.get(name))
      } else {
        failures += (await this.#run(name)) === 'failed' ? 1 : 0
      }
    }
    // A client whose check failed may have timers that never end.
    process.exit(failures ? 1 : 0)
  }

  async #run(name) {
    const begun = performance.now()
    let [outcome, note] = ['ok', this.#remarks.get(name) ?? '']
    try {
      await within(this.#checks.get(name)(), 'the check')
    } catch (error) {
      if (error instanceof NotServed) {
        ;[outcome, note] = ['not-served', error.message]
      } else {
        ;[outcome, note] = ['failed', `${error.name}: ${error.message}`]
        console.log(error)
      }
    }
    this.#report(name, outcome, note, Math.round(performance.now() - begun))
    return outcome
  }

  #report(check, outcome, note, tookMs) {
    const { client, version, theme } = this
    const subject = `${client} ${theme} ${check}`
    if (outcome === 'failed') console.log(`FAILED ${subject}: ${note}`)
    else if (outcome === 'ok') console.log(`ok ${subject} (${tookMs} ms)`)
    else console.log(`${outcome} ${subject} ${note}`.trimEnd())
    const line = JSON.stringify({ client, version, theme, check, outcome, note })
    if (process.env.CLIENTS_REPORT) appendFileSync(process.env.CLIENTS_REPORT, `${line}\n`)
  }
}

/** What the promise comes to, unless that takes too long. */
export async function within(promise, what, patienceMs = PATIENCE_MS) {
  let timer
  const late = new Promise((_, reject) => {
    const error = new Error(`${what}: not done within ${patienceMs} ms`)
    timer = setTimeout(() => reject(error), patienceMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Fails, and shows the first difference of two arrays, if they differ. */
export function equal(found, expected, what) {
  if (!Array.isArray(found) || !Array.isArray(expected)) {
    assert.deepEqual(found, expected, `${what}: ${show(found)} instead of ${show(expected)}`)
    return
  }
  const at = found.findIndex((one, at) => show(one) !== show(expected[at]))
  if (at >= 0 || found.length < expected.length) {
    const place = at >= 0 ? at : found.length
    const [one, other] = [show(found[place]), show(expected[place])]
    assert.fail(`${what}: ${one} at ${place} instead of ${other} (${found.length} in all)`)
  }
}

/** Short text of a value for comparing and for messages; knows big integers and bytes. */
function show(value) {
  return JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}n` : one)) ?? 'nothing'
}

// Waiting for what consumers tell: no clock is asked, every event is news.

import { within } from './harness.mjs'

/** Something to wait at until a condition holds. */
export class News {
  #waiting = new Set()
  #failure = null

  /** Looks at all conditions that somebody waits for. */
  tell() {
    for (const look of this.#waiting) look()
  }

  /** Ends all waiting, now and later. */
  fail(error) {
    this.#failure ??= error
    this.tell()
  }

  /** Waits until the condition holds. */
  async until(condition, what) {
    let look
    const came = new Promise((resolve, reject) => {
      look = () => {
        if (this.#failure) reject(this.#failure)
        else if (condition()) resolve()
      }
    })
    this.#waiting.add(look)
    look()
    try {
      await within(came, `never came: ${what}`, 28_000)
    } finally {
      this.#waiting.delete(look)
    }
  }
}

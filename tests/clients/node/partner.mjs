// A member of another library: kafka-python, in a process of its own.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** The partner, by what its process says line by line. */
export class Partner {
  partitions = []
  reads = []

  constructor(address, group, topic, assignor, news) {
    const { CLIENTS_PYTHON, CLIENTS_PYTHON_FOLDER } = process.env
    const command = ['-m', 'partner', address, group, topic, assignor]
    const stdio = ['pipe', 'pipe', 'inherit']
    this.process = spawn(CLIENTS_PYTHON, command, { cwd: CLIENTS_PYTHON_FOLDER, stdio })
    createInterface({ input: this.process.stdout }).on('line', line => {
      const { partitions, read } = JSON.parse(line)
      if (partitions) this.partitions = partitions
      if (read) this.reads.push(read)
      news.tell()
    })
  }

  async close() {
    const ended = new Promise(resolve => this.process.once('exit', resolve))
    // The end of its input is its end.
    this.process.stdin.end()
    await ended
  }
}

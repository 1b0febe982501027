'use strict'
// The client's side of a case: a raw socket that does what the steps say.
//   'text'               sends it, each character a byte
//   { flood: [text, n] } sends it n times over
//   { drip: [text, ms] } sends it byte by byte
//   { answers: n }       waits for n responses, interim ones too
//   { heads: n }         waits until the origin has n request heads
//   { sees: text }       waits until the client has got that text, half a second at most
//   { ms: n }            waits
//   { fin: true }        says that nothing more will come
//   { leave: 'close' | 'reset' }

const net = require('net')

const { readMessages } = require('./message')
const { wait } = require('./origin')

const PATIENCE_MS = 2500

class Client {
  constructor(port, methods) {
    this.methods = methods
    this.bytes = Buffer.alloc(0)
    this.closed = this.reset = this.left = false
    this.awaited = true // nothing that was waited for failed to come
    this.listeners = new Set()
    this.socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    this.socket.on('data', (bytes) => this.note(() => (this.bytes = Buffer.concat([this.bytes, bytes]))))
    this.socket.on('end', () => this.note(() => (this.closed = true)))
    this.socket.on('error', () => this.note(() => (this.closed = this.reset = true)))
    this.socket.on('close', () => this.note(() => (this.closed = true)))
  }

  note(change) {
    change()
    for (const listener of [...this.listeners]) listener()
  }

  get responses() {
    return readMessages(this.bytes, { kind: 'response', methods: this.methods, ended: this.closed && !this.reset })
  }

  get finals() {
    return this.responses.filter((r) => r.status === 0 || r.status === 101 || r.status >= 200)
  }

  until(test, ms) {
    if (test()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const done = (result) => {
        clearTimeout(timer)
        this.listeners.delete(look)
        resolve(result)
      }
      const look = () => test() && done(true)
      const timer = setTimeout(() => done(test()), ms)
      this.listeners.add(look)
    })
  }

  async send(text) {
    const bytes = Buffer.from(text, 'latin1')
    for (let at = 0; at < bytes.length && !this.closed; at += 65536) {
      const piece = bytes.subarray(at, at + 65536)
      if (!this.socket.write(piece)) {
        await Promise.race([
          new Promise((resolve) => this.socket.once('drain', resolve)),
          this.until(() => this.closed || this.finals.length > 0, PATIENCE_MS),
        ])
      }
    }
  }

  expect(came) {
    this.awaited = this.awaited && came
  }

  async step(step, origin) {
    if (typeof step === 'string') await this.send(step)
    else if (step.flood) await this.send(step.flood[0].repeat(step.flood[1]))
    else if (step.drip) {
      for (const byte of step.drip[0]) {
        await this.send(byte)
        await wait(step.drip[1])
      }
    } else if (step.answers) {
      await this.until(() => this.closed || this.responses.filter((r) => r.complete).length >= step.answers, 1500)
    } else if (step.heads) this.expect(await origin.until(() => origin.requests.length >= step.heads, 1500))
    else if (step.sees) this.expect(await this.until(() => this.bytes.includes(step.sees), 500))
    else if (step.ms) await wait(step.ms)
    else if (step.fin) this.socket.end()
    else if (step.leave) {
      this.left = true
      if (step.leave === 'reset') this.socket.resetAndDestroy()
      else this.socket.destroy()
    }
  }

  async run(steps, origin) {
    for (const step of steps) {
      if (this.left) return
      await this.step(step, origin)
    }
  }

  leave() {
    this.socket.destroy()
  }
}

module.exports = { Client, PATIENCE_MS }

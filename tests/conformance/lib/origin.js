'use strict'
// A scripted TLS origin that keeps every byte it is sent. One case at a time: begin(), then requests are
// answered by its script, in the order in which they come, over whatever connections.
//
// An answer is a text, or
//   { on: 'head' | 'end', say: text or [text | { wait: ms } | { flood: [text, n] } ...], then: WHAT, echo: true }
//     on     when it begins: as soon as the request's head is there, or its end (the default)
//     then   'close' (TLS says goodbye), 'cut' (it does not), 'reset'; otherwise the connection stays
//     echo   from here on, what comes goes back: a tunnel
// '{reflect}' is a 200 whose body is the request's head. Requests beyond the script get a 200 whose body is their target.

const net = require('net')
const tls = require('tls')

const { readMessages } = require('./message')

const plainAnswer = (request) => {
  const body = Buffer.from(`${request.target}`, 'latin1')
  const head = `HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\nContent-Length: ${body.length}\r\n\r\n`
  return head + (request.method === 'HEAD' ? '' : body.toString('latin1'))
}

const reflection = (request) =>
  `HTTP/1.1 200 OK\r\nContent-Type: message/http\r\nContent-Length: ${request.text.length}\r\n\r\n${request.text}`

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

class Connection {
  constructor(origin, raw) {
    this.origin = origin
    this.raw = raw
    this.pieces = []
    this.begun = 0 // requests whose answer has begun
    this.tunnel = false
    this.closed = false
    this.speaking = Promise.resolve()
    this.tls = new tls.TLSSocket(raw, { isServer: true, secureContext: origin.context })
    for (const stream of [raw, this.tls]) {
      stream.on('error', () => {})
      stream.on('close', () => this.ended())
    }
    this.tls.on('data', (bytes) => this.take(bytes))
    this.tls.on('end', () => this.tls.end())
  }

  ended() {
    this.closed = true
    this.origin.changed()
  }

  get bytes() {
    if (this.pieces.length > 1) this.pieces = [Buffer.concat(this.pieces)]
    return this.pieces[0] || Buffer.alloc(0)
  }

  take(bytes) {
    if (this.tunnel) {
      this.tunnelled = Buffer.concat([this.tunnelled, bytes])
      this.tls.write(bytes)
      this.origin.changed()
      return
    }
    this.pieces.push(bytes)
    this.look()
    this.origin.changed()
  }

  look() {
    this.requests = readMessages(this.bytes, { kind: 'request' })
    while (this.begun < this.requests.length) {
      const request = this.requests[this.begun]
      const answer = this.origin.next(request)
      if (answer.on !== 'head' && !request.complete) {
        this.origin.putBack(answer)
        return
      }
      this.begun++
      if (answer.echo) this.openTunnel(request)
      this.speaking = this.speaking.then(() => this.speak(answer)).catch(() => {})
    }
  }

  openTunnel(request) {
    this.tunnel = true
    const end = this.bytes.indexOf('\r\n\r\n') + 4
    this.tunnelled = this.bytes.subarray(end + request.body.length)
  }

  async speak(answer) {
    const parts = Array.isArray(answer.say) ? answer.say : [answer.say]
    for (const part of parts) {
      if (this.closed) return
      if (part && part.wait) await wait(part.wait)
      else if (part && part.flood) await this.write(part.flood[0].repeat(part.flood[1]))
      else if (part) await this.write(part)
    }
    if (answer.then === 'close') this.tls.end()
    if (answer.then === 'cut') this.tls.destroy()
    if (answer.then === 'reset') this.raw.resetAndDestroy()
  }

  write(text) {
    return new Promise((resolve) => this.tls.write(Buffer.from(text, 'latin1'), () => resolve()))
  }
}

class Origin {
  constructor(key, cert) {
    this.context = tls.createSecureContext({ key, cert })
    this.connections = []
    this.listeners = new Set()
    this.server = net.createServer({ allowHalfOpen: true, noDelay: true }, (raw) => {
      this.connections.push(new Connection(this, raw))
    })
  }

  listen() {
    return new Promise((resolve) => {
      this.server.listen(0, '127.0.0.1', () => resolve(this.server.address().port))
    })
  }

  begin(script = []) {
    this.script = script.map((a) => (typeof a === 'string' ? { say: a } : a))
  }

  next(request) {
    const answer = this.script.shift()
    if (answer && answer.say === '{reflect}') return { say: reflection(request) }
    return answer || { say: plainAnswer(request), plain: true }
  }

  putBack(answer) {
    if (!answer.plain) this.script.unshift(answer)
  }

  get requests() {
    return this.connections.flatMap((c) => c.requests || [])
  }

  get heard() {
    return Buffer.concat(this.connections.map((c) => c.bytes))
  }

  get tunnelled() {
    return Buffer.concat(this.connections.map((c) => c.tunnelled || Buffer.alloc(0)))
  }

  changed() {
    for (const listener of [...this.listeners]) listener()
  }

  // True once `test()` is; false if that takes longer than `ms`.
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

  // Everything is closed, and the proxy has closed too, so that no case sees the connections of another.
  async settle() {
    const open = this.connections.filter((c) => !c.closed)
    for (const c of open) c.tls.end()
    await this.until(() => open.every((c) => c.closed), 500)
    for (const c of open) c.raw.destroy()
    this.connections = []
    this.script = []
  }

  close() {
    for (const c of this.connections) c.raw.destroy()
    this.server.close()
  }
}

module.exports = { Origin, wait }

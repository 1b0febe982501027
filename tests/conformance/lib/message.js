'use strict'
// Reads messages off a wire, and says what is wrong with them. It shares nothing with the product: it goes
// on where a strict reader would stop, so that a fault can be named.

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const HOP_BY_HOP = ['te', 'keep-alive', 'proxy-connection', 'proxy-authorization']

const values = (message, name) =>
  message.fields.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, v]) => v)

const elements = (message, name) =>
  values(message, name).flatMap((v) => v.split(',')).map((e) => e.trim()).filter((e) => e !== '')

// Behind the empty line that ends a head, CRs missing or not; -1 while there is none.
const endOfHead = (bytes, from) => {
  const ends = [['\n\r\n', 3], ['\n\n', 2]].map(([end, n]) => [bytes.indexOf(end, from, 'latin1'), n])
    .filter(([at]) => at >= 0).sort((a, b) => a[0] - b[0])
  return ends.length ? ends[0][0] + ends[0][1] : -1
}

const readFields = (lines, message) => {
  for (const line of lines) {
    if (/^[ \t]/.test(line)) {
      message.faults.push('folded line')
      continue
    }
    const colon = line.indexOf(':')
    if (colon < 0) {
      message.faults.push('line without a colon')
      continue
    }
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
    if (!TOKEN.test(name)) message.faults.push(`name ${JSON.stringify(name)}`)
    // eslint-disable-next-line no-control-regex
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) message.faults.push(`control byte in ${name}`)
    message.fields.push([name, value])
  }
}

const readHead = (bytes, from, end, kind) => {
  const text = bytes.toString('latin1', from, end)
  const message = { text, fields: [], trailers: [], faults: [], body: Buffer.alloc(0), complete: false }
  const raw = text.split('\n').slice(0, -2)
  if (raw.some((line) => !line.endsWith('\r')) || !text.endsWith('\r\n\r\n')) message.faults.push('bare LF')
  const lines = raw.map((line) => line.replace(/\r$/, ''))
  if (lines.some((line) => line.includes('\r'))) message.faults.push('bare CR')
  message.start = lines.shift() || ''
  readFields(lines, message)
  const form = kind === 'request' ? /^(\S+) (\S+) (HTTP\/\d\.\d)$/ : /^(HTTP\/1\.[01]) (\d{3})(?: (.*))?$/s
  const parts = form.exec(message.start)
  if (!parts) message.faults.push(`start line ${JSON.stringify(message.start.slice(0, 60))}`)
  if (kind === 'request') [, message.method, message.target, message.version] = parts || ['', '', '', '']
  else {
    message.version = parts ? parts[1] : ''
    message.status = parts ? Number(parts[2]) : 0
    message.reason = parts ? parts[3] : undefined
  }
  return message
}

// What an intermediary may not say to the next hop.
const judgeRequest = (message) => {
  const fault = (text) => message.faults.push(text)
  const options = elements(message, 'connection').map((o) => o.toLowerCase())
  if (values(message, 'host').length !== 1) fault(`${values(message, 'host').length} Host lines`)
  for (const name of HOP_BY_HOP) {
    if (values(message, name).length && !(name === 'te' && options.includes('te'))) fault(`hop-by-hop ${name}`)
  }
  for (const option of options) {
    if (!['close', 'keep-alive', 'te', 'upgrade'].includes(option)) fault(`connection option ${option}`)
  }
  if (values(message, 'upgrade').length && !options.includes('upgrade')) fault('upgrade without its option')
  if (values(message, 'transfer-encoding').length && message.version !== 'HTTP/1.1') fault('coding in HTTP/1.0')
}

const judgeFraming = (message) => {
  const lengths = values(message, 'content-length')
  const codings = values(message, 'transfer-encoding')
  if (lengths.length && codings.length) message.faults.push('length and coding')
  if (lengths.length > 1) message.faults.push('several lengths')
  if (lengths.length && !/^\d+$/.test(lengths[0])) message.faults.push(`length ${JSON.stringify(lengths[0])}`)
  if (codings.length && codings.join(',').toLowerCase() !== 'chunked') {
    message.faults.push(`coding ${JSON.stringify(codings.join(','))}`)
  }
  return codings.length ? 'chunked' : lengths.length ? 'length' : 'none'
}

const readChunked = (bytes, from, message) => {
  const pieces = []
  const stop = (at, fault) => {
    if (fault) message.faults.push(fault)
    message.body = Buffer.concat(pieces)
    return at
  }
  let at = from
  for (;;) {
    const lf = bytes.indexOf(10, at)
    if (lf < 0) return stop(bytes.length)
    const line = bytes.toString('latin1', at, lf)
    if (!/^[0-9a-fA-F]{1,15}(;[^\r\n]*)?\r$/.test(line)) return stop(bytes.length, `chunk ${JSON.stringify(line.slice(0, 30))}`)
    if (line.includes(';')) message.extensions = true
    const size = parseInt(line, 16)
    at = lf + 1
    if (size === 0) break
    pieces.push(bytes.subarray(at, Math.min(at + size, bytes.length)))
    if (at + size + 2 > bytes.length) return stop(bytes.length)
    if (bytes.toString('latin1', at + size, at + size + 2) !== '\r\n') return stop(bytes.length, 'chunk without CRLF')
    at += size + 2
  }
  for (;;) {
    const lf = bytes.indexOf(10, at)
    if (lf < 0) return stop(bytes.length)
    const line = bytes.toString('latin1', at, lf).replace(/\r$/, '')
    at = lf + 1
    if (line === '') break
    if (!TOKEN.test(line.split(':')[0])) message.faults.push(`trailer ${JSON.stringify(line.slice(0, 30))}`)
    message.trailers.push(line)
  }
  message.complete = true
  return stop(at)
}

const readBody = (bytes, from, message, framing, ended) => {
  message.framing = framing
  if (framing === 'chunked') return readChunked(bytes, from, message)
  const length = Number(values(message, 'content-length')[0])
  const end = framing === 'length' ? Math.min(from + length, bytes.length) : framing === 'none' ? from : bytes.length
  message.body = bytes.subarray(from, end)
  message.complete = framing === 'none' || (framing === 'length' ? end === from + length : ended)
  return end
}

const framingOfResponse = (message, method) => {
  if (message.status === 101) return 'tunnel'
  if (message.status === 0) return 'close' // not a response at all
  const framing = judgeFraming(message)
  if (method === 'HEAD' || message.status < 200 || message.status === 204 || message.status === 304) {
    if (message.status < 200 || message.status === 204) {
      for (const name of ['content-length', 'transfer-encoding']) {
        if (values(message, name).length) message.faults.push(`${name} in a ${message.status}`)
      }
    }
    return 'none'
  }
  return framing === 'none' ? 'close' : framing
}

// All messages in `bytes`, the last perhaps incomplete. `methods` are those that responses answer to.
const readMessages = (bytes, { kind, methods = [], ended = false }) => {
  const found = []
  let at = 0
  let answered = 0
  while (at < bytes.length) {
    const end = endOfHead(bytes, at)
    if (end < 0) {
      found.rest = bytes.subarray(at)
      break
    }
    const message = readHead(bytes, at, end, kind)
    found.push(message)
    if (kind === 'request') {
      judgeRequest(message)
      at = readBody(bytes, end, message, judgeFraming(message), ended)
    } else {
      const method = methods[Math.min(answered, methods.length - 1)]
      if (message.status >= 200 || message.status === 101) answered++
      at = readBody(bytes, end, message, framingOfResponse(message, method), ended)
      if (message.framing === 'tunnel') {
        message.tunnel = message.body
        message.complete = true
      }
    }
    if (!message.complete) break
  }
  return found
}

module.exports = { elements, readMessages, values }

#!/usr/bin/env node
// What do we accept that Node's http refuses, and do both read the same in what both accept?
//
// A few thousand mutated request heads (seeded) go to our parser (head-driver) and, where it accepts
// them, over a socket to a real http.Server with its strict parser. Behind each head goes the body that
// we believe in, and another request: Node must see exactly these two. A head that Node refuses must be
// of a class that stands in `allowed`, with its reason.
//
//   node tests/differential/heads.js [SEED] [COUNT]
'use strict'
const { spawnSync } = require('child_process')
const http = require('http')
const net = require('net')
const path = require('path')

const seed = Number(process.argv[2] || 1)
const count = Number(process.argv[3] || 20000)
const driver = path.join(process.env.JANUS_BIN_DIR || 'build/dev/bin', 'head-driver')
const AT_ONCE = 40
const PATIENCE_MS = 5000
const MARKER = 'GET /marker HTTP/1.1\r\nHost: marker\r\n\r\n'

// ---- what we accept and Node refuses, and why that is right -------------------------------------------
const allowed = [
  { code: 'HPE_INVALID_METHOD', when: () => true,
    why: 'a method is any token (RFC 9110, 9.1); Node knows a list. Policies and origins decide.' },
  { code: 'HPE_INVALID_URL', when: head => /[\x80-\xff]/.test(head.target),
    why: 'bytes of 0x80 and more pass as they are: the node clients send them' },
  { code: 'HPE_INVALID_CONTENT_LENGTH', when: (head, text) => /^content-length:[ \t]*\d+[ \t]*\t[ \t]*\r$/im.test(text),
    why: 'blanks around a value are spaces and tabs (RFC 9110, 5.6.3); the length that leaves is written anew' },
  { code: 'HPE_INVALID_TRANSFER_ENCODING', when: (head, text) => /^transfer-encoding:[ \t]*chunked[ \t]*\t[ \t]*\r$/im.test(text),
    why: 'the same; the coding that leaves is written anew' },
  { code: 'HPE_INVALID_VERSION', when: (head, text) => / HTTP\/1\.[2-9]\r\n/.test(text),
    why: 'a higher minor version is read as the one that we know (RFC 9110, 2.5); what leaves is 1.1' },
]
// What both accept and read in two ways.
const readDifferently = [
  { when: (head, text) => /^upgrade:/im.test(text) && /^connection:.*upgrade/im.test(text),
    why: 'Node stops reading HTTP behind a request to upgrade. Upgrade never leaves us, so nobody behind us does' },
  { when: (head, text) => /^connection:.*\t/im.test(text),
    why: 'Node does not drop a tab around an option of Connection, and closes. Connection never leaves us' },
]

// ---- mutations ----------------------------------------------------------------------------------------
let state = seed >>> 0
function roll(n) { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0
  let t = state
  t = Math.imul(t ^ (t >>> 15), t | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return ((t ^ (t >>> 14)) >>> 0) % n
}
const pick = list => list[roll(list.length)]

const bases = [
  'GET /a?b=c HTTP/1.1\r\nHost: any.partner.example\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: any.partner.example\r\nContent-Length: 5\r\n\r\n',
  'PUT /a HTTP/1.1\r\nHost: any.partner.example\r\nTransfer-Encoding: chunked\r\n\r\n',
  'GET http://any.partner.example/a HTTP/1.1\r\nHost: any.partner.example\r\nAccept: */*\r\n\r\n',
  'HEAD / HTTP/1.0\r\nHost: any.partner.example\r\nConnection: keep-alive\r\n\r\n',
  'DELETE /a HTTP/1.1\r\nHost: any.partner.example:80\r\nCookie: a=b; c="d"\r\nX-Empty:\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: any.partner.example\r\nTE: trailers\r\nConnection: TE\r\n\r\n',
]
const pieces = ['\r\n', '\n', '\r', '\0', ' ', '\t', ':', ' :', ': ', ',', ';', '"', '(', '\x7f', '\x80', '\xff', '#', '%', '%zz',
  'Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'Content-Length: +5\r\n', 'Content-Length: 5, 5\r\n',
  'Content-Length: 0x5\r\n', 'Content-Length:\r\n', 'Content-Length: 00005\r\n', 'Content-Length : 5\r\n',
  'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: identity\r\n', 'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: chunked, chunked\r\n', 'Transfer-Encoding: CHUNKED\r\n', 'Transfer-Encoding: \x0bchunked\r\n',
  'Transfer-Encoding : chunked\r\n', 'Transfer-Encoding: chunked;q=1\r\n', ' chunked\r\n', 'Host: other\r\n', 'Host:\r\n',
  'Connection: close\r\n', 'Connection: keep-alive, close\r\n', 'Connection: upgrade\r\nUpgrade: h2c\r\n', 'Connection: \r\n',
  'HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'GET', 'PRI', 'M-SEARCH', 'FOO', 'get', 'X-Y: z\r\n',
  'X-\xe9: z\r\n', 'X: \xe9\r\n', 'X: a\r\n b\r\n', '\r\n', '//', '/../', 'http://', 'a@b', '*']

function mutate(text) {
  for (let n = 1 + roll(3); n > 0; n--) {
    const at = roll(text.length)
    const lines = text.split('\r\n')
    const line = 1 + roll(Math.max(1, lines.length - 3))
    switch (roll(8)) {
      case 0: text = text.slice(0, at) + String.fromCharCode(roll(256)) + text.slice(at + 1); break
      case 1: text = text.slice(0, at) + text.slice(at + 1 + roll(3)); break
      case 2: text = text.slice(0, at) + pick(pieces) + text.slice(at); break
      case 3: text = [...lines.slice(0, line), pick(pieces).replace(/\r\n$/, ''), ...lines.slice(line)].join('\r\n'); break
      case 4: text = [...lines.slice(0, line), lines[line], ...lines.slice(line)].join('\r\n'); break
      case 5: text = [...lines.slice(0, line), ...lines.slice(line + 1)].join('\r\n'); break
      case 6: text = lines.map((l, i) => i === line ? l.toUpperCase() : l).join('\r\n'); break
      case 7: text = lines.map((l, i) => i === line ? l + pick([' ', '\t', '  ', ',', '\x0b']) : l).join('\r\n'); break
    }
  }
  const end = text.indexOf('\r\n\r\n', text.match(/^(\r\n)*/)[0].length)
  return end < 0 ? text + '\r\n\r\n' : text.slice(0, end + 4)
}

// ---- ours ---------------------------------------------------------------------------------------------
function unhex(word) { return Buffer.from(word.slice(1), 'hex').toString('latin1') }

function ours(heads) {
  const parts = []
  for (const head of heads) {
    const bytes = Buffer.from(head, 'latin1')
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    parts.push(length, bytes)
  }
  const run = spawnSync(driver, { input: Buffer.concat(parts), maxBuffer: 1 << 28 })
  if (run.status !== 0) throw new Error(`${driver}: ${run.error || run.stderr}`)
  return run.stdout.toString('latin1').trimEnd().split('\n').map(line => {
    if (line[0] === 'R') return { reason: line.slice(2) }
    const words = line.split(' ')
    return { framing: words[1], length: Number(words[2]), keep: words[3] === '1', minor: Number(words[4]),
      method: unhex(words[5]), target: unhex(words[6]), headers: words.slice(7).map(unhex) }
  })
}

// ---- Node's -------------------------------------------------------------------------------------------
const seen = new Map() // by the local port of a connection: its requests, and its error
const server = http.createServer({ insecureHTTPParser: false, maxHeaderSize: 128 * 1024, requireHostHeader: false })
function see(request, response, body) {
  const record = seen.get(request.socket.remotePort)
  if (record) record.requests.push({ method: request.method, target: request.url, minor: request.httpVersionMinor,
    headers: request.rawHeaders, body })
  response.end()
}
function onRequest(request, response) {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => see(request, response, Buffer.concat(chunks).toString('latin1')))
}
server.on('request', onRequest)
server.on('checkContinue', onRequest)
server.on('checkExpectation', onRequest)
// A switch of protocols is not what anybody asked for: without a listener Node reads on as if it were not there.
server.on('clientError', (error, socket) => {
  const record = seen.get(socket.remotePort)
  if (record) record.error = error.code
  socket.destroy()
})

function bodyOf(head) {
  if (head.framing === 'chunked') return { sent: '3\r\nabc\r\n0\r\n\r\n', meant: 'abc' }
  if (head.framing !== 'length') return { sent: '', meant: '' }
  const bytes = 'x'.repeat(Math.min(head.length, 2000))
  return { sent: bytes, meant: bytes }
}

function ask(text, head) {
  return new Promise(resolve => {
    const body = bodyOf(head)
    const record = { requests: [], error: null, body }
    const socket = net.connect(server.address().port, '127.0.0.1', () => {
      seen.set(socket.localPort, record)
      record.port = socket.localPort
      socket.end(Buffer.from(text + body.sent + (head.keep ? MARKER : ''), 'latin1'))
    })
    socket.setTimeout(PATIENCE_MS, () => { record.error = record.error || 'NO_END'; socket.destroy() })
    socket.resume()
    socket.on('error', () => {})
    socket.on('close', () => { seen.delete(record.port); resolve(record) })
  })
}

// ---- the difference -----------------------------------------------------------------------------------
function difference(head, record) {
  const request = record.requests[0]
  if (!request) return record.error ? null : 'Node saw no request'
  if (request.method !== head.method) return `method ${head.method} is ${request.method}`
  if (request.target !== head.target) return `target ${head.target} is ${request.target}`
  if (request.minor !== head.minor) return `HTTP/1.${head.minor} is 1.${request.minor}`
  const a = JSON.stringify(head.headers), b = JSON.stringify(request.headers)
  if (a !== b) return `headers ${a} are ${b}`
  if (request.body !== record.body.meant) return `a body of ${record.body.meant.length} bytes is one of ${request.body.length}`
  if (head.keep && !(record.requests.length === 2 && record.requests[1].target === '/marker'))
    return `behind it Node saw ${JSON.stringify(record.requests.slice(1).map(r => r.target))}, ${record.error}`
  return null
}

async function main() {
  const heads = [...bases]
  while (heads.length < count) heads.push(mutate(pick(bases)))
  const readings = ours(heads)
  if (readings.length !== heads.length) throw new Error('the driver has not answered every head')
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))

  const accepted = heads.map((text, i) => ({ text, head: readings[i] })).filter(one => !one.head.reason && one.head.length < 2000)
  const refused = new Map(), differing = []
  let both = 0, known = 0, next = 0
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < accepted.length) {
      const { text, head } = accepted[next++]
      const record = await ask(text, head)
      if (!record.requests.length && record.error) {
        const rule = allowed.find(r => r.code === record.error && r.when(head, text))
        const name = rule ? record.error : `${record.error}, not allowed`
        if (!refused.has(name)) refused.set(name, { rule, examples: [] })
        refused.get(name).examples.push(text)
      } else {
        const what = difference(head, record)
        if (what && /^(behind|a body)/.test(what) && readDifferently.some(r => r.when(head, text))) known++
        else if (what) differing.push(`${JSON.stringify(text)}: ${what}`)
        else both++
      }
    }
  }))
  server.closeAllConnections()
  server.close()

  console.log('1..3')
  const ok = (good, n, name, why) => console.log(`${good ? 'ok' : 'not ok'} ${n} - ${name}${good ? '' : `\n# ${why.join('\n# ')}`}`)
  const strange = [...refused].filter(([, one]) => !one.rule)
  console.log(`# seed ${seed}: ${heads.length} heads, ${accepted.length} accepted by us, ${both} read alike by both, ${known} apart for a known reason`)
  for (const [name, one] of refused) console.log(`# refused by Node: ${name}: ${one.examples.length}, such as ${JSON.stringify(one.examples[0])}`)
  ok(accepted.length > count / 20, 1, 'enough heads are accepted to compare', [`${accepted.length} of ${heads.length}`])
  ok(strange.length === 0, 2, 'what we accept and Node refuses is known, with its reason',
    strange.flatMap(([name, one]) => one.examples.slice(0, 5).map(text => `${name}: ${JSON.stringify(text)}`)))
  ok(differing.length === 0, 3, 'what both accept is read alike, to the request behind it', differing.slice(0, 10))
  process.exitCode = strange.length || differing.length ? 1 : 0
}
main().catch(error => { console.log(`not ok 1 - ${error.stack.replace(/\n/g, '\n# ')}\n1..1`); process.exitCode = 1 })

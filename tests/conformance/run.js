'use strict'
// Every case of cases/ against our sidecar: TAP. With --peers against nginx and HAProxy too: one table, and
// docs/conformance.md is written anew.
//   JANUS_BIN_DIR   where janus-sidecar is (default: the release build)
//   NGINX, HAPROXY  the programs of the peers; NGINX_VERSION, HAPROXY_VERSION what to call them
//   node run.js [--peers] [--show] [WORD ...]   only cases whose id holds one of the words; --show: both sides of a failure

const fs = require('fs')
const os = require('os')
const path = require('path')
const { execFileSync } = require('child_process')

const { check } = require('./lib/check')
const { Client, PATIENCE_MS } = require('./lib/client')
const { Origin, wait } = require('./lib/origin')
const proxies = require('./lib/proxies')
const { report } = require('./lib/report')
const { reasonFor } = require('./reasons')

const LANES = 4
const QUIET_MS = 40 // what must not come has had this long to come

/* ---- the world ---- */

const certificates = (folder, hosts) => {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'rsa:2048', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=conformance authority',
    '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign')
  openssl('req', ...key, '-keyout', 'origin.key', '-out', 'origin.csr', '-subj', '/CN=origin')
  fs.writeFileSync(path.join(folder, 'names'), `subjectAltName=${hosts.map((h) => `DNS:${h}`).join(',')}\n`)
  openssl('x509', '-req', '-in', 'origin.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', 'origin.pem')
  return [fs.readFileSync(path.join(folder, 'origin.key')), fs.readFileSync(path.join(folder, 'origin.pem'))]
}

const createWorld = async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'conformance-'))
  const names = Array.from({ length: LANES }, (_, i) => ({ host: `c${i}.test`, open: `o${i}.test` }))
  const [key, cert] = certificates(folder, names.flatMap((n) => [n.host, n.open]))
  const lanes = []
  for (const name of names) {
    const origin = new Origin(key, cert)
    lanes.push(Object.assign({ origin, port: await origin.listen() }, name))
  }
  return { folder, lanes }
}

/* ---- one case ---- */

// The placeholders of a case, in texts, patterns and names alike.
const fill = (value, words) => {
  const text = (t) => t.replace(/\{(\w+)\}/g, (whole, word) => (word in words ? words[word] : whole))
  if (typeof value === 'string') return text(value)
  if (value instanceof RegExp) return new RegExp(text(value.source), value.flags)
  if (Array.isArray(value)) return value.map((v) => fill(v, words))
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [text(k), fill(v, words)]))
  return value
}

const wordsOf = ({ host, open }) => ({
  host, open, HOST: host.toUpperCase(), hosttail: `3${host.slice(1)}`, token: proxies.TOKEN_HEADER, secret: proxies.SECRET,
})

const expectedFinals = (wants) => (wants[0].status ? wants[0].status.length : wants[0].first || wants[0].cut ? 1 : undefined)

const awaitEnd = async (client, wants) => {
  const n = expectedFinals(wants)
  const enough = () => client.finals.length >= n && client.finals.every((r) => r.complete)
  if (n === undefined) await client.until(() => client.closed, 300)
  else await client.until(() => client.closed || enough(), PATIENCE_MS)
  if (!client.closed && wants.some((w) => w.closed || w.cut)) await client.until(() => client.closed, 600)
  await wait(QUIET_MS)
}

const runCase = async (row, lane, port) => {
  const words = wordsOf(lane)
  const { client: steps, origin: script = [], want } = fill({ client: row.client, origin: row.origin, want: row.want }, words)
  const wants = [].concat(want)
  lane.origin.begin(script)
  const client = new Client(port, row.methods || ['GET'])
  await client.run([].concat(steps), lane.origin)
  if (!client.left) await awaitEnd(client, wants)
  const release = Math.max(0, ...wants.map((w) => w.released || 0))
  const released = !release || (await lane.origin.until(() => lane.origin.connections.every((c) => c.closed), release))
  const { responses } = client
  const view = {
    requests: lane.origin.requests, heard: lane.origin.heard, tunnelled: lane.origin.tunnelled, released,
    responses, finals: client.finals, interim: responses.filter((r) => r.status > 100 - 1 && r.status < 200 && r.status !== 101),
    bytes: client.bytes, closed: client.closed, reset: client.reset, awaited: client.awaited,
  }
  const why = check({ want: wants, tolerate: row.tolerate }, view)
  client.leave()
  await lane.origin.settle()
  return { why, view }
}

const show = (row, { view }) => {
  const shorten = (bytes) => JSON.stringify(bytes.toString('latin1').slice(0, 700))
  console.log(`#   ${row.id}: the client got ${shorten(view.bytes)}${view.closed ? ', closed' : ''}${view.reset ? ', reset' : ''}`)
  console.log(`#   ${row.id}: the origin got ${shorten(view.heard)}`)
}

// A failure is tried once more, because a loaded machine may be late; what helps is told.
const judge = async (row, lane, proxy, options) => {
  const port = proxy.ports[row.setup || 'plain']
  const first = await runCase(row, lane, port)
  if (!first.why) return { why: '' }
  const second = await runCase(row, lane, port)
  if (options.show && second.why) show(row, second)
  return { why: second.why, again: second.why ? '' : first.why }
}

const runAll = async (rows, proxy, lanes, options, told) => {
  const left = [...rows]
  await Promise.all(lanes.map(async (lane) => {
    for (let row = left.shift(); row; row = left.shift()) told(row, await judge(row, lane, proxy, options))
  }))
}

/* ---- the cases ---- */

const readCases = (words) => {
  const folder = path.join(__dirname, 'cases')
  const rows = fs.readdirSync(folder).sort().flatMap((file) => require(path.join(folder, file)))
  const ids = new Set()
  for (const { id } of rows) {
    if (ids.has(id)) throw new Error(`two cases are called ${id}`)
    ids.add(id)
  }
  return rows.filter((row) => words.length === 0 || words.some((word) => row.id.includes(word)))
}

// Our own run speaks TAP. What we leave undone on purpose stands in reasons.js, and is no MUST.
const tap = (n, row, { why, again }) => {
  const reason = why && row.level !== 'MUST' && reasonFor('ours', row.id)
  const title = `${row.id} [RFC ${row.rfc}, ${row.level}] ${row.what}`.replace(/#/g, '\\#')
  if (again) console.log(`# ${row.id} took a second try: ${again}`)
  console.log(`${why && !reason ? 'not ok' : 'ok'} ${n} - ${title}${reason ? ` (left undone: ${reason})` : ''}`)
  if (why) console.log(`#   ${why}`)
  return Boolean(why) && !reason
}

const main = async () => {
  const args = process.argv.slice(2)
  const options = { peers: args.includes('--peers'), show: args.includes('--show') }
  const rows = readCases(args.filter((a) => !a.startsWith('--')))
  const world = await createWorld()
  const results = new Map(rows.map((row) => [row.id, {}]))
  const versions = {}
  let failed = 0
  let n = 0
  for (const begin of options.peers ? [proxies.sidecar, proxies.nginx, proxies.haproxy] : [proxies.sidecar]) {
    const proxy = await begin(world.folder, world.lanes)
    versions[proxy.name] = proxy.version
    await runAll(rows, proxy, world.lanes, options, (row, result) => {
      results.get(row.id)[proxy.name] = result
      if (proxy.name === 'ours') failed += tap(++n, row, result)
    })
    for (const wrong of await proxy.stop()) {
      failed++
      console.log(`not ok ${++n} - the sidecar ends well\n# ${wrong.replace(/\n/g, '\n# ')}`)
    }
  }
  console.log(`1..${n}`)
  for (const { origin } of world.lanes) origin.close()
  fs.rmSync(world.folder, { recursive: true, force: true })
  if (options.peers) failed += report(rows, results, versions, args.every((a) => a.startsWith('--')))
  process.exit(failed ? 1 : 0)
}

main().catch((error) => {
  console.log(`not ok 1 - the cases run\n# ${error.stack.replace(/\n/g, '\n# ')}\n1..1`)
  process.exit(1)
})

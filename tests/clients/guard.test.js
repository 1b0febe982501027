'use strict'
// The guard beside the real @auth directive of @vtex/api: the same schema, the same requests, the same simulator behind
// both. Never may the guard let in what the directive keeps out; where it is stricter, the reason stands here, and in
// docs/graphql-compared.md, which this file makes (JANUS_UPDATE_DOCS=1).

const assert = require('assert')
const fs = require('fs')
const path = require('path')
const zlib = require('zlib')

const { TYPES, ask, startApp } = require('./lib/guarded')
const { test } = require('./lib/suite')

const DOCS = path.join(__dirname, '../../docs/graphql-compared.md')
const JSON_TYPE = { 'Content-Type': 'application/json' }
const OPERATIONS = 'Content-Disposition: form-data; name="operations"'
const MAP = 'Content-Disposition: form-data; name="map"'

const q = (query, more = {}) => JSON.stringify({ query, ...more })
const post = (body, headers = {}) => () => ({ body, headers: { ...JSON_TYPE, ...headers } })
const as = (who, body, more = {}) => (tokens) => ({
  body,
  headers: { ...JSON_TYPE, VtexIdclientAutCookie: tokens[who], ...more },
})
const get = (query, headers = {}) => () => ({
  headers,
  method: 'GET',
  target: `/storeacct/master/_v/graphql?${query}`,
})
const upload = (parts) => () => ({
  body: parts.map((part) => `--X\r\n${part}\r\n`).join('') + '--X--\r\n',
  headers: { 'Content-Type': 'multipart/form-data; boundary=X' },
})
const grantedIs = (body, status = 200) => `override?route=license-granted&status=${status}&body=${encodeURIComponent(body)}`

// [what, request, what both say, or [the directive, the guard, why the guard is stricter]]; then what the simulator is told
const PASSES = 'passes'
const NO_USER = 'UNAUTHENTICATED'
const DENIED = 'FORBIDDEN'
const BAD = 'BAD_USER_INPUT'
const ERROR = 'error'
const UNCLEAR = 'INTERNAL_SERVER_ERROR'

const cases = [
  // who
  ['public, without a token', post(q('{ open }')), PASSES],
  ['no @auth (builder 1.x)', post(q('{ bare }')), PASSES],
  ['private, without a token', post(q('{ orders }')), NO_USER],
  ['private, an admin in the header', as('admin', q('{ orders }')), PASSES],
  ['private, an admin in the cookie', (t) => post(q('{ orders }'), { Cookie: `VtexIdclientAutCookie=${t.admin}` })(), PASSES],
  ['without scope it is private', post(q('{ users }')), NO_USER],
  ['without scope, an admin', as('admin', q('{ users }')), PASSES],
  ['not granted', as('admin', q('{ closed }')), DENIED],
  ["the account's cookie alone", (t) => post(q('{ orders }'), { Cookie: `VtexIdclientAutCookie_storeacct=${t.admin}` })(), NO_USER],
  ['Authorization alone', (t) => post(q('{ orders }'), { Authorization: `Bearer ${t.admin}` })(), NO_USER],
  ["nobody's token", post(q('{ orders }'), { VtexIdclientAutCookie: 'nobody' }), NO_USER],
  ["another account's token", as('other', q('{ orders }')), NO_USER],
  ['an expired token', as('expired', q('{ orders }')), NO_USER],
  ['an empty cookie, a good header', as('admin', q('{ orders }'), { Cookie: 'VtexIdclientAutCookie=' }), PASSES],
  ['a bad cookie, a good header', as('admin', q('{ orders }'), { Cookie: 'VtexIdclientAutCookie=nobody' }), NO_USER],
  ['two cookies, the first one good', (t) => post(q('{ orders }'), { Cookie: `VtexIdclientAutCookie=${t.admin}; VtexIdclientAutCookie=x` })(),
    [PASSES, NO_USER, 'nobody knows which one the app would look at']],
  ['two cookies, the second one good', (t) => post(q('{ orders }'), { Cookie: `VtexIdclientAutCookie=x; VtexIdclientAutCookie=${t.admin}` })(), NO_USER],
  ["a shopper's token", as('store', q('{ orders }')), [PASSES, DENIED, 'documented: store users cannot be authorized; License Manager is not asked']],
  ['a malformed @auth', as('admin', q('{ broken }')), BAD],

  // what License Manager says
  ['granted: "no"', as('admin', q('{ orders }')), [PASSES, UNCLEAR, 'the directive takes any body that is true in JavaScript'], grantedIs('"no"')],
  ['granted: 1', as('admin', q('{ orders }')), [PASSES, UNCLEAR, 'only the literal `true` grants'], grantedIs('1')],
  ['granted: {"granted": false}', as('admin', q('{ orders }')), [PASSES, UNCLEAR, 'only the literal `true` grants'], grantedIs('{"granted":false}')],
  ['granted: an error page with 200', as('admin', q('{ orders }')), [PASSES, UNCLEAR, 'only the literal `true` grants'], grantedIs('<html>try again</html>')],
  ['granted: true with 203', as('admin', q('{ orders }')), [PASSES, UNCLEAR, 'only status 200 counts'], grantedIs('true', 203)],
  ['granted: false', as('admin', q('{ orders }')), DENIED, grantedIs('false')],
  ['granted: null', as('admin', q('{ orders }')), [DENIED, UNCLEAR, 'the same to the client; the log says that the answer was odd'], grantedIs('null')],
  ['License Manager: 403', as('admin', q('{ orders }')), [ERROR, UNCLEAR, 'the same to the client; with a code'], grantedIs('true', 403)],
  ['License Manager: 503', as('admin', q('{ orders }')), [ERROR, UNCLEAR, 'the same to the client; with a code'], grantedIs('', 503)],

  // which fields
  ['an alias of a private field', post(q('{ open: orders }')), NO_USER],
  ['an alias like a private field', post(q('{ orders: open }')), PASSES],
  ['in an inline fragment', post(q('{ ... { orders } }')), NO_USER],
  ['in fragments in fragments', post(q('{ ...A } fragment A on Query { ...B } fragment B on Query { ... on Query { x: orders } }')), NO_USER],
  ['in a fragment on an interface', post(q('{ ...A } fragment A on Node { open }')), PASSES],
  ['a cycle of fragments', post(q('{ ...A } fragment A on Query { open ...B } fragment B on Query { ...A }')), ERROR],
  ['skipped', post(q('{ open orders @skip(if: true) }')), PASSES],
  ['skipped by a variable', post(q('query($s: Boolean!) { open orders @skip(if: $s) }', { variables: { s: true } })), PASSES],
  ['not skipped by a variable', post(q('query($s: Boolean!) { open orders @skip(if: $s) }', { variables: { s: false } })), NO_USER],
  ['skipped by a default', post(q('query($s: Boolean = true) { open orders @skip(if: $s) }')), PASSES],
  ['skipped by a string', post(q('query($s: Boolean!) { open orders @skip(if: $s) }', { variables: { s: 'true' } })),
    [ERROR, NO_USER, 'the same to the client: it is no Boolean, so nothing is skipped']],
  ['@skip twice', post(q('{ open orders @skip(if: true) @skip(if: false) }')), [ERROR, NO_USER, 'the same to the client: neither of them counts']],
  ['the operation that is named', post(q('query A { open } query B { orders }', { operationName: 'A' })), PASSES],
  ['the other one that is named', post(q('query A { open } query B { orders }', { operationName: 'B' })), NO_USER],
  ['none is named', post(q('query A { open } query B { open }')), [ERROR, BAD, 'the same to the client; with a code']],
  ['a public field beside a private one', post(q('{ open orders }')),
    [NO_USER, NO_USER, 'the directive answers the public field all the same; the guard refuses the whole request']],
  ['a mutation', as('admin', q('mutation { set }')), PASSES],
  ['a mutation that is not granted', as('admin', q('mutation { lock }')), DENIED],
  ['two mutations, the second one not granted', as('admin', q('mutation { set lock }')),
    [DENIED, DENIED, 'the directive has carried out the first by then; the guard carries out none']],
  ['introspection', post(q('{ __schema { queryType { name } } }')), PASSES],
  ['a field that is not there', post(q('{ nothing }')), [ERROR, BAD, 'the same to the client; with a code']],
  ['extend type Query', post(q('{ open } extend type Query { orders: String }')), [ERROR, BAD, 'the same to the client; with a code']],

  // how it is sent
  ['GET with its query in the URL', get('query=%7Bopen%7D'), PASSES],
  ['GET of a private field', get('query=%7Borders%7D'), NO_USER],
  ['GET with a body', () => ({ body: q('{ orders }'), headers: JSON_TYPE, method: 'GET', target: '/storeacct/master/_v/graphql?__graphqlBodyHash=1' }), NO_USER],
  ['a public query in the URL, a private one in the body', () => ({ body: q('{ orders }'), headers: JSON_TYPE, target: '/storeacct/master/_v/graphql?query=%7Bopen%7D' }),
    [NO_USER, BAD, 'the same to the client: two servers would read two operations']],
  ['a private query in the URL, a public one in the body', () => ({ body: q('{ open }'), headers: JSON_TYPE, target: '/storeacct/master/_v/graphql?query=%7Borders%7D' }),
    [PASSES, BAD, 'two servers would read two operations']],
  ['query twice in JSON, the last one public', post('{"query":"{orders}","query":"{open}"}'), [PASSES, BAD, 'two readers of JSON would read two operations']],
  ['query twice in JSON, the last one private', post('{"query":"{open}","query":"{orders}"}'), [NO_USER, BAD, 'the same to the client']],
  ['an escape in the document', post('{"query":"{\\u006frders}"}'), NO_USER],
  ['an escape in the name of the member', post('{"\\u0071uery":"{orders}"}'), NO_USER],
  ['text/plain', () => ({ body: q('{ open }'), headers: { 'Content-Type': 'text/plain' } }), [PASSES, BAD, 'a form of another site can send text/plain without being asked']],
  ['gzip', () => ({ body: zlib.gzipSync(q('{ orders }')), headers: { ...JSON_TYPE, 'Content-Encoding': 'gzip' } }), [NO_USER, BAD, 'the guard takes off no coding; no client of @vtex/api uses one']],
  ['a list of operations', post(`[${q('{ open }')},${q('mutation { lock }')}]`), [ERROR, NO_USER, 'the same to the client: @vtex/api takes no lists, and the guard judges them']],
  ['an upload', upload([`${OPERATIONS}\r\n\r\n${q('{ orders }')}`, `${MAP}\r\n\r\n{}`]), NO_USER],
  ['an upload that is public', upload([`${OPERATIONS}\r\n\r\n${q('{ open }')}`, `${MAP}\r\n\r\n{}`]), PASSES],
  ['operations twice in an upload', upload([`${OPERATIONS}\r\n\r\n${q('{ open }')}`, `${OPERATIONS}\r\n\r\n${q('{ orders }')}`, `${MAP}\r\n\r\n{}`]),
    [ERROR, BAD, 'the same to the client; with a code']],
  ['a persisted query', post('{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}'), [ERROR, BAD, 'the same to the client; with a code']],
  ['PUT with a body', () => ({ body: q('{ open }'), headers: JSON_TYPE, method: 'PUT', target: '/storeacct/master/_v/graphql?__graphqlBodyHash=1' }), [PASSES, BAD, 'GraphQL comes by GET and POST']],
]

const resultOf = ({ status, text }) => {
  let json
  try {
    json = JSON.parse(text)
  } catch (error) {
    return ERROR
  }
  const { errors } = Array.isArray(json) ? json[0] : json
  if (errors) return (errors[0].extensions && errors[0].extensions.code) || ERROR
  return status === 200 ? PASSES : ERROR
}

let scene
const sceneOf = async (world) => {
  if (scene) return scene
  const reference = await startApp(world, true)
  const behind = await startApp(world, false)
  const guard = await world.guard(behind.port, TYPES)
  const mint = async (how) => (await world.control('POST', `mint?user=ana@store.com&${how}`)).token
  const tokens = {
    expired: await mint('kind=admin&life=0'),
    other: await mint('kind=admin&account=other'),
    store: await mint('kind=store'),
  }
  scene = { behind, guard, mint, reference, tokens }
  return scene
}

for (const [name, request, wanted, told] of cases) {
  test(`the guard and @auth: ${name}`, async (world) => {
    const { behind, guard, mint, reference, tokens } = await sceneOf(world)
    await world.control('POST', 'override?clear=1')
    if (told) await world.control('POST', told)
    // a token of its own, so that no answer of an earlier case is remembered
    const asked = request({ ...tokens, admin: await mint('kind=admin') })
    const theirs = resultOf(await ask(reference.port, asked))
    behind.hits.length = 0
    const ours = resultOf(await ask(guard.guardPort, asked))
    await world.control('POST', 'override?clear=1')
    const [directive, guarded] = Array.isArray(wanted) ? wanted : [wanted, wanted]
    assert.deepStrictEqual({ directive: theirs, guard: ours }, { directive, guard: guarded })
    assert.ok(theirs === PASSES || ours !== PASSES, 'the guard lets in what the directive keeps out')
    if (ours !== PASSES) assert.deepStrictEqual(behind.hits, [], 'the app was asked all the same')
  })
}

// ---- the table ----

const row = (cells) => `| ${cells.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`

const table = () => {
  const lines = cases.map(([name, , wanted]) => {
    const [directive, guarded, why] = Array.isArray(wanted) ? wanted : [wanted, wanted, '']
    const cell = (result) => (result === PASSES || result === ERROR ? result : `\`${result}\``)
    return row([name, cell(directive), cell(guarded), why])
  })
  return [
    '# The guard beside @auth',
    '',
    'What the `@auth` directive of `@vtex/api` 6.51.3 says of a request, and what the [guard](graphql.md#coming-in-the-guard) says of',
    'it: the same schema, the same requests, the same License Manager and VTEX ID behind both. `./dev test` asks both anew. `error` is',
    'an error without a code. The guard never lets in what the directive keeps out.',
    '',
    row(['request', '@auth', 'guard', 'why they differ']),
    '|---|---|---|---|',
    ...lines,
    '',
  ].join('\n')
}

test('docs/graphql-compared.md is what was compared', async () => {
  if (process.env.JANUS_UPDATE_DOCS) fs.writeFileSync(DOCS, table())
  assert.strictEqual(fs.readFileSync(DOCS, 'utf8'), table(), 'JANUS_UPDATE_DOCS=1 node tests/clients/run.js guard')
})

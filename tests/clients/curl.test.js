'use strict'
// curl in all three ways in, and what a person at a terminal meets.

const assert = require('assert')
const { execFile } = require('child_process')
const net = require('net')

const { arrivedOnce, assertDenied, assertNoAppToken, assertNothingArrived, assertOurs } = require('./lib/checks')
const { cleanEnvironment } = require('./lib/world')
const { test } = require('./lib/suite')

const BRAND = '/api/catalog_system/pvt/brand/1'
const PORTAL = 'http://portal.vtexcommercestable.com.br'

// Runs curl; never fails by itself. `{status, connect, data, exit}`.
const curl = (...args) =>
  new Promise((resolve) => {
    const quiet = ['-sS', '--max-time', '15', '--path-as-is', '-w', '\n%{http_code} %{http_connect}']
    execFile('curl', [...quiet, ...args], { env: cleanEnvironment() }, (error, stdout, stderr) => {
      const cut = stdout.lastIndexOf('\n')
      const [status, connect] = stdout.slice(cut + 1).split(' ').map(Number)
      const text = stdout.slice(0, Math.max(cut, 0))
      let data = text
      try {
        data = JSON.parse(text)
      } catch (_) {
        // not ours: stays text
      }
      resolve({ connect, data, exit: error ? error.code : 0, status, stderr })
    })
  })

// Sends bytes, reads to the end. For what curl refuses to send.
const raw = (port, bytes) =>
  new Promise((resolve, reject) => {
    let text = ''
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setEncoding('utf8')
    socket.setTimeout(15000, () => socket.destroy(new Error('no end of the answer')))
    socket.on('data', (piece) => {
      text += piece
      const [head, body] = text.split('\r\n\r\n')
      const length = /content-length: *(\d+)/i.exec(head)
      if (body !== undefined && length && Buffer.byteLength(body) >= Number(length[1])) {
        socket.destroy()
        resolve({ data: JSON.parse(body), head, status: Number(head.split(' ')[1]) })
      }
    })
    socket.on('error', reject)
    socket.on('end', () => reject(new Error(`the answer ended early: ${text}`)))
  })

test('curl -x: absolute form', async (world) => {
  const { status } = await curl('-x', world.proxy, `${PORTAL}${BRAND}?an=storeacct`)
  assert.strictEqual(status, 200)
  await arrivedOnce(world, {
    headers: { vtexidclientautcookie: world.token() },
    method: 'GET',
    url: `${PORTAL}${BRAND}?an=storeacct`,
  })
})

test('curl -H Host: origin form, as a hosts file would give it', async (world) => {
  const { status } = await curl('-H', 'Host: portal.vtexcommercestable.com.br', `${world.proxy}${BRAND}?an=storeacct`)
  assert.strictEqual(status, 200)
  await arrivedOnce(world, {
    headers: { vtexidclientautcookie: world.token() },
    method: 'GET',
    url: `${PORTAL}${BRAND}?an=storeacct`,
  })
})

for (const host of ['127.0.0.1', 'localhost']) {
  test(`curl to the sidecar itself (${host}): the default host`, async (world) => {
    const { status } = await curl(
      '--connect-to', `::127.0.0.1:${world.port}`, `http://${host}:${world.port}/api/license-manager/account?a=b`
    )
    assert.strictEqual(status, 200)
    await arrivedOnce(world, {
      headers: { vtexidclientautcookie: world.token() },
      method: 'GET',
      url: 'http://storeacct.vtexcommercestable.com.br/api/license-manager/account?a=b',
    })
  })
}

test('curl -x with an https:// URL: CONNECT is refused with 405', async (world) => {
  const { connect, exit } = await curl('-x', world.proxy, 'https://app.io.vtex.com/vtex.messages/v1/x')
  assert.strictEqual(connect, 405)
  assert.notStrictEqual(exit, 0)
  await assertNothingArrived(world)
})

test('the 405 for CONNECT says why and what to set', async (world) => {
  const { data, head, status } = await raw(
    world.port,
    'CONNECT app.io.vtex.com:443 HTTP/1.1\r\nHost: app.io.vtex.com:443\r\n\r\n'
  )
  assertOurs(status, data, 405, 'MethodNotAllowed')
  assert.match(data.help, /VTEX_IO=true/)
  assert.match(head, /^proxy-status: janus-sidecar; error=/im)
})

test('an https:// target in absolute form is served without CONNECT', async (world) => {
  const { status } = await curl(
    '--request-target', `https://portal.vtexcommercestable.com.br${BRAND}?an=storeacct`,
    '-H', 'Host: portal.vtexcommercestable.com.br', world.proxy
  )
  assert.strictEqual(status, 200)
  await arrivedOnce(world, {
    headers: { vtexidclientautcookie: world.token() },
    method: 'GET',
    url: `${PORTAL}${BRAND}?an=storeacct`,
  })
})

test('a denial: JSON, Content-Length, Proxy-Status', async (world) => {
  const { data, head, status } = await raw(
    world.port,
    'GET http://api.unlisted.com/v1/x?secret=1 HTTP/1.1\r\nHost: api.unlisted.com\r\n\r\n'
  )
  assertDenied({ data, status }, 'GET', 'api.unlisted.com/v1/x')
  assert.match(head, /^content-type: application\/json/im)
  assert.match(head, /^proxy-status: janus-sidecar; error=/im)
  await assertNothingArrived(world)
})

for (const path of [
  '/api/checkout/pub/..%2f..%2foms/pvt/orders',
  '/api/checkout/pub/%2e%2e/pvt/configuration',
  '/api/checkout/pub/%252e%252e/pvt/configuration',
  '/api/checkout/pub/..;x/pvt/configuration',
  '/api/checkout/pub/..%5cpvt/configuration',
]) {
  test(`a path trick is denied: ${path}`, async (world) => {
    const { data, status } = await curl('-x', world.proxy, `${PORTAL}${path}?an=storeacct`)
    assertDenied({ data, status }, 'GET', `portal.vtexcommercestable.com.br${path}`)
    await assertNothingArrived(world)
  })
}

test('X-Janus-Auth: admin takes the token from the cookie', async (world) => {
  const cookie = `VtexIdclientAutCookie=${world.users.admin}`
  const { status } = await curl(
    '-x', world.proxy, '-H', 'X-Janus-Auth: admin', '-H', `Cookie: ${cookie}`, `${PORTAL}${BRAND}?an=storeacct`
  )
  assert.strictEqual(status, 200)
  const request = await arrivedOnce(world, {
    headers: { vtexidclientautcookie: world.users.admin },
    method: 'GET',
    url: `${PORTAL}${BRAND}?an=storeacct`,
  })
  assertNoAppToken(request, world.token())
})

test('X-Janus-Auth: STORE_TOKEN takes the token from the account cookie', async (world) => {
  const cookie = `VtexIdclientAutCookie_storeacct=${world.users.store}`
  const { status } = await curl(
    '-x', world.proxy, '-H', 'X-Janus-Auth: STORE_TOKEN', '-H', `Cookie: ${cookie}`,
    `${PORTAL}/api/checkout/pub/orderForm?an=storeacct`
  )
  assert.strictEqual(status, 200)
  await arrivedOnce(world, {
    headers: { vtexidclientautcookie: world.users.store },
    method: 'GET',
    url: `${PORTAL}/api/checkout/pub/orderForm?an=storeacct`,
  })
})

test('X-Janus-Auth: admin without an admin token is 401, never the app token instead', async (world) => {
  const { data, status } = await curl(
    '-x', world.proxy, '-H', 'X-Janus-Auth: admin', `${PORTAL}${BRAND}?an=storeacct`
  )
  assertOurs(status, data, 401, 'UserTokenMissing')
  await assertNothingArrived(world)
})

test('X-Janus-Auth: none sends the request bare', async (world) => {
  await curl('-x', world.proxy, '-H', 'X-Janus-Auth: none', `${PORTAL}/api/checkout/pub/orderForm?an=storeacct`)
  const request = await arrivedOnce(world, {
    headers: { authorization: null, cookie: null, vtexidclientautcookie: null },
    method: 'GET',
    url: `${PORTAL}/api/checkout/pub/orderForm?an=storeacct`,
  })
  assertNoAppToken(request, world.token())
})

const malformed = [
  ['two framings', 'POST /api/catalog/x HTTP/1.1\r\nHost: api.partner.com\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['two Hosts', 'GET /v1/x HTTP/1.1\r\nHost: api.partner.com\r\nHost: api.unlisted.com\r\n\r\n'],
  ['a Host that contradicts the target', 'GET http://api.partner.com/v1/x HTTP/1.1\r\nHost: api.unlisted.com\r\n\r\n'],
  ['a blank before the colon', 'GET /v1/x HTTP/1.1\r\nHost : api.partner.com\r\n\r\n'],
  ['a folded line', 'GET /v1/x HTTP/1.1\r\nHost: api.partner.com\r\nX-A: 1\r\n 2\r\n\r\n'],
  ['userinfo in the target', 'GET http://api.partner.com@api.unlisted.com/v1/x HTTP/1.1\r\nHost: api.unlisted.com\r\n\r\n'],
  ['a broken escape', 'GET /v1/%zz HTTP/1.1\r\nHost: api.partner.com\r\n\r\n'],
]
for (const [name, bytes] of malformed) {
  test(`refused with 400: ${name}`, async (world) => {
    const { data, status } = await raw(world.port, bytes)
    assertOurs(status, data, 400, 'BadRequest')
    await assertNothingArrived(world)
  })
}

'use strict'
// @vtex/api's JanusClient: the account travels as ?an=, the app token must be added by the sidecar.

const assert = require('assert')
const { createHash } = require('crypto')
const { Readable } = require('stream')

const { JanusClient } = require('@vtex/api')

const { arrivedOnce, assertNoAppToken, values } = require('./lib/checks')
const { context, options } = require('./lib/context')
const { APP_KEY, PLACEHOLDER } = require('./lib/world')
const { test } = require('./lib/suite')

const PORTAL = 'http://portal.vtexcommercestable.com.br'

test('JanusClient GET gets the app token; query, order and client headers stay', async (world) => {
  const client = new JanusClient(context(world), options())
  await client.http.get('/api/catalog/pvt/product/7', { params: { z: '1', a: 'x y', list: ['p', 'q'] } })
  await arrivedOnce(world, {
    headers: {
      'accept-encoding': 'gzip',
      'authorization': null,
      'user-agent': 'acme.my-app@1.2.3',
      'vtexidclientautcookie': world.token(),
      'x-vtex-operation-id': 'operation-1',
      'x-vtex-segment': 'segment.token',
      'x-vtex-session': 'session.token',
    },
    method: 'GET',
    url: `${PORTAL}/api/catalog/pvt/product/7?an=storeacct&z=1&a=x%20y&list=p&list=q`,
  })
})

test("the origin's answer comes back: body, status and headers; the app token in it is masked", async (world) => {
  const { data, headers, status } = await new JanusClient(context(world), options()).http.getRaw('/_sim/echo/answer')
  assert.strictEqual(status, 200)
  assert.strictEqual(data.target, '/_sim/echo/answer?an=storeacct')
  assert.deepStrictEqual(values(data, 'vtexidclientautcookie'), ['*'.repeat(world.token().length)])
  assert.match(headers['content-type'], /^application\/json/)
})

test('JanusClient POST carries its JSON body', async (world) => {
  const body = { id: 1, name: 'camiseta básica' }
  await new JanusClient(context(world), options()).http.post('/_sim/echo/product', body)
  await arrivedOnce(world, {
    body,
    headers: { 'content-type': 'application/json', 'vtexidclientautcookie': world.token() },
    method: 'POST',
    url: `${PORTAL}/_sim/echo/product?an=storeacct`,
  })
})

test('JanusClient POST without a body', async (world) => {
  await new JanusClient(context(world), options()).http.post('/_sim/echo/product')
  await arrivedOnce(world, {
    body: '',
    headers: { 'content-length': '0', 'vtexidclientautcookie': world.token() },
    method: 'POST',
    url: `${PORTAL}/_sim/echo/product?an=storeacct`,
  })
})

test('JanusClient PUT and PATCH', async (world) => {
  const client = new JanusClient(context(world), options())
  for (const method of ['put', 'patch']) {
    await world.forget()
    await client.http[method]('/_sim/echo/product/7', { on: true })
    await arrivedOnce(world, {
      body: { on: true },
      headers: { vtexidclientautcookie: world.token() },
      method: method.toUpperCase(),
      url: `${PORTAL}/_sim/echo/product/7?an=storeacct`,
    })
  }
})

test('JanusClient DELETE with a body', async (world) => {
  await new JanusClient(context(world), options()).http.delete('/_sim/echo/product/7', { data: { why: 'old' } })
  await arrivedOnce(world, {
    body: { why: 'old' },
    headers: { vtexidclientautcookie: world.token() },
    method: 'DELETE',
    url: `${PORTAL}/_sim/echo/product/7?an=storeacct`,
  })
})

test('JanusClient in the beta environment', async (world) => {
  await new JanusClient(context(world, { janusEnv: 'beta' }), options()).http.get('/api/catalog_system/pvt/brand/1')
  await arrivedOnce(world, {
    headers: { vtexidclientautcookie: world.token() },
    method: 'GET',
    url: 'http://portal.vtexcommercebeta.com.br/api/catalog_system/pvt/brand/1?an=storeacct',
  })
})

test('JanusClient is covered by a policy written on {{account}}.vtexcommercestable.com.br', async (world) => {
  await new JanusClient(context(world), options()).http.get('/api/license-manager/account')
  await arrivedOnce(world, {
    headers: { vtexidclientautcookie: world.token() },
    method: 'GET',
    url: `${PORTAL}/api/license-manager/account?an=storeacct`,
  })
})

test('a placeholder as VtexIdclientAutCookie is replaced by the app token, once', async (world) => {
  const headers = { VtexIdclientAutCookie: PLACEHOLDER }
  await new JanusClient(context(world), options({ headers })).http.get('/api/catalog_system/pvt/brand/1')
  await arrivedOnce(world, {
    headers: { vtexidclientautcookie: world.token() },
    method: 'GET',
    url: `${PORTAL}/api/catalog_system/pvt/brand/1?an=storeacct`,
  })
})

for (const [who, path] of [['admin', '/api/catalog_system/pvt/brand/2'], ['store', '/api/checkout/pub/orderForm']]) {
  test(`a token of a person (${who}) in VtexIdclientAutCookie passes untouched`, async (world) => {
    const headers = { VtexIdclientAutCookie: world.users[who] }
    await new JanusClient(context(world), options({ headers })).http.get(path)
    const request = await arrivedOnce(world, {
      headers: { authorization: null, vtexidclientautcookie: world.users[who] },
      method: 'GET',
      url: `${PORTAL}${path}?an=storeacct`,
    })
    assertNoAppToken(request, world.token())
  })
}

test("a shopper's cookie is a credential: the app token stays out", async (world) => {
  const cookie = `vtex_session=1; VtexIdclientAutCookie_storeacct=${world.users.store}`
  await new JanusClient(context(world), options({ headers: { cookie } })).http.get('/api/checkout/pub/orderForm')
  const request = await arrivedOnce(world, {
    headers: { cookie, vtexidclientautcookie: null },
    method: 'GET',
    url: `${PORTAL}/api/checkout/pub/orderForm?an=storeacct`,
  })
  assertNoAppToken(request, world.token())
})

test('an app key is a credential: the app token stays out', async (world) => {
  const headers = { 'X-VTEX-API-AppKey': APP_KEY.key, 'X-VTEX-API-AppToken': APP_KEY.token }
  await new JanusClient(context(world), options({ headers })).http.get('/api/catalog_system/pvt/brand/3')
  const request = await arrivedOnce(world, {
    headers: { 'vtexidclientautcookie': null, 'x-vtex-api-appkey': APP_KEY.key, 'x-vtex-api-apptoken': APP_KEY.token },
    method: 'GET',
    url: `${PORTAL}/api/catalog_system/pvt/brand/3?an=storeacct`,
  })
  assertNoAppToken(request, world.token())
})

test('a large JSON body arrives whole', async (world) => {
  const body = { text: 'abcdefghij'.repeat(100000) }
  await new JanusClient(context(world), options()).http.post('/_sim/echo/product', body)
  const request = await arrivedOnce(world, {
    method: 'POST',
    url: `${PORTAL}/_sim/echo/product?an=storeacct`,
  })
  const text = JSON.stringify(body)
  assert.strictEqual(request.body.length, text.length)
  assert.strictEqual(request.body.sha256, createHash('sha256').update(text).digest('hex'))
})

test('a stream arrives whole (chunked)', async (world) => {
  const headers = { 'Content-Type': 'text/plain' }
  await new JanusClient(context(world), options()).http.put('/_sim/echo/file', Readable.from(['um ', 'dois ', 'três']), {
    headers,
  })
  await arrivedOnce(world, {
    body: 'um dois três',
    headers: { 'content-type': 'text/plain', 'vtexidclientautcookie': world.token() },
    method: 'PUT',
    url: `${PORTAL}/_sim/echo/file?an=storeacct`,
  })
})

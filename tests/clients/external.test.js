'use strict'
// @vtex/api's ExternalClient and its relatives: third parties, the control headers, Master Data, VTEX ID.

const { ExternalClient, ID, MasterData, PaymentProvider } = require('@vtex/api')

const { answeredByOrigin, arrivedOnce, assertNoAppToken } = require('./lib/checks')
const { context, options } = require('./lib/context')
const { PLACEHOLDER } = require('./lib/world')
const { test } = require('./lib/suite')

const PARTNER = 'http://api.partner.com'
const partner = (world, headers, base = PARTNER) => new ExternalClient(base, context(world), options({ headers }))

test('a third party with X-Vtex-Use-Https gets its own Basic credential and never our token', async (world) => {
  await partner(world, { 'Authorization': 'Basic dXNlcjpwYXNz', 'X-Vtex-Use-Https': 'true' }).http.get('/v1/stock?sku=7')
  const request = await arrivedOnce(world, {
    headers: { authorization: 'Basic dXNlcjpwYXNz', vtexidclientautcookie: null },
    method: 'GET',
    url: `${PARTNER}/v1/stock?sku=7`,
  })
  assertNoAppToken(request, world.token())
})

test('a third party without a credential stays without one', async (world) => {
  await partner(world, { 'X-Vtex-Use-Https': true }).http.post('/v1/orders', { id: 1 })
  const request = await arrivedOnce(world, {
    body: { id: 1 },
    headers: { authorization: null, cookie: null, vtexidclientautcookie: null },
    method: 'POST',
    url: `${PARTNER}/v1/orders`,
  })
  assertNoAppToken(request, world.token())
})

for (const [name, headers] of [
  ['Authorization', { Authorization: PLACEHOLDER }],
  ['Authorization: Bearer', { Authorization: `Bearer ${PLACEHOLDER}` }],
  ['VtexIdclientAutCookie', { VtexIdclientAutCookie: PLACEHOLDER }],
]) {
  test(`a placeholder in ${name} addressed to a third party is removed, not replaced`, async (world) => {
    await partner(world, headers).http.get('/v1/stock')
    const request = await arrivedOnce(world, {
      headers: { authorization: null, vtexidclientautcookie: null },
      method: 'GET',
      url: `${PARTNER}/v1/stock`,
    })
    assertNoAppToken(request, world.token())
  })
}

test('X-Vtex-Proxy-To moves the request to another host', async (world) => {
  await partner(world, { 'X-Vtex-Proxy-To': 'https://api.partner.com' }, 'http://gateway.partner.com').http.get('/v1/a?b=c')
  await arrivedOnce(world, { method: 'GET', url: `${PARTNER}/v1/a?b=c` })
})

test('X-Vtex-Remote-Port moves the request to another port', async (world) => {
  await partner(world, { 'X-Vtex-Remote-Port': '9443', 'X-Vtex-Use-Https': 'true' }).http.get('/v1/a')
  await arrivedOnce(world, { method: 'GET', url: 'https://api.partner.com:9443/v1/a' })
})

test('X-Vtex-Proxy-To cannot carry the app token to a third party', async (world) => {
  const base = 'http://portal.vtexcommercestable.com.br'
  await partner(world, { 'VtexIdclientAutCookie': PLACEHOLDER, 'X-Vtex-Proxy-To': 'https://api.partner.com' }, base).http.get('/v1/a')
  const request = await arrivedOnce(world, {
    headers: { vtexidclientautcookie: null },
    method: 'GET',
    url: `${PARTNER}/v1/a`,
  })
  assertNoAppToken(request, world.token())
})

test('an https:// base arrives in absolute form and leaves over TLS', async (world) => {
  await partner(world, { Authorization: 'Basic dXNlcjpwYXNz' }, 'https://api.partner.com').http.get('/v1/secure')
  await arrivedOnce(world, {
    headers: { authorization: 'Basic dXNlcjpwYXNz' },
    method: 'GET',
    url: 'https://api.partner.com/v1/secure',
  })
})

test('MasterData: the placeholder that the client sends becomes the app token', async (world) => {
  await new MasterData(context(world), options()).getDocument({ dataEntity: 'CL', fields: ['email', 'id'], id: 'abc' })
  await arrivedOnce(world, {
    headers: { 'vtexidclientautcookie': world.token(), 'x-vtex-api-appservice': 'acme.my-app@1.2.3' },
    method: 'GET',
    url: 'http://api.vtex.com/api/dataentities/CL/documents/abc?an=storeacct&_fields=email%2Cid',
  })
})

test('MasterData: a search carries REST-Range, a creation its document', async (world) => {
  const client = new MasterData(context(world), options())
  await client.searchDocuments({ dataEntity: 'CL', fields: ['id'], pagination: { page: 1, pageSize: 10 } })
  await arrivedOnce(world, {
    headers: { 'rest-range': 'resources=0-10', 'vtexidclientautcookie': world.token() },
    method: 'GET',
    url: 'http://api.vtex.com/api/dataentities/CL/search?an=storeacct&_fields=id',
  })
  await world.forget()
  await client.createDocument({ dataEntity: 'CL', fields: { email: 'ana@store.com' } })
  await arrivedOnce(world, {
    body: { email: 'ana@store.com' },
    headers: { vtexidclientautcookie: world.token() },
    method: 'POST',
    url: 'http://api.vtex.com/api/dataentities/CL/documents?an=storeacct',
  })
})

test('MasterData with a user token keeps it', async (world) => {
  const headers = { VtexIdclientAutCookie: world.users.admin }
  await new MasterData(context(world), options({ headers })).deleteDocument({ dataEntity: 'CL', id: 'abc' })
  const request = await arrivedOnce(world, {
    headers: { vtexidclientautcookie: world.users.admin },
    method: 'DELETE',
    url: 'http://api.vtex.com/api/dataentities/CL/documents/abc?an=storeacct',
  })
  assertNoAppToken(request, world.token())
})

test('PaymentProvider sends X-Vtex-Use-Https; the origin gets the app token instead', async (world) => {
  await answeredByOrigin(new PaymentProvider(context(world), options()).callback('T1', 'P1', { status: 'approved' }))
  await arrivedOnce(world, {
    body: { status: 'approved' },
    headers: { vtexidclientautcookie: world.token() },
    method: 'POST',
    url: 'http://storeacct.vtexpayments.com.br/payment-provider/transactions/T1/payments/P1/notification',
  })
})

test('ID (its base is https:// by itself) reaches VTEX ID', async (world) => {
  await answeredByOrigin(new ID(context(world), options()).getTemporaryToken())
  await arrivedOnce(world, {
    headers: { vtexidclientautcookie: world.token() },
    method: 'GET',
    url: 'https://vtexid.vtex.com.br/api/vtexid/pub/authentication/start',
  })
})

'use strict'
// What the app's developer meets when the manifest does not open a request.

const assert = require('assert')

const { AppClient, ExternalClient, JanusClient } = require('@vtex/api')
const { Checkout, OMS } = require('@vtex/clients')

const { assertDenied, assertNothingArrived, rejection } = require('./lib/checks')
const { context, options } = require('./lib/context')
const { test } = require('./lib/suite')

const denials = [
  {
    call: (world) => new ExternalClient('http://api.unlisted.com', context(world), options()).http.get('/v1/x'),
    method: 'GET',
    name: 'a host that no policy names',
    resource: 'api.unlisted.com/v1/x',
  },
  {
    call: (world) => new ExternalClient('http://api.partner.com', context(world), options()).http.post('/v2/x', { a: 1 }),
    method: 'POST',
    name: 'a path outside the policy of its host (POST with a body)',
    resource: 'api.partner.com/v2/x',
  },
  {
    call: (world) => new ExternalClient('http://evil.api.partner.com', context(world), options()).http.get('/v1/x'),
    method: 'GET',
    name: 'a host in front of an allowed one',
    resource: 'evil.api.partner.com/v1/x',
  },
  {
    call: (world) => new OMS(context(world), options()).listOrders(),
    method: 'GET',
    name: 'OMS.listOrders: /orders is not covered by /orders/*',
    resource: 'portal.vtexcommercestable.com.br/api/oms/pvt/orders',
  },
  {
    call: (world) => new Checkout(context(world), options()).getOrderFormConfiguration(),
    method: 'GET',
    name: 'Checkout.getOrderFormConfiguration: pvt is not pub',
    resource: 'portal.vtexcommercestable.com.br/api/checkout/pvt/configuration/orderForm',
  },
  {
    call: (world) =>
      new JanusClient(context(world), options({ params: { an: 'otheraccount' } })).http.get('/api/catalog/pvt/brand/1'),
    method: 'GET',
    name: 'an= of another account',
    resource: 'portal.vtexcommercestable.com.br/api/catalog/pvt/brand/1',
  },
  {
    call: (world) => new AppClient('vtex.messages@1.x', context(world, { account: 'otheraccount' }), options()).http.get('/_v/x'),
    method: 'GET',
    name: 'an IO path of another account',
    resource: 'app.io.vtex.com/vtex.messages/v1/otheraccount/master/_v/x',
  },
  {
    call: (world) => new AppClient('vtex.rewriter@1.x', context(world), options()).http.get('/_v/x'),
    method: 'GET',
    name: 'an app that no policy names',
    resource: 'app.io.vtex.com/vtex.rewriter/v1/storeacct/master/_v/x',
  },
  {
    call: (world) =>
      new ExternalClient('http://api.partner.com', context(world), options({
        headers: { 'X-Vtex-Proxy-To': 'https://api.unlisted.com' },
      })).http.get('/v1/x'),
    method: 'GET',
    name: 'X-Vtex-Proxy-To is judged, not the host in front of it',
    resource: 'api.unlisted.com/v1/x',
  },
  {
    call: (world) => new JanusClient(context(world), options()).http.get('/api/checkout/pub/../pvt/configuration'),
    method: 'GET',
    name: 'dot segments lead out of the allowed path',
    resource: 'portal.vtexcommercestable.com.br/api/checkout/pub/../pvt/configuration',
  },
  {
    call: (world) => new JanusClient(context(world), options()).http.get('/api/checkout/pub/%2e%2e%2fpvt/configuration'),
    method: 'GET',
    name: 'encoded dot segments lead out of the allowed path',
    resource: 'portal.vtexcommercestable.com.br/api/checkout/pub/%2e%2e%2fpvt/configuration',
  },
]

for (const { call, method, name, resource } of denials) {
  test(`denied with 403: ${name}`, async (world) => {
    assertDenied(await rejection(call(world)), method, resource)
    await assertNothingArrived(world)
  })
}

test('a denial is not retried, even by a client with retries', async (world) => {
  const client = new ExternalClient('http://api.unlisted.com', context(world), options({ retries: 2 }))
  const started = Date.now()
  assert.strictEqual((await rejection(client.http.get('/v1/x'))).status, 403)
  assert.ok(Date.now() - started < 5000, 'it took as long as retries would')
  await assertNothingArrived(world)
})

test('after a denial the same connection serves the next request', async (world) => {
  const denied = new ExternalClient('http://api.partner.com', context(world), options())
  assert.strictEqual((await rejection(denied.http.post('/v2/x', { text: 'x'.repeat(100000) }))).status, 403)
  await new ExternalClient('http://api.partner.com', context(world), options()).http.post('/v1/x', { a: 1 })
  assert.strictEqual((await world.arrived()).length, 1)
})

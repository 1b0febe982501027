'use strict'
// @vtex/clients: each call names whose token it wants, and puts it into VtexIdclientAutCookie.

const { Catalog, Checkout, OMS } = require('@vtex/clients')

const assert = require('assert')

const { answeredByOrigin, arrivedOnce, assertNoAppToken, values } = require('./lib/checks')
const { context, options } = require('./lib/context')
const { test } = require('./lib/suite')

const PORTAL = 'http://portal.vtexcommercestable.com.br'

// What is called, what must arrive, and whose token it must carry. `played: false`: the simulator has no
// such route and answers 404, which the client must get to see.
const calls = [
  {
    call: (ctx) => new Catalog(ctx, options()).getBrandById('7'),
    method: 'GET',
    name: 'Catalog.getBrandById',
    target: '/api/catalog_system/pvt/brand/7?an=storeacct',
    token: 'app',
  },
  {
    call: (ctx) => new Catalog(ctx, options()).getProductsAndSkus(1, 20),
    method: 'GET',
    name: 'Catalog.getProductsAndSkus (a query of its own before an=)',
    played: false,
    target: '/api/catalog_system/pvt/products/GetProductAndSkuIds?_from=1&_to=20&an=storeacct',
    token: 'app',
  },
  {
    body: {},
    call: (ctx) => new Catalog(ctx, options()).changeNotification({ sellerId: '1', sellerSkuId: '7' }),
    method: 'POST',
    name: 'Catalog.changeNotification',
    played: false,
    target: '/api/catalog_system/pvt/skuseller/changenotification/1/7?an=storeacct',
    token: 'app',
  },
  {
    call: (ctx) => new Catalog(ctx, options()).getBrandById('7', 'ADMIN_TOKEN'),
    method: 'GET',
    name: 'Catalog.getBrandById with the admin token',
    target: '/api/catalog_system/pvt/brand/7?an=storeacct',
    token: 'admin',
  },
  {
    body: { orderItems: [{ id: '7', quantity: 1, seller: '1' }] },
    call: (ctx) => new Checkout(ctx, options()).addItem('of1', [{ id: '7', quantity: 1, seller: '1' }]),
    method: 'POST',
    name: 'Checkout.addItem with the shopper token (its default)',
    target: '/api/checkout/pub/orderForm/of1/items?an=storeacct',
    token: 'store',
  },
  {
    body: { expectedOrderFormSections: ['items'] },
    call: (ctx) => new Checkout(ctx, options()).orderForm('of1', 'AUTH_TOKEN'),
    method: 'POST',
    name: 'Checkout.orderForm as the app',
    target: '/api/checkout/pub/orderForm/of1?an=storeacct',
    token: 'app',
  },
  {
    body: { name: 'x' },
    call: (ctx) => new Checkout(ctx, options()).removeAssemblyOptions('of1', '0', 'gift', { name: 'x' }),
    method: 'DELETE',
    name: 'Checkout.removeAssemblyOptions (DELETE with a body)',
    played: false,
    target: '/api/checkout/pub/orderForm/of1/items/0/assemblyOptions/gift?an=storeacct',
    token: 'store',
  },
  {
    call: (ctx) => new OMS(ctx, options()).order('1268540501457-01'),
    method: 'GET',
    name: 'OMS.order',
    target: '/api/oms/pvt/orders/1268540501457-01?an=storeacct',
    token: 'app',
  },
  {
    call: (ctx) => new OMS(ctx, options()).order('1268540501457-01', 'ADMIN_TOKEN'),
    method: 'GET',
    name: 'OMS.order with the admin token',
    target: '/api/oms/pvt/orders/1268540501457-01?an=storeacct',
    token: 'admin',
  },
  {
    body: { invoiceNumber: '9' },
    call: (ctx) => new OMS(ctx, options()).orderNotification('1268540501457-01', { invoiceNumber: '9' }),
    method: 'POST',
    name: 'OMS.orderNotification',
    played: false,
    target: '/api/oms/pvt/orders/1268540501457-01/invoice?an=storeacct',
    token: 'app',
  },
]

for (const { body, call, method, name, played = true, target, token } of calls) {
  test(name, async (world) => {
    await (played ? call(context(world)) : answeredByOrigin(call(context(world))))
    const app = world.token()
    const request = await arrivedOnce(world, {
      body,
      headers: { authorization: null, vtexidclientautcookie: token === 'app' ? app : world.users[token] },
      method,
      url: PORTAL + target,
    })
    if (token !== 'app') assertNoAppToken(request, app)
  })
}

test('OMS.cancelOrder sends its headers as its body by mistake: the body is left alone', async (world) => {
  await answeredByOrigin(new OMS(context(world), options()).cancelOrder('1268540501457-01'))
  const [request] = await world.arrived()
  assert.strictEqual(request.target, '/api/oms/pvt/orders/1268540501457-01/cancel?an=storeacct')
  assert.deepStrictEqual(values(request, 'vtexidclientautcookie'), [world.token()])
  assert.ok(!request.body.text.includes(world.token()), 'the app token stands in the body')
})

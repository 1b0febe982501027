'use strict'
// The newest axios alone: plain http:// is proxied as ever, but https:// has become CONNECT.

const assert = require('assert')

const { default: axios } = require('axios-newest')

const { arrivedOnce, assertNothingArrived, assertOurs, rejection } = require('./lib/checks')
const { test } = require('./lib/suite')

test('newest axios, http://: works like the old one', async (world) => {
  await axios.get('http://portal.vtexcommercestable.com.br/api/catalog_system/pvt/brand/1?an=storeacct')
  await arrivedOnce(world, {
    headers: { vtexidclientautcookie: world.token() },
    method: 'GET',
    url: 'http://portal.vtexcommercestable.com.br/api/catalog_system/pvt/brand/1?an=storeacct',
  })
})

test('newest axios, https://: its CONNECT is refused with 405 and a way out', async (world) => {
  const response = await rejection(axios.get('https://app.io.vtex.com/vtex.messages/v1/storeacct/master/_v/x'))
  assert.strictEqual(response.status, 405)
  const data = typeof response.data === 'string' && response.data ? JSON.parse(response.data) : response.data
  if (data && data.code) {
    assertOurs(response.status, data, 405, 'MethodNotAllowed')
    assert.match(data.help, /VTEX_IO=true/)
  }
  await assertNothingArrived(world)
})

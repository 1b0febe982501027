'use strict'
// The app token changes while the clients work: no request fails, and the new one arrives soon.

const assert = require('assert')

const { AppClient, JanusClient } = require('@vtex/api')

const { values } = require('./lib/checks')
const { context, options } = require('./lib/context')
const { test } = require('./lib/suite')

const SOON_MS = 10000
const IN_FLIGHT = 4

test('after a rotation the clients carry the new token, and no call fails meanwhile', async (world) => {
  const header = 'vtexidclientautcookie'
  const before = world.token()
  // A new client each time, as VTEX IO does: one instance remembers the answers of its GETs.
  const call = (n) => new JanusClient(context(world), options()).http.get(`/api/catalog_system/pvt/brand/${n + 1}`)
  await call(0)
  assert.deepStrictEqual(values((await world.arrived())[0], header), [before])

  await world.rotate()
  const after = world.token()
  assert.notStrictEqual(after, before)
  const deadline = Date.now() + SOON_MS
  let newest = before
  for (let n = 1; newest !== after; n += IN_FLIGHT) {
    assert.ok(Date.now() < deadline, `the new token did not arrive within ${SOON_MS / 1000} s`)
    await world.forget()
    await Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => call(n + i)))
    for (const request of await world.arrived()) {
      const [token] = values(request, header)
      assert.ok(token === before || token === after, 'a token that never was')
      newest = token
    }
  }

  await world.forget()
  await new AppClient('vtex.messages@1.x', context(world), options()).http.get('/_v/after')
  assert.deepStrictEqual(values((await world.arrived())[0], 'authorization'), [`Bearer ${after}`])
})

test('three rotations in a row end with the last token', async (world) => {
  for (let i = 0; i < 3; i++) await world.rotate()
  const last = world.token()
  const deadline = Date.now() + SOON_MS
  for (let n = 0; ; n++) {
    await world.forget()
    await new JanusClient(context(world), options()).http.get(`/api/catalog_system/pvt/brand/${n + 1}`)
    if (values((await world.arrived())[0], 'vtexidclientautcookie')[0] === last) return
    assert.ok(Date.now() < deadline, `the last token did not arrive within ${SOON_MS / 1000} s`)
  }
})

'use strict'
// The last tests: what the sidecar left in its log after all the others, and how it ends.

const assert = require('assert')

const assertEnd = (test) => {
  test('the log of the whole run holds no token, the authToken= of a URL included', async (world) => {
    for (const secret of world.secrets()) {
      assert.ok(!world.log().includes(secret), 'a token stands in the log')
    }
  })

  test('SIGTERM ends the sidecar with exit status 0', async (world) => {
    assert.deepStrictEqual(await world.stopSidecar(), { code: 0, signal: null }, world.log())
  })
}

module.exports = { assertEnd }

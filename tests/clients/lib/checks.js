'use strict'
// What every request that reached an origin must look like, and what every denial must say.

const assert = require('assert')

const { ACCOUNT, PLACEHOLDER, WORKSPACE } = require('./world')

const NEVER_FORWARDED = [
  'proxy-authorization',
  'proxy-connection',
  'x-janus-auth',
  'x-vtex-proxy-to',
  'x-vtex-remote-port',
  'x-vtex-use-https',
]

// Every value of a header, in order of arrival.
const values = (request, name) =>
  request.headers.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, value]) => value)

const assertClean = (request) => {
  const seen = request.headers.map(([name]) => name.toLowerCase())
  for (const name of NEVER_FORWARDED) {
    assert.ok(!seen.includes(name), `${name} must not reach the origin`)
  }
  assert.ok(!JSON.stringify(request).includes(PLACEHOLDER), 'the placeholder reached the origin')
}

const assertNoAppToken = (request, token) =>
  assert.ok(!JSON.stringify(request).includes(token), 'the app token reached an origin that must not see it')

// The simulator writes down bytes, one character each.
const bodyText = (request) => Buffer.from(request.body.text || '', 'latin1').toString('utf8')

// The one request that arrived, after the checks that hold for all of them. `expected` has method and
// url (of the effective destination); optionally headers {name: value, or null for "must be absent"} and body.
const arrivedOnce = async (world, expected) => {
  const requests = await world.arrived()
  assert.strictEqual(requests.length, 1, `${requests.length} requests reached the origin instead of one`)
  return checkRequest(requests[0], expected)
}

const checkRequest = (request, { method, url, headers = {}, body }) => {
  const { host, hostname, pathname, search } = new URL(url)
  assertClean(request)
  assert.strictEqual(request.method, method)
  assert.strictEqual(request.target, pathname + search)
  assert.deepStrictEqual(values(request, 'host'), [host])
  assert.strictEqual(request.sni, hostname)
  for (const [name, value] of Object.entries(headers)) {
    assert.deepStrictEqual(values(request, name), value === null ? [] : [value], `header ${name}`)
  }
  if (body !== undefined) {
    assert.strictEqual(bodyText(request), typeof body === 'string' ? body : JSON.stringify(body))
  }
  return request
}

const assertOurs = (status, data, wantedStatus, wantedCode) => {
  assert.strictEqual(status, wantedStatus)
  assert.strictEqual(data.code, wantedCode)
  assert.strictEqual(data.source, 'janus-sidecar')
  assert.ok(data.message, 'a message')
  assert.ok(data.requestId, 'a requestId')
}

// A 403 of the contract's form, for any client that read `status` and `data`.
const assertDenied = ({ status, data }, method, resource) => {
  assertOurs(status, data, 403, 'OutboundAccessDenied')
  const [, role, app, rest] = /^Role (link|app):(\S+) in (.*)$/.exec(data.message) || []
  assert.ok(role, `message form: ${data.message}`)
  assert.strictEqual(app, 'acme.my-app@1.2.3')
  assert.strictEqual(
    rest,
    `${ACCOUNT}/${WORKSPACE} cannot perform action ${method} on resource ` +
      `vrn:proxy:aws-us-east-1:${ACCOUNT}:${WORKSPACE}:${resource}`
  )
  assert.ok(data.help, 'a denial helps')
}

// Waits for the rejection of a client's call and returns its response.
const rejection = async (call) => {
  let value
  try {
    value = await call
  } catch (error) {
    assert.ok(error.response, `no response came back: ${error.message}`)
    return error.response
  }
  assert.fail(`the call succeeded with ${JSON.stringify(value)}`)
}

// For routes that the simulator does not play: its own 404 is an answer too, the sidecar's never is.
const answeredByOrigin = (call) =>
  call.catch((error) => {
    const { data, status } = error.response || {}
    if (status !== 404 || data.source === 'janus-sidecar') throw error
  })

const assertNothingArrived = async (world) =>
  assert.deepStrictEqual((await world.arrived()).map((r) => r.target), [], 'nothing may reach the origin')

module.exports = {
  answeredByOrigin, arrivedOnce, assertDenied, assertNoAppToken, assertNothingArrived, assertOurs, checkRequest, rejection, values,
}

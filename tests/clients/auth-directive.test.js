'use strict'
// The @auth directive of @vtex/api, run by graphql itself: it asks VTEX ID who the user is and License
// Manager what they may do, with a bare axios that carries the app's credential in two different ways.

const assert = require('assert')

const { graphql } = require('graphql')
const { makeExecutableSchema } = require('graphql-tools')

const {
  Auth,
  authDirectiveTypeDefs,
} = require('@vtex/api/lib/service/worker/runtime/graphql/schema/schemaDirectives/Auth')

const { checkRequest } = require('./lib/checks')
const { context } = require('./lib/context')
const { test } = require('./lib/suite')

const schema = makeExecutableSchema({
  resolvers: { Query: { closed: () => 'opened', secret: () => 'opened' } },
  schemaDirectives: { auth: Auth },
  typeDefs: `${authDirectiveTypeDefs}
    type Query {
      secret: String @auth(scope: PRIVATE, productCode: "66", resourceCode: "ViewOrder")
      closed: String @auth(scope: PRIVATE, productCode: "66", resourceCode: "NobodyMayDoThis")
    }`,
})

// The parts of a Koa context that the directive reads.
const koa = (world) => ({
  cookies: { get: () => undefined },
  get: (name) => (name === 'VtexIdclientAutCookie' ? world.users.admin : ''),
  vtex: context(world),
})

test('@auth: both of its calls arrive, authorised as the app', async (world) => {
  const { data, errors } = await graphql(schema, '{ secret }', null, koa(world))
  const requests = await world.arrived()
  const whole = JSON.stringify({ errors, targets: requests.map((r) => r.target) })
  assert.strictEqual(requests.length, 2, whole)
  checkRequest(requests[0], {
    headers: { vtexidclientautcookie: world.token() },
    method: 'GET',
    url: `http://vtexid.vtex.com.br/api/vtexid/pub/authenticated/user?authToken=${world.users.admin}`,
  })
  checkRequest(requests[1], {
    headers: { authorization: world.token() },
    method: 'GET',
    url:
      'http://storeacct.vtexcommercestable.com.br/api/license-manager/pvt/accounts/storeacct' +
      `/products/66/logins/ana@store.com/resources/ViewOrder/granted`,
  })
  assert.deepStrictEqual({ ...data }, { secret: 'opened' }, whole)
})

test('@auth: a resource that is not granted stays closed', async (world) => {
  const { data, errors } = await graphql(schema, '{ closed }', null, koa(world))
  assert.deepStrictEqual({ ...data }, { closed: null })
  assert.strictEqual(errors[0].extensions.code, 'FORBIDDEN')
})

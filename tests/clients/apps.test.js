'use strict'
// @vtex/api's AppClient and AppGraphQLClient: Authorization: Bearer on app.io.vtex.com.

const { createHash } = require('crypto')

const { AppClient, AppGraphQLClient } = require('@vtex/api')

const { arrivedOnce } = require('./lib/checks')
const { context, options } = require('./lib/context')
const { test } = require('./lib/suite')

const GRAPHQL = 'http://app.io.vtex.com/vtex.catalog-graphql/v1/storeacct/master/_v/graphql'

test('AppClient: the placeholder behind Bearer becomes the app token', async (world) => {
  await new AppClient('vtex.messages@1.x', context(world), options()).http.get('/_v/messages?from=pt')
  await arrivedOnce(world, {
    headers: { authorization: `Bearer ${world.token()}`, vtexidclientautcookie: null },
    method: 'GET',
    url: 'http://app.io.vtex.com/vtex.messages/v1/storeacct/master/_v/messages?from=pt',
  })
})

test('AppClient without a token in its context gets Authorization: Bearer added', async (world) => {
  await new AppClient('vtex.messages@1.x', context(world, { authToken: undefined }), options()).http.post('/_v/save', { a: 1 })
  await arrivedOnce(world, {
    body: { a: 1 },
    headers: { authorization: `Bearer ${world.token()}` },
    method: 'POST',
    url: 'http://app.io.vtex.com/vtex.messages/v1/storeacct/master/_v/save',
  })
})

test('AppClient: the hop is the app, the identity is the user; they are never merged', async (world) => {
  const headers = { VtexIdclientAutCookie: world.users.admin }
  await new AppClient('vtex.messages@1.x', context(world), options({ headers })).http.get('/_v/mine')
  await arrivedOnce(world, {
    headers: { authorization: `Bearer ${world.token()}`, vtexidclientautcookie: world.users.admin },
    method: 'GET',
    url: 'http://app.io.vtex.com/vtex.messages/v1/storeacct/master/_v/mine',
  })
})

test('AppGraphQLClient query is a GET with a body', async (world) => {
  const client = new AppGraphQLClient('vtex.catalog-graphql@1.x', context(world), options())
  await client.graphql.query({ query: '{ category(id: "1") { name } }', throwOnError: false, variables: { b: 1, a: 2 } })
  const sorted = JSON.stringify({ query: '{ category(id: "1") { name } }', variables: { a: 2, b: 1 } })
  await arrivedOnce(world, {
    body: { query: '{ category(id: "1") { name } }', variables: { b: 1, a: 2 } },
    headers: { 'authorization': `Bearer ${world.token()}`, 'content-type': 'application/json' },
    method: 'GET',
    url: `${GRAPHQL}?__graphqlBodyHash=${createHash('md5').update(sorted).digest('hex')}`,
  })
})

test('AppGraphQLClient mutate is a POST', async (world) => {
  const client = new AppGraphQLClient('vtex.catalog-graphql@1.x', context(world), options())
  await client.graphql.mutate({ mutate: 'mutation { save }', throwOnError: false, variables: { id: '1' } })
  await arrivedOnce(world, {
    body: { query: 'mutation { save }', variables: { id: '1' } },
    headers: { authorization: `Bearer ${world.token()}` },
    method: 'POST',
    url: GRAPHQL,
  })
})

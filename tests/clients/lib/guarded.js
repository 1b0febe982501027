'use strict'
// The app of the comparison, twice: once with the real @auth directive of @vtex/api, once without it and behind the
// guard. Both read requests with the middlewares of @vtex/api itself.

const http = require('http')

const { makeExecutableSchema } = require('graphql-tools')
const Koa = require('koa')

const runtime = '@vtex/api/lib/service/worker/runtime/graphql'
const { extractQuery } = require(`${runtime}/middlewares/query`)
const { run } = require(`${runtime}/middlewares/run`)
const { upload } = require(`${runtime}/middlewares/upload`)
const { Auth, authDirectiveTypeDefs } = require(`${runtime}/schema/schemaDirectives/Auth`)

const { context } = require('./context')

const TYPES = `
  interface Node { open: String }
  type Query implements Node {
    open: String @auth(scope: PUBLIC)
    bare: String
    orders: String @auth(scope: PRIVATE, productCode: "66", resourceCode: "ViewOrder")
    users: String @auth(productCode: "66", resourceCode: "view_profiles")
    closed: String @auth(scope: PRIVATE, productCode: "66", resourceCode: "NobodyMayDoThis")
    broken: String @auth(scope: PRIVATE)
  }
  type Mutation {
    set: String @auth(scope: PRIVATE, productCode: "66", resourceCode: "ViewOrder")
    lock: String @auth(scope: PRIVATE, productCode: "66", resourceCode: "NobodyMayDoThis")
  }`

const ROOTS = { Mutation: ['set', 'lock'], Query: ['open', 'bare', 'orders', 'users', 'closed', 'broken'] }

const makeSchema = (hits, withAuth) => {
  const resolversOf = (names) => Object.fromEntries(names.map((name) => [name, () => (hits.push(name), 'opened')]))
  return makeExecutableSchema({
    resolverValidationOptions: { requireResolversForResolveType: false },
    resolvers: { Mutation: resolversOf(ROOTS.Mutation), Query: resolversOf(ROOTS.Query) },
    schemaDirectives: withAuth ? { auth: Auth } : {},
    typeDefs: `${authDirectiveTypeDefs}${TYPES}`,
  })
}

// What @vtex/api answers when something is thrown before the operation runs, without its log.
const errors = async (ctx, next) => {
  try {
    await next()
    ctx.body = ctx.graphql.graphqlResponse
  } catch (thrown) {
    ctx.status = thrown.statusCode || thrown.status || 500
    ctx.body = { errors: [].concat(thrown).map(({ extensions, message }) => ({ extensions, message })) }
  }
}

// Listens on a port of its own. `hits` are the resolvers that have run.
const startApp = async (world, withAuth) => {
  const hits = []
  const executable = { schema: makeSchema(hits, withAuth) }
  const koa = new Koa()
  koa.silent = true
  koa.use(async (ctx, next) => {
    ctx.vtex = context(world)
    ctx.graphql = {}
    await next()
  })
  for (const middleware of [errors, upload, extractQuery(executable), run(executable)]) koa.use(middleware)
  const server = http.createServer(koa.callback())
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  server.unref()
  return { hits, port: server.address().port, stop: () => server.close() }
}

const ask = (port, { body, headers = {}, method = 'POST', target = '/storeacct/master/_v/graphql' }) =>
  new Promise((resolve, reject) => {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body === undefined ? '' : body)
    const length = body === undefined ? {} : { 'Content-Length': bytes.length }
    const request = http.request(
      { agent: false, headers: { ...headers, ...length }, host: '127.0.0.1', method, path: target, port },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece) => (text += piece))
        response.on('end', () => resolve({ status: response.statusCode, text }))
      }
    )
    request.on('error', reject)
    request.end(bytes)
  })

module.exports = { TYPES, ask, startApp }

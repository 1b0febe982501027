'use strict'
// The context that VTEX IO's runtime gives every client, with a placeholder where the app token would be.

const { ACCOUNT, PLACEHOLDER, WORKSPACE } = require('./world')

const silent = () => undefined

const context = (world, more = {}) => ({
  account: ACCOUNT,
  adminUserAuthToken: world.users.admin,
  authToken: PLACEHOLDER,
  host: 'www.storeacct.com',
  locale: 'pt-BR',
  logger: { debug: silent, error: silent, info: silent, warn: silent },
  operationId: 'operation-1',
  platform: 'vtex',
  product: 'vtex-storefront',
  production: true,
  region: 'aws-us-east-1',
  requestId: 'request-1',
  route: { id: 'test', params: {} },
  segmentToken: 'segment.token',
  sessionToken: 'session.token',
  storeUserAuthToken: world.users.store,
  tracer: { fallbackSpanContext: silent, inject: silent, isTraceSampled: false },
  userAgent: 'acme.my-app@1.2.3',
  workspace: WORKSPACE,
  ...more,
})

// The clients give up after 1 s by default; a busy test machine may be slower than that.
const options = (more = {}) => ({ timeout: 15000, ...more })

module.exports = { context, options }

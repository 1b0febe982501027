'use strict'
// An app on VTEX IO, without a credential: what it may do, what it may not, and what reached the origin.
const https = require('https')
const { AppClient, ExternalClient, JanusClient } = require('@vtex/api')

const silent = () => undefined
const context = { // what the platform gives every client; where a token would be stands the placeholder
  account: 'storeacct', authToken: 'janus-sidecar-placeholder', locale: 'pt-BR', operationId: 'compose', platform: 'vtex',
  logger: { debug: silent, error: silent, info: silent, warn: silent }, production: true, product: '', region: 'aws-us-east-1',
  requestId: 'compose', tracer: { fallbackSpanContext: silent, inject: silent, isTraceSampled: false },
  userAgent: 'acme.orders-bridge@1.4.0', workspace: 'master',
}
const get = (Client, target, path) => () => new Client(target, context, { timeout: 15000 }).http.get(path)
const janus = (path) => () => new JanusClient(context, { timeout: 15000 }).http.get(path)
const calls = [ // what, how, the status that the sidecar should give
  ['orders, through Janus', janus('/api/oms/pvt/orders'), 200],
  ['another app, on IO', get(AppClient, 'vtex.catalog-graphql@1.x', '/_v/categories'), 200],
  ['a partner outside VTEX', get(ExternalClient, 'http://api.partner.example', '/v1/stock'), 200],
  ['a path that no policy opens', get(ExternalClient, 'http://api.partner.example', '/v2/rates'), 403],
  ['a host that no policy names', get(ExternalClient, 'http://api.unlisted.example', '/v1/stock'), 403],
]
const masked = (value) => value.replace(/[\w-]+\.[\w-]+\.[\w-]{16,}/g, (token) => `${token.slice(0, 6)}...(app token, masked)`)
const arrived = () => new Promise((resolve, reject) => https.get(`${process.env.SIMULATOR}/_sim/requests`, (answer) => {
  let text = ''
  answer.on('data', (piece) => (text += piece)).on('end', () => resolve(JSON.parse(text)))
}).on('error', reject))

const main = async () => {
  let wrong = 0
  for (const [what, call, wanted] of calls) {
    const { status, body } = await call().then(() => ({ status: 200 }),
      ({ message, response }) => response ? { body: response.data, status: response.status } : { body: { message }, status: 0 })
    if (status !== wanted) wrong++
    console.log(`${status === 200 ? 'ALLOWED' : status === 403 ? 'DENIED ' : 'FAILED '} ${status}  ${what}`)
    if (body) console.log(`             ${body.code}: ${body.message}\n             ${body.help || ''}`)
  }
  const requests = await arrived()
  console.log('\nWhat reached the origin:')
  for (const { host, method, target, headers } of requests) {
    console.log(`  ${method} https://${host}${target}`)
    const credentials = headers.filter(([name]) => /authorization|cookie/i.test(name))
    for (const [name, value] of credentials) console.log(`      ${name}: ${masked(value)}`)
    if (credentials.length === 0) console.log('      no credential')
    if ((credentials.length === 1) !== /vtex/.test(host)) wrong++ // one on VTEX's hosts, none elsewhere
  }
  if (requests.length !== 3 || JSON.stringify(requests).includes(context.authToken)) wrong++
  console.log(wrong ? `\n${wrong} went wrong` : '\nAll as it should be; the app never held a token.')
  process.exit(wrong ? 1 : 0)
}
main()

'use strict'
// The reference implementation on the documents of bench_graphql: node graphql.js BENCH ROUNDS.
// Prints the name of a measure, a TAB, and nanoseconds of processor time; a line a round.

const { execFileSync } = require('child_process')
const path = require('path')

const reference = path.join(__dirname, '../graphql/node_modules/graphql')
const { buildSchema, parse } = require(reference)
const { collectFields } = require(path.join(reference, 'execution/collectFields'))

const schema = buildSchema('type Query { productSearch: Int facets: Int order: Int }')

// What must be done before anything can be asked about a request: JSON, document, root fields by fragments, @skip and
// @include. Neither validated nor executed.
const judge = (body) => {
  const { query, variables } = JSON.parse(body)
  const { definitions } = parse(query, { noLocation: true })
  const fragments = {}
  for (const each of definitions) if (each.kind === 'FragmentDefinition') fragments[each.name.value] = each
  const operation = definitions.find(({ kind }) => kind === 'OperationDefinition')
  return collectFields(schema, fragments, variables, schema.getQueryType(), operation.selectionSet)
}

const ENOUGH_NS = 200e6
const [bench, rounds] = process.argv.slice(2)
const ask = (...args) => execFileSync(bench, args, { encoding: 'utf8' })

const spent = (since) => {
  const { system, user } = process.cpuUsage(since)
  return (system + user) * 1000
}

const isRequest = (name) => name.endsWith('request')
const runner = (name) => (isRequest(name) ? judge : (text) => parse(text, { noLocation: true }))

const measure = (name, text) => {
  const run = runner(name)
  const since = process.cpuUsage()
  let calls = 0
  while (spent(since) < ENOUGH_NS) {
    for (let i = 0; i < 20; i++) run(text)
    calls += 20
  }
  return spent(since) / calls
}

const documents = ask('list').trim().split('\n').map((name) => ({ name, text: ask('document', name) }))
for (const { name, text } of documents) measure(name, text) // what the compiler of node learns does not count
for (let round = 0; round < Number(rounds); round++) {
  for (const { name, text } of documents) {
    const what = isRequest(name) ? 'parse and judge' : 'parse'
    console.log(`${what}, ${name}, ${Buffer.byteLength(text)} bytes\t${measure(name, text)}`)
  }
}

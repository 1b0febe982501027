'use strict'
// The reference implementation on the documents of bench_graphql: node graphql.js BENCH ROUNDS.
// Prints the name of a measure, a TAB, and nanoseconds of processor time; a line a round.

const { execFileSync } = require('child_process')
const path = require('path')

const { parse } = require(path.join(__dirname, '../graphql/node_modules/graphql'))

const ENOUGH_NS = 200e6
const [bench, rounds] = process.argv.slice(2)
const ask = (...args) => execFileSync(bench, args, { encoding: 'utf8' })

const spent = (since) => {
  const { system, user } = process.cpuUsage(since)
  return (system + user) * 1000
}

const measure = (text) => {
  const since = process.cpuUsage()
  let calls = 0
  while (spent(since) < ENOUGH_NS) {
    for (let i = 0; i < 20; i++) parse(text, { noLocation: true })
    calls += 20
  }
  return spent(since) / calls
}

const documents = ask('list').trim().split('\n').map((name) => ({ name, text: ask('document', name) }))
for (const { text } of documents) measure(text) // what the compiler of node learns does not count
for (let round = 0; round < Number(rounds); round++) {
  for (const { name, text } of documents) {
    console.log(`parse, ${name}, ${Buffer.byteLength(text)} bytes\t${measure(text)}`)
  }
}

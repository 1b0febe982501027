'use strict'
// A test is a name and a function; they run one after the other, because they share one simulator.
// One line a test, then `N passed, N failed`. Fewer than we like, faster than a framework.

const tests = []
const TEST_LIMIT_MS = 20000

const test = (name, run) => tests.push({ name, run })

const within = (ms, promise) => {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${ms / 1000} s`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

const comment = (text) => String(text).replace(/^/gm, '#   ')

// An assertion speaks for itself; any other error needs the lines of our own code that led to it.
const explain = (error) => {
  if (error.code === 'ERR_ASSERTION') return error.message
  const ours = String(error.stack).split('\n').filter((line) => /tests\/clients\/[^/]*\.js/.test(line))
  return [`${error.name}: ${error.message}`, ...ours].join('\n')
}

// Runs every test with `world` (see world.js). Returns how many failed.
const runAll = async (world) => {
  let passed = 0
  const failed = []
  console.log(`1..${tests.length}`)
  for (const { name, run } of tests) {
    try {
      world.assertAlive()
      await within(TEST_LIMIT_MS, world.forget().then(() => run(world)))
      passed++
      console.log(`ok ${passed + failed.length} - ${name}`)
    } catch (error) {
      failed.push(name)
      console.log(`not ok ${passed + failed.length} - ${name}`)
      console.log(comment(explain(error)))
    }
  }
  if (failed.length > 0) console.log(comment(`the sidecar's log:\n${world.log()}`))
  console.log(`${passed} passed, ${failed.length} failed`)
  return failed.length
}

module.exports = { test, runAll }

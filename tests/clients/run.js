'use strict'
// Runs every *.test.js of this folder against one simulator and one sidecar.
//   JANUS_BIN_DIR  where janus-sidecar and janus-sim are (default: the release build)
//   node run.js [name ...]   only files whose name holds one of these words

const fs = require('fs')

const { createWorld } = require('./lib/world')
const { runAll, test } = require('./lib/suite')
const { assertEnd } = require('./lib/end')

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))

const main = async () => {
  const world = await createWorld()
  // What a developer sets, and nothing else: the clients stay as npm delivers them. VTEX_IO is read
  // when @vtex/api is loaded, so the test files come after it.
  for (const name of Object.keys(process.env)) {
    if (/_proxy$/i.test(name)) delete process.env[name]
  }
  process.env.VTEX_IO = 'true'
  process.env.http_proxy = world.proxy
  process.env.https_proxy = world.proxy

  const words = process.argv.slice(2)
  const files = fs.readdirSync(__dirname).filter((file) => file.endsWith('.test.js')).sort()
  for (const file of files) {
    if (words.length === 0 || words.some((word) => file.includes(word))) require(`./${file}`)
  }
  assertEnd(test) // last: it ends the sidecar
  let failed
  try {
    failed = await runAll(world)
  } finally {
    await world.end()
  }
  process.exit(failed === 0 ? 0 : 1)
}

main().catch((error) => {
  console.log(`not ok 1 - the simulator and the sidecar start\n# ${error.stack.replace(/\n/g, '\n# ')}`)
  console.log('0 passed, 1 failed')
  process.exit(1)
})

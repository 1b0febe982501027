'use strict'
// Our parser beside the reference implementation: the same documents are accepted, the same refused, and what is
// accepted is the same tree. Prints TAP.
//   JANUS_BIN_DIR         where graphql-print and janus-sidecar are (default: build/release/bin)
//   JANUS_REAL_MANIFESTS  a folder with schemas/ and schemas_doc/: real ones to compare as well
//   GRAPHQL_SEED, GRAPHQL_ROUNDS  other generated documents, and more of them (groups of 200)

const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')

const { parse } = require('graphql')
const { parse: parseVtex } = require('graphql-vtex')

const { authTests } = require('./auth')
const { generator } = require('./generate')
const stories = require('./stories')
const { print } = require('./tree')

const binaries = process.env.JANUS_BIN_DIR || path.join(__dirname, '../../build/release/bin')
const program = path.join(binaries, 'graphql-print')
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

// ---- both answers: {tree}, or {why} ----

const reference = (bytes, parser) => {
  try {
    return { tree: print(parser(utf8.decode(bytes), { noLocation: true })) }
  } catch (error) {
    if (error.name !== 'GraphQLError' && error.code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error
    return { why: error.message }
  }
}

const readAnswers = (out) => {
  const answers = []
  for (let at = 0; at < out.length; ) {
    const end = out.indexOf(10, at)
    const line = out.toString('latin1', at, end)
    at = end + 1
    if (line.startsWith('ok ')) {
      const length = Number(line.slice(3))
      answers.push({ tree: out.toString('utf8', at, at + length) })
      at += length
    } else {
      answers.push({ why: line.slice(3) })
    }
  }
  return answers
}

const ours = (documents) => {
  const input = Buffer.concat(documents.flatMap((bytes) => [Buffer.from(`${bytes.length}\n`), bytes]))
  const { error, signal, status, stderr, stdout } = spawnSync(program, { input, maxBuffer: 1 << 30 })
  if (error) throw error
  if (status !== 0) throw new Error(`graphql-print ended with ${status ?? signal}\n${stderr}`)
  return readAnswers(stdout)
}

const difference = (bytes, our, their) => {
  const same = our.tree === their.tree
  if (same) return null
  return [
    `document: ${JSON.stringify(bytes.toString('latin1'))}`,
    `ours:      ${our.tree === undefined ? our.why : our.tree}`,
    `reference: ${their.tree === undefined ? their.why : their.tree}`,
  ].join('\n')
}

// ---- what is compared ----

const compare = (documents) => {
  const answers = ours(documents)
  return documents.map((bytes, i) => difference(bytes, answers[i], reference(bytes, parse))).filter(Boolean)
}

const compareStories = () => {
  const documents = stories.map(({ text }) => Buffer.from(text))
  const answers = ours(documents)
  return stories.map(({ good, name }, i) => () => {
    const wrong = difference(documents[i], answers[i], reference(documents[i], parse))
    const judged = (answers[i].tree !== undefined) === good ? null : `it was ${good ? 'refused' : 'accepted'}`
    return { name: `${good ? 'accepted' : 'refused'}: ${name}`, wrong: [wrong, judged].filter(Boolean) }
  })
}

const filesOf = (folder) =>
  fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.graphql'))
    .map((entry) => path.join(entry.parentPath || entry.path, entry.name))
    .sort()

const compareFolder = (what, folder) => () => {
  const files = filesOf(folder)
  const documents = files.map((file) => fs.readFileSync(file))
  const refused = ours(documents).map((answer, i) => answer.why && `${files[i]}: ${answer.why}`).filter(Boolean)
  return { name: `${what}: ${files.length} documents`, wrong: [...compare(documents), ...refused] }
}

const GROUP = 200
const seed = Number(process.env.GRAPHQL_SEED || 20211026)
const rounds = Number(process.env.GRAPHQL_ROUNDS || 30)

const generated = (round) => {
  const chance = generator(seed + round)
  return Array.from({ length: GROUP }, (_, i) => {
    let bytes = Buffer.from(chance.document())
    for (let n = i % 4; n > 0 && bytes.length > 0; n--) bytes = Buffer.from(chance.mutate(bytes.toString()))
    return bytes
  })
}

const compareGenerated = (round) => () => {
  const documents = generated(round)
  const accepted = documents.filter((bytes) => reference(bytes, parse).tree !== undefined).length
  return {
    name: `${GROUP} generated documents (seed ${seed + round}), ${accepted} accepted by both`,
    wrong: compare(documents),
  }
}

// The apps run graphql 14, which takes less of the type system and more numbers; where it accepts what we
// accept, it must see the same tree, or a guard would judge another document than the app runs.
const compareVtex = () => {
  let both = 0
  const wrong = []
  for (let round = 0; round < rounds; round++) {
    const documents = generated(round)
    ours(documents).forEach((our, i) => {
      const their = our.tree === undefined ? {} : reference(documents[i], parseVtex)
      if (their.tree === undefined) return
      both++
      wrong.push(difference(documents[i], our, their))
    })
  }
  return { name: `graphql 14, which @vtex/api runs, sees the same in ${both} documents`, wrong: wrong.filter(Boolean) }
}

// ---- TAP ----

const real = process.env.JANUS_REAL_MANIFESTS
const tests = [
  ...compareStories(),
  compareFolder('our own', path.join(__dirname, 'documents')),
  ...(real ? ['schemas', 'schemas_doc'].map((folder) => compareFolder(`real ${folder}`, path.join(real, folder))) : []),
  ...Array.from({ length: rounds }, (_, round) => compareGenerated(round)),
  compareVtex,
  ...authTests(binaries, seed),
]

console.log(`1..${tests.length}`)
let failed = 0
tests.forEach((test, i) => {
  const { name, wrong } = test()
  if (wrong.length > 0) failed++
  console.log(`${wrong.length > 0 ? 'not ok' : 'ok'} ${i + 1} - ${name}`)
  for (const text of wrong.slice(0, 3)) console.log(text.replace(/^/gm, '#   '))
})
console.log(`${tests.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

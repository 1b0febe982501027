'use strict'
// What we read from an @auth, beside what the platform's own stack would: graphql 14 with the platform's
// declaration builds the schema and reads the arguments, and @vtex/api lets everyone in when the scope is PUBLIC,
// else asks License Manager if both codes are truthy, else fails each request.

const { spawnSync } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')

const { buildSchema, getDirectiveValues } = require('graphql-vtex')

const { generator } = require('./generate')

const DECLARED = `
  enum IOAuthScope { PUBLIC PRIVATE }
  directive @auth(scope: IOAuthScope, productCode: String, resourceCode: String) on FIELD_DEFINITION
  directive @cacheControl(maxAge: Int) on FIELD_DEFINITION`

const theirs = (directives) => {
  try {
    const schema = buildSchema(`${DECLARED}\ntype Query { f: Int ${directives} }`)
    const args = getDirectiveValues(schema.getDirective('auth'), schema.getQueryType().getFields().f.astNode)
    if (!args) return 'none'
    if (args.scope === 'PUBLIC') return 'public'
    return args.productCode && args.resourceCode ? 'private' : 'broken'
  } catch (error) {
    if (error.name !== 'GraphQLError' && error.constructor !== Error) throw error
    return 'broken'
  }
}

// A code of blanks is truthy there, and no code here.
const stricter = (directives) => /Code: "\s+"/.test(directives)

const SCOPES = ['', 'scope: PUBLIC', 'scope: PRIVATE', 'scope: ADMIN', 'scope: public', 'scope: "PUBLIC"', 'scope: null',
  'scope: 1', 'scope: [PUBLIC]', 'scope: true', 'scope: {}', 'scope: """PUBLIC"""']
const VALUES = [null, '"66"', '""', 'null', '66', '["66"]', 'ViewOrder', '"""66"""', '"  "', '"6 6"', 'true', '6.5', '{}', '"\\u0036"']
const EXTRA = ['', '', 'role: "admin"', 'Scope: PUBLIC', 'productcode: "66"', 'scope: PUBLIC', 'scope: PRIVATE',
  'productCode: "66"', 'resourceCode: null']

const auth = (...parts) => {
  const present = parts.filter(Boolean)
  return present.length > 0 ? `@auth(${present.join(', ')})` : '@auth'
}
const code = (name, value) => (value === null ? '' : `${name}: ${value}`)

const everyCombination = () =>
  SCOPES.flatMap((scope) =>
    VALUES.flatMap((product) =>
      VALUES.map((resource) => auth(scope, code('productCode', product), code('resourceCode', resource)))))

const byChance = (seed, n) => {
  const { below } = generator(seed)
  const pick = (items) => items[below(items.length)]
  const one = () => {
    const parts = [pick(SCOPES), code('productCode', pick(VALUES)), code('resourceCode', pick(VALUES)), pick(EXTRA)]
    return auth(...parts.sort(() => below(3) - 1))
  }
  return Array.from({ length: n }, () =>
    pick([one, one, one, () => `${one()} ${one()}`, () => `@cacheControl(maxAge: 1) ${one()}`, () => '@cacheControl', () => ''])())
}

// One schema, a field for each; the answer names them all.
const ours = (binaries, cases) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'janus-graphql-'))
  const file = path.join(folder, 'schema.graphql')
  try {
    fs.writeFileSync(file, `type Query {\n${cases.map((each, i) => `f${i}: Int ${each}\n`).join('')}}`)
    const { error, stderr, stdout } = spawnSync(path.join(binaries, 'janus-sidecar'),
      ['graphql', 'check', '--builder', '1.x', '--json', file], { encoding: 'utf8', maxBuffer: 1 << 28 })
    if (!stdout) throw error || new Error(stderr)
    return JSON.parse(stdout).operations.map(({ access }) => access)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

const compareAuth = (binaries, what, cases) => () => {
  const answers = ours(binaries, cases)
  let apart = 0
  const wrong = cases.map((directives, i) => {
    const their = theirs(directives)
    if (answers[i] === their) return null
    if (stricter(directives) && answers[i] === 'broken') {
      apart++
      return null
    }
    return `${directives}: ours is ${answers[i]}, theirs ${their}`
  })
  return { name: `${what}: ${cases.length} of @auth, ${apart} stricter here (blank codes)`, wrong: wrong.filter(Boolean) }
}

module.exports = {
  authTests: (binaries, seed) => [
    compareAuth(binaries, 'every combination', everyCombination()),
    compareAuth(binaries, 'by chance', byChance(seed, 2000)),
  ],
}

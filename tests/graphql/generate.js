'use strict'
// Documents by chance, the same ones for the same seed. `document()` follows the grammar; `mutate()` then
// spoils some of them in small ways, because most differences between two parsers lie near a valid document.

const generator = (seed) => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (n) => Math.floor(next() * n)
  const pick = (items) => items[below(items.length)]
  const chance = (percent) => below(100) < percent
  const maybe = (percent, make) => (chance(percent) ? make() : '')
  const times = (least, most, make) => Array.from({ length: least + below(most - least + 1) }, make)

  const blank = () => pick([' ', ' ', ' ', ' ', '\n', '\n  ', ', ', '\t', '\r\n', '\r', ' # note "{\n', '\ufeff ', '  ,,'])
  const words = (...parts) => parts.filter((part) => part !== '').join(blank())
  const many = (least, most, make) => times(least, most, make).join(blank())

  const plain = ['a', 'b', 'id', '_x', '__typename', 'Order9', 'on', 'query', 'type', 'null', 'true', 'enum', 'fragment', 'input', 'repeatable', 'extend']
  const name = () => pick(plain)
  const fragmentName = () => pick(plain.filter((each) => each !== 'on'))
  const enumName = () => pick(plain.filter((each) => !['true', 'null'].includes(each)))

  const digits = () => many(1, 4, () => below(10)).replace(/\D/g, '')
  const integer = () => `${maybe(30, () => '-')}${pick(['0', '7', '42', '1234567890'])}`
  const float = () =>
    integer() + pick([`.${digits()}`, `e${digits()}`, `E+${digits()}`, `.${digits()}e-${digits()}`])
  const character = () =>
    pick(['b', ' ', 'é', '\u{1f600}', '#', '{', "'", '\\"', '\\\\', '\\/', '\\b', '\\n', '\\r', '\\t', '\\f', '\\u00e9',
      '\\uD83D\\uDE00', '\\u{1F600}', '\\u{41}', '\t', '\u0001', '\u2028'])
  const line = () => `"${times(0, 6, character).join('')}"`
  const blockPiece = () =>
    pick(['b', 'c d', ' ', '  ', '\t', '\n', '\n  ', '\n    ', '\r\n   ', '\r', '\\"""', '"x', '\\n', '\\', 'é', '\u{1f600}', '\n\n'])
  const block = () => `"""${times(0, 9, blockPiece).join('').replace(/\\$/, '')} """`
  const string = () => (chance(70) ? line() : block())

  const value = (constant, depth) => {
    const kind = below(depth > 0 ? 10 : 7)
    if (kind === 0) return integer()
    if (kind === 1) return float()
    if (kind === 2) return string()
    if (kind === 3) return pick(['true', 'false', 'null'])
    if (kind === 4) return name()
    if (kind < 7) return constant ? integer() : `$${name()}`
    if (kind === 7) return words('[', many(0, 3, () => value(constant, depth - 1)), ']')
    return words('{', many(0, 3, () => words(name(), ':', value(constant, depth - 1))), '}')
  }
  const args = (constant) => maybe(30, () => words('(', many(1, 3, () => words(name(), ':', value(constant, 3))), ')'))
  const directives = (constant, percent = 20) =>
    maybe(percent, () => many(1, 2, () => words('@', name(), args(constant))))
  const type = (depth = 3) =>
    (depth > 0 && chance(25) ? words('[', type(depth - 1), ']') : name()) + maybe(30, () => '!')

  const selections = (depth) => words('{', many(1, 4, () => selection(depth)), '}')
  const selection = (depth) => {
    const inner = () => (depth > 0 ? selections(depth - 1) : '{ leaf }')
    const kind = below(10)
    if (kind === 0) return words('...', fragmentName(), directives(false))
    if (kind === 1) return words('...', maybe(70, () => words('on', name())), directives(false), inner())
    return words(maybe(20, () => words(name(), ':')), name(), args(false), directives(false), maybe(40, inner))
  }
  const variables = () =>
    maybe(40, () => words('(', many(1, 3, () =>
      words(`$${name()}`, ':', type(), maybe(30, () => words('=', value(true, 2))), directives(true))), ')'))
  const operation = () =>
    chance(30)
      ? selections(3)
      : words(pick(['query', 'mutation', 'subscription']), maybe(70, name), variables(), directives(false), selections(3))
  const fragment = () => words('fragment', fragmentName(), 'on', name(), directives(false), selections(2))

  const description = () => maybe(20, string)
  const inputValue = () =>
    words(description(), name(), ':', type(), maybe(30, () => words('=', value(true, 2))), directives(true))
  const field = () =>
    words(description(), name(), maybe(30, () => words('(', many(1, 3, inputValue), ')')), ':', type(), directives(true, 30))
  const braces = (make, percent) => maybe(percent, () => words('{', many(1, 4, make), '}'))
  const joined = (delimiter, make) => words(maybe(20, () => delimiter), times(1, 3, make).join(` ${delimiter} `))
  const interfaces = () => maybe(30, () => words('implements', joined('&', name)))
  const root = () => words(pick(['query', 'mutation', 'subscription']), ':', name())
  const places = ['QUERY', 'FIELD', 'FIELD_DEFINITION', 'ENUM_VALUE', 'INPUT_OBJECT', 'SCHEMA', 'VARIABLE_DEFINITION']
  const body = {
    directive: () => words('@', name(), maybe(50, () => words('(', many(1, 3, inputValue), ')')), maybe(20, () => 'repeatable'), 'on', joined('|', () => pick(places))),
    enum: (p) => words(name(), directives(true), braces(() => words(description(), enumName(), directives(true)), p)),
    input: (p) => words(name(), directives(true), braces(inputValue, p)),
    interface: (p) => words(name(), interfaces(), directives(true), braces(field, p)),
    scalar: () => words(name(), directives(true)),
    schema: () => words(directives(true), braces(root, 100)),
    type: (p) => words(name(), interfaces(), directives(true), braces(field, p)),
    union: (p) => words(name(), directives(true), maybe(p, () => words('=', joined('|', name)))),
  }
  const definition = () => {
    const keyword = pick(Object.keys(body))
    if (keyword === 'directive' || chance(70)) return words(description(), keyword, body[keyword](85))
    return words('extend', keyword, body[keyword](100), keyword === 'scalar' ? '@a' : '')
  }

  const document = () => {
    const make = pick([operation, operation, definition, () => pick([operation, fragment, definition])()])
    return many(1, 4, make) + maybe(30, blank)
  }

  // Where a token begins, more or less.
  const cuts = (text) => [...text.matchAll(/"""|[A-Za-z_0-9]+|[^\s]/gu)].map((match) => match.index)
  const changes = [
    (text) => { const at = pick(cuts(text)); return text.slice(0, at) + text.slice(at).replace(/^("""|[A-Za-z_0-9]+|[^\s])/u, '') },
    (text) => { const at = pick(cuts(text)); return text.slice(0, at) + pick(['{', '}', '(', ')', '[', ']', ':', '=', '!', '|', '&', '@', '$', '...', '.', '"', '"""', '\\', '#', '-', '0', '1.', '01', 'e', 'on', 'extend', '"d"', '\u0000', '\ufeff', '\n', "'"]) + text.slice(at) },
    (text) => { const from = pick(cuts(text)), to = pick(cuts(text)); return text.slice(0, Math.min(from, to)) + text.slice(Math.max(from, to)) },
    (text) => text.slice(0, below(text.length + 1)),
    (text) => { const at = below(text.length), from = below(text.length); return text.slice(0, at) + text.slice(from, from + below(12)) + text.slice(at) },
    (text) => { const bytes = Buffer.from(text); bytes[below(bytes.length)] ^= 1 << below(8); return bytes },
    (text) => { const bytes = Buffer.from(text); bytes[below(bytes.length)] = below(256); return bytes },
  ]
  const mutate = (text) => pick(changes)(text)

  return { below, document, mutate }
}

module.exports = { generator }

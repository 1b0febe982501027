'use strict'
// What must have been seen on both sides. A case's `want` is an object of these predicates, or a list of
// such objects of which one must hold:
//
//   nothing: true       the origin was not told anything
//   requests: n | [a,b] complete requests that the origin got
//   status: [...]       the final responses, in order; each one a list of 200, '4xx', ...
//   first: [...]        the first of them, however many there are
//   silent: true        the client got no response
//   closed, kept: true  the connection has ended, or has not, when all is said
//   interim: [...]      exactly these 1xx
//   sent, got           what the origin's first request or the client's first response is like, or a list
//                       for several (null: any):
//     method target version reason   text, or a list of which one
//     has: {name: value}             one line of it, with that value; a RegExp is matched
//     lines: {name: [values]}        all of them in order; list: {name: [elements]}
//     lacks: [names]  body: text  length: n of the body  complete: true  head: /.../
//   cut: true           the client can tell that what it got is not whole
//   neverSent, neverGot [texts] that are in nothing that the origin, or the client, was sent
//   tunnelled: text     came out of the tunnel at the origin; echoed: text at the client
//   released: ms        the connections to the origin are closed so soon
//   awaited: true       what the steps waited for came
//
// Besides, unless `tolerate` names them: no fault in any request that the origin got (`requests`), none in
// any response that the client got (`responses`).

const { elements, values } = require('./message')

const among = (status, allowed) =>
  [].concat(allowed).some((a) => a === status || (typeof a === 'string' && Number(a[0]) === Math.floor(status / 100)))

const quote = (text) => JSON.stringify(String(text).slice(0, 80))

const message = {
  method: (m, want) => [].concat(want).includes(m.method) || `method ${quote(m.method)}`,
  target: (m, want) => [].concat(want).includes(m.target) || `target ${quote(m.target)}`,
  version: (m, want) => m.version === want || `version ${quote(m.version)}`,
  reason: (m, want) => m.reason === want || `reason ${quote(m.reason)}`,
  head: (m, want) => want.test(m.text) || `head ${quote(m.text)}`,
  body: (m, want) => m.body.toString('latin1') === want || `body ${quote(m.body.toString('latin1'))}`,
  length: (m, want) => m.body.length === want || `${m.body.length} bytes of body`,
  complete: (m, want) => m.complete === want || (want ? 'not whole' : 'whole'),
  lacks: (m, want) => {
    const there = want.filter((name) => values(m, name).length)
    return there.length === 0 || there.map((name) => `${name}: ${values(m, name).join(', ')}`).join('; ')
  },
  has: (m, want) => {
    for (const [name, value] of Object.entries(want)) {
      const found = values(m, name)
      const right = found.length === 1 && (value instanceof RegExp ? value.test(found[0]) : found[0] === value)
      if (!right) return `${name}: ${quote(found.join(' | ') || 'none')}`
    }
    return true
  },
  lines: (m, want) => {
    for (const [name, all] of Object.entries(want)) {
      if (values(m, name).join('\n') !== all.join('\n')) return `${name}: ${quote(values(m, name).join(' | ') || 'none')}`
    }
    return true
  },
  list: (m, want) => {
    for (const [name, all] of Object.entries(want)) {
      if (elements(m, name).join('\n') !== all.join('\n')) return `${name}: ${quote(elements(m, name).join(' | ') || 'none')}`
    }
    return true
  },
}

const describe = (what, messages, wants) => {
  const out = []
  ;[].concat(wants).forEach((want, i) => {
    if (!want) return
    if (!messages[i]) {
      out.push(`${what} ${i + 1} is missing`)
      return
    }
    for (const [name, value] of Object.entries(want)) {
      const said = message[name](messages[i], value)
      if (said !== true) out.push(`${what} has ${said}`)
    }
  })
  return out
}

const statuses = (view) =>
  view.finals.map((r) => r.status || 'garbage').join(' ') || (view.closed ? 'closed' : 'no answer')

const isCut = (view) => {
  const [final] = view.finals
  if (!final) return view.closed
  if (final.status >= 500) return true
  return view.reset || (view.closed && !final.complete)
}

const predicates = {
  nothing: (view) => view.requests.length === 0 || `forwarded, answered ${statuses(view)}`,
  requests: (view, want) => {
    const n = view.requests.filter((r) => r.complete).length
    const [least, most] = [].concat(want, want)
    return (n >= least && n <= most) || `${n} whole request${n === 1 ? '' : 's'} at the origin, answered ${statuses(view)}`
  },
  status: (view, want) =>
    (view.finals.length === want.length && view.finals.every((r, i) => among(r.status, want[i]))) ||
    `answered ${statuses(view)}`,
  first: (view, want) => (view.finals.length > 0 && among(view.finals[0].status, want)) || `answered ${statuses(view)}`,
  silent: (view) => view.finals.length === 0 || `answered ${statuses(view)}`,
  closed: (view) => view.closed || 'the connection stays open',
  kept: (view) => !view.closed || 'the connection was closed',
  interim: (view, want) => {
    const seen = view.interim.map((r) => r.status)
    return seen.join() === want.join() || `interim ${seen.join() || 'none'}`
  },
  sent: (view, want) => describe('request', view.requests, want),
  got: (view, want) => describe('response', view.finals, want),
  cut: (view) => isCut(view) || `it looks whole: ${statuses(view)}${view.closed ? '' : ', still open'}`,
  neverSent: (view, want) =>
    want.filter((text) => view.heard.includes(text, 0, 'latin1')).map((text) => `the origin was told ${quote(text)}`),
  neverGot: (view, want) =>
    want.filter((text) => view.bytes.includes(text, 0, 'latin1')).map((text) => `the client was told ${quote(text)}`),
  tunnelled: (view, want) => view.tunnelled.toString('latin1') === want || `tunnelled ${quote(view.tunnelled)}`,
  echoed: (view, want) =>
    (view.finals[0] && (view.finals[0].tunnel || '').toString('latin1') === want) ||
    `echoed ${quote((view.finals[0] && view.finals[0].tunnel) || '')}, answered ${statuses(view)}`,
  awaited: (view) => view.awaited || 'it did not come in time',
  released: (view) => view.released || 'the connection to the origin stays open',
}

const list = (said) => (said === true ? [] : [].concat(said))

const faults = (view, tolerate) => {
  const out = []
  if (!tolerate.includes('requests')) for (const r of view.requests) for (const f of r.faults) out.push(`request with ${f}`)
  if (!tolerate.includes('responses')) for (const r of view.responses) for (const f of r.faults) out.push(`response with ${f}`)
  return [...new Set(out)]
}

const checkOne = (want, view, tolerate) => [
  ...Object.entries(want).flatMap(([name, value]) => list(predicates[name](view, value))),
  ...faults(view, tolerate),
]

// '' or why not.
const check = (row, view) => {
  const whys = [].concat(row.want).map((want) => checkOne(want, view, row.tolerate || []).join('; '))
  return whys.includes('') ? '' : whys[0]
}

module.exports = { check }

'use strict'
// The scores side by side: a table for people, and docs/conformance.md.

const fs = require('fs')
const path = require('path')

const { reasonFor } = require('../reasons')

const LEVELS = ['MUST', 'SHOULD', 'MAY', 'POLICY']
const WHO = ['ours', 'nginx', 'haproxy']
const DOCUMENT = path.join(__dirname, '../../../docs/conformance.md')
const DATE = '2026-11-22'

const cell = (result) => (result.why ? 'no' : 'yes')
// No byte of a case may be markup.
const plain = (text) => text.replace(/[^\x20-\x7e\u2019]/g, '?').replace(/([\\|<>`*_~[\]])/g, '\\$1')

const totals = (rows, results) =>
  LEVELS.map((level) => {
    const those = rows.filter((row) => row.level === level)
    return [level, those.length, ...WHO.map((who) => those.filter((row) => !results.get(row.id)[who].why).length)]
  })

const sum = (table) => ['all', ...[1, 2, 3, 4].map((i) => table.reduce((n, line) => n + line[i], 0))]

const differences = (rows, results, who) =>
  rows.filter((row) => results.get(row.id)[who].why).map((row) => ({ row, why: results.get(row.id)[who].why, reason: reasonFor(who, row.id) }))

// Cases of one reason stand together.
const byReason = (found) => {
  const groups = new Map()
  for (const one of found) groups.set(one.reason, [...(groups.get(one.reason) || []), one])
  return [...groups].map(([reason, ones]) =>
    `- ${reason}: ${ones.map(({ row }) => `\`${row.id}\`${row.level === 'MUST' ? '' : ` (${row.level})`}`).join(', ')}`)
}

const section = (title, rows, results, who) => {
  const found = differences(rows, results, who)
  return found.length ? [`## ${title}`, '', ...byReason(found), ''] : [`## ${title}`, '', 'Nothing.', '']
}

const INTRODUCTION = (versions) => `# Conformance

What HTTP/1.1 (RFC 9110, RFC 9112) asks of an intermediary, case by case, and who does it. Written by
\`./dev conformance --peers\`; the cases are tables in tests/conformance/cases/, and \`./dev conformance\` runs
them against our sidecar alone.

The client sends bytes, a scripted TLS origin answers bytes, and what both have seen is compared with what
the case wants. Most cases leave a choice, as the RFCs do: to refuse, or to pass on what is clean. MUST,
SHOULD and MAY are the RFC's words; POLICY is what this program promises beyond them, so a peer's "no" there is
no fault of the peer's.

The three were set up for the same work: plain HTTP in, verified TLS out, an allowlist of hosts and a path
prefix, a token in a header, kept connections to the origins; otherwise as they come. WebSockets and Via, which
are off here unless asked for, have their own instance with \`--upgrade websocket --via on\`; there nginx has the
\`map\` that its manual gives for WebSockets, and both peers a rule that writes Via. The peers replace a token that
the client brings itself; to us it is a user's own, and goes on instead of the app's.

Versions: ${WHO.map((who) => versions[who]).join(', ')}. Date: ${DATE}.

**Via** is the one MUST that our defaults leave undone (RFC 9110, 7.6.3): nothing is added that says who sent
a request, unless \`--via on\` asks for it. Its cases run with it, \`via-off\` without.
`

const document = (rows, results, versions) => {
  const table = totals(rows, results)
  return [
    INTRODUCTION(versions),
    '## Scores', '',
    '| level | cases | ours | nginx | HAProxy |', '|---|---|---|---|---|',
    ...[...table, sum(table)].map((line) => `| ${line.join(' | ')} |`), '',
    ...section('What we leave undone', rows, results, 'ours'),
    ...section('What nginx leaves undone, and why', rows, results, 'nginx'),
    ...section('What HAProxy leaves undone, and why', rows, results, 'haproxy'),
    '## Every case', '',
    '| case | RFC | level | what | ours | nginx | HAProxy |', '|---|---|---|---|---|---|---|',
    ...rows.map((row) => `| \`${row.id}\` | ${row.rfc} | ${row.level} | ${plain(row.what)} | ${WHO.map((who) => cell(results.get(row.id)[who])).join(' | ')} |`), '',
  ].join('\n')
}

const show = (rows, results) => {
  const width = Math.max(...rows.map((row) => row.id.length))
  console.log(`${'case'.padEnd(width)}  ${'RFC'.padEnd(12)} level   ours  nginx haproxy`)
  for (const row of rows) {
    const cells = WHO.map((who) => cell(results.get(row.id)[who]).padEnd(5)).join(' ')
    console.log(`${row.id.padEnd(width)}  ${row.rfc.padEnd(12)} ${row.level.padEnd(7)} ${cells}`)
  }
  for (const who of WHO) {
    for (const { row, why, reason } of differences(rows, results, who)) {
      console.log(`${who}: ${row.id}: ${why}${reason ? ` - ${reason}` : ''}`)
    }
  }
  const table = totals(rows, results)
  for (const line of [...table, sum(table)]) {
    console.log(`${line[0].padEnd(7)} ${String(line[1]).padStart(4)} cases: ${WHO.map((who, i) => `${who} ${line[i + 2]}`).join(', ')}`)
  }
}

// How many failures nobody has given a reason for. `whole`: every case has run, so the document can be written.
const report = (rows, results, versions, whole) => {
  show(rows, results)
  const unexplained = WHO.flatMap((who) => differences(rows, results, who).filter(({ reason }) => !reason).map(({ row }) => `${who}: ${row.id}`))
  for (const one of unexplained) console.log(`no reason is given for ${one}`)
  if (whole && unexplained.length === 0) fs.writeFileSync(DOCUMENT, document(rows, results, versions))
  return unexplained.length
}

module.exports = { report }

'use strict'
// The words that cases are written in. {host} and {open} are the two hosts of the case's origin: of the
// first only /allowed/ may be called, of the second everything. {token} is the header that the token is in.

const CRLF = '\r\n'

const lines = (...all) => all.map((line) => line + CRLF).join('') + CRLF
const GET = (...fields) => lines('GET /allowed/x HTTP/1.1', 'Host: {host}', ...fields)
const GET10 = (...fields) => lines('GET /allowed/x HTTP/1.0', 'Host: {host}', ...fields)
const OPEN = (method, target, ...fields) => lines(`${method} ${target} HTTP/1.1`, 'Host: {open}', ...fields)
const POST = (fields, body = '') => lines('POST /allowed/x HTTP/1.1', 'Host: {host}', ...[].concat(fields)) + body
const CHUNKED = (body) => POST('Transfer-Encoding: chunked', body)
const SECOND = lines('GET /allowed/second HTTP/1.1', 'Host: {host}')
const SMUGGLED = lines('GET /allowed/smuggled HTTP/1.1', 'Host: {host}')

const SAYS = (status, fields, body = '') => lines(`HTTP/1.1 ${status}`, ...[].concat(fields || [])) + body
const OK = SAYS('200 OK', ['Date: Sun, 22 Nov 2026 10:00:00 GMT', 'Content-Length: 2'], 'ok')

/* ---- what is wanted ---- */

const FORWARDED = { requests: 1, status: [200] }
const refused = (...statuses) => ({ nothing: true, status: [statuses.length ? statuses : ['4xx', '5xx']] })
const DROPPED = { nothing: true, silent: true, closed: true }
const REFUSED = [refused(), DROPPED]
const REFUSED_400 = refused(400)
const forwarded = (sent, got) => Object.assign({}, FORWARDED, sent && { sent }, got && { got })
// Either is fine, as long as what goes on is clean.
const REFUSED_OR = (sent) => [...REFUSED, forwarded(sent)]
// The body is broken: the origin never has a whole request, and the client hears of it.
const BROKEN = [{ requests: 0, status: [['4xx', '5xx']] }, { requests: 0, silent: true, closed: true }]
const BROKEN_OR = (sent) => [...BROKEN, forwarded(sent)]
const BAD_ORIGIN = { requests: 1, status: [502] }

module.exports = {
  BAD_ORIGIN, BROKEN, BROKEN_OR, CHUNKED, CRLF, DROPPED, FORWARDED, GET, GET10, OK, OPEN, POST, REFUSED, REFUSED_400,
  REFUSED_OR, SAYS, SECOND, SMUGGLED, forwarded, lines, refused,
}

'use strict'
// Where a request ends: Content-Length, Transfer-Encoding, and everything that two readers could take differently.

const { BROKEN, FORWARDED, GET, OPEN, POST, REFUSED, REFUSED_OR, SECOND, SMUGGLED, forwarded, lines, refused } = require('../lib/words')

const HELLO = { body: 'hello' }
const length = (value, body = 'hello') => POST(`Content-Length: ${value}`, body)
const CLOSED_400 = Object.assign(refused(400), { closed: true })
const once = (want) => Object.assign({ neverSent: ['/smuggled HTTP'] }, want)
const CODING_REFUSED = [once(Object.assign(refused(400, 501), { closed: true }))]
const HIDDEN = '0\r\n\r\n' + SMUGGLED
const coded = (fields, body = HIDDEN) => POST(fields, body)
// Either of the two is taken as the end and the other one dropped; then all that was covered is body.
const covered = (line) => POST([line, `Content-Length: ${HIDDEN.length + 4}`], HIDDEN + 'xxxx')

module.exports = [
  { id: 'length-plain', rfc: '9112 6.3', level: 'MUST', what: 'a body by its length', client: length('5'), want: forwarded(HELLO) },
  { id: 'length-zero', rfc: '9110 8.6', level: 'MUST', what: 'a length of nothing', client: length('0', ''), want: forwarded({ body: '' }) },
  { id: 'length-post-none', rfc: '9110 8.6', level: 'SHOULD', what: 'a POST without a length has no body', client: POST([]) + SECOND, want: { requests: 2, status: [200, 200] } },
  { id: 'length-zeros', rfc: '9110 8.6', level: 'SHOULD', what: 'leading zeros are a number', client: length('0005'), want: REFUSED_OR(HELLO) },
  { id: 'length-twice', rfc: '9110 8.6', level: 'MUST', what: 'the same length in two lines: refused, or one goes on', client: POST(['Content-Length: 5', 'Content-Length: 5'], 'hello'), want: REFUSED_OR({ body: 'hello', lines: { 'Content-Length': ['5'] } }) },
  { id: 'length-list', rfc: '9110 8.6', level: 'MUST', what: 'the same length as a list: refused, or one goes on', client: length('5, 5'), want: REFUSED_OR({ body: 'hello', lines: { 'Content-Length': ['5'] } }) },
  { id: 'length-two', rfc: '9112 6.3', level: 'MUST', what: 'two lengths: 400, and the connection closes', client: POST(['Content-Length: 5', 'Content-Length: 6'], 'hello!'), want: CLOSED_400 },
  { id: 'length-two-list', rfc: '9112 6.3', level: 'MUST', what: 'two lengths in a list: 400, and the connection closes', client: length('5, 6', 'hello!'), want: CLOSED_400 },
  ...[['plus', '+5'], ['minus', '-5'], ['blank-inside', '5 5'], ['hex', '0x5'], ['point', '5.0'], ['exponent', '5e0'], ['semicolon', '5;'], ['vt', '5\v'], ['nbsp', '\xa05'], ['superscript', '\xb2'], ['letters', 'five'], ['quoted', '"5"'], ['empty', ''], ['underscore', '1_0'], ['nul', '5\0']].map(([name, value]) => (
    { id: `length-${name}`, rfc: '9112 6.3', level: 'MUST', what: `length ${JSON.stringify(value)}: 400, and the connection closes`, client: length(value), want: CLOSED_400 })),
  { id: 'length-2^64+5', rfc: '9112 6.3', level: 'MUST', what: 'a length that wraps around 2^64: 400', client: length('18446744073709551621'), want: [CLOSED_400, Object.assign(refused(413), { closed: true })] },
  { id: 'length-2^32+5', rfc: '9110 8.6', level: 'MUST', what: 'a length over 2^32 is not taken modulo 2^32', client: [length('4294967301'), { ms: 100 }, { fin: true }], want: [{ requests: 0 }] },
  { id: 'length-comma-first', rfc: '9112 6.3', level: 'MUST', what: 'an empty element before a length is refused or dropped', client: length(',5'), want: REFUSED_OR(HELLO) },
  { id: 'length-comma-last', rfc: '9112 6.3', level: 'MUST', what: 'an empty element behind a length is refused or dropped', client: length('5 ,'), want: REFUSED_OR(HELLO) },
  { id: 'length-blank-colon', rfc: '9112 5.1', level: 'MUST', what: 'a blank before the colon of a length: 400', client: POST('Content-Length : 5', 'hello'), want: refused(400) },
  { id: 'length-folded', rfc: '9112 5.2', level: 'MUST', what: 'a folded length is refused or joined', client: POST('Content-Length:\r\n 5', 'hello'), want: REFUSED_OR(HELLO) },
  { id: 'length-underscore-name', rfc: '9112 11.2', level: 'MUST', what: 'Content_Length is no length', client: POST(['Content_Length: 5', 'Content-Length: 0']) + SECOND, want: [...REFUSED, { requests: 2, status: [200, 200], sent: [{ body: '' }] }] },
  { id: 'length-get-body', rfc: '9112 6.3', level: 'MUST', what: 'a GET with a body keeps its end', client: GET('Content-Length: 5') + 'hello' + SECOND, want: [...REFUSED, { requests: 2, status: [200, 200], sent: [HELLO, { target: '/allowed/second' }] }] },
  { id: 'length-delete-body', rfc: '9112 6.3', level: 'MUST', what: 'a DELETE with a body keeps its end', client: lines('DELETE /allowed/x HTTP/1.1', 'Host: {host}', 'Content-Length: 5') + 'hello' + SECOND, want: [...REFUSED, { requests: 2, status: [200, 200], sent: [HELLO] }] },
  { id: 'length-options-body', rfc: '9112 6.3', level: 'MUST', what: 'an OPTIONS with a body keeps its end', methods: ['OPTIONS', 'GET'], client: lines('OPTIONS /allowed/x HTTP/1.1', 'Host: {host}', 'Content-Length: 5') + 'hello' + SECOND, want: [...REFUSED, { requests: 2, status: [200, 200], sent: [HELLO] }] },
  { id: 'length-head', rfc: '9110 8.6', level: 'MUST', what: 'a HEAD with a length of nothing', methods: ['HEAD'], client: lines('HEAD /allowed/x HTTP/1.1', 'Host: {host}', 'Content-Length: 0'), want: forwarded({ method: 'HEAD', body: '' }) },
  { id: 'length-short-fin', rfc: '9112 8', level: 'MUST', what: 'a body cut short: the origin never has a whole request', client: [length('50'), { ms: 50 }, { fin: true }], want: { requests: 0 } },
  { id: 'length-short-reset', rfc: '9112 8', level: 'MUST', what: 'the client goes away in the middle: the origin’s connection is closed', client: [length('50'), { heads: 1 }, { leave: 'reset' }], want: { requests: 0, released: 1500 } },
  { id: 'length-3mb', rfc: '9112 6.3', level: 'MUST', what: 'three megabytes arrive whole', client: [POST('Content-Length: 3000000'), { flood: ['0123456789', 300000] }], want: forwarded({ length: 3000000 }) },
  { id: 'length-streams', rfc: '9110 3.7', level: 'POLICY', what: 'a body is passed on while it comes', client: [POST('Content-Length: 10', 'first'), { heads: 1 }, { ms: 150 }, '-last'], want: Object.assign({ awaited: true }, forwarded({ body: 'first-last' })) },
  { id: 'length-extra', rfc: '9112 6.3', level: 'MUST', what: 'what stands behind a body is the next request', client: length('5', 'hello') + SECOND, want: { requests: 2, status: [200, 200], sent: [HELLO, { target: '/allowed/second' }] } },
  { id: 'length-extra-junk', rfc: '9112 2.2', level: 'MUST', what: 'bytes behind a body that are no request are answered 400', client: length('5', 'hello') + '\x01junk\r\n\r\n', want: [{ requests: 1, status: [200, '4xx'] }, { requests: 1, status: [200], closed: true }] },
  { id: 'length-extra-crlf', rfc: '9112 2.2', level: 'SHOULD', what: 'an empty line behind a body is skipped', client: length('5', 'hello') + '\r\n' + SECOND, want: { requests: 2, status: [200, 200] } },

  { id: 'coding-plain', rfc: '9112 7.1', level: 'MUST', what: 'a chunked body', client: POST('Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'), want: forwarded(HELLO) },
  { id: 'coding-case', rfc: '9112 7', level: 'MUST', what: 'codings are the same in any case', client: POST('Transfer-Encoding: cHuNkEd', '5\r\nhello\r\n0\r\n\r\n'), want: forwarded(HELLO) },
  { id: 'coding-and-length', rfc: '9112 6.1', level: 'MUST', what: 'both: refused, or the length is dropped and the connection closes', client: POST(['Transfer-Encoding: chunked', 'Content-Length: 5'], '5\r\nhello\r\n0\r\n\r\n'), want: REFUSED_OR(HELLO).map((w) => Object.assign({ closed: true }, w)) },
  { id: 'length-and-coding', rfc: '9112 6.1', level: 'MUST', what: 'the same, the length first', client: POST(['Content-Length: 5', 'Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'), want: REFUSED_OR(HELLO).map((w) => Object.assign({ closed: true }, w)) },
  { id: 'coding-cl-te', rfc: '9112 11.2', level: 'MUST', what: 'a request hidden by both (CL.TE)', client: coded(['Content-Length: 5', 'Transfer-Encoding: chunked']), want: [...REFUSED, once({ requests: 1 })] },
  { id: 'coding-te-cl', rfc: '9112 11.2', level: 'MUST', what: 'a request hidden by both (TE.CL)', client: POST(['Transfer-Encoding: chunked', 'Content-Length: 4'], `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`), want: REFUSED.concat([{ requests: 1 }]) },
  { id: 'coding-1.0', rfc: '9112 6.1', level: 'MUST', what: 'a coding in HTTP/1.0 is faulty', client: lines('POST /allowed/x HTTP/1.0', 'Host: {host}', 'Transfer-Encoding: chunked') + '5\r\nhello\r\n0\r\n\r\n' + SMUGGLED, want: [...REFUSED, once({ requests: 1 })] },
  { id: 'coding-not-last', rfc: '9112 6.3', level: 'MUST', what: 'chunked is not the last coding: 400 (or 501), and the connection closes', client: coded('Transfer-Encoding: chunked, gzip'), want: CODING_REFUSED },
  { id: 'coding-gzip', rfc: '9112 6.3', level: 'MUST', what: 'no chunked at all: 400 (or 501), and the connection closes', client: coded('Transfer-Encoding: gzip'), want: CODING_REFUSED },
  { id: 'coding-identity', rfc: '9112 7', level: 'MUST', what: 'identity is no coding any more', client: coded('Transfer-Encoding: identity'), want: CODING_REFUSED },
  { id: 'coding-identity-length', rfc: '9112 7', level: 'MUST', what: 'nor beside a length', client: covered('Transfer-Encoding: identity'), want: REFUSED },
  { id: 'coding-twice-line', rfc: '9112 6.1', level: 'MUST', what: 'chunked twice in one line', client: coded('Transfer-Encoding: chunked, chunked'), want: REFUSED.map(once) },
  { id: 'coding-twice-lines', rfc: '9112 6.1', level: 'MUST', what: 'chunked twice in two lines', client: coded(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']), want: REFUSED.map(once) },
  { id: 'coding-then-identity', rfc: '9112 6.3', level: 'MUST', what: 'chunked, then a line with identity', client: coded(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity']), want: [...REFUSED, once({ requests: 1 })] },
  { id: 'coding-identity-then', rfc: '9112 6.3', level: 'MUST', what: 'identity, then a line with chunked', client: coded(['Transfer-Encoding: identity', 'Transfer-Encoding: chunked']), want: [...REFUSED, once({ requests: 1 })] },
  { id: 'coding-gzip-chunked', rfc: '9112 6.1', level: 'MUST', what: 'gzip, chunked: refused, or passed on whole', client: POST('Transfer-Encoding: gzip, chunked', '5\r\nhello\r\n0\r\n\r\n'), tolerate: ['requests'], want: REFUSED_OR(HELLO) },
  { id: 'coding-unknown', rfc: '9112 6.1', level: 'SHOULD', what: 'a coding that we do not know: 501', client: POST('Transfer-Encoding: br, chunked', '0\r\n\r\n'), want: refused(501) },
  { id: 'coding-empty', rfc: '9112 6.1', level: 'MUST', what: 'an empty coding', client: coded('Transfer-Encoding:'), want: [...REFUSED.map(once), { requests: 2 }] },
  ...[['blank-colon', 'Transfer-Encoding : chunked'], ['tab-colon', 'Transfer-Encoding\t: chunked'], ['vt', 'Transfer-Encoding:\vchunked'], ['ff', 'Transfer-Encoding: chunked\f'], ['nbsp', 'Transfer-Encoding: \xa0chunked'], ['quotes', 'Transfer-Encoding: "chunked"'], ['apostrophes', "Transfer-Encoding: 'chunked'"], ['comma-junk', 'Transfer-Encoding: chunked, x'], ['junk-comma', 'Transfer-Encoding: x, chunked'], ['junk-blank', 'Transfer-Encoding: x chunked'], ['folded', 'Transfer-Encoding:\r\n chunked'], ['folded-tab', 'Transfer-Encoding:\r\n\tchunked'], ['empty-element', 'Transfer-Encoding: ,chunked'], ['empty-behind', 'Transfer-Encoding: chunked,'], ['kelvin', 'Transfer-Encoding: chun\xe2\x84\xaaed'], ['semicolon', 'Transfer-Encoding: chunked;q=1'], ['nul', 'Transfer-Encoding: chunked\0'], ['underscore', 'Transfer_Encoding: chunked'], ['bare-cr', 'X: y\rTransfer-Encoding: chunked'], ['bare-lf', 'X: y\nTransfer-Encoding: chunked'], ['long-s', 'Tran\xc5\xbffer-Encoding: chunked'], ['brackets', 'Transfer-Encoding: [chunked]'], ['equals', 'Transfer-Encoding=chunked: x']].map(([name, line]) => (
    { id: `disguised-${name}`, rfc: '9112 11.2', level: 'MUST', what: `a disguised coding beside a length: ${JSON.stringify(line)}`, client: covered(line), want: [...REFUSED, { requests: 1, sent: { length: HIDDEN.length + 4 } }, once({ requests: 1, sent: { body: '' }, closed: true })] })),
  { id: 'coding-blank-colon', rfc: '9112 5.1', level: 'MUST', what: 'a blank before the coding’s colon: 400', client: POST('Transfer-Encoding : chunked', '5\r\nhello\r\n0\r\n\r\n'), want: refused(400) },
  { id: 'coding-get', rfc: '9112 6.3', level: 'MUST', what: 'a chunked GET keeps its end', client: GET('Transfer-Encoding: chunked') + '5\r\nhello\r\n0\r\n\r\n' + SECOND, want: [...REFUSED, { requests: 2, status: [200, 200], sent: [HELLO] }] },
  { id: 'coding-head', rfc: '9112 6.3', level: 'MUST', what: 'a chunked HEAD keeps its end', methods: ['HEAD', 'GET'], client: lines('HEAD /allowed/x HTTP/1.1', 'Host: {host}', 'Transfer-Encoding: chunked') + '5\r\nhello\r\n0\r\n\r\n' + SECOND, want: [...REFUSED, { requests: 2, status: [200, 200] }] },
  { id: 'refused-body', rfc: '9112 9.3', level: 'POLICY', what: 'the body of a refused request is not run as one', client: lines('POST /allowed/x HTTP/1.1', 'Host: evil.test', `Content-Length: ${SMUGGLED.length}`) + SMUGGLED + SECOND, want: [once({ requests: [0, 1], first: ['4xx'] })] },
  { id: 'refused-body-chunked', rfc: '9112 9.3', level: 'POLICY', what: 'nor is a chunked one', client: lines('POST /allowed/x HTTP/1.1', 'Host: evil.test', 'Transfer-Encoding: chunked') + `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n` + SECOND, want: [once({ requests: [0, 1], first: ['4xx'] })] },
  { id: 'refused-path', rfc: '9110 4.2.3', level: 'POLICY', what: 'dot segments do not leave what is allowed', client: lines('GET /allowed/../secret HTTP/1.1', 'Host: {host}'), want: [...REFUSED, forwarded({ target: '/allowed/x' })] },
  { id: 'refused-path-escaped', rfc: '9110 4.2.3', level: 'POLICY', what: 'nor do escaped ones', client: lines('GET /allowed/%2e%2e/secret HTTP/1.1', 'Host: {host}'), want: REFUSED },
  { id: 'allowed-other', rfc: 'product', level: 'POLICY', what: 'beside them, what is allowed passes', client: OPEN('GET', '/anything'), want: FORWARDED },
  { id: 'length-broken-later', rfc: '9112 6.3', level: 'MUST', what: 'a broken chunk behind a good one: never whole at the origin', client: POST('Transfer-Encoding: chunked', '5\r\nhello\r\nzz\r\n\r\n'), want: BROKEN },
]

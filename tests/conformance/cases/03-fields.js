'use strict'
// Header lines of requests: names, values, order, folding, size.

const { CRLF, FORWARDED, GET, POST, REFUSED, REFUSED_400, REFUSED_OR, SMUGGLED, forwarded, lines, refused } = require('../lib/words')

const delimiters = [...'"(),/;<=>?@[\\]{}']
const controls = [['nul', '\0'], ['soh', '\x01'], ['bs', '\b'], ['vt', '\v'], ['ff', '\f'], ['so', '\x0e'], ['esc', '\x1b'], ['us', '\x1f'], ['del', '\x7f']]
const hex = (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')
// Refused, or passed on without what offends: the check of faults sees to the latter.
const CLEAN = [...REFUSED, FORWARDED]

module.exports = [
  { id: 'name-empty', rfc: '9110 5.1', level: 'MUST', what: 'an empty name never goes on', client: GET(': bar'), want: CLEAN },
  ...delimiters.map((byte) => ({ id: `name-with-${hex(byte)}`, rfc: '9110 5.6.2', level: 'MUST', what: `${byte} in a name never goes on`, client: GET(`X${byte}Foo: bar`), want: CLEAN })),
  ...controls.map(([name, byte]) => ({ id: `name-with-${name}`, rfc: '9110 5.1', level: 'MUST', what: `${name.toUpperCase()} in a name never goes on`, client: GET(`X${byte}Foo: bar`), want: CLEAN })),
  { id: 'name-with-blank', rfc: '9110 5.1', level: 'MUST', what: 'a blank in a name never goes on', client: GET('X Foo: bar'), want: CLEAN },
  { id: 'name-with-tab', rfc: '9110 5.1', level: 'MUST', what: 'a tab in a name never goes on', client: GET('X\tFoo: bar'), want: CLEAN },
  { id: 'name-with-byte-80', rfc: '9110 5.1', level: 'MUST', what: 'byte 80 in a name never goes on', client: GET('X\x80Foo: bar'), want: CLEAN },
  { id: 'name-with-byte-e9', rfc: '9110 5.1', level: 'MUST', what: 'byte e9 in a name never goes on', client: GET('X\xe9Foo: bar'), want: CLEAN },
  { id: 'name-with-byte-ff', rfc: '9110 5.1', level: 'MUST', what: 'byte ff in a name never goes on', client: GET('X\xffFoo: bar'), want: CLEAN },
  { id: 'name-quoted', rfc: '9110 5.1', level: 'MUST', what: 'a name in quotes never goes on', client: GET('"X-Foo": bar'), want: CLEAN },
  { id: 'name-no-colon', rfc: '9112 5', level: 'MUST', what: 'a line without a colon never goes on', client: GET('X-Foo bar'), want: CLEAN },
  { id: 'name-blank-colon', rfc: '9112 5.1', level: 'MUST', what: 'a blank before the colon: 400', client: GET('X-Foo : bar'), want: REFUSED_400 },
  { id: 'name-tab-colon', rfc: '9112 5.1', level: 'MUST', what: 'a tab before the colon: 400', client: GET('X-Foo\t: bar'), want: REFUSED_400 },
  { id: 'name-all-token', rfc: '9110 5.6.2', level: 'SHOULD', what: 'every token character may stand in a name', client: GET("X!#$%&'*+-.^`|~9: 1"), want: forwarded({ has: { "X!#$%&'*+-.^`|~9": '1' } }) },
  { id: 'name-underscore', rfc: '9110 5.1', level: 'SHOULD', what: 'an underscore in a name goes on', client: GET('X_Under: 1'), want: forwarded({ has: { X_Under: '1' } }) },
  { id: 'name-long', rfc: '9110 5.4', level: 'SHOULD', what: 'a name of 1,000 bytes goes on', client: GET(`${'N'.repeat(1000)}: 1`), want: forwarded({ has: { ['N'.repeat(1000)]: '1' } }) },
  { id: 'name-case-kept', rfc: '9110 5.1', level: 'SHOULD', what: 'names are the same in any case', client: GET('x-fOO: 1'), want: forwarded({ has: { 'X-Foo': '1' } }) },

  ...controls.map(([name, byte]) => ({ id: `value-with-${name}`, rfc: '9110 5.5', level: name === 'nul' ? 'MUST' : 'POLICY', what: `${name.toUpperCase()} in a value is refused or replaced`, client: GET(`X-Foo: a${byte}b`), want: CLEAN })),
  { id: 'value-with-cr', rfc: '9112 2.2', level: 'MUST', what: 'a line hidden behind a bare CR stays hidden', client: GET('X-Foo: a\rX-Hidden: 1'), want: REFUSED_OR({ lacks: ['X-Hidden'] }) },
  { id: 'value-with-lf', rfc: '9112 2.2', level: 'MUST', what: 'a line behind a bare LF is refused or read as a line, never passed on as it is', client: GET('X-Foo: a\nX-Hidden: 1'), want: CLEAN },
  { id: 'value-with-crcrlf', rfc: '9112 2.2', level: 'MUST', what: 'CR CR LF', client: GET('X-Foo: a\r'), want: CLEAN },
  { id: 'value-obs-text', rfc: '9110 5.5', level: 'SHOULD', what: 'bytes above 7f pass', client: GET('X-Foo: caf\xe9 \xff'), want: forwarded({ has: { 'X-Foo': 'caf\xe9 \xff' } }) },
  { id: 'value-empty', rfc: '9110 5.5', level: 'MUST', what: 'an empty value swallows nothing', client: GET('X-Empty:', 'X-After: 1'), want: forwarded({ has: { 'X-After': '1' } }) },
  { id: 'value-blanks-around', rfc: '9112 5.1', level: 'MUST', what: 'blanks around a value are none of it', client: GET('X-Foo: \t  a b \t '), want: forwarded({ has: { 'X-Foo': 'a b' } }) },
  { id: 'value-blanks-inside', rfc: '9110 5.5', level: 'MUST', what: 'blanks and tabs inside stay', client: GET('X-Foo: a  b\tc'), want: forwarded({ has: { 'X-Foo': 'a  b\tc' } }) },
  { id: 'value-no-blank', rfc: '9112 5.1', level: 'MUST', what: 'no blank is needed behind the colon', client: GET('X-Foo:a'), want: forwarded({ has: { 'X-Foo': 'a' } }) },
  { id: 'value-colons', rfc: '9110 5.5', level: 'MUST', what: 'colons in a value', client: GET('X-Foo: a:b: c'), want: forwarded({ has: { 'X-Foo': 'a:b: c' } }) },
  { id: 'value-quoted', rfc: '9110 5.6.4', level: 'MUST', what: 'quoted strings are not touched', client: GET('X-Foo: "a, b\\"", c'), want: forwarded({ has: { 'X-Foo': '"a, b\\"", c' } }) },
  { id: 'value-long', rfc: '9110 5.4', level: 'SHOULD', what: 'a value of 7,000 bytes goes on', client: GET(`X-Foo: ${'v'.repeat(7000)}`), want: forwarded({ has: { 'X-Foo': 'v'.repeat(7000) } }) },

  { id: 'fold-blank', rfc: '9112 5.2', level: 'MUST', what: 'a folded line is refused or joined', client: GET('X-Foo: a\r\n b', 'X-Bar: 1'), want: REFUSED_OR({ has: { 'X-Foo': /^a\s+b$/, 'X-Bar': '1' } }) },
  { id: 'fold-tab', rfc: '9112 5.2', level: 'MUST', what: 'the same with a tab', client: GET('X-Foo: a\r\n\tb', 'X-Bar: 1'), want: REFUSED_OR({ has: { 'X-Foo': /^a\s+b$/, 'X-Bar': '1' } }) },
  { id: 'fold-length', rfc: '9112 5.2', level: 'MUST', what: 'a folded line that looks like a length is none', client: POST(['X-Foo: a\r\n Content-Length: 29'], SMUGGLED), want: [...REFUSED, { neverSent: ['\nContent-Length: 29'], requests: [1, 2] }] },
  { id: 'fold-blank-line', rfc: '9112 5.2', level: 'MUST', what: 'a line of blanks does not end a head', client: GET('X-Foo: a', ' ', 'X-Bar: 1'), want: CLEAN },
  { id: 'fold-first', rfc: '9112 2.2', level: 'MUST', what: 'a first line that begins with a blank is refused or dropped', client: 'GET /allowed/x HTTP/1.1\r\n X-Foo: bar\r\nHost: {host}\r\n\r\n', want: REFUSED_OR({ lacks: ['X-Foo'] }) },
  { id: 'fold-first-host', rfc: '9112 2.2', level: 'MUST', what: 'a Host that begins with a blank does not count', client: 'GET /allowed/x HTTP/1.1\r\n Host: {host}\r\n\r\n', want: REFUSED },

  { id: 'order-kept', rfc: '9110 5.3', level: 'MUST', what: 'lines of one name keep their order', client: GET('X-L: 1', 'X-O: z', 'X-L: 2', 'X-L: 3'), want: forwarded({ list: { 'X-L': ['1', '2', '3'] } }) },
  { id: 'order-cookie', rfc: '6265 5.4', level: 'SHOULD', what: 'a cookie’s pairs stay as they are', client: GET('Cookie: a=1; b="2"; c='), want: forwarded({ has: { Cookie: 'a=1; b="2"; c=' } }) },
  { id: 'unknown-kept', rfc: '9110 5.1', level: 'MUST', what: 'fields that nobody knows go on', client: GET('Never-Heard-Of: 1', 'Priority: u=1', 'Sec-GPC: 1'), want: forwarded({ has: { 'Never-Heard-Of': '1', Priority: 'u=1', 'Sec-GPC': '1' } }) },
  { id: 'conditional-kept', rfc: '9110 13.1', level: 'MUST', what: 'conditions and ranges go on', client: GET('If-None-Match: W/"a", "b"', 'Range: bytes=0-1', 'If-Range: "x"'), want: forwarded({ has: { 'If-None-Match': 'W/"a", "b"', Range: 'bytes=0-1', 'If-Range': '"x"' } }) },
  { id: 'many-lines', rfc: '9110 5.4', level: 'MUST', what: '300 lines: all of them, or a 4xx', client: GET(...Array.from({ length: 300 }, (_, i) => `X-${i}: v`)), want: [refused('4xx'), forwarded({ has: { 'X-0': 'v', 'X-299': 'v' } })] },
  { id: 'many-fit', rfc: '9110 5.4', level: 'SHOULD', what: '100 lines go on', client: GET(...Array.from({ length: 100 }, (_, i) => `X-${i}: v`)), want: forwarded({ has: { 'X-99': 'v' } }) },
  { id: 'endless-line', rfc: '9110 5.4', level: 'MUST', what: 'a line that never ends is refused, not kept', client: ['GET /allowed/x HTTP/1.1\r\nHost: {host}\r\nX-Big: ', { flood: ['a'.repeat(1000), 2000] }], want: REFUSED },
  { id: 'endless-head', rfc: '9110 5.4', level: 'MUST', what: 'a head that never ends is refused, not kept', client: ['GET /allowed/x HTTP/1.1\r\nHost: {host}\r\n', { flood: [`X-A: ${'b'.repeat(500)}${CRLF}`, 4000] }], want: REFUSED },
  { id: 'drip', rfc: '9112 2.2', level: 'MUST', what: 'a head that comes byte by byte is the same head', client: [{ drip: [GET('X-A: 1'), 1] }], want: forwarded({ has: { 'X-A': '1' } }) },
  { id: 'unfinished', rfc: '9112 8', level: 'MUST', what: 'a head that is not finished is never forwarded', client: ['GET /allowed/x HTTP/1.1\r\nHost: {host}\r\nX-A: 1', { fin: true }], want: { nothing: true } },
  { id: 'not-added', rfc: '9110 7.6.3', level: 'POLICY', what: 'nothing that identifies the app is added', client: GET(), want: forwarded({ lacks: ['Via', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'Forwarded', 'X-Real-IP', 'User-Agent', 'X-Request-Id'] }) },
  { id: 'forwarded-kept', rfc: '7239 4', level: 'SHOULD', what: 'what others said about the client goes on as it is', client: GET('Forwarded: for=192.0.2.1', 'X-Forwarded-For: 192.0.2.1'), want: forwarded({ has: { Forwarded: 'for=192.0.2.1', 'X-Forwarded-For': '192.0.2.1' } }) },

  { id: 'token-added', rfc: 'product', level: 'POLICY', what: 'the token is added, once', client: GET(), want: forwarded({ has: { '{token}': '{secret}' } }) },
  { id: 'token-copy', rfc: 'product', level: 'POLICY', what: 'the client’s own line of that name does not join it', client: GET('{token}: evil-token'), want: REFUSED_OR({ head: /^(?:(?!\r\n{token}:)[^])*\r\n{token}: [^\r]*\r\n(?:(?!\r\n{token}:)[^])*$/i }) },
  { id: 'token-nominated', rfc: '9110 7.6.1', level: 'POLICY', what: 'Connection cannot strip the token', client: GET('Connection: {token}, close'), want: REFUSED_OR({ has: { '{token}': '{secret}' } }) },
  { id: 'token-blank-colon', rfc: '9112 5.1', level: 'MUST', what: 'the token’s name with a blank before the colon: 400', client: GET('{token} : evil-token'), want: REFUSED_400 },
  { id: 'token-foreign', rfc: 'product', level: 'POLICY', what: 'no answer of the proxy’s own shows the token', client: [lines('GET /allowed/x HTTP/1.1', 'Host: evil.test'), { answers: 1 }, lines('BAD LINE')], want: { nothing: true, neverGot: ['{secret}'], first: ['4xx'] } },
]

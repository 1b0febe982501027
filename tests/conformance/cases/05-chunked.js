'use strict'
// The chunked coding of a request's body.

const { BROKEN, BROKEN_OR, CHUNKED, POST, REFUSED, SECOND, forwarded } = require('../lib/words')

const HELLO = { body: 'hello' }
const END = '0\r\n\r\n'
const size = (text) => CHUNKED(`${text}\r\nhello\r\n${END}`)
const trailer = (line) => CHUNKED(`5\r\nhello\r\n0\r\n${line}\r\n\r\n`)

module.exports = [
  { id: 'chunk-several', rfc: '9112 7.1', level: 'MUST', what: 'several chunks are one body', client: CHUNKED('2\r\nhe\r\n3\r\nllo\r\n' + END), want: forwarded(HELLO) },
  { id: 'chunk-empty', rfc: '9112 7.1', level: 'MUST', what: 'a body of no chunks', client: CHUNKED(END), want: forwarded({ body: '' }) },
  { id: 'chunk-hex-case', rfc: '9112 7.1', level: 'MUST', what: 'hex digits in both cases', client: CHUNKED(`a\r\n0123456789\r\nA\r\n0123456789\r\n${END}`), want: forwarded({ length: 20 }) },
  { id: 'chunk-zeros', rfc: '9112 7.1', level: 'SHOULD', what: 'leading zeros', client: size('0005'), want: BROKEN_OR(HELLO) },
  { id: 'chunk-last-zeros', rfc: '9112 7.1', level: 'SHOULD', what: 'a last chunk of several zeros', client: CHUNKED('5\r\nhello\r\n000\r\n\r\n'), want: forwarded(HELLO) },
  { id: 'chunk-drip', rfc: '9112 7.1', level: 'MUST', what: 'chunks that come byte by byte', client: [POST('Transfer-Encoding: chunked'), { drip: ['5;a=b\r\nhello\r\n0\r\n\r\n', 2] }], want: forwarded(HELLO) },
  { id: 'chunk-next', rfc: '9112 7.1', level: 'MUST', what: 'the next request begins right behind the last chunk', client: size('5') + SECOND, want: { requests: 2, status: [200, 200], sent: [HELLO, { target: '/allowed/second' }] } },
  { id: 'chunk-2mb', rfc: '9112 7.1', level: 'MUST', what: 'two megabytes in chunks arrive whole', client: [POST('Transfer-Encoding: chunked'), { flood: [`400\r\n${'c'.repeat(1024)}\r\n`, 2048] }, END], want: forwarded({ length: 2097152 }) },
  { id: 'chunk-like-head', rfc: '9112 7.1', level: 'MUST', what: 'chunk data that looks like a request is data', client: CHUNKED('1a\r\nGET /smuggled HTTP/1.1\r\n\r\n\r\n' + END) + SECOND, want: { requests: 2, status: [200, 200], sent: [{ length: 26 }, { target: '/allowed/second' }] } },

  { id: 'chunk-extension', rfc: '9112 7.1.1', level: 'MUST', what: 'extensions that nobody knows are ignored', client: CHUNKED('5;a=b;c="d e"\r\nhello\r\n0;x\r\n\r\n'), want: forwarded(HELLO) },
  { id: 'chunk-extension-quoted', rfc: '9112 7.1.1', level: 'MUST', what: 'a semicolon and an escaped quote inside quotes', client: CHUNKED('5;a="b;\\"c"\r\nhello\r\n' + END), want: BROKEN_OR(HELLO) },
  { id: 'chunk-extension-lf', rfc: '9112 7.1.1', level: 'MUST', what: 'a bare LF inside an extension is not passed on', client: CHUNKED('5;\nhello\r\n' + END), want: BROKEN_OR(HELLO) },
  { id: 'chunk-extension-cr', rfc: '9112 7.1.1', level: 'MUST', what: 'a bare CR inside an extension is not passed on', client: CHUNKED('5;a\rb\r\nhello\r\n' + END), want: BROKEN_OR(HELLO) },
  { id: 'chunk-extension-nul', rfc: '9112 7.1.1', level: 'MUST', what: 'NUL inside an extension is not passed on', client: CHUNKED('5;a\0b\r\nhello\r\n' + END), want: BROKEN_OR(HELLO) },
  { id: 'chunk-extension-quoted-crlf', rfc: '9112 7.1.1', level: 'MUST', what: 'quotes do not hide a line end', client: CHUNKED('5;a="\r\nhello\r\n' + END), want: BROKEN_OR(HELLO) },
  { id: 'chunk-extension-long', rfc: '9112 7.1.1', level: 'MUST', what: '256 kB of extension: refused or read over', client: [POST('Transfer-Encoding: chunked', '5;a='), { flood: ['b'.repeat(1024), 256] }, '\r\nhello\r\n' + END], want: BROKEN_OR(HELLO) },
  { id: 'chunk-blank-extension', rfc: '9112 7.1.1', level: 'MUST', what: 'blanks around the semicolon are refused or read over', client: size('5 ; a = b'), want: BROKEN_OR(HELLO) },

  { id: 'chunk-bare-lf', rfc: '9112 7.1', level: 'MUST', what: 'bare LFs as line ends are refused or put right', client: CHUNKED('5\nhello\n0\n\n'), want: BROKEN_OR(HELLO) },
  { id: 'chunk-bare-cr', rfc: '9112 7.1', level: 'MUST', what: 'a bare CR ends no chunk line', client: CHUNKED('5\rhello\r\n' + END), want: BROKEN },
  { id: 'chunk-cr-cr-lf', rfc: '9112 7.1', level: 'MUST', what: 'CR CR LF behind a size', client: CHUNKED('5\r\r\nhello\r\n' + END), want: BROKEN },
  { id: 'chunk-no-crlf', rfc: '9112 7.1', level: 'MUST', what: 'data that no CRLF follows', client: CHUNKED('5\r\nhelloXX0\r\n\r\n'), want: BROKEN },
  { id: 'chunk-lf-behind', rfc: '9112 7.1', level: 'MUST', what: 'a bare LF behind the data is refused or put right', client: CHUNKED('5\r\nhello\n' + END), want: BROKEN_OR(HELLO) },
  { id: 'chunk-long-data', rfc: '9112 7.1', level: 'MUST', what: 'more data than the size says', client: CHUNKED('5\r\nhello!\r\n' + END), want: BROKEN },
  ...[['plus', '+5'], ['minus', '-5'], ['hex', '0x5'], ['underscore', '5_0'], ['letter', 'G'], ['none', ''], ['comma', '5,'], ['point', '5.0'], ['nul', '\x005'], ['nbsp', '\xa05'], ['h', '5h'], ['quotes', '"5"'], ['vt', '5\v'], ['ff', '\f5'], ['blank-inside', '5 5'], ['only-extension', ';a=b'], ['17-digits', '10000000000000005'], ['20-digits', 'FFFFFFFFFFFFFFFFFFFF'], ['brace', '5}']].map(([name, text]) => (
    { id: `chunk-size-${name}`, rfc: '9112 7.1', level: 'MUST', what: `a size of ${JSON.stringify(text)}`, client: size(text), want: BROKEN })),
  { id: 'chunk-size-blank-before', rfc: '9112 7.1', level: 'MUST', what: 'a blank before the size is refused or put right', client: size(' 5'), want: BROKEN_OR(HELLO) },
  { id: 'chunk-size-blank-behind', rfc: '9112 7.1', level: 'MUST', what: 'a blank behind the size is refused or put right', client: size('5 '), want: BROKEN_OR(HELLO) },
  { id: 'chunk-size-tab-behind', rfc: '9112 7.1', level: 'MUST', what: 'a tab behind the size is refused or put right', client: size('5\t'), want: BROKEN_OR(HELLO) },
  { id: 'chunk-size-2^63+5', rfc: '9112 7.1', level: 'MUST', what: 'a size beyond 2^63 is not taken for 5', client: [size('8000000000000005'), { ms: 100 }, { fin: true }], want: { requests: 0 } },
  { id: 'chunk-size-2^32+5', rfc: '9112 7.1', level: 'MUST', what: 'a size beyond 2^32 is not taken for 5', client: [size('100000005'), { ms: 100 }, { fin: true }], want: { requests: 0 } },

  { id: 'chunk-no-last', rfc: '9112 8', level: 'MUST', what: 'no last chunk: the origin never has a whole request', client: [CHUNKED('5\r\nhello\r\n'), { ms: 50 }, { fin: true }], want: { requests: 0 } },
  { id: 'chunk-no-end', rfc: '9112 8', level: 'MUST', what: 'no empty line behind the last chunk: never whole', client: [CHUNKED('5\r\nhello\r\n0\r\n'), { ms: 50 }, { fin: true }], want: { requests: 0 } },
  { id: 'chunk-cut', rfc: '9112 8', level: 'MUST', what: 'a chunk cut short: never whole', client: [CHUNKED('5\r\nhel'), { ms: 50 }, { leave: 'reset' }], want: { requests: 0, released: 1500 } },

  { id: 'trailer', rfc: '9112 7.1.2', level: 'MUST', what: 'a trailer does not hurt', client: trailer('X-Sum: 1') + SECOND, want: { requests: 2, status: [200, 200], sent: [HELLO, { target: '/allowed/second' }] } },
  { id: 'trailer-merged', rfc: '9110 6.5.1', level: 'MUST', what: 'a trailer does not become a header', client: trailer('X-Sum: 1'), want: forwarded({ body: 'hello', lacks: ['X-Sum'] }) },
  { id: 'trailer-forbidden', rfc: '9110 6.5.1', level: 'MUST', what: 'trailers that would change the message do not go on', client: trailer('Content-Length: 3\r\nHost: evil.test\r\nTransfer-Encoding: gzip\r\nAuthorization: x'), want: BROKEN_OR(HELLO).map((w) => Object.assign({ neverSent: ['evil.test', 'Authorization: x'] }, w)) },
  { id: 'trailer-token', rfc: '9110 6.5.1', level: 'POLICY', what: 'a trailer of the token’s name does not go on', client: trailer('{token}: evil-token'), want: BROKEN_OR(HELLO).map((w) => Object.assign({ neverSent: ['evil-token'] }, w)) },
  { id: 'trailer-blank-colon', rfc: '9112 5.1', level: 'MUST', what: 'a trailer with a blank before its colon is refused or dropped', client: trailer('X-Trail : 1'), want: BROKEN_OR(HELLO) },
  { id: 'trailer-no-colon', rfc: '9112 5', level: 'MUST', what: 'a trailer without a colon is refused or dropped', client: trailer('X-Trail'), want: BROKEN_OR(HELLO) },
  { id: 'trailer-folded', rfc: '9112 5.2', level: 'MUST', what: 'a folded trailer is refused or put right', client: trailer('X-Trail: a\r\n b'), want: BROKEN_OR(HELLO) },
  { id: 'trailer-nul', rfc: '9110 5.5', level: 'MUST', what: 'NUL in a trailer is refused or dropped', client: trailer('X-Trail: a\0b'), want: BROKEN_OR(HELLO).map((w) => Object.assign({ neverSent: ['a\0b'] }, w)) },
  { id: 'trailer-bare-lf', rfc: '9112 2.2', level: 'MUST', what: 'a trailer that ends in a bare LF is refused or put right', client: CHUNKED('5\r\nhello\r\n0\r\nX-Trail: 1\n\r\n'), want: BROKEN_OR(HELLO) },
  { id: 'trailer-request', rfc: '9112 7.1.2', level: 'MUST', what: 'a request among the trailers is none', client: CHUNKED('0\r\nGET /allowed/smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n'), want: [...BROKEN, ...REFUSED, forwarded({ body: '' })].map((w) => Object.assign({ neverSent: ['/smuggled HTTP'] }, w)) },
  { id: 'trailer-1mb', rfc: '9112 7.1.2', level: 'MUST', what: 'a megabyte of trailers: refused or read over', client: [CHUNKED('0\r\n'), { flood: [`X-T: ${'b'.repeat(1000)}\r\n`, 1000] }, '\r\n'], want: BROKEN_OR() },
]

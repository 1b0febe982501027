'use strict'
// The request line, its target and its version.

const { DROPPED, FORWARDED, GET, OPEN, REFUSED, REFUSED_400, REFUSED_OR, SMUGGLED, forwarded, lines, refused } = require('../lib/words')

const start = (line, ...fields) => lines(line, 'Host: {host}', ...fields)
const absolute = (target, ...fields) => lines(`GET ${target} HTTP/1.1`, ...fields)
const SENT_X = { method: 'GET', target: '/allowed/x', version: 'HTTP/1.1' }

module.exports = [
  { id: 'line-plain', rfc: '9112 3', level: 'MUST', what: 'an ordinary request goes through as it is', client: GET('X-A: 1'), want: forwarded(Object.assign({ has: { 'X-A': '1' } }, SENT_X)) },
  { id: 'line-empty-before', rfc: '9112 2.2', level: 'SHOULD', what: 'one empty line before the request line is skipped', client: '\r\n' + GET(), want: FORWARDED },
  { id: 'line-empty-flood', rfc: '9112 2.2', level: 'POLICY', what: 'thousands of empty lines are no way to keep a proxy busy: skipped or refused', client: ['\r\n'.repeat(5000), GET()], want: [...REFUSED, FORWARDED] },
  { id: 'line-blank-before', rfc: '9112 3', level: 'MUST', what: 'a blank before the method', client: ' ' + GET(), want: REFUSED },
  { id: 'line-tab-before', rfc: '9112 3', level: 'MUST', what: 'a tab before the method', client: '\t' + GET(), want: REFUSED },
  { id: 'line-bare-lf', rfc: '9112 2.2', level: 'MUST', what: 'lines that end in bare LF are refused or put right, never passed on', client: GET('X-A: 1').replace(/\r/g, ''), want: REFUSED_OR({ has: { 'X-A': '1' } }) },
  { id: 'line-bare-cr', rfc: '9112 2.2', level: 'MUST', what: 'a bare CR ends no line', client: 'GET /allowed/x HTTP/1.1\rHost: {host}\r\r', want: [...REFUSED, { nothing: true, silent: true }] },
  { id: 'line-cr-in-target', rfc: '9112 2.2', level: 'MUST', what: 'a bare CR inside the target', client: start('GET /allowed/x\ry HTTP/1.1'), want: REFUSED },
  { id: 'line-two-blanks', rfc: '9112 3', level: 'MUST', what: 'two blanks in the request line are refused or become one', client: start('GET  /allowed/x HTTP/1.1'), want: REFUSED_OR(SENT_X) },
  { id: 'line-tabs', rfc: '9112 3', level: 'MUST', what: 'tabs instead of blanks are refused or become blanks', client: start('GET\t/allowed/x\tHTTP/1.1'), want: REFUSED_OR(SENT_X) },
  { id: 'line-blank-behind', rfc: '9112 3', level: 'MUST', what: 'a blank behind the version is refused or taken off', client: start('GET /allowed/x HTTP/1.1 '), want: REFUSED_OR(SENT_X) },
  { id: 'line-blank-in-target', rfc: '9112 3.2', level: 'SHOULD', what: 'a blank inside the target: 400, no guess at what was meant', client: start('GET /allowed/x y HTTP/1.1'), want: REFUSED_400 },
  { id: 'line-header-in-blank', rfc: '9112 3', level: 'MUST', what: 'a second version in the request line does not hide the rest', client: start('GET /allowed/x HTTP/1.1 HTTP/1.1'), want: REFUSED },
  { id: 'line-no-version', rfc: '9112 3', level: 'MUST', what: 'no version (HTTP/0.9) is not forwarded', client: 'GET /allowed/x\r\n\r\n', want: REFUSED },
  { id: 'line-only-method', rfc: '9112 3', level: 'MUST', what: 'a method and nothing else', client: start('GET'), want: REFUSED },
  { id: 'line-empty-target', rfc: '9112 3', level: 'MUST', what: 'an empty target', client: start('GET  HTTP/1.1'), want: REFUSED },

  { id: 'method-unknown', rfc: '9110 9.1', level: 'SHOULD', what: 'a method that nobody knows goes on', client: start('BREW /allowed/x HTTP/1.1'), want: forwarded({ method: 'BREW' }) },
  { id: 'method-registered', rfc: '9110 16.1', level: 'SHOULD', what: 'a registered method with a hyphen goes on', client: start('VERSION-CONTROL /allowed/x HTTP/1.1'), want: forwarded({ method: 'VERSION-CONTROL' }) },
  { id: 'method-odd-token', rfc: '9110 5.6.2', level: 'SHOULD', what: 'every token character may stand in a method', client: start("A!#$%&'*+-.^_`|~9 /allowed/x HTTP/1.1"), want: forwarded({ method: "A!#$%&'*+-.^_`|~9" }) },
  { id: 'method-case', rfc: '9110 9.1', level: 'MUST', what: 'methods are case-sensitive: get is not turned into GET', client: start('get /allowed/x HTTP/1.1'), want: REFUSED_OR({ method: 'get' }) },
  { id: 'method-long', rfc: '9112 3', level: 'MUST', what: 'a method of 20 kB is refused or goes on whole', client: start('M'.repeat(20000) + ' /allowed/x HTTP/1.1'), want: REFUSED_OR({ method: 'M'.repeat(20000) }) },
  ...[['nul', '\0'], ['vt', '\v'], ['del', '\x7f'], ['obs', '\xe9'], ['paren', '('], ['comma', ','], ['slash', '/'], ['colon', ':'], ['at', '@'], ['bracket', '['], ['quote', '"'], ['brace', '{']].map(([name, byte]) => (
    { id: `method-with-${name}`, rfc: '9110 5.6.2', level: 'MUST', what: `${JSON.stringify(byte)} inside a method`, client: start(`GE${byte}T /allowed/x HTTP/1.1`), want: REFUSED })),
  { id: 'method-connect', rfc: '9110 9.3.6', level: 'POLICY', what: 'CONNECT opens no tunnel', methods: ['CONNECT'], client: lines('CONNECT {host}:443 HTTP/1.1', 'Host: {host}:443') + SMUGGLED, want: REFUSED },
  { id: 'method-trace', rfc: '9110 9.3.8', level: 'POLICY', what: 'TRACE does not show the token to the client', methods: ['TRACE'], client: start('TRACE /allowed/x HTTP/1.1'), origin: ['{reflect}'], want: [...REFUSED, { neverGot: ['{secret}'], first: ['4xx', '5xx', 200] }] },

  ...['http/1.1', 'HTTP/1.10', 'HTTP/1.', 'HTTP/1', 'HTTP/11', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/9.9', 'HTTP/01.1', 'HTTP/1.1x', 'HTTP/-1.1', 'HTTPS/1.1', 'HTTP/1,1', 'HTTP 1.1'].map((version) => (
    { id: `version-${version.replace(/[^A-Za-z0-9]/g, (c) => c === '.' ? '.' : '_')}`, rfc: '9112 2.3', level: 'SHOULD', what: `version ${JSON.stringify(version)} is refused`, client: start(`GET /allowed/x ${version}`), want: REFUSED })),
  { id: 'version-1.2', rfc: '9110 2.5', level: 'MUST', what: 'HTTP/1.2 goes on as our own version, or is refused', client: start('GET /allowed/x HTTP/1.2'), want: REFUSED_OR(SENT_X) },
  { id: 'version-preface', rfc: '9113 3.4', level: 'POLICY', what: 'the preface of HTTP/2 is no request', client: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', want: REFUSED },
  { id: 'version-tls', rfc: '9112 2', level: 'POLICY', what: 'a TLS handshake on the plain port does not hang', client: '\x16\x03\x01\x00\x75\x01\x00\x00\x71\x03\x03' + 'r'.repeat(64) + '\x00\x0a\x00\r\n\r\n', want: REFUSED },

  ...[['nul', '\0'], ['soh', '\x01'], ['tab', '\t'], ['vt', '\v'], ['esc', '\x1b'], ['del', '\x7f'], ['lf', '\n']].map(([name, byte]) => (
    { id: `target-with-${name}`, rfc: '9112 3.2', level: 'MUST', what: `${JSON.stringify(byte)} inside the target is refused`, client: start(`GET /allowed/a${byte}b HTTP/1.1`), want: REFUSED })),
  { id: 'target-fragment', rfc: '9112 3.2', level: 'MUST', what: 'a fragment never goes on', client: start('GET /allowed/x#part HTTP/1.1'), want: [...REFUSED, forwarded({ target: '/allowed/x' })] },
  { id: 'target-long', rfc: '9112 3', level: 'SHOULD', what: 'a request line of 8,000 bytes is taken', client: start(`GET /allowed/${'a'.repeat(7970)} HTTP/1.1`), want: FORWARDED },
  { id: 'target-too-long', rfc: '9112 3', level: 'MUST', what: 'a target longer than anybody reads: 414, or another 4xx', client: start(`GET /allowed/${'a'.repeat(100000)} HTTP/1.1`), want: [refused(414, 431, 400), DROPPED] },
  { id: 'target-empty-query', rfc: '9112 3.2', level: 'MUST', what: 'an empty query stays', client: start('GET /allowed/x? HTTP/1.1'), want: forwarded({ target: '/allowed/x?' }) },
  { id: 'target-query-bytes', rfc: '3986 3.4', level: 'MUST', what: 'what a query may hold stays as it is', client: start("GET /allowed/x?a=/b?c:d@e!$&'()*+,;=%2F%2f HTTP/1.1"), want: forwarded({ target: "/allowed/x?a=/b?c:d@e!$&'()*+,;=%2F%2f" }) },
  { id: 'target-escapes', rfc: '9110 4.2.3', level: 'MUST', what: 'escapes are neither decoded nor changed in case', client: start('GET /allowed/%41%7e%c3%A9 HTTP/1.1'), want: forwarded({ target: '/allowed/%41%7e%c3%A9' }) },
  { id: 'target-double-slash', rfc: '9110 4.2.3', level: 'MUST', what: 'a path that begins with // names no other host', client: OPEN('GET', '//evil.test/allowed/x'), want: [...REFUSED, forwarded({ has: { Host: '{open}' } })] },
  { id: 'target-relative', rfc: '9112 3.2', level: 'MUST', what: 'a path without its slash', client: start('GET allowed/x HTTP/1.1'), want: REFUSED },
  { id: 'target-authority', rfc: '9112 3.2.3', level: 'MUST', what: 'authority-form belongs to CONNECT', client: start('GET {host}:443 HTTP/1.1'), want: REFUSED },

  { id: 'absolute-same', rfc: '9112 3.2.2', level: 'MUST', what: 'absolute-form is taken', client: absolute('http://{host}/allowed/x', 'Host: {host}'), want: forwarded({ has: { Host: '{host}' } }) },
  { id: 'absolute-becomes-origin', rfc: '9112 3.2.1', level: 'MUST', what: 'absolute-form goes to the origin as origin-form', client: absolute('http://{host}/allowed/x?q=1', 'Host: {host}'), want: forwarded({ target: '/allowed/x?q=1' }) },
  { id: 'absolute-upper-scheme', rfc: '3986 3.1', level: 'SHOULD', what: 'the scheme may be written in capitals', client: absolute('HTTP://{host}/allowed/x', 'Host: {host}'), want: forwarded({ target: '/allowed/x' }) },
  { id: 'absolute-upper-host', rfc: '9110 4.2.3', level: 'MUST', what: 'the host may be written in capitals', client: absolute('http://{HOST}/allowed/x', 'Host: {HOST}'), want: FORWARDED },
  { id: 'absolute-empty-path', rfc: '9112 3.2.1', level: 'MUST', what: 'an empty path goes on as /', client: absolute('http://{open}', 'Host: {open}'), want: forwarded({ target: '/' }) },
  { id: 'absolute-empty-path-query', rfc: '9112 3.2.1', level: 'MUST', what: 'an empty path before a query goes on as /', client: absolute('http://{open}?q=1', 'Host: {open}'), want: [...REFUSED, forwarded({ target: '/?q=1' })] },
  { id: 'absolute-beats-host', rfc: '9112 3.2.2', level: 'MUST', what: 'the target decides, not Host: an evil target is not saved by a good Host', client: absolute('http://evil.test/allowed/x', 'Host: {host}'), want: REFUSED },
  { id: 'absolute-other-host', rfc: '9112 3.2.2', level: 'MUST', what: 'a good target with another Host: Host is written anew, or the request refused', client: absolute('http://{host}/allowed/x', 'Host: evil.test'), want: REFUSED_OR({ has: { Host: '{host}' } }) },
  { id: 'absolute-no-host', rfc: '9112 3.2', level: 'MUST', what: 'absolute-form in HTTP/1.1 without Host: 400', client: absolute('http://{host}/allowed/x'), want: [REFUSED_400, DROPPED] },
  { id: 'absolute-userinfo', rfc: '9110 4.2.4', level: 'MUST', what: 'userinfo does not pass for the host', client: absolute('http://{host}@evil.test/allowed/x', 'Host: {host}'), want: REFUSED },
  { id: 'absolute-userinfo-own', rfc: '9110 4.2.4', level: 'SHOULD', what: 'userinfo before the right host is an error', client: absolute('http://u:p@{host}/allowed/x', 'Host: {host}'), want: REFUSED },
  { id: 'absolute-empty-host', rfc: '9110 4.2.1', level: 'MUST', what: 'an http URL without a host', client: absolute('http:///allowed/x', 'Host: {host}'), want: REFUSED },
  { id: 'absolute-backslash', rfc: '9110 4.2.4', level: 'POLICY', what: 'a backslash is no slash: the host ends where everybody says so', client: absolute('http://{host}\\@evil.test/allowed/x', 'Host: {host}'), want: REFUSED },
  { id: 'absolute-ftp', rfc: '9110 7.4', level: 'SHOULD', what: 'a scheme that we do not speak', client: absolute('ftp://{host}/allowed/x', 'Host: {host}'), want: REFUSED },
  { id: 'absolute-no-scheme', rfc: '9112 3.2.2', level: 'MUST', what: '://host is no URL', client: absolute('://{host}/allowed/x', 'Host: {host}'), want: REFUSED },

  { id: 'asterisk-get', rfc: '9112 3.2.4', level: 'MUST', what: '* belongs to OPTIONS', client: OPEN('GET', '*'), want: REFUSED },
  { id: 'asterisk-options', rfc: '9112 3.2.4', level: 'MUST', what: 'OPTIONS * goes on as it is, or is refused', client: OPEN('OPTIONS', '*'), methods: ['OPTIONS'], want: REFUSED_OR({ method: 'OPTIONS', target: '*', has: { Host: '{open}' } }) },
  { id: 'asterisk-absolute', rfc: '9112 3.2.4', level: 'MUST', what: 'OPTIONS for a URL without a path goes to the origin as *', client: lines('OPTIONS http://{open} HTTP/1.1', 'Host: {open}'), methods: ['OPTIONS'], want: REFUSED_OR({ target: '*', has: { Host: '{open}' } }) },
  { id: 'asterisk-served', rfc: '9112 3.2.4', level: 'SHOULD', what: 'and both reach it where the whole host is allowed', client: [OPEN('OPTIONS', '*'), { answers: 1 }, lines('OPTIONS http://{open} HTTP/1.1', 'Host: {open}')], methods: ['OPTIONS'], want: { requests: 2, status: [200, 200], sent: [{ target: '*' }, { target: '*' }] } },
  { id: 'asterisk-slash', rfc: '9112 3.2.4', level: 'MUST', what: 'OPTIONS for / is not OPTIONS *', client: lines('OPTIONS http://{open}/ HTTP/1.1', 'Host: {open}'), methods: ['OPTIONS'], want: forwarded({ target: '/' }) },
  { id: 'asterisk-policy', rfc: '9112 3.2.4', level: 'POLICY', what: 'where only a part of a host is allowed, * is not', client: start('OPTIONS * HTTP/1.1'), methods: ['OPTIONS'], want: REFUSED },
  { id: 'asterisk-query', rfc: '9112 3.2.4', level: 'MUST', what: 'a URL with a query is never *', client: lines('OPTIONS http://{open}?q HTTP/1.1', 'Host: {open}'), methods: ['OPTIONS'], want: REFUSED_OR({ target: '/?q' }) },
  { id: 'asterisk-more', rfc: '9112 3.2.4', level: 'MUST', what: '*x is no target', client: OPEN('OPTIONS', '*x'), methods: ['OPTIONS'], want: REFUSED },
]

'use strict'
// Host, and what an allowlist makes of it.

const { DROPPED, FORWARDED, REFUSED, REFUSED_400, REFUSED_OR, forwarded, lines, refused } = require('../lib/words')

const host = (...fields) => lines('GET /allowed/x HTTP/1.1', ...fields)
const BAD = [refused('4xx'), DROPPED]

module.exports = [
  { id: 'host-missing', rfc: '9112 3.2', level: 'MUST', what: 'HTTP/1.1 without Host: 400', client: host('X-A: 1'), want: REFUSED_400 },
  { id: 'host-twice', rfc: '9112 3.2', level: 'MUST', what: 'two equal Host lines: 400', client: host('Host: {host}', 'Host: {host}'), want: REFUSED_400 },
  { id: 'host-two', rfc: '9112 3.2', level: 'MUST', what: 'two different Host lines: 400', client: host('Host: {host}', 'Host: evil.test'), want: REFUSED_400 },
  { id: 'host-two-evil-first', rfc: '9112 3.2', level: 'MUST', what: 'the same, the evil one first: 400', client: host('Host: evil.test', 'host: {host}'), want: REFUSED_400 },
  { id: 'host-empty', rfc: '9112 3.2', level: 'POLICY', what: 'an empty Host leads nowhere', client: host('Host:'), want: BAD },
  { id: 'host-blank-inside', rfc: '9112 3.2', level: 'MUST', what: 'a blank inside Host', client: host('Host: {host} evil.test'), want: BAD },
  { id: 'host-tab-inside', rfc: '9112 3.2', level: 'MUST', what: 'a tab inside Host', client: host('Host: {host}\tevil.test'), want: BAD },
  { id: 'host-userinfo', rfc: '9112 3.2', level: 'MUST', what: 'userinfo in Host', client: host('Host: u@{host}'), want: BAD },
  { id: 'host-userinfo-evil', rfc: '9112 3.2', level: 'MUST', what: 'the allowed host as userinfo of another', client: host('Host: {host}@evil.test'), want: BAD },
  { id: 'host-list', rfc: '9110 7.2', level: 'POLICY', what: 'a list of hosts', client: host('Host: {host},evil.test'), want: BAD },
  { id: 'host-path', rfc: '9112 3.2', level: 'MUST', what: 'a path in Host', client: host('Host: {host}/allowed/x'), want: BAD },
  { id: 'host-scheme', rfc: '9112 3.2', level: 'MUST', what: 'a scheme in Host', client: host('Host: http://{host}'), want: BAD },
  { id: 'host-query', rfc: '9112 3.2', level: 'MUST', what: 'a query in Host', client: host('Host: {host}?x'), want: BAD },
  { id: 'host-fragment', rfc: '9112 3.2', level: 'MUST', what: 'a fragment in Host', client: host('Host: {host}#x'), want: BAD },
  { id: 'host-port-letters', rfc: '9112 3.2', level: 'MUST', what: 'a port that is no number', client: host('Host: {host}:80a'), want: BAD },
  { id: 'host-port-sign', rfc: '9112 3.2', level: 'MUST', what: 'a port with a sign', client: host('Host: {host}:+80'), want: BAD },
  { id: 'host-port-large', rfc: '9112 3.2', level: 'POLICY', what: 'a port that there is not', client: host('Host: {host}:99999'), want: BAD },
  { id: 'host-port-two', rfc: '9112 3.2', level: 'MUST', what: 'two ports', client: host('Host: {host}:80:80'), want: BAD },
  { id: 'host-port-default', rfc: '9110 4.2.3', level: 'SHOULD', what: 'the default port is the same place', client: host('Host: {host}:80'), want: FORWARDED },
  { id: 'host-case', rfc: '9110 4.2.3', level: 'MUST', what: 'hosts compare without regard to case', client: host('HOST: {HOST}'), want: FORWARDED },
  { id: 'host-dot', rfc: '3986 3.2.2', level: 'SHOULD', what: 'one dot at the end is the same place, or refused', client: host('Host: {host}.'), want: REFUSED_OR() },
  { id: 'host-dots', rfc: '3986 3.2.2', level: 'POLICY', what: 'two dots at the end are not', client: host('Host: {host}..'), want: BAD },
  { id: 'host-other', rfc: '9110 7.4', level: 'POLICY', what: 'a host outside the allowlist', client: host('Host: evil.test'), want: BAD },
  { id: 'host-suffix', rfc: '9112 3.2', level: 'POLICY', what: 'a host that ends in the allowed one', client: host('Host: evil{host}'), want: BAD },
  { id: 'host-prefix', rfc: '9112 3.2', level: 'POLICY', what: 'a host that begins with the allowed one', client: host('Host: {host}.evil.test'), want: BAD },
  { id: 'host-address', rfc: '9112 3.2', level: 'POLICY', what: 'the origin’s address instead of its name', client: host('Host: 127.0.0.1'), want: BAD },
  { id: 'host-ipv6-broken', rfc: '9112 3.2', level: 'MUST', what: 'a bracket that is not closed', client: host('Host: [::1'), want: BAD },
  { id: 'host-ipv6-rest', rfc: '9112 3.2', level: 'MUST', what: 'something behind the bracket', client: host('Host: [::1]{host}'), want: BAD },
  { id: 'host-escape', rfc: '9110 4.2.3', level: 'POLICY', what: 'an escape in Host is not decoded into an allowed one', client: host('Host: %6{hosttail}'), want: BAD },
  { id: 'host-nul', rfc: '9110 5.5', level: 'MUST', what: 'NUL in Host', client: host('Host: {host}\0.evil.test'), want: REFUSED },
  { id: 'host-vt', rfc: '9110 5.5', level: 'MUST', what: 'a vertical tab behind Host’s value', client: host('Host: {host}\v'), want: REFUSED },
  { id: 'host-folded', rfc: '9112 5.2', level: 'MUST', what: 'a folded Host', client: host('Host: {host}\r\n evil.test'), want: REFUSED },
  { id: 'host-folded-whole', rfc: '9112 5.2', level: 'MUST', what: 'a Host whose value is folded away is refused, or joined', client: host('Host:\r\n {host}'), want: REFUSED_OR({ has: { Host: '{host}' } }) },
  { id: 'host-blank-colon', rfc: '9112 5.1', level: 'MUST', what: 'a blank before Host’s colon: 400', client: host('Host : {host}'), want: REFUSED_400 },
  { id: 'host-blank-colon-second', rfc: '9112 5.1', level: 'MUST', what: 'a second Host with a blank before its colon: 400', client: host('Host: {host}', 'Host : evil.test'), want: REFUSED_400 },
  { id: 'host-1.0-missing', rfc: '9112 3', level: 'POLICY', what: 'HTTP/1.0 without Host names no allowed destination', client: lines('GET /allowed/x HTTP/1.0'), want: REFUSED },
  { id: 'host-forwarded-host', rfc: '9110 7.2', level: 'POLICY', what: 'X-Forwarded-Host and its like change nothing', client: host('Host: {host}', 'X-Forwarded-Host: evil.test', 'X-Host: evil.test', 'Forwarded: host=evil.test'), want: REFUSED_OR({ has: { Host: '{host}' } }) },
  { id: 'host-not-last', rfc: '9110 5.3', level: 'MUST', what: 'Host may stand anywhere', client: host('X-A: 1', 'Host: {host}', 'X-B: 2'), want: forwarded({ has: { Host: '{host}', 'X-A': '1', 'X-B': '2' } }) },
]

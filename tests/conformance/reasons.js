'use strict'
// Why a proxy leaves a case undone. Every failure of a peer has its reason here, or the report fails; ours
// may have one only where the case is no MUST.

const reasons = {
  ours: [],
  nginx: [
    [/^hop-nominated|^hop-answer$/, 'it removes the hop-by-hop fields that it knows by name, and does not read what Connection names'],
    ['hop-proxy-connection hop-proxy-authorization hop-trailer upgrade-h2c', 'what is not on its own list of hop-by-hop fields goes on'],
    ['hop-answer-upgrade', 'the origin’s Upgrade goes on beside a Connection of its own'],
    [/^max-forwards-/, 'it does not know Max-Forwards'],
    [/^asterisk-/, 'OPTIONS * is refused, and a URL without a path becomes /'],
    [/^value-with-/, 'it refuses NUL, CR and LF in values, and lets other control bytes pass (RFC 9110, 5.5 allows that)'],
    [/^name-/, 'names with other than letters, digits and hyphens are dropped (ignore_invalid_headers, underscores_in_headers)'],
    ['method-odd-token', 'methods are capital letters, - and _'],
    ['version-HTTP_1.10', 'the minor version may have several digits'],
    ['target-fragment', 'the fragment goes on with the target'],
    ['absolute-ftp', 'any scheme is taken for http'],
    [/^host-port-/, 'what stands behind the colon is not looked at'],
    ['chunk-size-blank-inside', 'everything behind a blank is read over as an extension'],
    [/^via-/, 'Via is what the configuration writes: a constant, in requests only'],
    ['1.0-chunked-cut', 'a truncated response to HTTP/1.0 ends with an ordinary close'],
    [/^half-closed/, 'a FIN counts as a client that left (proxy_ignore_client_abort)'],
    ['expect-at-origin', 'it says 100 itself, before it knows what the origin will say, and drops Expect'],
    ['expect-1.0 interim-103-1.0', 'interim responses go to HTTP/1.0 clients too'],
    ['interim-unknown interim-length interim-only', 'of the interim responses only 100 is read as one; others are taken for final ones'],
    ['interim-101 upgrade-other-101', 'a 101 is relayed whatever was asked for'],
    ['upgrade-h2c-extras upgrade-1.0', 'the documented WebSocket configuration passes any Upgrade on, from HTTP/1.0 too'],
    ['answer-date-kept answer-server-kept', 'Date and Server are its own (proxy_pass_header changes that)'],
    [/^status-|^reason-/, 'what is no status line counts as HTTP/0.9 or goes on as it came'],
    ['field-name', 'names in responses are not checked'],
    [/^length-answer-/, 'a Content-Length that it cannot read goes on as it came, or counts as none'],
    [/^coding-answer-/, 'a coding that it does not know is dropped, and the body passed on as if it had none'],
    [/^until-close-/, 'the end of a TLS connection without close_notify counts as the end of the body'],
    ['204-length', 'the length goes on with the 204'],
  ],
  haproxy: [
    [/^hop-nominated|^hop-malformed|^hop-answer$|^token-nominated/, 'Connection goes on, and so does what it names'],
    [/^hop-keep-alive|^hop-proxy-|^hop-answer-keep-alive|^hop-answer-upgrade|^upgrade-not-named|^upgrade-h2c/, 'hop-by-hop fields other than Connection, TE and Transfer-Encoding go on'],
    [/^max-forwards-/, 'it does not know Max-Forwards; TRACE goes on unless a rule denies it'],
    ['method-connect', 'the CONNECT is refused, and what stands behind it read as the next request'],
    ['method-trace', 'TRACE goes on unless a rule denies it, and the token comes back with it'],
    ['asterisk-get asterisk-more asterisk-absolute asterisk-served asterisk-slash', 'targets go on as they came, * and absolute-form included'],
    [/^absolute-(becomes|upper-scheme|empty)|^absolute-ftp|^absolute-userinfo/, 'targets go on as they came; schemes are not told apart, nor userinfo'],
    ['absolute-no-host host-missing', 'a request without Host is no error to it: here the allowlist denies it, 403'],
    ['host-twice', 'equal Host lines become one'],
    [/^host-/, 'Host is not parsed: what stands behind a comma or a colon is not looked at'],
    [/^version-HTTP/, 'a version from 0 to 9 is read as HTTP/1.1'],
    ['version-preface', 'it speaks HTTP/2 to whoever begins with the preface'],
    ['target-with-del', 'DEL goes on in a target'],
    [/^value-with-|^field-nul/, 'control bytes other than CR and LF go on, NUL too'],
    ['name-long many-fit', 'refused at its default of 101 lines, or of the size that its buffer leaves'],
    ['coding-1.0', 'a coding in HTTP/1.0 is taken, and passed on in HTTP/1.0'],
    ['coding-unknown', 'a 422 where the RFC asks for 501'],
    [/^disguised-/, 'an empty element behind chunked goes on as it came'],
    [/^refused-path/, 'path_beg compares bytes: dot segments are the origin’s to resolve (http-request normalize-uri is experimental)'],
    [/^trailer-/, 'trailers go on unchecked'],
    [/^via-/, 'Via is what the configuration writes: a constant line of its own, in requests only'],
    ['1.0-version answer-1.0', 'the version of the other side goes on, not its own'],
    ['1.0-chunked', 'chunks go to HTTP/1.0 clients'],
    ['1.0-chunked-cut', 'a truncated response to HTTP/1.0 ends with an ordinary close'],
    ['expect-1.0 interim-103-1.0', 'interim responses go to HTTP/1.0 clients too'],
    ['upgrade-off', 'any Upgrade goes on: there is no switch for it'],
    ['upgrade-1.0 upgrade-other-101', 'a 101 is relayed whatever was asked for, and by whom'],
    ['answer-date', 'it does not add Date'],
    [/^status-|^reason-/, 'a status line is checked for its version only; digits and reason go on as they came'],
    [/^until-close-/, 'the end of a TLS connection without close_notify counts as the end of the body'],
  ],
}

const reasonFor = (who, id) => {
  const found = reasons[who].find(([ids]) => (ids instanceof RegExp ? ids.test(id) : ids.split(' ').includes(id)))
  return found && found[1]
}

module.exports = { reasonFor }

/* proxy/http/head.h - one message head, read strictly.
 *
 * Two steps. head_end() finds where a head ends while its bytes arrive, and refuses early what can
 * never become one. head_parse_*() reads a complete head: our scan validates every byte
 * (RFC 9112 sections 2-5), then libevhtp's htparser reads the start line and the headers that
 * decide framing, and the two must agree. Texts borrow from the bytes given. Pure; fuzzed. */
#ifndef PROXY_HTTP_HEAD_H
#define PROXY_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "config/text.h"
#include "proxy/limits.h"

/* Headers that somebody in this program looks at by name. The rest is HEADER_OTHER. */
enum header_id {
    HEADER_OTHER,
    HEADER_HOST,
    HEADER_CONNECTION,
    HEADER_CONTENT_LENGTH,
    HEADER_TRANSFER_ENCODING,
    HEADER_CONTENT_ENCODING,
    HEADER_EXPECT,
    HEADER_KEEP_ALIVE,
    HEADER_PROXY_CONNECTION,
    HEADER_PROXY_AUTHORIZATION,
    HEADER_TE,
    HEADER_TRAILER,
    HEADER_UPGRADE,
    HEADER_DATE,
    HEADER_MAX_FORWARDS,
    HEADER_COOKIE,
    HEADER_AUTHORIZATION,
    HEADER_VTEX_ID, /* VtexIdclientAutCookie */
    HEADER_APP_KEY, /* X-VTEX-API-AppKey */
    HEADER_USE_HTTPS,
    HEADER_PROXY_TO,
    HEADER_REMOTE_PORT,
    HEADER_JANUS_AUTH,   /* X-Janus-Auth */
    HEADER_JANUS_CALLER, /* X-Janus-Caller */
    HEADER_ORIGIN,
    HEADER_SEC_FETCH_SITE,
    HEADER_TRACEPARENT,
    HEADER_TRACESTATE,
    N_HEADER_IDS,
};

struct header {
    struct text name;  /* as sent */
    struct text value; /* trimmed */
    uint8_t id;
    bool nominated; /* Connection names it: for the next hop only (RFC 9110, 7.6.1) */
};

struct head {
    size_t length;              /* bytes of the head, its empty line included */
    struct text method, target; /* of a request */
    struct text reason;         /* of a response */
    unsigned status;            /* of a response */
    unsigned minor;             /* HTTP/1.minor, 0 or 1 */
    bool keep_alive;            /* what version and Connection say, by htparser */
    size_t n_headers;
    uint8_t count[N_HEADER_IDS];
    uint8_t first[N_HEADER_IDS]; /* index into headers, if count is not 0 */
    struct header headers[LIMIT_HEADERS];
};

enum head_result {
    HEAD_OK,
    HEAD_MORE,            /* not complete yet */
    HEAD_BAD,             /* 400, or 502 from an origin */
    HEAD_TOO_LARGE,       /* 431 */
    HEAD_TARGET_TOO_LONG, /* 414 */
};

/* How far head_end() has looked; zero-initialise for each new head. */
struct head_scan {
    uint32_t at;    /* next byte to look at */
    uint32_t line;  /* start of the line in progress */
    uint32_t start; /* behind the empty lines that are skipped */
    uint32_t empty_lines;
};

/* On HEAD_OK the head is bytes[scan->start .. *end). */
enum head_result head_end(struct head_scan *scan, struct text bytes, size_t *end, const char **why);

/* `bytes` is one complete head. On anything but HEAD_OK `*why` is a sentence, static storage. */
enum head_result head_parse_request(struct text bytes, struct head *head, const char **why);
enum head_result head_parse_response(struct text bytes, struct head *head, const char **why);
void head_thread_end(void); /* this thread ends, and parses no more */

/* The first header of that id, or TEXT_NONE. */
struct text head_value(const struct head *head, enum header_id id);

/* True if one of the comma-separated elements of these headers is `token`, case-blind. */
bool head_has_token(const struct head *head, enum header_id id, struct text token);

#endif

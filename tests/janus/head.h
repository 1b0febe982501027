/* tests/janus/head.h - the head of a request, as it arrived.
 *
 * Pure: spans into the raw bytes, nothing is copied or changed. Stricter than most origins, on
 * purpose: a head that a proxy should never send is a fault with a name, and tests see it.
 * Deliberately not proxy/http: the judge does not borrow the eyes of the judged. */
#ifndef TESTS_JANUS_HEAD_H
#define TESTS_JANUS_HEAD_H

#include <stdint.h>

#include "config/text.h"

enum { HEAD_BYTES_MAX = 64 * 1024 };

struct field {
    struct text name, value;
};

struct head {
    struct text method, target, version;
    struct text fields; /* the field lines, each with its CRLF */
    struct text host;   /* authority of the target, else the first Host; with its port */
    struct text path,
        query;       /* of the target, undecoded; query without '?' and TEXT_NONE if absent */
    uint64_t length; /* of the body, unless `chunked` */
    bool chunked, keep_alive, expects_continue;
};

/* `raw` includes the empty line. NULL, or what is wrong (static storage); `out` then holds what
 * was understood so far. */
const char *head_parse(struct text raw, struct head *out);

/* Takes one field off `rest` (start with head.fields). False at the end. */
bool head_next(struct text *rest, struct field *out);

/* The value of the first field of that name, or TEXT_NONE. */
struct text head_find(const struct head *head, const char *name);

/* Copies the value of a cookie named exactly so; TEXT_NONE if there is none. */
struct text head_cookie(const struct head *head, const char *name);

/* A parameter of a query or of an urlencoded form, percent-decoded into `out` (cut to `size`).
 * False if it is not there. The length, without the NUL, goes to `len` unless that is NULL. */
bool query_text(struct text query, const char *name, char *out, size_t size, size_t *len);
unsigned long long query_number(struct text query, const char *name, unsigned long long fallback);

#endif

/* tests/janus/reply.h - writes answers, byte for byte as the routes want them.
 *
 * Its own writer, since evhtp_send_reply() adds fields that a test did not ask for (a
 * Content-Type, a length on 204) and knows no 103. */
#ifndef TESTS_JANUS_REPLY_H
#define TESTS_JANUS_REPLY_H

#include "tests/janus/exchange.h"

/* Not a Content-Length: there is none (204, 304, until close), or the coding is chunked. */
enum { LENGTH_NONE = -1, LENGTH_CHUNKED = -2 };

/* Adds a header field to the answer to come. */
void reply_field(struct exchange *x, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A 1xx answer; `fields` are whole lines. */
void reply_informational(struct exchange *x, int status, const char *reason, const char *fields);

/* Only the head; the body and gate_answered() are the caller's. `length` or LENGTH_... */
void reply_head(struct exchange *x, int status, int64_t length);

/* Whole answers. HEAD gets the head alone, 204 and 304 no body and no length. */
void reply_bytes(struct exchange *x, int status, const char *type, struct text body);
void reply_text(struct exchange *x, int status, const char *text);
/* Takes `json`. */
void reply_json(struct exchange *x, int status, json_t *json);

#endif

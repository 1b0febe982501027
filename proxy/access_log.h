/* proxy/access_log.h - reads back the line that an ended exchange leaves in the log (exchange_log.c,
 * docs/log.md), one at a time and in bounded memory, whatever the file holds.
 *
 * Lines are logfmt or JSON objects, also by turns. What log collectors put before a line ("docker logs -t", journald,
 * compose) is skipped: the line begins at the first "time=" or {"time": that stands at the beginning or behind
 * a blank. Nothing is trusted: a
 * line that we could not have written is BROKEN, and a line that tells of a part of a request only
 * is INCOMPLETE, so that nobody judges the part for the whole. */
#ifndef PROXY_ACCESS_LOG_H
#define PROXY_ACCESS_LOG_H

#include <stdio.h>

#include "config/text.h"

enum access_line {
    ACCESS_LINE_EXCHANGE, /* `out` is filled: a request that was judged */
    ACCESS_LINE_UNJUDGED, /* an exchange that ended before there was anything to judge: a 400, 405 */
    ACCESS_LINE_OTHER,    /* not an exchange, or not ours */
    ACCESS_LINE_BROKEN,   /* of an exchange, but not as we write it; or longer than we write */
    ACCESS_LINE_INCOMPLETE, /* the method, the path or the line itself was cut */
    ACCESS_LINE_END,        /* the end of the input, or an error: ferror() tells */
};

/* Borrowed until the next line is read. */
struct access_record {
    struct text time, method;
    struct text url;     /* "https://HOST[:PORT]/path[?an=ACCOUNT]": what check takes, and learn */
    struct text verdict; /* "allow", "deny", "refuse" or "would-deny" */
    unsigned status;
    struct text outcome; /* "relayed", "address_denied" ... (proxy/reply.c); may be missing */
    unsigned long line;  /* counts from 1; set for every kind of line */
};

struct access_log;

/* Borrows `input`. */
struct access_log *access_log_new(FILE *input);
void access_log_free(struct access_log *log);

enum access_line access_log_next(struct access_log *log, struct access_record *out);

#endif

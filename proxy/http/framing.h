/* proxy/http/framing.h - where does this message end? (RFC 9112, section 6.3). Pure; fuzzed.
 *
 * One answer for both directions; anything that two readers could take differently is refused. */
#ifndef PROXY_HTTP_FRAMING_H
#define PROXY_HTTP_FRAMING_H

#include "proxy/http/head.h"

enum framing_kind {
    FRAMING_NONE,   /* no content, by method or status, or none announced */
    FRAMING_LENGTH, /* `length` bytes */
    FRAMING_CHUNKED,
    FRAMING_UNTIL_CLOSE, /* responses only */
};

struct framing {
    enum framing_kind kind;
    uint64_t length; /* of FRAMING_LENGTH */
};

enum framing_result {
    FRAMING_OK,
    FRAMING_BAD,     /* 400, or 502 from an origin; the connection must close */
    FRAMING_UNKNOWN, /* a transfer coding that we do not know: 501 */
};

/* On anything but FRAMING_OK `*why` is a sentence, static storage. */
enum framing_result framing_of_request(const struct head *head, struct framing *framing,
                                       const char **why);
/* `to_head`: the request was HEAD. A 1xx never comes here. */
enum framing_result framing_of_response(const struct head *head, bool to_head,
                                        struct framing *framing, const char **why);

#endif

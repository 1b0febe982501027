/* proxy/forward.h - the heads that leave: to the origin and to the client.
 *
 * Both are written anew from what was parsed and judged; no received head is passed on as bytes.
 * Headers keep their order and spelling. Hop-by-hop headers and all that Connection names go no
 * further (RFC 9110, 7.6.1), nor do the platform's control headers. Nothing is added that names the
 * app, or, unless it is asked for, us: no Via, no Forwarded (RFC 7239), no
 * X-Forwarded-*. Pure. */
#ifndef PROXY_FORWARD_H
#define PROXY_FORWARD_H

#include "config/settings.h"
#include "policy/destination.h"
#include "proxy/http/buffer.h"
#include "proxy/http/framing.h"
#include "proxy/token/identity.h"

/* Where the app token stands in a head that was written, so that another can take its place. */
enum { TOKEN_PLACES_MAX = 8 }; /* a head with more of them is not sent again */
struct token_places {
    uint32_t at[TOKEN_PLACES_MAX];
    unsigned n;
};

/* What may be added, and is not unless somebody asks for it. */
struct forward_extras {
    bool via;
    enum forwarded forwarded;  /* of requests */
    struct text forwarded_for; /* who asked: an address, IPv6 in brackets, or "unknown" */
    bool websocket;            /* the connection is to become one, or (a 101) has become one */
    bool as_it_came; /* Host and our control headers too: to the app that we stand before */
    struct text
        traceparent; /* of a request: stands instead of the client's, whose tracestate goes too */
};

/* `token` is the app token's text, or TEXT_NONE when `identity` does not need it. `places` starts
 * empty. */
void forward_request(struct buffer *out, const struct head *head,
                     const struct destination *destination, const struct identity *identity,
                     struct text token, struct framing framing, struct forward_extras extras,
                     struct token_places *places);

/* Writes `token` where one of `old_len` bytes stands; all of `out` is kept and none of it sent. False
 * if there is no room, or too many places: nothing is changed. */
bool forward_replace_token(struct buffer *out, struct token_places *places, size_t old_len,
                           struct text token);

struct to_client {
    unsigned minor; /* the client's */
    struct framing
        framing;         /* how the body goes on: CHUNKED or UNTIL_CLOSE where no length is known */
    bool to_head;        /* the request was HEAD */
    bool close;          /* the connection ends with this response */
    struct text date;    /* for a response that has none */
    struct text details; /* not empty: we have something to say, in a Proxy-Status */
    struct forward_extras extras;
};
void forward_response(struct buffer *out, const struct head *head, const struct to_client *to);

#endif

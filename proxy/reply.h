/* proxy/reply.h - how an exchange can end, and what we answer when we answer ourselves.
 *
 * ONE table: outcome -> status, code, RFC 9209 error type, sentence, what to do, log level. Nothing
 * of ours wears a 5xx for a denial, because clients retry those. */
#ifndef PROXY_REPLY_H
#define PROXY_REPLY_H

#include "config/settings.h"
#include "proxy/http/buffer.h"

enum outcome {
    OUTCOME_RELAYED,      /* the origin's answer went to the client, whole */
    OUTCOME_NO_HOPS_LEFT, /* Max-Forwards: 0: we are asked, not the origin */
    /* refused: the client must change something */
    OUTCOME_BAD_REQUEST,
    OUTCOME_USER_TOKEN_MISSING,
    OUTCOME_OUTBOUND_DENIED,
    OUTCOME_ADDRESS_DENIED,
    OUTCOME_CALLER_REFUSED,
    OUTCOME_METHOD_NOT_ALLOWED,
    OUTCOME_BODY_TOO_LARGE,
    OUTCOME_TARGET_TOO_LONG,
    OUTCOME_HEAD_TOO_LARGE,
    OUTCOME_NOT_IMPLEMENTED,
    OUTCOME_GRAPHQL_DENIED,     /* going out: nobody could be granted it */
    OUTCOME_GRAPHQL_UNREADABLE, /* going out, --graphql-unknown refuse */
    /* refused by the guard: answered as GraphQL errors */
    OUTCOME_GUARD_UNREADABLE,
    OUTCOME_GUARD_UNAUTHENTICATED,
    OUTCOME_GUARD_FORBIDDEN,
    OUTCOME_GUARD_UNAVAILABLE, /* nobody could tell */
    /* failed: the origin, or the way to it */
    OUTCOME_DNS,
    OUTCOME_DNS_TIMEOUT,
    OUTCOME_CONNECT_REFUSED,
    OUTCOME_CONNECT_FAILED,
    OUTCOME_CONNECT_TIMEOUT,
    OUTCOME_TLS_TIMEOUT,
    OUTCOME_CIRCUIT_OPEN, /* it failed so often that it is left alone for a while */
    OUTCOME_CERTIFICATE,
    OUTCOME_TLS,
    OUTCOME_ORIGIN_PROTOCOL,
    OUTCOME_ORIGIN_CLOSED, /* before its answer was whole */
    OUTCOME_RESPONSE_TIMEOUT,
    OUTCOME_TOKEN_IN_RESPONSE, /* --scrub cut */
    /* not now */
    OUTCOME_TOKEN_UNAVAILABLE,
    OUTCOME_OVERLOADED,
    OUTCOME_DRAINING,
    /* nobody is there to read an answer */
    OUTCOME_CLIENT_GONE,
    OUTCOME_CLIENT_TIMEOUT,
    N_OUTCOMES,
};

struct outcome_row {
    const char *name;       /* in the log */
    unsigned status;        /* 0: there is no answer */
    const char *code;       /* in the body */
    const char *error;      /* RFC 9209, section 2.3 */
    const char *message;    /* unless the caller has a better one */
    const char *help;       /* NULL: nothing to do */
    unsigned retry_after_s; /* 0: no Retry-After */
    enum log_level level;
};

const struct outcome_row *outcome_row(enum outcome outcome);

struct reply {
    enum outcome outcome;
    struct text message, help; /* at == NULL: the row's own */
    struct text details;       /* of Proxy-Status; may be empty */
    struct text request_id;
    bool to_head;        /* of HEAD: no body follows */
    bool close;          /* Connection: close */
    bool keep_alive_1_0; /* to an HTTP/1.0 client that asked for it */
    struct text date;
    size_t n_list; /* of the guard: so many errors in a list; 0: one, and no list */
};

/* Answered as GraphQL errors. */
static inline bool outcome_is_graphql(enum outcome outcome)
{
    return outcome >= OUTCOME_GUARD_UNREADABLE && outcome <= OUTCOME_GUARD_UNAVAILABLE;
}

/* Writes a whole response: {"code","message","source":"janus-sidecar","requestId"[,"help"]}, or, from the
 * guard, {"errors":[{"message","extensions":{"code","source","requestId"[,"help"]}}],"data":null}, with the
 * right Content-Length and Proxy-Status. Texts of any bytes come out as valid JSON. */
void reply_write(const struct reply *reply, struct buffer *out);

#endif

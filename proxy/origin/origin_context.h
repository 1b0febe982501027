/* proxy/origin/origin_context.h - what every connection to an origin needs, and where it may go. */
#ifndef PROXY_ORIGIN_ORIGIN_CONTEXT_H
#define PROXY_ORIGIN_ORIGIN_CONTEXT_H

#include "policy/destination.h"

struct circuits;
struct deadlines;
struct helper;
struct log;
struct tally;
struct loop;
struct resolver;
struct settings;
struct sockaddr_storage;
struct tls;

/* Borrowed, outlives all connections. */
struct origin_context {
    struct loop *loop;
    struct resolver *resolver;
    const struct tls *tls;
    const struct settings *settings;
    struct deadlines *attempts;   /* CONNECT_ATTEMPT_MS: one address alone, while others are left */
    struct deadlines *connecting; /* --connect-timeout: all from the name to OPEN */
    /* parts of that: --dns-timeout, --tcp-timeout, --tls-timeout; not asked while that is 0 */
    struct deadlines *resolving, *reaching, *shaking_hands;
    const struct sockaddr_storage *own; /* our own listeners: never connected to */
    size_t n_own;
    struct circuits *circuits; /* of addresses that fail; NULL: every address is tried every time */
    unsigned n_loops; /* that keep connections, with this one; they share the descriptors; 0: one */
    struct helper *helper; /* who makes connections; NULL: we do */
    struct log *log;       /* says when a circuit opens and closes; may be NULL */
    struct tally *tally;
};

/* The name or literal, and the port, to connect to for a destination: its own, or those of the first
 * --connect-to that matches. Borrowed from both arguments. What is verified is the destination all the same. */
struct origin_place {
    const char *host;
    uint16_t port;
};
struct origin_place origin_place(const struct origin_context *context,
                                 const struct destination *destination);

/* To be asked before each connection, whatever is known about its name. Looks at the settings and our own listeners
 * alone. */
bool origin_may_connect(const struct origin_context *context, const struct sockaddr *address);

#endif

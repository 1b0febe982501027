/* proxy/origin/origin.h - one connection to one origin, from the name to bytes in the clear.
 *
 *   RESOLVING --addresses--> CONNECTING --connected--> HANDSHAKE --name verified--> OPEN
 *        `--none allowed--.      `--next address, none left--.    `--refused--.
 *                          '------------------------ FAILED <-----------------'
 *
 * Every address is judged before it is connected to, and the connection goes to the address that
 * was judged. Raw and TLS connections look the same behind the four functions. */
#ifndef PROXY_ORIGIN_ORIGIN_H
#define PROXY_ORIGIN_ORIGIN_H

#include "policy/destination.h"
#include "proxy/origin/resolve.h"
#include "proxy/origin/tls.h"
#include "proxy/reply.h"

struct circuits;
struct loop;
struct log;
struct deadlines;
struct origin;

/* What every connection needs; borrowed, outlives them all. */
struct origin_context {
    struct loop *loop;
    struct resolver *resolver;
    const struct tls *tls;
    const struct settings *settings;
    struct deadlines *attempts;         /* CONNECT_ATTEMPT_MS: one address, while others are left */
    struct deadlines *connecting;       /* --connect-timeout: all from the name to OPEN */
    const struct sockaddr_storage *own; /* our own listeners: never connected to */
    size_t n_own;
    struct circuits *circuits; /* of addresses that fail; NULL: every address is tried every time */
    unsigned n_loops; /* that keep connections, this one included; they share the descriptors */
    struct log *log;  /* says when a circuit opens and closes; may be NULL */
};

/* Whom to tell. Never called from inside a function of this header. */
struct origin_owner {
    void (*ready)(void *owner);
    void (*failed)(void *owner, enum outcome outcome, const char *detail); /* before `ready` only */
    void (*io)(void *owner); /* it may be readable or writable again, or has hung up */
};

/* Begins to connect. `session` outlives the connection. */
struct origin *origin_open(const struct origin_context *context,
                           const struct destination *destination, struct tls_session *session,
                           const struct origin_owner *owner, void *arg);
/* Frees it at the end of this turn; nobody is told any more. NULL is fine. */
void origin_close(struct origin *origin);

void origin_set_owner(struct origin *origin, const struct origin_owner *owner, void *arg);

enum { ORIGIN_AGAIN = -1, ORIGIN_FAILED = -2 };
/* Bytes, 0 at a clean end, ORIGIN_AGAIN, or ORIGIN_FAILED: reset, or cut without close_notify. */
ssize_t origin_receive(struct origin *origin, void *bytes, size_t len);
ssize_t origin_send(struct origin *origin, const void *bytes, size_t len);

/* Nothing arrived that nobody asked for, and the origin has not hung up: another request may
 * follow. Looks into TLS, but makes no system call unless something is there. */
bool origin_is_quiet(struct origin *origin);
/* The same, and the kernel is asked too: bytes may have come of which no event has told yet. For the last
 * moment before a request leaves over a connection that was kept; what arrives from then on belongs to
 * that request, but for what origin_spoke_early() tells. */
bool origin_is_quiet_now(struct origin *origin);
/* A part of a TLS record is there. On a new connection that may be a session ticket; one that was kept is
 * not worth the doubt. */
bool origin_holds_part(const struct origin *origin);
/* After the first bytes that came back since then: true if the origin's side has not even acknowledged the
 * first byte of the request, so that this cannot be its answer (an unasked response, or the 408 of an
 * origin that gave up waiting). One system call. */
bool origin_spoke_early(const struct origin *origin);

/* What was verified when it began still holds: a new request may go there. */
bool origin_is_current(const struct origin *origin);
/* What TLS says about an ORIGIN_FAILED; borrowed. NULL when nothing is known. */
const char *origin_trouble(const struct origin *origin);

/* How it came about, for the log. */
struct origin_facts {
    uint64_t opened_us;  /* when it began */
    unsigned connect_us; /* from the name to OPEN */
    bool resumed;        /* an abbreviated handshake */
};
struct origin_facts origin_facts(const struct origin *origin);

#endif

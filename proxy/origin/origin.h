/* proxy/origin/origin.h - one connection to one origin, from the name to bytes in the clear.
 *
 *   RESOLVING --addresses--> CONNECTING --one answered--> HANDSHAKE --name verified--> OPEN
 *        `--none allowed--.      `--none left--.              `--refused--.
 *                          '------------------'---- FAILED <--------------'
 *
 * Every address is judged before it is connected to, and the connection goes to the address that
 * was judged (race.h). Each state but OPEN may have a time of its own, and all have one together. Raw and TLS
 * connections look the same behind the four functions. */
#ifndef PROXY_ORIGIN_ORIGIN_H
#define PROXY_ORIGIN_ORIGIN_H

#include "policy/destination.h"
#include "proxy/origin/origin_context.h"
#include "proxy/origin/tls.h"
#include "proxy/reply.h"

struct origin;
struct sockaddr;

/* Whether a name may lead to `address`. Looks at the settings and our own listeners alone. */
bool origin_may_connect(const struct origin_context *context, const struct sockaddr *address);

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
/* Why it was not: an alert of its TLS side says more than that something came. Borrowed. */
const char *origin_why_not_quiet(const struct origin *origin);
/* A part of a TLS record is there. On a new connection that may be a session ticket; one that was kept is
 * not worth the doubt. */
bool origin_holds_part(const struct origin *origin);
/* After the first bytes that came back since then: true if the origin's side has not even acknowledged the
 * first byte of the request, so that this cannot be its answer (an unasked response, or the 408 of an
 * origin that gave up waiting). One system call. */
bool origin_spoke_early(const struct origin *origin);

/* For the circuit of its address: a response has begun, or none came in time. */
void origin_note_answer(struct origin *origin);
void origin_note_silence(struct origin *origin, unsigned waited_ms);

/* What was verified when it began still holds: a new request may go there. */
bool origin_is_current(const struct origin *origin);
/* What TLS says about an ORIGIN_FAILED; borrowed. NULL when nothing is known. */
const char *origin_trouble(const struct origin *origin);

/* Where it leads, once it is OPEN; borrowed. */
const struct sockaddr *origin_address(const struct origin *origin);

/* How it came about, for the log. */
struct origin_facts {
    uint64_t opened_us;              /* when it began */
    unsigned connect_us;             /* from the name to OPEN, or until it failed */
    unsigned dns_us, tcp_us, tls_us; /* the parts of that; 0: it did not come so far */
    bool resumed;                    /* an abbreviated handshake */
};
struct origin_facts origin_facts(const struct origin *origin);

#endif

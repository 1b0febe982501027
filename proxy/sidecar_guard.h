/* proxy/sidecar_guard.h - the guard: a second front, before the app instead of behind it.
 *
 *   anybody --- --guard-listen ---> guard --- http ---> --guard-app
 *                                     `--- TLS ---> VTEX ID, License Manager (the sidecar's own pool)
 *
 * Each loop has its own. Its way to the app is its own: the app's address is nobody's business but the operator's, so it may be
 * loopback or private, and --connect-to does not lead it elsewhere. */
#ifndef PROXY_SIDECAR_GUARD_H
#define PROXY_SIDECAR_GUARD_H

#include "proxy/exchange.h"
#include "proxy/exchange_guard.h"

struct guard;
struct helper;
struct tls;

/* A guard is wanted when an address to listen on is given; then the app and a schema must be too. */
void guard_check(const struct settings *settings, struct diags *diags);
/* The app's host and port; false without a guard. */
bool guard_app(const struct settings *settings, struct destination *out);

struct guard_plan {
    const struct exchange_context
        *exchanges; /* of those that go out: what both share, and its pool */
    const struct tls *tls;
    const struct sockaddr_storage *own;
    size_t n_own;
    unsigned max_clients;       /* of this one; 0: no limit */
    unsigned n_loops;           /* that have one */
    struct helper *helper;      /* who makes connections; NULL: we do */
    void (*emptied)(void *arg); /* after guard_drain(): its last client has left */
    void *arg;
};

/* guard_check() had no complaint. Takes `gate`. */
struct guard *guard_new(const struct guard_plan *plan, struct graphql_gate *gate);
/* In two steps, as origins_silence() and origins_free(). NULL is fine. */
void guard_silence(struct guard *guard);
void guard_free(struct guard *guard);

/* `shared` as in front_listen(). */
void guard_listen(struct guard *guard, int fd, bool shared);
/* Takes `gate`: requests under way keep theirs. Without a guard it is let go. */
void guard_use(struct guard *guard, struct graphql_gate *gate);
/* NULL is fine, as it is for the next ones: then there are no clients, and no questions. */
void guard_leave(struct guard *guard);     /* connections are not kept any more */
void guard_succeeded(struct guard *guard); /* and accepts no more: another has the listeners */
void guard_drain(struct guard *guard);
/* The settings have changed, where they stand, and what `like` has of them. */
void guard_apply_settings(struct guard *guard, const struct exchange_context *like,
                          unsigned max_clients);
struct graphql_questions guard_questions(const struct guard *guard);
size_t guard_n_clients(const struct guard *guard);

#endif

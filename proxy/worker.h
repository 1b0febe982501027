/* proxy/worker.h - what serves on one loop: clients, their exchanges, and all that these need.
 *
 * Knows of no other worker and of no thread: all functions are called on its loop's thread, but for
 * worker_new(), which comes before that thread. */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

#include "config/settings.h"
#include "policy/destination.h"
#include "policy/graphql/catalog.h"
#include "policy/policy.h"
#include "proxy/graphql_counts.h"
#include "proxy/tally.h"

struct callers;
struct helper;
struct lag;
struct log;
struct loop;
struct mailbox;
struct origins;
struct realms;
struct sockaddr_storage;
struct tls;
struct token_desk;
struct worker;

/* All borrowed; outlives the worker. */
struct worker_plan {
    const struct settings *settings;
    const struct realms *realms;
    const struct destination_rules *destination_rules;
    const char *store_cookie;
    const struct sockaddr_storage *own; /* our listeners */
    size_t n_own;
    struct graphql_catalog *schemas; /* counts references of its own, as of the next one */
    struct graphql_gate *gate;       /* of the guard; NULL: there is none */
    unsigned n_workers;              /* this one gets its part of the limits, rounded up */
    /* of this loop alone */
    struct loop *loop;
    struct log *log;
    struct tally *tally;
    struct lag *lag;
    const struct tls *tls;
    struct origins *origins;
    const struct callers *callers;
    struct helper *helper; /* who makes connections; NULL: we do */
    struct token_desk *desk;
    struct mailbox *in; /* read before each request that begins; NULL without threads */
    /* after worker_drain() or worker_succeeded(): the last client has left */
    void (*emptied)(void *context);
    void *context;
};

struct worker *worker_new(const struct worker_plan *plan);
/* In two steps, as origins_silence() and origins_free(): exchanges under way are cut; then, when the loop has turned
 * once more, the rest. */
void worker_silence(struct worker *worker);
void worker_free(struct worker *worker);

/* Its settings have changed, where they stand. (Its origins have been told.) */
void worker_apply_settings(struct worker *worker);

/* First of all, on its thread. Nothing is served before there is a policy. */
void worker_begin(struct worker *worker);
/* Takes a listening socket; `shared` as in front_listen(). */
void worker_listen(struct worker *worker, int fd, bool shared);
void worker_listen_as_guard(struct worker *worker, int fd, bool shared);

/* Takes a reference; requests under way keep what they pinned. */
void worker_set_policy(struct worker *worker, struct policy *policy);
void worker_set_shadow(struct worker *worker, struct policy *policy);
/* They take theirs, too. */
void worker_set_schemas(struct worker *worker, struct graphql_catalog *schemas);
void worker_set_gate(struct worker *worker, struct graphql_gate *gate);

void worker_leave(struct worker *worker); /* connections are not kept any more */
/* And nobody is let in: another has the listeners. */
void worker_succeeded(struct worker *worker);
void worker_drain(struct worker *worker); /* nor is a new request carried out */

/* Counted here, added by whoever asks. */
struct worker_facts {
    size_t n_clients, n_waiting; /* waiting: requests, for a token */
    unsigned n_active, n_circuits_open;
    uint64_t n_overloaded, n_retries_refused, n_would_deny, n_shadow_differences;
    uint64_t held_bytes, n_log_lines_dropped;
    struct graphql_questions questions; /* of the guard */
    struct tally tally;
    struct graphql_counts *graphql;
};
void worker_facts_init(struct worker_facts *facts); /* all zero */
void worker_facts_fini(struct worker_facts *facts);
void worker_facts_clear(struct worker_facts *facts);
void worker_facts_add(struct worker_facts *sum, const struct worker_facts *one);
/* Into `out`, which has been initialised. */
void worker_tell(const struct worker *worker, struct worker_facts *out);

#endif

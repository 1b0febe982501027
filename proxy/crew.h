/* proxy/crew.h - the workers, and the threads that they work in: --threads.
 *
 *   main loop: signals, reload, keeper of tokens, admin, watches       one thread each:
 *     crew --- letters: policy, token, secret, trust, drain ------->   worker: loop, clients, exchanges,
 *          <-- letters: a token is missing, was refused, was taken --          pool, DNS, circuits, log
 *
 * With one there is no thread: the worker's things hang on the main loop, and a letter is a call. With more,
 * the main loop serves nobody; whatever a request touches belongs to its worker's thread. All functions are
 * called on the main loop. */
#ifndef PROXY_CREW_H
#define PROXY_CREW_H

#include "proxy/worker.h"

struct crew;
struct helper;
struct lag;
struct listeners;
struct tls;
struct token_keeper;

/* All borrowed; outlives the crew. */
struct crew_plan {
    const struct settings *settings;
    struct loop *loop;
    /* the main loop's */
    struct log *log;
    struct tally *tally;
    struct lag *lag;
    struct origins *origins;
    struct tls *tls;
    struct token_keeper *keeper;
    struct callers *callers;
    struct helper *helper; /* who makes connections; NULL: everybody himself */
    struct listeners *listeners;
    const struct realms *realms;
    const char *store_cookie;
    struct graphql_catalog *schemas; /* NULL without --provider-schemas */
    struct graphql_gate *gate;       /* NULL without --guard-listen */
    const struct destination_rules *destination_rules;
    /* after crew_drain() or crew_succeeded(): the last client of the last worker has left */
    void (*emptied)(void *context);
    void *context;
};

/* How many workers the settings ask for. */
unsigned crew_size(const struct settings *settings);

/* Takes all listeners but the admin's. */
struct crew *crew_new(const struct crew_plan *plan);
/* In two steps, as origins_silence() and origins_free(): ends the threads, and cuts what is still done; then the
 * rest. */
void crew_silence(struct crew *crew);
void crew_free(struct crew *crew);
/* The threads begin. A process that wants to fork(), or gives up rights, which each thread has for itself, does it
 * before. */
void crew_start(struct crew *crew);

/* Borrowed: each worker gets a handle of its own. */
void crew_set_policy(struct crew *crew, struct policy *policy);
void crew_set_shadow(struct crew *crew, struct policy *policy);
void crew_set_schemas(struct crew *crew, struct graphql_catalog *schemas);
void crew_set_gate(struct crew *crew, struct graphql_gate *gate);
/* The log's file was moved away: all open it anew. */
void crew_reopen_logs(struct crew *crew);
/* The trust and the certificates of `tls` have been read again. */
void crew_renew_tls(struct crew *crew);

/* The plan's settings have changed, where they stand. Takes `retired`, which is what they were, and frees it
 * when nobody goes by it any more. */
void crew_apply_settings(struct crew *crew, struct settings *retired);

/* As of worker.h, all of them. */
void crew_leave(struct crew *crew);
void crew_succeeded(struct crew *crew);
void crew_drain(struct crew *crew);

/* The sum of what the workers count. Waits until each has told, a turn of its loop; who does not within a
 * second counts as he last told. Valid until the next call. */
const struct worker_facts *crew_facts(struct crew *crew);

#endif

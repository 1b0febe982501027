/* proxy/exchange.h - the life of one request, seen from outside.
 *
 * The front begins exchanges and tells them of their client; everything else an exchange needs
 * stands in its context. */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include "policy/graphql/catalog.h"
#include "policy/policy.h"
#include "proxy/caller.h"
#include "proxy/front.h"
#include "proxy/graphql_counts.h"
#include "proxy/lag.h"
#include "proxy/origin/pool.h"
#include "proxy/retry_budget.h"
#include "proxy/tally.h"
#include "proxy/token/desk.h"
#include "proxy/token/identity.h"

struct exchange_guard;
struct mailbox;

/* One loop's. Borrowed by every exchange, but for `policy`, which each pins: a reload swaps it here, and `shadow`
 * too, which is asked once and decides nothing. */
struct exchange_context {
    struct loop *loop;
    struct mailbox *in; /* read before each request that begins; NULL without threads */
    struct log *log;
    struct tally *tally; /* of the loop */
    struct lag *lag;
    const struct settings *settings;
    struct pool *pool;
    struct token_desk *desk;
    const struct realms *realms;
    const struct callers *callers;
    struct policy *policy, *shadow; /* shadow: NULL if there is none; policy: the guard has none */
    struct destination_rules destination_rules;
    struct identity_rules identity_rules;
    unsigned max_requests; /* of this loop; 0: no limit */
    struct deadlines *token_deadlines, *response_deadlines, *idle_deadlines;
    struct deadlines *total_deadlines;     /* NULL: --total-timeout is none */
    const struct graphql_catalog *schemas; /* of other apps; NULL: their operations are not read */
    struct graphql_counts *graphql_counts;
    const struct exchange_guard *guard; /* NULL: these exchanges go out */
    bool leaving;                       /* connections are not kept any more */
    bool draining;                      /* and no new request is carried out */
    /* written by exchanges */
    uint64_t id_prefix; /* random, once a loop */
    uint64_t n_begun;
    unsigned n_active; /* requests in flight, those that we answer ourselves included */
    uint64_t n_overloaded;
    struct retry_budget retries;
    uint64_t n_would_deny, n_shadow_differences;
    time_t date_second;
    char date[32]; /* of date_second, as in a Date header */
};

/* These four are the front's handler (proxy/front.h); `context` is a struct exchange_context. */
void *exchange_begin(void *context, struct client *client, const struct head *head);
void *exchange_refuse(void *context, struct client *client, enum outcome outcome, const char *why);
void exchange_io(void *exchange);
void exchange_gone(void *exchange);

void exchange_thread_end(void); /* this thread ends, and has no exchange any more */

#endif

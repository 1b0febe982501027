/* proxy/grant.h - may whoever holds this token do all of these things? Asks VTEX ID and License Manager.
 *
 *   whose token --known--> granted 1 --known--> granted 2 ... --> YES
 *      | not known: a question, which all who want to know the same wait for
 *      `--no--> nobody     `--no--> FORBIDDEN        no answer, or an odd one --> UNCLEAR
 *
 * Answers are kept for LIMIT_GRANT_YES_MS, refusals for LIMIT_GRANT_NO_MS, what is unclear not at all; never
 * longer than the token lives. It stands above token/ and origin/, because it needs both. */
#ifndef PROXY_GRANT_H
#define PROXY_GRANT_H

#include <sys/queue.h>

#include "config/settings.h"
#include "policy/graphql/gate.h"
#include "proxy/graphql_counts.h"
#include "proxy/loop.h"
#include "proxy/token/realm.h"

struct granter;
struct flight;
struct pool;
struct token;
struct token_desk;

struct granter_rules {
    struct loop *loop;
    struct pool *pool;
    const struct settings *settings; /* account, --guard-timeout; not kept */
    const struct realms *realms;     /* License Manager's host must be of the Janus realm */
    struct token_desk *desk;
};

enum grant_result {
    GRANT_YES,
    GRANT_NOBODY,    /* the token is no user's or app's of this account */
    GRANT_FORBIDDEN, /* it is, and has not been granted one of the things */
    GRANT_UNCLEAR,   /* nobody could tell */
    GRANT_LATER,     /* the waiter will hear of it */
};

/* Embedded in whoever waits; zero-initialised. `needs`, `token` and what they borrow from live as long. */
struct grant_waiter {
    void (*settled)(struct grant_waiter *waiter, enum grant_result result, const char *why);
    const struct token *token;
    const struct graphql_need *needs;
    size_t n_needs;
    /* private */
    size_t at; /* the need that is being looked into */
    unsigned n_rounds;
    struct flight *flight;
    LIST_ENTRY(grant_waiter) link;
};

struct granter *granter_new(const struct granter_rules *rules);
void granter_apply_settings(struct granter *granter, const struct settings *settings);
/* Before the pool. Nobody may wait any more. */
void granter_free(struct granter *granter);

/* `*why` is a sentence part, valid until control returns to the loop; "" when there is nothing to say.
 * `settled` is never called from inside. */
enum grant_result granter_ask(struct granter *granter, struct grant_waiter *waiter,
                              const char **why);
/* Waits no longer; fine if it does not wait. */
void granter_leave(struct granter *granter, struct grant_waiter *waiter);

struct graphql_questions granter_questions(const struct granter *granter);

#endif

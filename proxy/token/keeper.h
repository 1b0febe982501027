/* proxy/token/keeper.h - keeps the current app token and tells those who wait for one.
 *
 * Readers borrow: a token lives until control returns to the event loop; token_ref() makes it live
 * longer. Its expiry is looked at when it is used, so sleep and clock steps cannot make it stale.
 */
#ifndef PROXY_TOKEN_KEEPER_H
#define PROXY_TOKEN_KEEPER_H

#include <sys/queue.h>

#include "proxy/token/token.h"

struct log;
struct token_keeper;

struct token_keeper *token_keeper_new(struct log *log);
void token_keeper_free(struct token_keeper *keeper); /* nobody may be waiting */

/* A source delivers: takes `token`. */
void token_keeper_put(struct token_keeper *keeper, struct token *token);

/* The token to send now, or NULL when none is live: nothing is ever forwarded without one. */
struct token *token_keeper_current(struct token_keeper *keeper);

/* What to look for in responses: the current token, live or not, and the one before it. NULL if there is
 * nothing. Borrowed, until control returns to the event loop. */
struct scrub;
const struct scrub *token_keeper_scrub(const struct token_keeper *keeper);

/* Somebody who would rather wait. Embedded; told once, when a live token arrives. */
struct token_waiter {
    TAILQ_ENTRY(token_waiter) link;
    void (*arrived)(struct token_waiter *waiter);
    bool waiting;
};
void token_keeper_wait(struct token_keeper *keeper, struct token_waiter *waiter);
void token_keeper_leave(struct token_keeper *keeper, struct token_waiter *waiter);

#endif

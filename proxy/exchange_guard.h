/* proxy/exchange_guard.h - exchanges that come in: from anybody to the app, past its own @auth.
 *
 * The same life as any exchange's, with other answers to three questions: where it goes (to the app), whether
 * it may (GraphQL operations by their @auth, everything else at once), and as whom (as it came). */
#ifndef PROXY_EXCHANGE_GUARD_H
#define PROXY_EXCHANGE_GUARD_H

#include "proxy/exchange.h"

struct exchange;
struct granter;
struct graphql_gate;

/* What a context's `guard` points to. Borrowed by its exchanges; each pins the gate. */
struct exchange_guard {
    struct destination app; /* without path */
    struct graphql_gate *gate;
    struct granter *granter;
};

/* Between the exchange's own files. */
enum outcome exchange_guard_judge(struct exchange *x, const struct head *head, const char **why);
void exchange_guard_judged(struct exchange *x);
void exchange_guard_ask(struct exchange *x); /* GUARDED */
void exchange_guard_leave(struct exchange *x);

#endif

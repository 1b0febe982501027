/* proxy/exchange_graphql.h - a request whose GraphQL operation is read before it goes on.
 *
 *   READING   content is gathered behind the head that will leave, and stays there: what was read is what
 *             is forwarded. It ends with the content, or at a ceiling: then the operation is unknown.
 *   ASKING    the guard only: VTEX ID and License Manager are asked
 *
 * Between the exchange's own files; nobody else includes it. */
#ifndef PROXY_EXCHANGE_GRAPHQL_H
#define PROXY_EXCHANGE_GRAPHQL_H

#include "policy/graphql/gate.h"
#include "proxy/grant.h"
#include "proxy/token/presented.h"

struct exchange;
struct head;
struct log;

struct exchange_graphql {
    struct exchange *exchange;
    struct graphql_gate *gate;  /* pinned */
    size_t from;                /* where the content begins in x->up */
    char *query, *content_type; /* copies; NULL: not there */
    size_t query_len, content_type_len;
    bool encoded;
    bool judged;
    struct graphql_judgement judgement;

    enum presented presented; /* going out */
    struct token *token;      /* coming in: the user's; NULL: none that could be one */
    bool token_twice;
    struct grant_waiter waiter;
};

/* Notes what is needed of the head, if this is such a request. `x->destination` still borrows. */
void exchange_graphql_note(struct exchange *x, const struct head *head, struct graphql_gate *gate);
void exchange_graphql_free(struct exchange *x);
void exchange_graphql_thread_end(void); /* lets go of what this thread keeps for the next one */

/* With the head in x->up: READING begins, and may end at once. */
void exchange_graphql_begin(struct exchange *x);
/* Goes on with it. */
void exchange_graphql_read(struct exchange *x);
/* What has been read, for whoever decides. */
void exchange_graphql_judged(struct exchange *x);

void exchange_graphql_log(struct log *log, const struct exchange *x);

#endif

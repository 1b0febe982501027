/* policy/graphql/gate.h - a schema made ready to judge requests by, and the judgement.
 *
 * Immutable; holds copies, so the schema may go. Counted with an atomic: several loops may hold one. Judged are root
 * fields: the queries and mutations that @auth is documented for. Introspection (`__schema`, `__type`,
 * `__typename`) is open, as it is to @vtex/api. */
#ifndef POLICY_GRAPHQL_GATE_H
#define POLICY_GRAPHQL_GATE_H

#include "policy/graphql/auth_check.h"
#include "policy/graphql/request.h"

struct graphql_gate;

/* `schema` has been linked. Under builder 2.x a field without @auth is closed: it could not have shipped. */
struct graphql_gate *graphql_gate_new(const struct graphql_schema *schema,
                                      enum graphql_builder builder);
struct graphql_gate *graphql_gate_ref(struct graphql_gate *gate);
void graphql_gate_unref(struct graphql_gate *gate); /* NULL is fine */

/* Later ones are worse: of several operations, the worst counts. */
enum graphql_answer {
    GRAPHQL_OPEN,       /* PUBLIC all over */
    GRAPHQL_GUARDED,    /* `needs` says what must be granted, all of it */
    GRAPHQL_STRANGE,    /* a field that the schema does not have */
    GRAPHQL_CLOSED,     /* an @auth that cannot be relied on */
    GRAPHQL_UNREADABLE, /* it could not be found out */
};

enum { GRAPHQL_NEEDS_MAX = 32, GRAPHQL_WHY_MAX = 320, GRAPHQL_SUMMARY_MAX = 200 };

/* Borrowed from the gate. */
struct graphql_need {
    struct text type, field; /* the first that needs it */
    struct text product, resource;
};

/* For the log: of the first operation, names cut to fit; of several, all of the fields. */
struct graphql_summary {
    unsigned n_operations; /* 0: nothing could be read */
    enum graphql_operation operation;
    char name[64];
    char fields[GRAPHQL_SUMMARY_MAX]; /* "orders,user" */
    bool cut;
};

struct graphql_judgement {
    enum graphql_answer answer;
    char why[GRAPHQL_WHY_MAX]; /* of the last three: a sentence without its end, printable */
    struct graphql_need needs[GRAPHQL_NEEDS_MAX];
    size_t n_needs;
    size_t n_list; /* as many answers are expected in a list; 0: one, and no list */
    struct graphql_summary summary;
};

/* `arena` is cleared, and serves the next judgement too. */
void graphql_judge(const struct graphql_gate *gate, const struct graphql_message *message,
                   struct arena *arena, struct graphql_judgement *out);

#endif

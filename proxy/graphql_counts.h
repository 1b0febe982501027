/* proxy/graphql_counts.h - how often which GraphQL operation went by, for /metrics.
 *
 * By type, name and root fields. Clients choose the names, so there is a ceiling: what comes when the table
 * is full is counted together. Each loop has its own; those of several are added up when somebody asks. */
#ifndef PROXY_GRAPHQL_COUNTS_H
#define PROXY_GRAPHQL_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/graphql/gate.h"

struct graphql_counts;

struct graphql_counts *graphql_counts_new(void);
void graphql_counts_free(struct graphql_counts *counts);
void graphql_counts_clear(struct graphql_counts *counts);
void graphql_counts_add(struct graphql_counts *counts, const struct graphql_judgement *judgement);

/* Adds the numbers of `one` to those of `sum`, as if all had come there. */
void graphql_counts_sum(struct graphql_counts *sum, const struct graphql_counts *one);

/* "query", "mutation", "subscription", or "unread". */
const char *graphql_counted_type(const struct graphql_judgement *judgement);

/* What the guard has asked of VTEX ID and License Manager. */
struct graphql_questions {
    uint64_t n_asked, n_unclear; /* n_unclear: those that brought no yes and no no */
};

struct graphql_count {
    const char *type, *name, *fields; /* of all that found no room: "other", "", "" */
    uint64_t n;
};
/* False behind the last one. */
bool graphql_counts_at(const struct graphql_counts *counts, size_t i, struct graphql_count *out);

#endif

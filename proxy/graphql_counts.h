/* proxy/graphql_counts.h - how often which GraphQL operation went by, for /metrics.
 *
 * By type, name and root fields. Clients choose the names, so there is a ceiling: what comes when the table
 * is full is counted together. */
#ifndef PROXY_GRAPHQL_COUNTS_H
#define PROXY_GRAPHQL_COUNTS_H

#include <stdint.h>

#include "policy/graphql/gate.h"

struct graphql_counts;

struct graphql_counts *graphql_counts_new(void);
void graphql_counts_free(struct graphql_counts *counts);
void graphql_counts_add(struct graphql_counts *counts, const struct graphql_judgement *judgement);

/* "query", "mutation", "subscription", or "unread". */
const char *graphql_counted_type(const struct graphql_judgement *judgement);

/* What the guard has asked of VTEX ID and License Manager. */
struct graphql_questions {
    uint64_t n_asked, n_unclear; /* n_unclear: those that brought no yes and no no */
};

/* `text` is OpenMetrics, taken; the result has our lines before its end. The caller frees. `questions`: NULL
 * without a guard. */
char *graphql_counts_write(const struct graphql_counts *counts,
                           const struct graphql_questions *questions, char *text);

#endif

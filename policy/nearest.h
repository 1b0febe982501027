/* policy/nearest.h - the rule that comes nearest to a request that no rule opens. */
#ifndef POLICY_NEAREST_H
#define POLICY_NEAREST_H

#include "policy/rule.h"

struct nearest_query {
    struct text host; /* canonical */
    struct text path; /* the reading that is not open */
};

/* By host first: the same, a wildcard that covers it, one under the same registrable name, then by
 * spelling; among those by path segments; the first in the file wins a tie. NULL: no rules. One
 * pass; at most NEAREST_SPELLINGS relatives and as many strangers
 * are measured letter by letter. */
enum { NEAREST_SPELLINGS = 2000 };
const struct rule *nearest_rule(const struct rule *rules, size_t n,
                                const struct nearest_query *query);

/* The rule names a port, and all else fits: only the port can have failed. */
bool nearest_fits(const struct rule *rule, const struct nearest_query *query);

#endif

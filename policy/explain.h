/* policy/explain.h - a verdict at length: what decided or came nearest, what failed, what to write.
 *
 * For denials and for people, never on the way of an allowed request: the search for the nearest
 * rule looks at every rule once, and measures spellings for a bounded number of them. Pure. */
#ifndef POLICY_EXPLAIN_H
#define POLICY_EXPLAIN_H

#include "policy/policy.h"
#include "policy/readings.h"

/* What about the request does not fit. */
enum explain_field {
    EXPLAIN_NOTHING, /* it is allowed */
    EXPLAIN_HOST,    /* a port that the policy names counts as part of its host */
    EXPLAIN_PATH,
    EXPLAIN_METHOD,
    EXPLAIN_ACCOUNT,
    EXPLAIN_WORKSPACE,
    EXPLAIN_ADDRESS,
    EXPLAIN_READING, /* the path as sent is open, another reading of it is not */
    EXPLAIN_RULE,    /* a rule closes it */
};

const char *explain_field_name(enum explain_field field); /* "host" */

/* A rule as its writer knows it. line 0: there is none. Borrowed from the policy. */
struct explained_rule {
    struct place place;
    struct text name;       /* "outbound-access", a key, VENDOR.APP:POLICY, a dependency */
    struct text host, path; /* as written; path.at == NULL: none is written */
};

struct explanation {
    struct verdict verdict;
    enum explain_field failing;
    struct explained_rule rule; /* the deciding one if `decided`, else the nearest */
    bool decided;
    bool readings_known; /* false: the path was refused before all were made */
    struct readings readings;
    struct explained_rule opened_by[READINGS_MAX]; /* line 0: by none */
    /* JSON objects joined by ", ": pasted into "policies", exactly this request passes. NULL when
     * no policy could do that; `no_snippet` (static) says why. Both NULL: it is allowed. */
    char *snippet;
    const char *no_snippet;
};

/* Judges, and explains. `destination` must outlive `out`; explain_fini() is due. */
void explain_request(const struct policy *policy, struct text method,
                     const struct destination *destination, struct explanation *out);
void explain_fini(struct explanation *explanation);

/* One line: the verdict's sentence, the nearest rule with its place, the failing field, and the
 * snippet if it fits whole. Cuts at `size`; returns the length. */
size_t explain_line(const struct policy *policy, const struct explanation *explanation,
                    const struct destination *destination, char *out, size_t size);

#endif

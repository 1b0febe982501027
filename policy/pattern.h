/* policy/pattern.h - one compiled wildcard, for a host or a path.
 *
 * `*` stands for any run of characters: in a path also an empty one, crossing '/'; in a host a
 * non-empty run of host characters, never '/', ':' or '@'. Matching is linear in the text for any
 * pattern (greedy over literal pieces; never backtracks over more than one piece). */
#ifndef POLICY_PATTERN_H
#define POLICY_PATTERN_H

#include <stdbool.h>

#include "config/text.h"

enum pattern_kind {
    PATTERN_HOST,
    PATTERN_PATH,
    PATTERN_SEGMENT, /* a path with one `*`, which stands for a run that is not empty and holds no
                        '/': a documented template such as {{orderFormId}} */
};

struct pattern; /* immutable; owns its pieces */

struct pattern *pattern_new(enum pattern_kind kind, struct text source);
void pattern_free(struct pattern *pattern);
bool pattern_matches(const struct pattern *pattern, struct text subject);
/* Whatever `inner` matches, `outer` matches too. For paths: in hosts a `*` has other rules. */
bool pattern_covers(const struct pattern *outer, const struct pattern *inner);
/* No `*` in it: it matches only itself. */
bool pattern_is_literal(const struct pattern *pattern);
struct text pattern_source(const struct pattern *pattern);
/* What stands before the first `*` and behind the last one. Of a literal both are the whole. */
struct text pattern_head(const struct pattern *pattern);
struct text pattern_tail(const struct pattern *pattern);

#endif

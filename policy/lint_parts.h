/* policy/lint_parts.h - for policy/lint*.c only. */
#ifndef POLICY_LINT_PARTS_H
#define POLICY_LINT_PARTS_H

#include "policy/compiled.h"

/* Whatever `inner` opens, `outer` opens too. Neither denies. `ours` is whose paths routes are about. */
bool lint_covers(const struct rule *outer, const struct rule *inner, const struct tenant *ours);

/* Warns of rules that repeat or are covered by another. */
void lint_overlaps(const struct policy *policy, struct diags *diags);

/* Warns of rules of which a provider's denials leave nothing. */
void lint_closed(const struct policy *policy, struct diags *diags);

/* The path that a rule for routes shows, as it begins: "/vtex.x/v*" or "/vtex.x/v1", then account,
 * workspace and route without a '/' in between that the route does not ask for. The caller frees. */
char *lint_route_path(const struct rule *rule, const char *version, const struct tenant *ours);

#endif

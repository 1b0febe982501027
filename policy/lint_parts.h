/* policy/lint_parts.h - for policy/lint*.c only. */
#ifndef POLICY_LINT_PARTS_H
#define POLICY_LINT_PARTS_H

#include "policy/rule.h"

/* Whatever `inner` matches, `outer` matches too. */
bool lint_covers(const struct rule *outer, const struct rule *inner);

/* Warns of rules that repeat or are covered by another. */
void lint_overlaps(const struct rule *rules, size_t n, struct diags *diags);

#endif

/* policy/lint.h - policies that work, but hardly as meant: never, twice, or for too much.
 *
 * For validate, not for a start: it compares rules with one another. What cannot be compiled has
 * been reported by policy_new() already. Warnings only. Pure. */
#ifndef POLICY_LINT_H
#define POLICY_LINT_H

#include "policy/policy.h"

/* Duplicates are found by sorting. Coverage costs a comparison for each pair of rules that share a
 * host, and for each wildcard host with every rule; after LINT_COMPARISONS one finding says that
 * the rest was left out. */
enum { LINT_COMPARISONS = 5000000 };

void policy_lint(const struct policy *policy, struct diags *diags);

/* Keys and policies of apps that stand in the manifest twice: they open nothing more, so no rule tells
 * of them. `kinds` as in the settings. */
void policy_lint_rows(const struct manifest *manifest, unsigned kinds, struct diags *diags);

#endif

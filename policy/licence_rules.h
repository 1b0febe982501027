/* policy/licence_rules.h - License Manager keys of a manifest as rules. */
#ifndef POLICY_LICENCE_RULES_H
#define POLICY_LICENCE_RULES_H

#include "policy/licence.h"
#include "policy/rule.h"

enum { LICENCE_MAX_ROWS = 64 };

/* What compiling needs from one function to the next. Zero-initialised but for the first four. */
struct licence_rules {
    const struct template_values *values;
    struct diags *diags;
    void (*add)(void *context, struct rule *rule); /* takes what the rule owns */
    void *context;
    bool opened[LICENCE_MAX_ROWS]; /* a key that stands there twice opens nothing more */
    size_t n_inner;                /* platform policies about something else */
    const struct manifest_policy *first_inner;
};

void licence_rules_open(struct licence_rules *rules, const struct manifest_policy *row);
/* One finding for all the policies that are about something else. */
void licence_rules_end(struct licence_rules *rules);

#endif

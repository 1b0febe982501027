/* policy/app_statement.h - a provider's statements as rules; for app_rules.c and policy.c only. */
#ifndef POLICY_APP_STATEMENT_H
#define POLICY_APP_STATEMENT_H

#include "policy/app_rules.h"

/* Marks as broken, after error findings, the providers whose statements cannot be read in one way
 * only. Goes before the other two. */
void app_statements_check(struct providers *providers, const struct template_values *values,
                          struct diags *diags);
/* `name` is how the manifest calls it. */
void app_statements_open(struct app_rules *rules, const struct provider *provider,
                         const struct provider_policy *policy, struct text name);
void app_statements_close(struct app_rules *rules, const struct provider *provider);

#endif

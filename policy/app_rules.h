/* policy/app_rules.h - what other apps' routes a manifest opens, and what their owners close.
 *
 *   "vtex.messages:translate" in policies   the statements of that name in the provider's file, or the
 *                                           whole app when there is no file
 *   "vtex.messages": "1.x" in dependencies  the whole app in that major, unless there is a file
 *   deny statements of any file             close their routes, whatever opened them
 *   a file that cannot be read safely       closes its app */
#ifndef POLICY_APP_RULES_H
#define POLICY_APP_RULES_H

#include "config/provider.h"
#include "policy/rule.h"

/* What compiling needs from one function to the next. */
struct app_rules {
    const struct providers *providers;
    const struct template_values *values;
    struct diags *diags;
    void (*add)(void *context, struct rule *rule); /* takes what the rule owns */
    void *context;
    bool **opened; /* of each provider, which policies have been opened already; private */
};

void app_rules_init(struct app_rules *rules);
void app_rules_fini(struct app_rules *rules);

/* The row's name has a ':' in it. */
void app_rules_open_policy(struct app_rules *rules, const struct manifest_policy *row);
void app_rules_open_dependency(struct app_rules *rules, const struct manifest_dependency *row);
/* Deny statements; call it whatever the manifest opens. */
void app_rules_close(struct app_rules *rules);

/* One rule for routes of `service` on `host`; `route` is a pattern for what stands behind the
 * workspace. */
struct rule_route {
    const char *host;
    struct text service, route;
    int major;
};
struct rule rule_for_route(const struct rule_route *route, const struct template_values *values);

#endif

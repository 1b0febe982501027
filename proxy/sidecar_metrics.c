#include "proxy/sidecar_metrics.h"

#include "proxy/metrics.h"

#define MANIFEST "policy=\"manifest\""
#define SHADOW   "policy=\"shadow\""

static bool has_shadow(const struct readiness_facts *facts)
{
    return facts->settings->shadow_manifest_file;
}

/* One getter for the manifest in force and one for the shadow. */
#define OF_POLICY(number, expression)                                                              \
    static bool manifest_##number(const void *context, double *value)                              \
    {                                                                                              \
        const struct live_policy_state *state =                                                    \
            &((const struct readiness_facts *)context)->policy;                                    \
        *value = (double)(expression);                                                             \
        return true;                                                                               \
    }                                                                                              \
    static bool shadow_##number(const void *context, double *value)                                \
    {                                                                                              \
        const struct live_policy_state *state =                                                    \
            &((const struct readiness_facts *)context)->shadow;                                    \
        *value = (double)(expression);                                                             \
        return has_shadow(context);                                                                \
    }

OF_POLICY(rules, state->n_rules)
OF_POLICY(generation, state->generation)
OF_POLICY(loaded_at, state->loaded_at)
OF_POLICY(failed, state->failed ? 1 : 0)
OF_POLICY(reloads, state->generation - 1)
OF_POLICY(failures, state->n_failures)

static bool would_deny(const void *context, double *value)
{
    *value = (double)((const struct readiness_facts *)context)->n_would_deny;
    return true;
}

static bool shadow_differences(const void *context, double *value)
{
    *value = (double)((const struct readiness_facts *)context)->n_shadow_differences;
    return has_shadow(context);
}

/* The manifest's number and the shadow's. */
#define BOTH(name, type, help, number)                                                             \
    { "janus_sidecar_policy_" name, type, help, MANIFEST, manifest_##number },                     \
    {                                                                                              \
        "janus_sidecar_policy_" name, type, help, SHADOW, shadow_##number                          \
    }

static const struct metric rows[] = {
    BOTH("rules", METRIC_GAUGE, "Rules of the policy in force.", rules),
    BOTH("generation", METRIC_GAUGE, "How many policies have been in force, this one included.",
         generation),
    BOTH("loaded_timestamp_seconds", METRIC_GAUGE, "When the policy in force was loaded.",
         loaded_at),
    BOTH("reload_failed", METRIC_GAUGE, "1 if the last reload left the policy of before in force.",
         failed),
    BOTH("reloads", METRIC_COUNTER, "Reloads that put a policy in force.", reloads),
    BOTH("reload_failures", METRIC_COUNTER, "Reloads that left the policy of before in force.",
         failures),
    { "janus_sidecar_would_deny", METRIC_COUNTER,
      "Requests that --mode report let through against the policies.", NULL, would_deny },
    { "janus_sidecar_shadow_differences", METRIC_COUNTER,
      "Requests that --shadow-manifest would have judged in another way.", NULL,
      shadow_differences },
};

char *sidecar_metrics(const struct readiness_facts *facts)
{
    return metrics_text(rows, sizeof(rows) / sizeof(rows[0]), facts);
}

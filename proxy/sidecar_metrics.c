#include "proxy/sidecar_metrics.h"

#include <stdio.h>
#include <string.h>

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

#define OF_FACTS(name, expression)                                                                 \
    static bool name(const void *context, double *value)                                           \
    {                                                                                              \
        const struct readiness_facts *facts = context;                                             \
        *value = (double)(expression);                                                             \
        return true;                                                                               \
    }

OF_FACTS(clients, facts->n_clients)
OF_FACTS(active, facts->n_active)
OF_FACTS(held, facts->held_bytes)
OF_FACTS(overloaded, facts->n_overloaded)
OF_FACTS(circuits_open, facts->n_circuits_open)
OF_FACTS(retries_refused, facts->n_retries_refused)

#define OF_TOKEN(name, known, expression)                                                          \
    static bool token_##name(const void *context, double *value)                                   \
    {                                                                                              \
        const struct token_facts *token = &((const struct readiness_facts *)context)->token;       \
        *value = (double)(expression);                                                             \
        return known;                                                                              \
    }

OF_TOKEN(live, true, token->current ? 1 : 0)
OF_TOKEN(generation_number, true,
         token->current ? token_generation(token->current) : token->generation)
OF_TOKEN(expires_in, token->current, (double)token->expires_in_ms / 1000)
OF_TOKEN(renewal_in, token->current, (double)token->renewal_in_ms / 1000)
OF_TOKEN(renewals, true, token->n_renewals)
OF_TOKEN(failures, true, token->n_failures)
OF_TOKEN(waiting, true, token->n_waiting)

OF_TOKEN(is_known, token->current, 1)

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
    { "janus_sidecar_token_live", METRIC_GAUGE, "1 if there is a token that may be sent.", NULL,
      token_live },
    { "janus_sidecar_token", METRIC_INFO, "The current token, as the log names it.", NULL,
      token_is_known },
    { "janus_sidecar_token_generation", METRIC_GAUGE, "Number of the current token, as in the log.",
      NULL, token_generation_number },
    { "janus_sidecar_token_expires_in_seconds", METRIC_GAUGE,
      "Until the current token is not sent any more.", NULL, token_expires_in },
    { "janus_sidecar_token_renewal_in_seconds", METRIC_GAUGE,
      "Until its source is asked again; negative: it is overdue.", NULL, token_renewal_in },
    { "janus_sidecar_token_renewals", METRIC_COUNTER, "New tokens that sources gave.", NULL,
      token_renewals },
    { "janus_sidecar_token_failures", METRIC_COUNTER, "Answers of sources that brought none.", NULL,
      token_failures },
    { "janus_sidecar_token_waiting_requests", METRIC_GAUGE, "Requests that wait for a token.", NULL,
      token_waiting },
    { "janus_sidecar_clients", METRIC_GAUGE, "Clients that are connected.", NULL, clients },
    { "janus_sidecar_requests_in_flight", METRIC_GAUGE, "Requests under way.", NULL, active },
    { "janus_sidecar_buffer_bytes", METRIC_GAUGE,
      "What the buffers of all requests and clients hold; --max-buffers is their limit.", NULL,
      held },
    { "janus_sidecar_overloaded", METRIC_COUNTER,
      "Requests answered 503 because a limit was reached.", NULL, overloaded },
    { "janus_sidecar_circuits_open", METRIC_GAUGE,
      "Addresses of origins that are left alone because they failed.", NULL, circuits_open },
    { "janus_sidecar_retries_refused", METRIC_COUNTER,
      "Requests that were not sent again because too many were of late.", NULL, retries_refused },
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]), LABELS_MAX = 128 };

/* By number and fingerprint, never by value. */
static void name_token(const struct token_facts *token, char labels[LABELS_MAX])
{
    if (token->current)
        snprintf(labels, LABELS_MAX, "generation=\"%u\",fingerprint=\"%s\",source=\"%s\"",
                 token_generation(token->current), token_fingerprint(token->current),
                 token->source);
}

char *sidecar_metrics(const struct readiness_facts *facts)
{
    struct metric named[N_ROWS];
    char labels[LABELS_MAX] = "";

    memcpy(named, rows, sizeof(rows));
    name_token(&facts->token, labels);
    for (size_t i = 0; i < N_ROWS; i++) {
        if (named[i].type == METRIC_INFO)
            named[i].labels = labels;
    }
    return metrics_text(named, N_ROWS, facts);
}

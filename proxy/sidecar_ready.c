#include "proxy/sidecar_ready.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct out {
    char *at;
    size_t room;
};

static void add(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct out *out, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(out->at, out->room, format, arguments);
    va_end(arguments);
    size_t len = n < 0 ? 0 : (size_t)n < out->room ? (size_t)n : out->room - 1;
    out->at += len;
    out->room -= len;
}

static void add_policy(struct out *out, const char *name, const struct live_policy_state *state)
{
    char loaded_at[sizeof("2026-01-01T00:00:00Z")] = "";
    struct tm parts;

    if (gmtime_r(&state->loaded_at, &parts))
        strftime(loaded_at, sizeof(loaded_at), "%Y-%m-%dT%H:%M:%SZ", &parts);
    add(out,
        "\"%s\":{\"rules\":%zu,\"generation\":%u,\"reload\":\"%s\",\"reload_failures\":%u,"
        "\"loaded_at\":\"%s\"},",
        name, state->n_rules, state->generation, state->failed ? "failed" : "ok", state->n_failures,
        loaded_at);
}

static const char *name_of_token(const struct readiness_facts *facts)
{
    if (!facts->has_source)
        return "none configured";
    return facts->has_token ? "live" : "missing or expired";
}

bool readiness_write(const struct readiness_facts *facts, char *body, size_t size)
{
    struct out out = { body, size };
    bool ready = (!facts->has_source || facts->has_token) && !facts->draining;

    add(&out, "{\"ready\":%s,", ready ? "true" : "false");
    add_policy(&out, "policy", &facts->policy);
    add(&out, "\"mode\":\"%s\",\"would_deny\":%" PRIu64 ",",
        facts->settings->mode == MODE_REPORT ? "report" : "enforce", facts->n_would_deny);
    if (facts->settings->shadow_manifest_file) {
        add_policy(&out, "shadow", &facts->shadow);
        add(&out, "\"shadow_differences\":%" PRIu64 ",", facts->n_shadow_differences);
    }
    add(&out, "\"token\":\"%s\",\"draining\":%s}\n", name_of_token(facts),
        facts->draining ? "true" : "false");
    return ready;
}

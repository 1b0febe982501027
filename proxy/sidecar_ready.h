/* proxy/sidecar_ready.h - what /readyz says. Pure. */
#ifndef PROXY_SIDECAR_READY_H
#define PROXY_SIDECAR_READY_H

#include <stdint.h>

#include "proxy/self.h"
#include "proxy/sidecar_policy.h"
#include "proxy/token/keeper.h"

struct graphql_counts;
struct graphql_questions;

struct readiness_facts {
    const struct settings *settings;
    struct live_policy_state policy, shadow; /* shadow: with --shadow-manifest only */
    uint64_t n_would_deny, n_shadow_differences;
    struct token_facts token;
    bool draining, settings_failed; /* the last reload left the settings of before in force */
    size_t n_clients;
    unsigned n_active, n_circuits_open;
    uint64_t n_overloaded, n_retries_refused, held_bytes;
    uint64_t n_log_lines_dropped;
    const struct tally *tally; /* of all loops together */
    const struct graphql_counts *graphql;
    const struct graphql_questions *questions; /* of the guard; NULL without one */
    struct self_facts self;                    /* for /metrics alone: the kernel is asked */
};

/* Writes one JSON object, cut at `size`. True if the sidecar can serve: with a live token, unless it
 * has no source of tokens, and not while it drains. A reload that failed takes nothing away: the
 * policy of before serves on. */
enum { READINESS_MAX = 2048 };
bool readiness_write(const struct readiness_facts *facts, char *body, size_t size);

#endif

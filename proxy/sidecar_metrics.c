#include "proxy/sidecar_metrics.h"

#include <event2/event.h>
#include <openssl/crypto.h>
#include <string.h>

#include "proxy/graphql_counts.h"
#include "proxy/tally.h"

enum { LABELS_MAX = 512 };

/* ---- one number ---- */

#define OF_FACTS(name, known, expression)                                                          \
    static bool name(const void *context, double *value)                                           \
    {                                                                                              \
        const struct readiness_facts *facts = context;                                             \
        *value = (double)(expression);                                                             \
        return known;                                                                              \
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
        return ((const struct readiness_facts *)context)->settings->shadow_manifest_file != NULL;  \
    }

OF_FACTS(request_bytes, true, facts->tally->request_bytes)
OF_FACTS(response_bytes, true, facts->tally->response_bytes)
OF_FACTS(active, true, facts->n_active)
OF_FACTS(clients, true, facts->n_clients)
OF_FACTS(held, true, facts->held_bytes)
OF_FACTS(overloaded, true, facts->n_overloaded)

OF_FACTS(connections_idle, true, facts->tally->connections_idle)
OF_FACTS(connections_busy, true, facts->tally->connections_open - facts->tally->connections_idle)
OF_FACTS(connections_opened, true, facts->tally->connections_opened)
OF_FACTS(connections_reused, true, facts->tally->connections_reused)
OF_FACTS(stale_retries, true, facts->tally->stale_retries)
OF_FACTS(retries_refused, true, facts->n_retries_refused)
OF_FACTS(circuits_open, true, facts->n_circuits_open)
OF_FACTS(handshakes_full, true, facts->tally->handshakes_full)
OF_FACTS(handshakes_resumed, true, facts->tally->handshakes_resumed)
OF_FACTS(lookups, true, facts->tally->names.lookups)
OF_FACTS(lookups_failed, true, facts->tally->names.no_address)
OF_FACTS(names_asked, true, facts->tally->names.asked)
OF_FACTS(names_known, true, facts->tally->names.hits)
OF_FACTS(names_moved, true, facts->tally->names.moved)

OF_FACTS(questions, facts->questions, facts->questions ? facts->questions->n_asked : 0)
OF_FACTS(unclear, facts->questions, facts->questions ? facts->questions->n_unclear : 0)

OF_FACTS(token_live, true, facts->token.current ? 1 : 0)
OF_FACTS(token_number, true,
         facts->token.current ? token_generation(facts->token.current) : facts->token.generation)
OF_FACTS(token_expires_in, facts->token.current, (double)facts->token.expires_in_ms / 1000)
OF_FACTS(token_renewal_in, facts->token.current, (double)facts->token.renewal_in_ms / 1000)
OF_FACTS(token_renewals, true, facts->token.n_renewals)
OF_FACTS(token_failures, true, facts->token.n_failures)
OF_FACTS(token_waiting, true, facts->token.n_waiting)

OF_POLICY(rules, state->n_rules)
OF_POLICY(generation, state->generation)
OF_POLICY(loaded_at, state->loaded_at)
OF_POLICY(failed, state->failed ? 1 : 0)
OF_POLICY(reloads, state->generation - 1)
OF_POLICY(failures, state->n_failures)
OF_FACTS(would_deny, true, facts->n_would_deny)
OF_FACTS(shadow_differences, facts->settings->shadow_manifest_file, facts->n_shadow_differences)

OF_FACTS(log_lines_dropped, true, facts->n_log_lines_dropped)
OF_FACTS(started_at, true, facts->self.started_at)
OF_FACTS(cpu, true, facts->self.cpu_s)
OF_FACTS(resident, facts->self.resident_bytes >= 0, facts->self.resident_bytes)
OF_FACTS(open_fds, facts->self.n_open >= 0, facts->self.n_open)
OF_FACTS(max_fds, facts->self.max_open >= 0, facts->self.max_open)

/* ---- many ---- */

static const struct tally *tally_of(const void *facts)
{
    return ((const struct readiness_facts *)facts)->tally;
}

/* Only what there was: most ends never meet most verdicts. */
static void put_requests(struct metrics_out *out, const char *verdict, const char *destination,
                         const uint64_t *by_outcome)
{
    for (int outcome = 0; outcome < N_OUTCOMES; outcome++) {
        char labels[LABELS_MAX] = "";

        if (by_outcome[outcome] == 0)
            continue;
        metrics_label(labels, sizeof(labels), "verdict", verdict);
        metrics_label(labels, sizeof(labels), "outcome", outcome_row(outcome)->name);
        metrics_label(labels, sizeof(labels), "destination", destination);
        metrics_sample(out, labels, (double)by_outcome[outcome]);
    }
}

#define NAMELESS "other"

static void requests(const void *facts, struct metrics_out *out)
{
    const struct tally *tally = tally_of(facts);

    for (int verdict = 0; verdict < N_TALLY_VERDICTS; verdict++)
        put_requests(out, tally_verdict_name(verdict), NAMELESS, tally->requests[verdict]);
    for (size_t i = 0; i < tally->n_places; i++)
        put_requests(out, tally_verdict_name(TALLY_ALLOW), tally->places[i].host,
                     tally->places[i].requests);
}

static void first_byte(const void *facts, struct metrics_out *out)
{
    const struct tally *tally = tally_of(facts);

    metrics_times(out, "destination=\"" NAMELESS "\"", &tally->first_byte);
    for (size_t i = 0; i < tally->n_places; i++) {
        char labels[LABELS_MAX] = "";
        metrics_label(labels, sizeof(labels), "destination", tally->places[i].host);
        metrics_times(out, labels, &tally->places[i].first_byte);
    }
}

#define OF_TIMES(name, field)                                                                      \
    static void name(const void *facts, struct metrics_out *out)                                   \
    {                                                                                              \
        metrics_times(out, "", &tally_of(facts)->field);                                           \
    }

OF_TIMES(ours, ours)
OF_TIMES(total, total)
OF_TIMES(connecting, connecting)
OF_TIMES(looking_up, names.looking_up)
OF_TIMES(lag, lag)

static void handshakes_failed(const void *facts, struct metrics_out *out)
{
    for (int i = 0; i < N_TALLY_SHAKINGS; i++) {
        char labels[LABELS_MAX] = "";
        metrics_label(labels, sizeof(labels), "reason", tally_shaking_name(i));
        metrics_sample(out, labels, (double)tally_of(facts)->handshakes_failed[i]);
    }
}

static void graphql_operations(const void *context, struct metrics_out *out)
{
    const struct graphql_counts *counts = ((const struct readiness_facts *)context)->graphql;
    struct graphql_count count;

    for (size_t i = 0; counts && graphql_counts_at(counts, i, &count); i++) {
        char labels[LABELS_MAX + GRAPHQL_SUMMARY_MAX] = "";
        metrics_label(labels, sizeof(labels), "type", count.type);
        metrics_label(labels, sizeof(labels), "name", count.name);
        metrics_label(labels, sizeof(labels), "fields", count.fields);
        metrics_sample(out, labels, (double)count.n);
    }
}

/* By number and fingerprint, never by value. */
static void token(const void *context, struct metrics_out *out)
{
    const struct token_facts *facts = &((const struct readiness_facts *)context)->token;
    char labels[LABELS_MAX] = "", generation[UINT_TEXT_MAX + 1] = "";

    if (!facts->current)
        return;
    text_put_uint(generation, token_generation(facts->current));
    metrics_label(labels, sizeof(labels), "generation", generation);
    metrics_label(labels, sizeof(labels), "fingerprint", token_fingerprint(facts->current));
    metrics_label(labels, sizeof(labels), "source", facts->source);
    metrics_sample(out, labels, 1);
}

static void build(const void *facts, struct metrics_out *out)
{
    char labels[LABELS_MAX] = "";

    (void)facts;
    metrics_label(labels, sizeof(labels), "version", JANUS_VERSION);
    metrics_label(labels, sizeof(labels), "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
    metrics_label(labels, sizeof(labels), "libevent", event_get_version());
    metrics_sample(out, labels, 1);
}

/* ---- the table ---- */

#define NAMED(name)         "janus_sidecar_" name
#define SECONDS             "seconds"
#define BYTES               "bytes"
#define ONE(getter)         NULL, getter, NULL
#define MANY(names, writer) names, NULL, writer

/* The manifest's number and the shadow's. */
#define BOTH(name, type, unit, help, number)                                                       \
    { NAMED("policy_" name), type, unit, help, "policy=\"manifest\"", manifest_##number, NULL },   \
    {                                                                                              \
        NAMED("policy_" name), type, unit, help, "policy=\"shadow\"", shadow_##number, NULL        \
    }

/* clang-format off */
static const struct metric rows[] = {
    { NAMED("requests"), METRIC_COUNTER, NULL,
      "Requests that have ended. verdict: allow, deny, refuse, would-deny (--mode report), or none where there "
      "was no verdict; outcome: as in the log; destination: the host of an allowed request, for the first 64 "
      "hosts, and other for the rest.",
      MANY("verdict, outcome, destination", requests) },
    { NAMED("request_duration_seconds"), METRIC_HISTOGRAM, SECONDS,
      "From a request's head to the end of its exchange, whatever became of it.", MANY(NULL, total) },
    { NAMED("overhead_seconds"), METRIC_HISTOGRAM, SECONDS,
      "Ours alone: from a request's head until a connection is asked for it, without waiting for a token.",
      MANY(NULL, ours) },
    { NAMED("origin_first_byte_seconds"), METRIC_HISTOGRAM, SECONDS,
      "The origin's: from asking it to the head of its response, over a connection that is there.",
      MANY("destination", first_byte) },
    { NAMED("request_body_bytes"), METRIC_COUNTER, BYTES, "Bodies of requests, counted when they end.",
      ONE(request_bytes) },
    { NAMED("response_bytes"), METRIC_COUNTER, BYTES,
      "All that clients were sent, heads included, counted when a request ends.", ONE(response_bytes) },
    { NAMED("requests_in_flight"), METRIC_GAUGE, NULL, "Requests under way.", ONE(active) },
    { NAMED("clients"), METRIC_GAUGE, NULL, "Clients that are connected.", ONE(clients) },
    { NAMED("buffer_bytes"), METRIC_GAUGE, BYTES,
      "What the buffers of all requests and clients hold; --max-buffers is their limit.", ONE(held) },
    { NAMED("overloaded"), METRIC_COUNTER, NULL, "Requests answered 503 because a limit was reached.",
      ONE(overloaded) },

    { NAMED("origin_connections"), METRIC_GAUGE, NULL, "Connections to origins that are open.",
      "state=\"busy\"", connections_busy, NULL },
    { NAMED("origin_connections"), METRIC_GAUGE, NULL, "Connections to origins that are open.",
      "state=\"idle\"", connections_idle, NULL },
    { NAMED("origin_connections_opened"), METRIC_COUNTER, NULL, "Connections that were begun.",
      ONE(connections_opened) },
    { NAMED("origin_connections_reused"), METRIC_COUNTER, NULL, "Requests that went over a kept connection.",
      ONE(connections_reused) },
    { NAMED("stale_retries"), METRIC_COUNTER, NULL,
      "Requests that were sent again because their kept connection was dead.", ONE(stale_retries) },
    { NAMED("retries_refused"), METRIC_COUNTER, NULL,
      "Requests that were not sent again because too many were of late.", ONE(retries_refused) },
    { NAMED("connect_seconds"), METRIC_HISTOGRAM, SECONDS,
      "From a name to a connection that can be used: DNS, TCP and TLS together; successes only.",
      MANY(NULL, connecting) },
    { NAMED("circuits_open"), METRIC_GAUGE, NULL, "Addresses of origins that are left alone because they failed.",
      ONE(circuits_open) },
    { NAMED("tls_handshakes"), METRIC_COUNTER, NULL, "TLS handshakes that succeeded.",
      "kind=\"full\"", handshakes_full, NULL },
    { NAMED("tls_handshakes"), METRIC_COUNTER, NULL, "TLS handshakes that succeeded.",
      "kind=\"resumed\"", handshakes_resumed, NULL },
    { NAMED("tls_handshake_failures"), METRIC_COUNTER, NULL,
      "TLS handshakes that failed. reason: certificate, protocol (the connection's end included), timeout.",
      MANY("reason", handshakes_failed) },
    { NAMED("dns_names_wanted"), METRIC_COUNTER, NULL, "Times that a connection needed a name's addresses.",
      ONE(names_asked) },
    { NAMED("dns_cache_hits"), METRIC_COUNTER, NULL, "Of those: answered by what was known.", ONE(names_known) },
    { NAMED("dns_lookups"), METRIC_COUNTER, NULL, "Names that were looked up, ahead of need too.", ONE(lookups) },
    { NAMED("dns_failures"), METRIC_COUNTER, NULL, "Names that were looked up and gave no address.",
      ONE(lookups_failed) },
    { NAMED("dns_moves"), METRIC_COUNTER, NULL, "Answers that were other than the one before.", ONE(names_moved) },
    { NAMED("dns_seconds"), METRIC_HISTOGRAM, SECONDS, "From a name to its addresses, or to knowing of none.",
      MANY(NULL, looking_up) },

    { NAMED("graphql_operations"), METRIC_COUNTER, NULL,
      "GraphQL operations that were read, by type, name and root fields: the first 200 of them, and other for the rest.",
      MANY("type, name, fields", graphql_operations) },

    { NAMED("guard_questions"), METRIC_COUNTER, NULL, "Questions of the guard to VTEX ID and License Manager.",
      ONE(questions) },
    { NAMED("guard_questions_unclear"), METRIC_COUNTER, NULL, "Those of them that brought no answer to go by.",
      ONE(unclear) },

    { NAMED("token_live"), METRIC_GAUGE, NULL, "1 if there is a token that may be sent.", ONE(token_live) },
    { NAMED("token"), METRIC_INFO, NULL, "The current token, as the log names it.",
      MANY("generation, fingerprint, source", token) },
    { NAMED("token_generation"), METRIC_GAUGE, NULL, "Number of the current token, as in the log.",
      ONE(token_number) },
    { NAMED("token_expires_in_seconds"), METRIC_GAUGE, SECONDS,
      "Until the current token is not sent any more; not there while there is none.", ONE(token_expires_in) },
    { NAMED("token_renewal_in_seconds"), METRIC_GAUGE, SECONDS,
      "Until its source is asked again; negative: it is overdue; not there while there is no token.",
      ONE(token_renewal_in) },
    { NAMED("token_renewals"), METRIC_COUNTER, NULL, "New tokens that sources gave.", ONE(token_renewals) },
    { NAMED("token_failures"), METRIC_COUNTER, NULL, "Answers of sources that brought none.",
      ONE(token_failures) },
    { NAMED("token_waiting_requests"), METRIC_GAUGE, NULL, "Requests that wait for a token.",
      ONE(token_waiting) },

    BOTH("rules", METRIC_GAUGE, NULL, "Rules of the policy in force.", rules),
    BOTH("generation", METRIC_GAUGE, NULL, "How many policies have been in force, this one included.",
         generation),
    BOTH("loaded_timestamp_seconds", METRIC_GAUGE, SECONDS, "When the policy in force was loaded.", loaded_at),
    BOTH("reload_failed", METRIC_GAUGE, NULL, "1 if the last reload left the policy of before in force.", failed),
    BOTH("reloads", METRIC_COUNTER, NULL, "Reloads that put a policy in force.", reloads),
    BOTH("reload_failures", METRIC_COUNTER, NULL, "Reloads that left the policy of before in force.", failures),
    { NAMED("would_deny"), METRIC_COUNTER, NULL, "Requests that --mode report let through against the policies.",
      ONE(would_deny) },
    { NAMED("shadow_differences"), METRIC_COUNTER, NULL,
      "Requests that --shadow-manifest would have judged in another way; with that option only.",
      ONE(shadow_differences) },

    { NAMED("log_lines_dropped"), METRIC_COUNTER, NULL,
      "Lines that the log had no room for, because whoever takes it did not.", ONE(log_lines_dropped) },
    { NAMED("loop_lag_seconds"), METRIC_HISTOGRAM, SECONDS,
      "How late the event loop came to a timer of 250 ms, which runs only while there is work.",
      MANY(NULL, lag) },
    { NAMED("build"), METRIC_INFO, NULL, "This program and the libraries in it.",
      MANY("version, openssl, libevent", build) },
    { "process_start_time_seconds", METRIC_GAUGE, SECONDS, "When the process started, since 1970.",
      ONE(started_at) },
    { "process_cpu_seconds", METRIC_COUNTER, SECONDS, "Processor time, the system's included.", ONE(cpu) },
    { "process_resident_memory_bytes", METRIC_GAUGE, BYTES, "Memory in use.", ONE(resident) },
    { "process_open_fds", METRIC_GAUGE, NULL, "Descriptors that are open.", ONE(open_fds) },
    { "process_max_fds", METRIC_GAUGE, NULL, "Descriptors that may be open.", ONE(max_fds) },
};
/* clang-format on */

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

char *sidecar_metrics(enum metrics_form form, const struct readiness_facts *facts)
{
    return metrics_text(form, rows, N_ROWS, facts);
}

bool sidecar_metrics_have(const char *sample)
{
    return metrics_has_sample(rows, N_ROWS, sample);
}

void sidecar_metrics_print(FILE *out)
{
    metrics_print_markdown(out, rows, N_ROWS);
}

#include "proxy/worker.h"

#include <openssl/rand.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/exchange.h"
#include "proxy/http/held.h"
#include "proxy/log.h"
#include "proxy/loop.h"
#include "proxy/sidecar_guard.h"
#include "proxy/sidecar_origins.h"

struct worker {
    struct worker_plan plan;
    struct front_handler handler;
    struct front *front;
    struct guard *guard; /* NULL without --guard-listen */
    bool emptied;        /* and told */
    struct graphql_catalog *schemas;
    struct deadlines *total_deadlines; /* exchanges have them while there is a --timeout-total */
    struct exchange_context exchanges;
};

/* Its part of a limit of the process; 0 stays: no limit. */
static uint64_t part_of(uint64_t limit, unsigned n)
{
    return (limit + n - 1) / n;
}

/* Either front may be the last one; workers are counted, so each tells once. */
static void tell_if_empty(void *context)
{
    struct worker *worker = context;

    if (worker->emptied || front_n_clients(worker->front) || guard_n_clients(worker->guard))
        return;
    worker->emptied = true;
    worker->plan.emptied(worker->plan.context);
}

static void on_emptied(void *context)
{
    tell_if_empty(CONTAINER_OF(context, struct worker, exchanges));
}

/* What is copied of the settings, or borrows a text of theirs. */
static void take_settings(struct worker *worker)
{
    const struct settings *settings = worker->plan.settings;
    struct exchange_context *exchanges = &worker->exchanges;

    exchanges->destination_rules.default_host = settings->default_host;
    exchanges->destination_rules.plaintext_hosts = settings->plaintext_hosts.items;
    exchanges->destination_rules.n_plaintext_hosts = settings->plaintext_hosts.n;
    exchanges->identity_rules.placeholder = text_of(settings->placeholder);
    exchanges->identity_rules.inject = settings->inject;
    exchanges->max_requests = (unsigned)part_of(settings->max_requests, worker->plan.n_workers);
    exchanges->total_deadlines = settings->total_ms ? worker->total_deadlines : NULL;
}

static void build_exchanges(struct worker *worker)
{
    const struct worker_plan *plan = &worker->plan;
    const struct settings *settings = plan->settings;

    worker->total_deadlines = deadlines_new(plan->loop, settings->total_ms);
    worker->exchanges = (struct exchange_context){
        .loop = plan->loop,
        .in = plan->in,
        .log = plan->log,
        .tally = plan->tally,
        .lag = plan->lag,
        .settings = settings,
        .pool = origins_pool(plan->origins),
        .desk = plan->desk,
        .realms = plan->realms,
        .callers = plan->callers,
        .destination_rules = *plan->destination_rules,
        .identity_rules = { .store_cookie = text_of(plan->store_cookie) },
        .token_deadlines = deadlines_new(plan->loop, settings->token_wait_ms),
        .response_deadlines = deadlines_new(plan->loop, settings->response_ms),
        .idle_deadlines = deadlines_new(plan->loop, settings->idle_ms),
        .graphql_counts = graphql_counts_new(),
    };
    take_settings(worker);
    RAND_bytes((unsigned char *)&worker->exchanges.id_prefix, sizeof(worker->exchanges.id_prefix));
}

static struct front_limits limits_of(const struct worker *worker)
{
    const struct settings *settings = worker->plan.settings;

    return (
        struct front_limits){ settings->head_ms, settings->client_idle_ms,
                              (unsigned)part_of(settings->max_clients, worker->plan.n_workers) };
}

static void build_guard(struct worker *worker)
{
    const struct worker_plan *plan = &worker->plan;
    struct guard_plan guard = { .exchanges = &worker->exchanges,
                                .tls = plan->tls,
                                .own = plan->own,
                                .n_own = plan->n_own,
                                .max_clients = limits_of(worker).max_clients,
                                .n_loops = plan->n_workers,
                                .helper = plan->helper,
                                .emptied = tell_if_empty,
                                .arg = worker };

    if (plan->gate)
        worker->guard = guard_new(&guard, graphql_gate_ref(plan->gate));
}

struct worker *worker_new(const struct worker_plan *plan)
{
    struct worker *worker = mem_alloc(1, sizeof(*worker));

    worker->plan = *plan;
    worker->handler = (struct front_handler){ exchange_begin, exchange_refuse, exchange_io,
                                              exchange_gone, on_emptied };
    build_exchanges(worker);
    worker_set_schemas(worker, graphql_catalog_ref(plan->schemas));
    build_guard(worker);
    worker->front =
        front_new(plan->loop, plan->log, limits_of(worker), &worker->handler, &worker->exchanges);
    return worker;
}

/* Each front tells the other that it is empty: both must be there. */
void worker_silence(struct worker *worker)
{
    guard_silence(worker->guard);
    front_free(worker->front);
    worker->front = NULL;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    guard_free(worker->guard);
    deadlines_free(worker->exchanges.token_deadlines);
    deadlines_free(worker->exchanges.response_deadlines);
    deadlines_free(worker->exchanges.idle_deadlines);
    deadlines_free(worker->total_deadlines);
    policy_unref(worker->exchanges.policy);
    policy_unref(worker->exchanges.shadow);
    graphql_catalog_unref(worker->schemas);
    graphql_counts_free(worker->exchanges.graphql_counts);
    free(worker);
}

void worker_begin(struct worker *worker)
{
    held_set_limit(part_of(worker->plan.settings->max_buffers_bytes, worker->plan.n_workers));
}

void worker_apply_settings(struct worker *worker)
{
    const struct settings *settings = worker->plan.settings;
    const struct exchange_context *exchanges = &worker->exchanges;
    struct front_limits limits = limits_of(worker);

    take_settings(worker);
    worker_begin(worker);
    deadlines_set_length(worker->total_deadlines, settings->total_ms);
    deadlines_set_length(exchanges->token_deadlines, settings->token_wait_ms);
    deadlines_set_length(exchanges->response_deadlines, settings->response_ms);
    deadlines_set_length(exchanges->idle_deadlines, settings->idle_ms);
    front_set_limits(worker->front, limits);
    guard_apply_settings(worker->guard, exchanges, limits.max_clients);
}

void worker_listen(struct worker *worker, int fd, bool shared)
{
    front_listen(worker->front, fd, shared);
}

void worker_listen_as_guard(struct worker *worker, int fd, bool shared)
{
    guard_listen(worker->guard, fd, shared);
}

void worker_set_policy(struct worker *worker, struct policy *policy)
{
    policy_unref(worker->exchanges.policy);
    worker->exchanges.policy = policy;
}

void worker_set_shadow(struct worker *worker, struct policy *policy)
{
    policy_unref(worker->exchanges.shadow);
    worker->exchanges.shadow = policy;
}

void worker_set_schemas(struct worker *worker, struct graphql_catalog *schemas)
{
    graphql_catalog_unref(worker->schemas);
    worker->exchanges.schemas = worker->schemas = schemas;
}

void worker_set_gate(struct worker *worker, struct graphql_gate *gate)
{
    guard_use(worker->guard, gate);
}

void worker_leave(struct worker *worker)
{
    guard_leave(worker->guard);
    worker->exchanges.leaving = true;
}

void worker_succeeded(struct worker *worker)
{
    worker->exchanges.leaving = true;
    guard_succeeded(worker->guard);
    front_leave(worker->front);
}

void worker_drain(struct worker *worker)
{
    worker->exchanges.leaving = worker->exchanges.draining = true;
    front_drain(worker->front);
    guard_drain(worker->guard);
}

/* ---- what is counted ---- */

void worker_facts_init(struct worker_facts *facts)
{
    *facts = (struct worker_facts){ .graphql = graphql_counts_new() };
}

void worker_facts_fini(struct worker_facts *facts)
{
    graphql_counts_free(facts->graphql);
}

void worker_facts_clear(struct worker_facts *facts)
{
    graphql_counts_clear(facts->graphql);
    *facts = (struct worker_facts){ .graphql = facts->graphql };
}

void worker_facts_add(struct worker_facts *sum, const struct worker_facts *one)
{
    sum->n_clients += one->n_clients;
    sum->n_waiting += one->n_waiting;
    sum->n_active += one->n_active;
    sum->n_circuits_open += one->n_circuits_open;
    sum->n_overloaded += one->n_overloaded;
    sum->n_retries_refused += one->n_retries_refused;
    sum->n_would_deny += one->n_would_deny;
    sum->n_shadow_differences += one->n_shadow_differences;
    sum->held_bytes += one->held_bytes;
    sum->n_log_lines_dropped += one->n_log_lines_dropped;
    sum->questions.n_asked += one->questions.n_asked;
    sum->questions.n_unclear += one->questions.n_unclear;
    tally_add(&sum->tally, &one->tally);
    graphql_counts_sum(sum->graphql, one->graphql);
}

void worker_tell(const struct worker *worker, struct worker_facts *out)
{
    const struct exchange_context *exchanges = &worker->exchanges;

    worker_facts_clear(out);
    out->n_clients = front_n_clients(worker->front);
    out->n_waiting = token_desk_n_waiting(exchanges->desk);
    out->n_active = exchanges->n_active;
    out->n_circuits_open = origins_n_circuits_open(worker->plan.origins);
    out->n_overloaded = exchanges->n_overloaded;
    out->n_retries_refused = exchanges->retries.n_refused;
    out->n_would_deny = exchanges->n_would_deny;
    out->n_shadow_differences = exchanges->n_shadow_differences;
    out->held_bytes = held_bytes();
    out->n_log_lines_dropped = log_n_dropped(worker->plan.log);
    out->questions = guard_questions(worker->guard);
    out->tally = *worker->plan.tally;
    graphql_counts_sum(out->graphql, exchanges->graphql_counts);
}

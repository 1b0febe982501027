#include "proxy/worker.h"

#include <openssl/rand.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/exchange.h"
#include "proxy/http/held.h"
#include "proxy/loop.h"
#include "proxy/mailbox.h"
#include "proxy/sidecar_origins.h"

struct worker {
    struct worker_plan plan;
    struct front_handler handler;
    struct front *front;
    struct exchange_context exchanges;
};

/* Its part of a limit of the process; 0 stays: no limit. */
static uint64_t part_of(uint64_t limit, unsigned n)
{
    return (limit + n - 1) / n;
}

static void on_emptied(void *context)
{
    const struct worker *worker =
        (const struct worker *)(void *)((char *)context - offsetof(struct worker, exchanges));

    worker->plan.emptied(worker->plan.context);
}

/* What was put in force for all before this request came is in force for it, whichever worker it came to:
 * another may have told the client of it already. */
static void *begin(void *context, struct client *client, const struct head *head)
{
    const struct worker *worker =
        (const struct worker *)(void *)((char *)context - offsetof(struct worker, exchanges));

    if (mailbox_has_mail(worker->plan.in))
        mailbox_read(worker->plan.in);
    return exchange_begin(context, client, head);
}

static void build_exchanges(struct worker *worker)
{
    const struct worker_plan *plan = &worker->plan;
    const struct settings *settings = plan->settings;

    worker->exchanges = (struct exchange_context){
        .loop = plan->loop,
        .log = plan->log,
        .settings = settings,
        .pool = origins_pool(plan->origins),
        .desk = plan->desk,
        .realms = plan->realms,
        .callers = plan->callers,
        .destination_rules = *plan->destination_rules,
        .identity_rules = { .placeholder = text_of(settings->placeholder),
                            .store_cookie = text_of(plan->store_cookie),
                            .inject = settings->inject },
        .max_requests = (unsigned)part_of(settings->max_requests, plan->n_workers),
        .token_deadlines = deadlines_new(plan->loop, settings->token_wait_ms),
        .response_deadlines = deadlines_new(plan->loop, settings->response_ms),
        .idle_deadlines = deadlines_new(plan->loop, settings->idle_ms),
        .total_deadlines =
            settings->total_ms ? deadlines_new(plan->loop, settings->total_ms) : NULL,
    };
    RAND_bytes((unsigned char *)&worker->exchanges.id_prefix, sizeof(worker->exchanges.id_prefix));
}

struct worker *worker_new(const struct worker_plan *plan)
{
    const struct settings *settings = plan->settings;
    struct worker *worker = mem_alloc(1, sizeof(*worker));
    struct front_limits limits = { settings->head_ms, settings->client_idle_ms,
                                   (unsigned)part_of(settings->max_clients, plan->n_workers) };

    worker->plan = *plan;
    worker->handler = (struct front_handler){ plan->in ? begin : exchange_begin, exchange_refuse,
                                              exchange_io, exchange_gone, on_emptied };
    build_exchanges(worker);
    worker->front = front_new(plan->loop, plan->log, limits, &worker->handler, &worker->exchanges);
    return worker;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    front_free(worker->front);
    deadlines_free(worker->exchanges.token_deadlines);
    deadlines_free(worker->exchanges.response_deadlines);
    deadlines_free(worker->exchanges.idle_deadlines);
    deadlines_free(worker->exchanges.total_deadlines);
    policy_unref(worker->exchanges.policy);
    policy_unref(worker->exchanges.shadow);
    free(worker);
}

void worker_begin(struct worker *worker)
{
    held_set_limit(part_of(worker->plan.settings->max_buffers_bytes, worker->plan.n_workers));
}

void worker_listen(struct worker *worker, int fd, bool shared)
{
    front_listen(worker->front, fd, shared);
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

void worker_leave(struct worker *worker)
{
    worker->exchanges.leaving = true;
}

void worker_drain(struct worker *worker)
{
    worker->exchanges.leaving = worker->exchanges.draining = true;
    front_drain(worker->front);
}

struct worker_facts worker_facts(const struct worker *worker)
{
    const struct exchange_context *exchanges = &worker->exchanges;

    return (struct worker_facts){
        .n_clients = front_n_clients(worker->front),
        .n_waiting = token_desk_n_waiting(exchanges->desk),
        .n_active = exchanges->n_active,
        .n_circuits_open = origins_n_circuits_open(worker->plan.origins),
        .n_overloaded = exchanges->n_overloaded,
        .n_retries_refused = exchanges->retries.n_refused,
        .n_would_deny = exchanges->n_would_deny,
        .n_shadow_differences = exchanges->n_shadow_differences,
        .held_bytes = held_bytes(),
    };
}

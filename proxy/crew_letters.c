/* What is told to all: a letter each, or without threads a call. */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/crew_parts.h"
#include "proxy/log.h"
#include "proxy/sidecar_origins.h"

/* ---- letters ---- */

static void read_policy(void *context, void *what)
{
    worker_set_policy(((struct hand *)context)->worker, what);
}

static void read_shadow(void *context, void *what)
{
    worker_set_shadow(((struct hand *)context)->worker, what);
}

static void read_leave(void *context, void *what)
{
    (void)what;
    worker_leave(((struct hand *)context)->worker);
}

static void read_succeeded(void *context, void *what)
{
    (void)what;
    worker_succeeded(((struct hand *)context)->worker);
}

static void read_drain(void *context, void *what)
{
    (void)what;
    worker_drain(((struct hand *)context)->worker);
}

static void read_tls(void *context, void *what)
{
    tls_adopt(((struct hand *)context)->tls, what);
}

static void read_schemas(void *context, void *what)
{
    worker_set_schemas(((struct hand *)context)->worker, what);
}

static void read_gate(void *context, void *what)
{
    worker_set_gate(((struct hand *)context)->worker, what);
}

static void read_reopen(void *context, void *what)
{
    (void)what;
    log_reopen(((struct hand *)context)->log);
}

static void read_secret(void *context, void *what)
{
    callers_adopt(((struct hand *)context)->callers, what);
    free(what);
}

/* To each what `for_one` makes for it; at once, so that no worker goes by what another has not heard of.
 * Without threads a letter is a call. */
static void tell_all(struct crew *crew, void (*read)(void *context, void *what),
                     void *(*for_one)(const struct crew *crew, void *what), void *what)
{
    struct addressee to[SETTINGS_MAX_THREADS];

    assert(crew->n > 0);
    for (unsigned i = 0; i < crew->n; i++)
        to[i] = (struct addressee){ crew->hands[i].in, &crew->hands[i],
                                    for_one ? for_one(crew, what) : NULL };
    if (crew->in)
        mailbox_post_all(to, crew->n, read);
    else
        read(to->context, to->what);
}

static void *policy_for_one(const struct crew *crew, void *what)
{
    return crew->in ? policy_share(what) : policy_ref(what);
}

static void *tls_for_one(const struct crew *crew, void *what)
{
    return tls_share(what, crew->plan.settings);
}

static void *schemas_for_one(const struct crew *crew, void *what)
{
    (void)crew;
    return graphql_catalog_ref(what);
}

static void *gate_for_one(const struct crew *crew, void *what)
{
    (void)crew;
    return graphql_gate_ref(what);
}

static void *secret_for_one(const struct crew *crew, void *what)
{
    struct caller_secret *copy = mem_alloc(1, sizeof(*copy));

    (void)what;
    *copy = callers_secret(crew->plan.callers);
    return copy;
}

/* ---- settings ---- */

/* The values of before; borrowed by whoever has not read his letter yet. */
struct retired {
    atomic_uint holders;
    struct settings *settings;
};

struct change {
    struct settings now; /* a copy that borrows from the main loop's */
    struct retired *before;
};

static void release(struct retired *retired)
{
    if (atomic_fetch_sub_explicit(&retired->holders, 1, memory_order_acq_rel) != 1)
        return;
    settings_free(retired->settings);
    free(retired);
}

static void read_settings(void *context, void *what)
{
    struct hand *hand = context;
    struct change *change = what;

    hand->settings = change->now;
    log_set_level(hand->log, hand->settings.log_level);
    origins_apply_settings(hand->origins);
    worker_apply_settings(hand->worker);
    release(change->before);
    free(change);
}

static void *settings_for_one(const struct crew *crew, void *what)
{
    struct change *change = mem_alloc(1, sizeof(*change));

    *change = (struct change){ *crew->plan.settings, what };
    atomic_fetch_add_explicit(&change->before->holders, 1, memory_order_relaxed);
    return change;
}

void crew_apply_settings(struct crew *crew, struct settings *retired)
{
    struct retired *before = mem_alloc(1, sizeof(*before));

    atomic_init(&before->holders, 1);
    before->settings = retired;
    if (crew->in)
        tell_all(crew, read_settings, settings_for_one, before);
    else
        worker_apply_settings(crew->hands[0].worker);
    release(before);
}

/* ---- the rest ---- */

void crew_set_policy(struct crew *crew, struct policy *policy)
{
    tell_all(crew, read_policy, policy_for_one, policy);
}

void crew_set_shadow(struct crew *crew, struct policy *policy)
{
    tell_all(crew, read_shadow, policy_for_one, policy);
}

void crew_set_schemas(struct crew *crew, struct graphql_catalog *schemas)
{
    tell_all(crew, read_schemas, schemas_for_one, schemas);
}

void crew_set_gate(struct crew *crew, struct graphql_gate *gate)
{
    tell_all(crew, read_gate, gate_for_one, gate);
}

void crew_reopen_logs(struct crew *crew)
{
    log_reopen(crew->plan.log);
    if (crew->in)
        tell_all(crew, read_reopen, NULL, NULL);
}

void crew_renew_tls(struct crew *crew)
{
    if (crew->in)
        tell_all(crew, read_tls, tls_for_one, crew->plan.tls);
}

void crew_leave(struct crew *crew)
{
    tell_all(crew, read_leave, NULL, NULL);
}

void crew_succeeded(struct crew *crew)
{
    tell_all(crew, read_succeeded, NULL, NULL);
}

void crew_drain(struct crew *crew)
{
    tell_all(crew, read_drain, NULL, NULL);
}

void crew_on_secret(void *context)
{
    tell_all(context, read_secret, secret_for_one, NULL);
}

void crew_on_token(void *context, const struct token *current)
{
    const struct crew *crew = context;
    struct messenger *messengers[SETTINGS_MAX_THREADS];

    for (unsigned i = 0; i < crew->n; i++)
        messengers[i] = crew->hands[i].messenger;
    messengers_put(messengers, crew->n, current);
}

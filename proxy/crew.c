#include "proxy/crew.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/memory.h"
#include "proxy/crew_parts.h"
#include "proxy/log.h"
#include "proxy/processors.h"
#include "proxy/sidecar_listeners.h"
#include "proxy/token/keeper.h"

enum { FACTS_WAIT_S = 1 };

unsigned crew_size(const struct settings *settings)
{
    unsigned n = settings->threads ? settings->threads : processors_usable();

    return n < SETTINGS_MAX_THREADS ? n : SETTINGS_MAX_THREADS;
}

/* ---- what is told to all ---- */

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

void crew_drain(struct crew *crew)
{
    tell_all(crew, read_drain, NULL, NULL);
}

static void on_secret(void *context)
{
    tell_all(context, read_secret, secret_for_one, NULL);
}

static void on_token(void *context, const struct token *current)
{
    struct crew *crew = context;

    struct messenger *messengers[SETTINGS_MAX_THREADS];

    for (unsigned i = 0; i < crew->n; i++)
        messengers[i] = crew->hands[i].messenger;
    messengers_put(messengers, crew->n, current);
}

/* ---- what is added up ---- */

static void ask_all(struct crew *crew)
{
    struct timespec until;

    for (unsigned i = 0; i < crew->n; i++)
        hand_ask(&crew->hands[i]);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += FACTS_WAIT_S;
    for (unsigned i = 0; i < crew->n; i++)
        hand_add_facts(&crew->hands[i], &until, &crew->sum);
}

/* The main loop serves nobody then, but logs in, and logs. */
static void add_main_loop(struct crew *crew)
{
    tally_add(&crew->sum.tally, crew->plan.tally);
    crew->sum.n_log_lines_dropped += log_n_dropped(crew->plan.log);
}

const struct worker_facts *crew_facts(struct crew *crew)
{
    if (!crew->in) {
        worker_tell(crew->hands[0].worker, &crew->sum);
        return &crew->sum;
    }
    worker_facts_clear(&crew->sum);
    ask_all(crew);
    add_main_loop(crew);
    return &crew->sum;
}

/* ---- beginning and end ---- */

/* One that cannot have a socket of its own (the system may know of no such thing) shares the first one's. */
static int another(struct crew *crew, size_t i, bool *shared)
{
    const struct crew_plan *plan = &crew->plan;
    int fd = listeners_take_another(plan->listeners, i, shared);

    if (fd < 0)
        log_message(plan->log, LOG_WARNING, "threads", "a thread cannot listen: %s",
                    strerror(errno));
    return fd;
}

static void listen_with(struct crew *crew, unsigned k, size_t i, int fd, bool shared)
{
    if (listeners_is_guard(crew->plan.listeners, i))
        worker_listen_as_guard(crew->hands[k].worker, fd, shared);
    else
        worker_listen(crew->hands[k].worker, fd, shared);
}

static void listen_all(struct crew *crew)
{
    struct listeners *listeners = crew->plan.listeners;
    size_t last = listeners_n(listeners) - 1;

    for (size_t i = 0; i < last; i++) {
        bool shared = false;
        for (unsigned k = 1; k < crew->n; k++) {
            int fd = another(crew, i, &shared);
            if (fd >= 0)
                listen_with(crew, k, i, fd, shared);
        }
        listen_with(crew, 0, i, listeners_take(listeners, i), shared);
    }
}

static void follow(struct crew *crew)
{
    crew->in = mailbox_new(crew->plan.loop);
    callers_follow(crew->plan.callers, on_secret, crew);
    token_keeper_follow(crew->plan.keeper, on_token, crew);
}

static struct worker *new_alone(const struct crew *crew, struct worker_plan plan)
{
    const struct crew_plan *shared = &crew->plan;

    plan.loop = shared->loop;
    plan.log = shared->log;
    plan.tally = shared->tally;
    plan.lag = shared->lag;
    plan.tls = shared->tls;
    plan.origins = shared->origins;
    plan.callers = shared->callers;
    plan.desk = token_keeper_desk(shared->keeper);
    plan.emptied = shared->emptied;
    plan.context = shared->context;
    return worker_new(&plan);
}

struct crew *crew_new(const struct crew_plan *plan)
{
    struct crew *crew = mem_alloc(1, sizeof(*crew));
    struct worker_plan common = { .settings = plan->settings,
                                  .realms = plan->realms,
                                  .destination_rules = plan->destination_rules,
                                  .store_cookie = plan->store_cookie,
                                  .schemas = plan->schemas,
                                  .gate = plan->gate };

    crew->plan = *plan;
    worker_facts_init(&crew->sum);
    common.own = listeners_own(plan->listeners, &common.n_own);
    crew->n = common.n_workers = crew_size(plan->settings);
    crew->hands = mem_alloc(crew->n, sizeof(*crew->hands));
    if (crew->n == 1) {
        crew->hands[0].worker = new_alone(crew, common);
    } else {
        follow(crew);
        for (unsigned i = 0; i < crew->n; i++) {
            crew->hands[i].number = i + 1;
            hand_build(&crew->hands[i], crew, &common);
        }
    }
    listen_all(crew);
    return crew;
}

void crew_start(struct crew *crew)
{
    if (!crew->in)
        worker_begin(crew->hands[0].worker);
    for (unsigned i = 0; crew->in && i < crew->n; i++)
        hand_start(&crew->hands[i]);
}

/* What they posted to us last is read when none of them posts any more. */
static void end_threads(struct crew *crew)
{
    token_keeper_follow(crew->plan.keeper, NULL, NULL);
    callers_follow(crew->plan.callers, NULL, NULL);
    for (unsigned i = 0; i < crew->n; i++)
        hand_quit(&crew->hands[i]);
    for (unsigned i = 0; i < crew->n; i++)
        hand_end(&crew->hands[i]);
    mailbox_free(crew->in);
    for (unsigned i = 0; i < crew->n; i++)
        hand_fini(&crew->hands[i]);
}

void crew_silence(struct crew *crew)
{
    if (crew->in)
        end_threads(crew);
    else
        worker_silence(crew->hands[0].worker);
}

void crew_free(struct crew *crew)
{
    if (!crew)
        return;
    if (!crew->in)
        worker_free(crew->hands[0].worker);
    worker_facts_fini(&crew->sum);
    free(crew->hands);
    free(crew);
}

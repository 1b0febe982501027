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

static void listen_with(struct crew *crew, unsigned k, size_t i, int fd, bool shared)
{
    if (listeners_is_guard(crew->plan.listeners, i))
        worker_listen_as_guard(crew->hands[k].worker, fd, shared);
    else
        worker_listen(crew->hands[k].worker, fd, shared);
}

/* With whoever ran before us, there may be more sockets than workers. */
static void listen_all(struct crew *crew)
{
    struct listeners *listeners = crew->plan.listeners;
    size_t last = listeners_n(listeners) - 1;

    assert(crew->n > 0);
    for (size_t i = 0; i < last; i++) {
        bool shared;
        size_t n = listeners_spread(listeners, i, crew->n, &shared);
        if (n < crew->n)
            log_message(crew->plan.log, LOG_WARNING, "threads", "%zu of %u can listen: %s", n,
                        crew->n, strerror(errno));
        for (size_t k = 0; k < n; k++)
            listen_with(crew, (unsigned)(k % crew->n), i, listeners_take(listeners, i, k), shared);
    }
}

static void follow(struct crew *crew)
{
    crew->in = mailbox_new(crew->plan.loop);
    callers_follow(crew->plan.callers, crew_on_secret, crew);
    token_keeper_follow(crew->plan.keeper, crew_on_token, crew);
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
    plan.helper = shared->helper;
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

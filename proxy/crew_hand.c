/* One worker with a thread of its own.
 *
 *   built on the main loop --start--> its loop turns, letters come --quit--> it takes itself apart
 *
 * Everything that its loop touches is its own, but for what never changes (realms, addresses of our listeners) and what counts for itself (proxy/origin/tls_parts.h). It is
 * taken apart by its own thread, which has the lists of spare rooms. */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/crew_parts.h"
#include "proxy/exchange.h"
#include "proxy/helper.h"
#include "proxy/http/room.h"
#include "proxy/lag.h"
#include "proxy/log.h"
#include "proxy/log_library.h"
#include "proxy/loop.h"
#include "proxy/sidecar_origins.h"
#include "proxy/token/keeper.h"

/* ---- on its thread ---- */

static void on_crew_emptied(void *context, void *what)
{
    struct crew *crew = context;

    (void)what;
    if (++crew->n_emptied == crew->n)
        crew->plan.emptied(crew->plan.context);
}

static void on_emptied(void *context)
{
    const struct hand *hand = context;

    mailbox_post(hand->crew->in, on_crew_emptied, hand->crew, NULL);
}

/* First the mailbox, whose letters may be for any of the others. */
static void take_apart(struct hand *hand)
{
    mailbox_free(hand->in);
    worker_silence(hand->worker);
    messenger_leave(hand->messenger);
    origins_silence(hand->origins);
    event_base_loop(loop_base(hand->loop), EVLOOP_NONBLOCK); /* lets cancelled look-ups end */
    worker_free(hand->worker);
    origins_free(hand->origins);
    helper_free(hand->helper);
    callers_free(hand->callers);
    tls_free(hand->tls);
    log_library(NULL);
    lag_free(hand->lag);
    log_free(hand->log);
    loop_free(hand->loop);
}

static void *work(void *context)
{
    struct hand *hand = context;
    char name[16];

    snprintf(name, sizeof(name), "worker-%u", hand->number);
    pthread_setname_np(pthread_self(), name);
    log_library(hand->log);
    worker_begin(hand->worker);
    event_base_dispatch(loop_base(hand->loop)); /* until on_quit() */
    take_apart(hand);
    exchange_thread_end();
    head_thread_end();
    room_thread_end();
    return NULL;
}

static void on_quit(void *context, void *what)
{
    const struct hand *hand = context;

    (void)what;
    event_base_loopbreak(loop_base(hand->loop));
}

static void on_asked(void *context, void *what)
{
    struct hand *hand = context;

    (void)what;
    pthread_mutex_lock(&hand->lock);
    worker_tell(hand->worker, &hand->facts);
    hand->answered = hand->asked;
    pthread_cond_signal(&hand->told);
    pthread_mutex_unlock(&hand->lock);
}

/* ---- on the main loop ---- */

void hand_ask(struct hand *hand)
{
    pthread_mutex_lock(&hand->lock);
    hand->asked++;
    pthread_mutex_unlock(&hand->lock);
    mailbox_post(hand->in, on_asked, hand, NULL);
}

void hand_add_facts(struct hand *hand, const struct timespec *until, struct worker_facts *sum)
{
    pthread_mutex_lock(&hand->lock);
    while (hand->answered != hand->asked &&
           pthread_cond_timedwait(&hand->told, &hand->lock, until) == 0)
        ;
    worker_facts_add(sum, &hand->facts);
    pthread_mutex_unlock(&hand->lock);
}

static void build_lock(struct hand *hand)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&hand->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&hand->told, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static struct helper *helper_for(const struct hand *hand)
{
    struct helper *helper = hand->crew->plan.helper, *beside;

    if (!helper)
        return NULL;
    beside = helper_beside(helper);
    if (!beside) {
        fprintf(stderr, "janus-sidecar: error: --threads: no way to our helper: %s\n",
                strerror(errno));
        abort();
    }
    return beside;
}

static void build_parts(struct hand *hand, const struct worker_plan *plan)
{
    const struct crew *crew = hand->crew;
    const struct crew_plan *shared = &crew->plan;

    hand->settings = *shared->settings;
    hand->loop = loop_new();
    if (!hand->loop)
        abort();
    hand->in = mailbox_new(hand->loop);
    hand->log = log_beside(shared->log, hand->loop);
    hand->lag = lag_new(hand->loop, &hand->tally.lag);
    hand->tls = tls_share(shared->tls, &hand->settings);
    hand->callers = callers_share(shared->callers, &hand->settings);
    hand->helper = helper_for(hand);
    hand->origins = origins_new(hand->loop, hand->log, &hand->settings, hand->tls, plan->own,
                                plan->n_own, plan->n_workers + 1, hand->helper, &hand->tally);
    hand->messenger =
        messenger_new(shared->keeper, crew->in, hand->loop, hand->in, &hand->settings);
}

void hand_build(struct hand *hand, struct crew *crew, const struct worker_plan *plan)
{
    struct worker_plan own = *plan;

    hand->crew = crew;
    build_lock(hand);
    worker_facts_init(&hand->facts);
    build_parts(hand, plan);
    own.settings = &hand->settings;
    own.helper = hand->helper;
    own.loop = hand->loop;
    own.log = hand->log;
    own.tally = &hand->tally;
    own.lag = hand->lag;
    own.tls = hand->tls;
    own.origins = hand->origins;
    own.callers = hand->callers;
    own.in = hand->in;
    own.desk = messenger_desk(hand->messenger);
    own.emptied = on_emptied;
    own.context = hand;
    hand->worker = worker_new(&own);
}

/* Signals are the main thread's. */
void hand_start(struct hand *hand)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&hand->thread, NULL, work, hand) != 0) {
        fputs("janus-sidecar: error: --threads: the system gives no thread\n", stderr);
        abort();
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    hand->running = true;
}

void hand_quit(struct hand *hand)
{
    if (hand->running)
        mailbox_post(hand->in, on_quit, hand, NULL);
}

void hand_end(struct hand *hand)
{
    if (hand->running)
        pthread_join(hand->thread, NULL);
    else
        take_apart(hand);
    messenger_close(hand->messenger);
}

void hand_fini(struct hand *hand)
{
    messenger_free(hand->messenger);
    worker_facts_fini(&hand->facts);
    pthread_cond_destroy(&hand->told);
    pthread_mutex_destroy(&hand->lock);
}

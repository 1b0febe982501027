#include "proxy/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include "config/memory.h"

STAILQ_HEAD(job_list, job);

struct loop {
    struct event_base *base;
    struct event *deferred; /* activated by hand: runs behind the callbacks of this turn */
    struct event *again;    /* a timer of zero: runs in the next turn */
    struct job_list deferred_jobs, again_jobs;
    struct job_list turn_jobs; /* what stood in again_jobs when this turn began */
};

enum { NOT_POSTED, POSTED_DEFERRED, POSTED_AGAIN, POSTED_TURN };

/* A job may post and cancel any other, so it is always clear which list another stands in. */
static void run_jobs(struct job_list *list)
{
    struct job *job;

    while ((job = STAILQ_FIRST(list))) {
        STAILQ_REMOVE_HEAD(list, link);
        job->posted = NOT_POSTED;
        job->run(job);
    }
}

static void on_deferred(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;

    (void)fd;
    (void)what;
    run_jobs(&loop->deferred_jobs);
}

/* Only what stands in the list now: a job that posts another gives the loop a turn in between. */
static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    struct job *job;

    (void)fd;
    (void)what;
    STAILQ_FOREACH(job, &loop->again_jobs, link)
        job->posted = POSTED_TURN;
    STAILQ_CONCAT(&loop->turn_jobs, &loop->again_jobs);
    run_jobs(&loop->turn_jobs);
}

struct loop *loop_new(void)
{
    struct event_config *config = event_config_new();
    struct loop *loop = mem_alloc(1, sizeof(*loop));

    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    STAILQ_INIT(&loop->deferred_jobs);
    STAILQ_INIT(&loop->again_jobs);
    STAILQ_INIT(&loop->turn_jobs);
    if (!loop->base) {
        free(loop);
        return NULL;
    }
    loop->deferred = event_new(loop->base, -1, 0, on_deferred, loop);
    loop->again = event_new(loop->base, -1, 0, on_again, loop);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    on_deferred(-1, 0, loop); /* what was on its way to being freed */
    event_free(loop->deferred);
    event_free(loop->again);
    event_base_free(loop->base);
    free(loop);
}

struct event_base *loop_base(const struct loop *loop)
{
    return loop->base;
}

uint64_t loop_now_ms(const struct loop *loop)
{
    struct timespec now;

    (void)loop;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t loop_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void loop_defer(struct loop *loop, struct job *job)
{
    if (job->posted != NOT_POSTED)
        loop_cancel(loop, job);
    if (STAILQ_EMPTY(&loop->deferred_jobs))
        event_active(loop->deferred, EV_TIMEOUT, 0);
    STAILQ_INSERT_TAIL(&loop->deferred_jobs, job, link);
    job->posted = POSTED_DEFERRED;
}

void loop_again(struct loop *loop, struct job *job)
{
    static const struct timeval now = { 0, 0 };

    if (job->posted != NOT_POSTED)
        return;
    if (STAILQ_EMPTY(&loop->again_jobs))
        event_add(loop->again, &now);
    STAILQ_INSERT_TAIL(&loop->again_jobs, job, link);
    job->posted = POSTED_AGAIN;
}

void loop_cancel(struct loop *loop, struct job *job)
{
    if (job->posted == POSTED_DEFERRED)
        STAILQ_REMOVE(&loop->deferred_jobs, job, job, link);
    else if (job->posted == POSTED_AGAIN)
        STAILQ_REMOVE(&loop->again_jobs, job, job, link);
    else if (job->posted == POSTED_TURN)
        STAILQ_REMOVE(&loop->turn_jobs, job, job, link);
    job->posted = NOT_POSTED;
}

/* ---- deadlines ---- */

TAILQ_HEAD(deadline_list, deadline);

/* Ordered by time, since all have the same length; after a change of it some look further ahead. The timer is armed for the first that was there
 * when it was armed; it may fire early, never late. */
struct deadlines {
    struct loop *loop;
    struct event *timer;
    struct deadline_list list;
    uint64_t fires_ms; /* the timer, while it is armed */
    unsigned length_ms;
    uint8_t armed;
};

/* A millisecond behind `at_ms`, that is in `in_ms`: the clock is coarse. */
static void arm(struct deadlines *queue, uint64_t at_ms, uint64_t in_ms)
{
    struct timeval in = { (time_t)(in_ms / 1000), (suseconds_t)(in_ms % 1000 * 1000) };

    event_add(queue->timer, &in);
    queue->armed = 1;
    queue->fires_ms = at_ms + 1;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct deadlines *queue = arg;
    uint64_t now = loop_now_ms(queue->loop);
    struct deadline *first;

    (void)fd;
    (void)what;
    queue->armed = 0;
    while ((first = TAILQ_FIRST(&queue->list)) && first->at_ms <= now) {
        deadline_clear(first);
        first->passed(first);
    }
    if (first)
        arm(queue, first->at_ms, first->at_ms - now + 1);
}

struct deadlines *deadlines_new(struct loop *loop, unsigned length_ms)
{
    struct deadlines *queue = mem_alloc(1, sizeof(*queue));

    queue->loop = loop;
    queue->length_ms = length_ms;
    queue->timer = event_new(loop->base, -1, 0, on_timer, queue);
    TAILQ_INIT(&queue->list);
    return queue;
}

void deadlines_set_length(struct deadlines *queue, unsigned length_ms)
{
    queue->length_ms = length_ms;
}

void deadlines_free(struct deadlines *queue)
{
    struct deadline *deadline;

    if (!queue)
        return;
    while ((deadline = TAILQ_FIRST(&queue->list)))
        deadline_clear(deadline);
    event_free(queue->timer);
    free(queue);
}

struct deadline *deadlines_first(const struct deadlines *queue)
{
    return TAILQ_FIRST(&queue->list);
}

void deadline_set(struct deadlines *queue, struct deadline *deadline)
{
    assert(deadline->passed);
    deadline_clear(deadline);
    deadline->queue = queue;
    deadline->at_ms = loop_now_ms(queue->loop) + queue->length_ms;
    struct deadline *before = TAILQ_LAST(&queue->list, deadline_list);
    while (before && before->at_ms > deadline->at_ms)
        before = TAILQ_PREV(before, deadline_list, link);
    if (before)
        TAILQ_INSERT_AFTER(&queue->list, before, deadline, link);
    else
        TAILQ_INSERT_HEAD(&queue->list, deadline, link);
    if (!queue->armed || deadline->at_ms + 1 < queue->fires_ms)
        arm(queue, deadline->at_ms, queue->length_ms + 1);
}

void deadline_clear(struct deadline *deadline)
{
    if (!deadline->queue)
        return;
    TAILQ_REMOVE(&deadline->queue->list, deadline, link);
    deadline->queue = NULL;
}

#include "proxy/token/keeper.h"

#include <assert.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/log.h"
#include "proxy/token/scrub.h"

TAILQ_HEAD(waiter_list, token_waiter);

struct token_keeper {
    struct log *log;
    struct token *current;
    struct scrub *scrub; /* of `current` and the one before */
    unsigned generation;
    struct waiter_list waiters;
};

struct token_keeper *token_keeper_new(struct log *log)
{
    struct token_keeper *keeper = mem_alloc(1, sizeof(*keeper));

    keeper->log = log;
    TAILQ_INIT(&keeper->waiters);
    return keeper;
}

void token_keeper_free(struct token_keeper *keeper)
{
    if (!keeper)
        return;
    assert(TAILQ_EMPTY(&keeper->waiters));
    token_unref(keeper->current);
    scrub_free(keeper->scrub);
    free(keeper);
}

static void log_arrival(struct token_keeper *keeper)
{
    time_t expires_at = token_expires_at(keeper->current), now = time(NULL);

    log_begin(keeper->log, expires_at && expires_at <= now ? LOG_ERROR : LOG_INFO, "token");
    log_number(keeper->log, "generation", keeper->generation);
    if (expires_at > now)
        log_number(keeper->log, "expires_in_s", (unsigned long long)(expires_at - now));
    else if (expires_at)
        log_text(keeper->log, "message",
                 TEXT("the token that arrived has expired and will not be sent"));
    else
        log_text(keeper->log, "message", TEXT("the token does not say when it expires"));
    log_end(keeper->log);
}

/* Each is taken off before it is told, so that it may end itself, others, or wait again. */
static void tell_waiters(struct token_keeper *keeper)
{
    struct token_waiter *waiter;

    while ((waiter = TAILQ_FIRST(&keeper->waiters)) && token_keeper_current(keeper)) {
        token_keeper_leave(keeper, waiter);
        waiter->arrived(waiter);
    }
}

/* A token that is put again does not push out the one before it. */
static void watch_for(struct token_keeper *keeper, const struct token *token)
{
    struct text texts[2] = { token_text(token) };
    size_t n = 1;

    if (keeper->current && token_equals(keeper->current, token))
        return;
    if (keeper->current)
        texts[n++] = token_text(keeper->current);
    scrub_free(keeper->scrub);
    keeper->scrub = scrub_new(texts, n);
}

void token_keeper_put(struct token_keeper *keeper, struct token *token)
{
    watch_for(keeper, token);
    token_unref(keeper->current);
    keeper->current = token;
    token_set_generation(token, ++keeper->generation);
    log_arrival(keeper);
    tell_waiters(keeper);
}

struct token *token_keeper_current(struct token_keeper *keeper)
{
    if (!keeper->current || !token_is_live(keeper->current, time(NULL)))
        return NULL;
    return keeper->current;
}

const struct scrub *token_keeper_scrub(const struct token_keeper *keeper)
{
    return keeper->scrub;
}

void token_keeper_wait(struct token_keeper *keeper, struct token_waiter *waiter)
{
    assert(!waiter->waiting);
    TAILQ_INSERT_TAIL(&keeper->waiters, waiter, link);
    waiter->waiting = true;
}

void token_keeper_leave(struct token_keeper *keeper, struct token_waiter *waiter)
{
    if (waiter->waiting)
        TAILQ_REMOVE(&keeper->waiters, waiter, link);
    waiter->waiting = false;
}

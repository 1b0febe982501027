/* Who waits for a token, and what becomes of one that an origin refused. */
#include <assert.h>

#include "proxy/token/keeper_parts.h"

void token_keeper_wait(struct token_keeper *keeper, struct token_waiter *waiter)
{
    assert(!waiter->waiting);
    waiter->beyond = 0;
    TAILQ_INSERT_TAIL(&keeper->waiters, waiter, link);
    waiter->waiting = true;
}

void token_keeper_leave(struct token_keeper *keeper, struct token_waiter *waiter)
{
    if (waiter->waiting && waiter->beyond)
        TAILQ_REMOVE(&keeper->renewals, waiter, link);
    else if (waiter->waiting)
        TAILQ_REMOVE(&keeper->waiters, waiter, link);
    waiter->waiting = false;
}

static bool is_asked(const struct token_keeper *keeper)
{
    for (size_t i = 0; i < keeper->n_slots; i++) {
        if (keeper->slots[i].source->asked)
            return true;
    }
    return false;
}

/* A token may be about to come: a question is open, or somebody is at work on a source. */
static bool is_renewing(const struct token_keeper *keeper)
{
    for (size_t i = 0; i < keeper->n_slots; i++) {
        if (keeper->slots[i].source->asked || keeper->slots[i].changing)
            return true;
    }
    return false;
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

/* All of them wait for the same answer; what is told of it may be that nothing came. */
static void tell_renewals(struct token_keeper *keeper)
{
    struct token_waiter *waiter;

    while ((waiter = TAILQ_FIRST(&keeper->renewals))) {
        struct token *current = token_keeper_current(keeper);
        bool renewed = current && token_generation(current) > waiter->beyond;

        if (!renewed && is_renewing(keeper))
            return;
        token_keeper_leave(keeper, waiter);
        if (renewed)
            waiter->arrived(waiter);
        else
            waiter->unrenewed(waiter);
    }
}

void keeper_tell(struct token_keeper *keeper)
{
    tell_waiters(keeper);
    tell_renewals(keeper);
}

/* ---- a refused token ---- */

static bool can_fall_back(const struct token_keeper *keeper, struct moment now)
{
    return keeper->previous && now.boot_ms < keeper->overlap_until_ms &&
           token_is_live(keeper->previous, now);
}

/* Whoever comes while others wait, or a question is open, waits with them. */
static bool may_join(const struct token_keeper *keeper)
{
    return is_asked(keeper) || !TAILQ_EMPTY(&keeper->renewals);
}

enum token_recourse token_keeper_rejected(struct token_keeper *keeper, const struct token *refused,
                                          bool may_fall_back, struct token **other,
                                          struct token_waiter *waiter)
{
    struct moment now = keeper_now(keeper);

    *other = token_keeper_current(keeper);
    if (*other && token_generation(*other) > token_generation(refused))
        return RECOURSE_OTHER;
    if (may_fall_back && can_fall_back(keeper, now)) {
        *other = keeper->previous;
        return RECOURSE_OTHER;
    }
    if (!may_join(keeper)) {
        if (!rejection_asks(&keeper->rejections, &keeper->rules.backoff, now.boot_ms))
            return RECOURSE_NONE;
        token_source_fetch(keeper->current_slot->source);
    }
    token_keeper_wait(keeper, waiter);
    TAILQ_REMOVE(&keeper->waiters, waiter, link);
    TAILQ_INSERT_TAIL(&keeper->renewals, waiter, link);
    waiter->beyond = token_generation(refused);
    return RECOURSE_RENEWAL;
}

void token_keeper_accepted(struct token_keeper *keeper, const struct token *token, bool again)
{
    if (token == keeper->current)
        rejection_accepted(&keeper->rejections, keeper_now(keeper).boot_ms, again);
}

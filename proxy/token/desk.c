#include "proxy/token/desk.h"

#include <assert.h>

#include "proxy/token/scrub.h"

/* ---- which one is current ---- */

static void forget_previous(struct token_desk *desk)
{
    token_unref(desk->previous);
    desk->previous = NULL;
    desk->overlap_until_ms = 0;
}

/* Either may come back in a response that is still on its way. */
static void watch_for(struct token_desk *desk, const struct token *token)
{
    struct text texts[2] = { token_text(token) };
    size_t n = 1;

    if (desk->current)
        texts[n++] = token_text(desk->current);
    scrub_free(desk->scrub);
    desk->scrub = scrub_new(texts, n);
}

void token_desk_put(struct token_desk *desk, struct token *token)
{
    watch_for(desk, token);
    forget_previous(desk);
    desk->previous = desk->current;
    if (desk->previous) /* without one there is nothing to wake up for */
        desk->overlap_until_ms = desk->now().boot_ms + desk->overlap_ms;
    desk->current = token_ref(token);
}

void token_desk_attend(struct token_desk *desk, struct moment now)
{
    if (desk->previous && now.boot_ms >= desk->overlap_until_ms)
        forget_previous(desk);
}

struct token *token_desk_current(struct token_desk *desk)
{
    if (desk->current && token_is_live(desk->current, desk->now()))
        return desk->current;
    desk->kind->missing(desk->office);
    return desk->current && token_is_live(desk->current, desk->now()) ? desk->current : NULL;
}

const struct scrub *token_desk_scrub(const struct token_desk *desk)
{
    return desk->scrub;
}

/* ---- who waits ---- */

void token_desk_wait(struct token_desk *desk, struct token_waiter *waiter)
{
    assert(!waiter->waiting);
    waiter->beyond = 0;
    TAILQ_INSERT_TAIL(&desk->waiters, waiter, link);
    waiter->waiting = true;
}

void token_desk_leave(struct token_desk *desk, struct token_waiter *waiter)
{
    if (waiter->waiting && waiter->beyond)
        TAILQ_REMOVE(&desk->renewals, waiter, link);
    else if (waiter->waiting)
        TAILQ_REMOVE(&desk->waiters, waiter, link);
    waiter->waiting = false;
}

/* Each is taken off before it is told, so that it may end itself, others, or wait again. */
static void tell_waiters(struct token_desk *desk)
{
    struct token_waiter *waiter;

    while ((waiter = TAILQ_FIRST(&desk->waiters)) && token_desk_current(desk)) {
        token_desk_leave(desk, waiter);
        waiter->arrived(waiter);
    }
}

/* All of them wait for the same answer; what is told of it may be that nothing came. */
static void tell_renewals(struct token_desk *desk)
{
    struct token_waiter *waiter;

    while ((waiter = TAILQ_FIRST(&desk->renewals))) {
        struct token *current = token_desk_current(desk);
        bool renewed = current && token_generation(current) > waiter->beyond;

        if (!renewed && desk->kind->renewing(desk->office))
            return;
        token_desk_leave(desk, waiter);
        if (renewed)
            waiter->arrived(waiter);
        else
            waiter->unrenewed(waiter);
    }
}

void token_desk_tell(struct token_desk *desk)
{
    tell_waiters(desk);
    tell_renewals(desk);
}

size_t token_desk_n_waiting(const struct token_desk *desk)
{
    const struct token_waiter *waiter;
    size_t n = 0;

    TAILQ_FOREACH(waiter, &desk->waiters, link)
        n++;
    TAILQ_FOREACH(waiter, &desk->renewals, link)
        n++;
    return n;
}

/* ---- a refused token ---- */

static bool can_fall_back(const struct token_desk *desk, struct moment now)
{
    return desk->previous && now.boot_ms < desk->overlap_until_ms &&
           token_is_live(desk->previous, now);
}

enum token_recourse token_desk_rejected(struct token_desk *desk, unsigned refused,
                                        bool may_fall_back, struct token **other,
                                        struct token_waiter *waiter)
{
    *other = token_desk_current(desk);
    if (*other && token_generation(*other) > refused)
        return RECOURSE_OTHER;
    if (may_fall_back && can_fall_back(desk, desk->now())) {
        *other = desk->previous;
        return RECOURSE_OTHER;
    }
    if (!desk->kind->asks(desk->office, refused))
        return RECOURSE_NONE;
    token_desk_wait(desk, waiter);
    TAILQ_REMOVE(&desk->waiters, waiter, link);
    TAILQ_INSERT_TAIL(&desk->renewals, waiter, link);
    waiter->beyond = refused;
    return RECOURSE_RENEWAL;
}

void token_desk_accepted(struct token_desk *desk, const struct token *token, bool again)
{
    if (token == desk->current)
        desk->kind->taken(desk->office, again);
}

/* ---- beginning and end ---- */

void token_desk_init(struct token_desk *desk, const struct token_office *kind, void *office,
                     unsigned overlap_ms, struct moment (*now)(void))
{
    *desk =
        (struct token_desk){ .kind = kind, .office = office, .overlap_ms = overlap_ms, .now = now };
    TAILQ_INIT(&desk->waiters);
    TAILQ_INIT(&desk->renewals);
}

void token_desk_fini(struct token_desk *desk)
{
    assert(TAILQ_EMPTY(&desk->waiters) && TAILQ_EMPTY(&desk->renewals));
    token_unref(desk->current);
    token_unref(desk->previous);
    scrub_free(desk->scrub);
}

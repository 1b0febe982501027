#include "proxy/token/keeper.h"

#include <assert.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/alarm.h"
#include "proxy/log.h"
#include "proxy/token/jwt.h"
#include "proxy/token/rejection.h"
#include "proxy/token/scrub.h"

TAILQ_HEAD(waiter_list, token_waiter);

/* One source and what came of it. */
struct slot {
    struct token_keeper *keeper;
    struct token_source *source;
    struct token *token;    /* the last good one; it may have died */
    struct moment until;    /* of its life */
    uint64_t last_tenth_ms; /* of its life: from then on the next source is asked too */
    struct schedule schedule;
    uint64_t
        planned_ms;  /* its renewal, as planned when it came; failures put the schedule off it */
    char *complaint; /* what was last said of it: once, not at every try */
    bool changing;   /* somebody is at work on it: what it last said is not its last word */
};

struct token_keeper {
    struct log *log;
    struct token_rules rules;
    struct alarm *alarm;
    struct slot slots[TOKEN_SOURCES_MAX];
    size_t n_slots;
    struct token *current, *previous;
    const struct slot *current_slot;
    uint64_t overlap_until_ms; /* the previous one is forgotten then */
    struct scrub *scrub;       /* of these two; it remembers longer than `previous` is kept */
    unsigned generation;
    struct rejections rejections;
    struct waiter_list waiters, renewals;
    bool missed; /* the log knows that there is no live one */
    unsigned long long n_renewals, n_failures;
};

static struct moment now_of(const struct token_keeper *keeper)
{
    return keeper->rules.now();
}

static uint32_t dice(void)
{
    uint32_t value;

    if (RAND_bytes((unsigned char *)&value, sizeof(value)) != 1)
        abort();
    return value;
}

bool token_keeper_is_live(const struct token_keeper *keeper, const struct token *token)
{
    return token_is_live(token, now_of(keeper));
}

static bool slot_is_live(const struct slot *slot, struct moment now)
{
    return slot->token && token_is_live(slot->token, now);
}

/* ---- what the log says ---- */

static void log_current(struct token_keeper *keeper)
{
    int64_t life_ms = keeper->current_slot->until.wall_ms - now_of(keeper).wall_ms;

    log_begin(keeper->log, LOG_INFO, "token");
    log_number(keeper->log, "generation", token_generation(keeper->current));
    log_text(keeper->log, "fingerprint", text_of(token_fingerprint(keeper->current)));
    log_text(keeper->log, "source", text_of(keeper->current_slot->source->kind->name));
    log_number(keeper->log, "expires_in_s", life_ms > 0 ? (unsigned long long)life_ms / 1000 : 0);
    if (!token_expires_at(keeper->current))
        log_text(keeper->log, "message",
                 TEXT("it does not say when it expires; --token-lifetime counts"));
    log_end(keeper->log);
}

static void log_stranger(struct token_keeper *keeper)
{
    char theirs[128];
    const char *name = jwt_is_for_another(token_text(keeper->current), keeper->rules.account,
                                          keeper->rules.workspace, theirs, sizeof(theirs));

    if (name)
        log_message(keeper->log, LOG_WARNING, "token",
                    "%s: its token is for the %s \"%s\", not for the one in --%s: the platform may "
                    "refuse it",
                    keeper->current_slot->source->label, name, theirs, name);
}

static void log_missing(struct token_keeper *keeper)
{
    if (!keeper->missed && keeper->generation)
        log_message(keeper->log, LOG_ERROR, "token",
                    "the last token has died and no source has given another: requests that need "
                    "one end with 503");
    keeper->missed = true;
}

static void complain(struct slot *slot, const char *why, bool will_change)
{
    if (slot->complaint && strcmp(slot->complaint, why) == 0)
        return;
    log_message(slot->keeper->log, will_change ? LOG_INFO : LOG_WARNING, "token_source",
                "%s: %s; %s", slot->source->label, why,
                slot_is_live(slot, now_of(slot->keeper)) ? "its last token stays in use"
                                                         : "it has given no live token");
    free(slot->complaint);
    slot->complaint = text_dup(text_of(why));
}

/* ---- which one is current ---- */

static void forget_previous(struct token_keeper *keeper)
{
    token_unref(keeper->previous);
    keeper->previous = NULL;
    keeper->overlap_until_ms = 0;
}

/* Either may come back in a response that is still on its way. */
static void watch_for(struct token_keeper *keeper, const struct token *token)
{
    struct text texts[2] = { token_text(token) };
    size_t n = 1;

    if (keeper->current)
        texts[n++] = token_text(keeper->current);
    scrub_free(keeper->scrub);
    keeper->scrub = scrub_new(texts, n);
}

static void make_current(struct token_keeper *keeper, const struct slot *slot, struct moment now)
{
    watch_for(keeper, slot->token);
    forget_previous(keeper);
    keeper->previous = keeper->current;
    keeper->overlap_until_ms = now.boot_ms + keeper->rules.overlap_ms;
    keeper->current = token_ref(slot->token);
    keeper->current_slot = slot;
    if (!token_generation(slot->token))
        token_set_generation(slot->token, ++keeper->generation);
    keeper->missed = false;
    rejection_new_token(&keeper->rejections);
    log_current(keeper);
    log_stranger(keeper);
}

/* The first slot with a live token. */
static void elect(struct token_keeper *keeper, struct moment now)
{
    const struct slot *best = NULL;

    for (size_t i = 0; i < keeper->n_slots && !best; i++)
        best = slot_is_live(&keeper->slots[i], now) ? &keeper->slots[i] : NULL;
    if (best && best->token != keeper->current)
        make_current(keeper, best, now);
    else if (!best)
        log_missing(keeper);
}

/* ---- when the sources are asked ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a && (!b || a < b) ? a : b;
}

/* Its renewal failed, and its end is near: time that the next source gets a chance. */
static bool needs_help(const struct slot *slot, struct moment now)
{
    return slot->schedule.failures && now.boot_ms >= slot->last_tenth_ms;
}

/* When something about a live token may have to be done, but for what its schedule says. */
static uint64_t next_change(const struct slot *slot, struct moment now)
{
    return slot->schedule.failures && now.boot_ms < slot->last_tenth_ms ? slot->last_tenth_ms
                                                                        : slot->until.boot_ms;
}

/* From the preferred source on, until one has what is needed. Returns when to look again. */
static uint64_t ask_as_needed(struct token_keeper *keeper, struct moment now)
{
    uint64_t next = ALARM_NEVER;

    for (size_t i = 0; i < keeper->n_slots; i++) {
        struct slot *slot = &keeper->slots[i];
        bool live = slot_is_live(slot, now);

        if (schedule_is_due(&slot->schedule, now.boot_ms))
            token_source_fetch(slot->source);
        if (!slot->source->asked)
            next = least(slot->schedule.due_ms, next);
        if (live)
            next = least(next_change(slot, now), next);
        if (live && !needs_help(slot, now))
            break;
    }
    return next;
}

void token_keeper_attend(struct token_keeper *keeper)
{
    struct moment now = now_of(keeper);

    if (keeper->previous && now.boot_ms >= keeper->overlap_until_ms)
        forget_previous(keeper);
    elect(keeper, now);
    alarm_set(keeper->alarm, least(keeper->overlap_until_ms, ask_as_needed(keeper, now)));
}

void token_keeper_refresh(struct token_keeper *keeper)
{
    bool live = false;

    for (size_t i = 0; i < keeper->n_slots && !live; i++) {
        token_source_fetch(keeper->slots[i].source);
        live = slot_is_live(&keeper->slots[i], now_of(keeper));
    }
    token_keeper_attend(keeper);
}

static void on_alarm(void *context)
{
    token_keeper_attend(context);
}

/* ---- who waits ---- */

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

static void tell(struct token_keeper *keeper)
{
    tell_waiters(keeper);
    tell_renewals(keeper);
}

/* ---- what the sources say ---- */

static void fail(struct slot *slot, const char *why, bool will_change)
{
    struct token_keeper *keeper = slot->keeper;

    keeper->n_failures++;
    slot->changing = will_change;
    complain(slot, why, will_change);
    schedule_failed(&slot->schedule, &keeper->rules.backoff, now_of(keeper).boot_ms, dice());
    token_keeper_attend(keeper);
    tell(keeper);
}

static void on_failed(void *owner, const char *why, bool will_change)
{
    fail(owner, why, will_change);
}

/* On both clocks. False if it is dead already. */
static bool life_of(const struct token_keeper *keeper, const struct token *token, struct moment now,
                    struct moment *until)
{
    int64_t expires_at = token_expires_at(token);
    int64_t life = expires_at ? expires_at * 1000 - now.wall_ms : keeper->rules.lifetime_ms;
    int64_t skew = keeper->rules.skew_ms < life / 10 ? keeper->rules.skew_ms : life / 10;

    if (life <= 0)
        return false;
    *until = (struct moment){ now.wall_ms + life - skew, now.boot_ms + (uint64_t)(life - skew) };
    return true;
}

static void set_life(struct slot *slot, struct moment now, struct moment until)
{
    slot->until = until;
    slot->last_tenth_ms = until.boot_ms - (until.boot_ms - now.boot_ms) / 10;
    token_set_life(slot->token, until);
}

static void plan_renewal(struct slot *slot, struct moment now, struct moment until)
{
    schedule_answered(&slot->schedule, now.boot_ms, until.boot_ms - now.boot_ms, dice());
    slot->planned_ms = slot->schedule.due_ms;
}

/* The same again: an opaque token lives on, because its source stands by it. One that says when it
 * expires is as good as before: if its renewal is not due yet, whatever failed in between is over; if it
 * is, its issuer has no other yet. */
static void confirm(struct slot *slot, struct moment now, struct moment until)
{
    set_life(slot, now, until);
    if (!token_expires_at(slot->token))
        plan_renewal(slot, now, until);
    else if (now.boot_ms < slot->planned_ms)
        slot->schedule = (struct schedule){ .due_ms = slot->planned_ms };
    else if (schedule_is_due(&slot->schedule, now.boot_ms))
        schedule_failed(&slot->schedule, &slot->keeper->rules.backoff, now.boot_ms, dice());
}

static void adopt(struct slot *slot, struct token *token, struct moment now, struct moment until)
{
    token_unref(slot->token);
    slot->token = token_ref(token);
    set_life(slot, now, until);
    plan_renewal(slot, now, until);
    slot->keeper->n_renewals++;
}

static void on_arrived(void *owner, struct token *token)
{
    struct slot *slot = owner;
    struct token_keeper *keeper = slot->keeper;
    struct moment now = now_of(keeper), until;

    slot->changing = false;
    if (!life_of(keeper, token, now, &until)) {
        fail(slot, "the token that it gave has expired already", false);
    } else {
        if (slot->token && token_equals(slot->token, token))
            confirm(slot, now, until);
        else
            adopt(slot, token, now, until);
        free(slot->complaint);
        slot->complaint = NULL;
        token_keeper_attend(keeper);
        tell(keeper);
    }
    token_unref(token);
}

/* ---- what the exchanges say ---- */

struct token *token_keeper_current(struct token_keeper *keeper)
{
    if (keeper->current && token_is_live(keeper->current, now_of(keeper)))
        return keeper->current;
    token_keeper_attend(keeper);
    return keeper->current && token_is_live(keeper->current, now_of(keeper)) ? keeper->current
                                                                             : NULL;
}

const struct scrub *token_keeper_scrub(const struct token_keeper *keeper)
{
    return keeper->scrub;
}

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
    struct moment now = now_of(keeper);

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
        rejection_accepted(&keeper->rejections, now_of(keeper).boot_ms, again);
}

void token_keeper_facts(const struct token_keeper *keeper, struct token_facts *facts)
{
    struct moment now = now_of(keeper);
    struct token_waiter *waiter;

    *facts = (struct token_facts){ .generation = keeper->generation,
                                   .n_renewals = keeper->n_renewals,
                                   .n_failures = keeper->n_failures,
                                   .n_sources = keeper->n_slots };
    if (keeper->n_slots)
        facts->complaint = keeper->slots[0].complaint;
    TAILQ_FOREACH(waiter, &keeper->waiters, link)
        facts->n_waiting++;
    TAILQ_FOREACH(waiter, &keeper->renewals, link)
        facts->n_waiting++;
    if (!keeper->current || !token_is_live(keeper->current, now))
        return;
    facts->current = keeper->current;
    facts->source = keeper->current_slot->source->kind->name;
    facts->label = keeper->current_slot->source->label;
    facts->expires_in_ms = keeper->current_slot->until.wall_ms - now.wall_ms;
    facts->renewal_in_ms = (int64_t)(keeper->current_slot->schedule.due_ms - now.boot_ms);
}

/* ---- beginning and end ---- */

struct token_keeper *token_keeper_new(struct loop *loop, struct log *log,
                                      const struct token_rules *rules)
{
    struct token_keeper *keeper = mem_alloc(1, sizeof(*keeper));

    keeper->log = log;
    keeper->rules = *rules;
    keeper->alarm = alarm_new(loop, on_alarm, keeper);
    TAILQ_INIT(&keeper->waiters);
    TAILQ_INIT(&keeper->renewals);
    return keeper;
}

void token_keeper_add(struct token_keeper *keeper, struct token_source *source)
{
    assert(keeper->n_slots < TOKEN_SOURCES_MAX);
    keeper->slots[keeper->n_slots++] = (struct slot){ .keeper = keeper, .source = source };
}

void token_keeper_start(struct token_keeper *keeper)
{
    static const struct token_source_owner owner = { on_arrived, on_failed };

    for (size_t i = 0; i < keeper->n_slots; i++)
        token_source_start(keeper->slots[i].source, &owner, &keeper->slots[i]);
    token_keeper_attend(keeper);
}

void token_keeper_free(struct token_keeper *keeper)
{
    if (!keeper)
        return;
    assert(TAILQ_EMPTY(&keeper->waiters) && TAILQ_EMPTY(&keeper->renewals));
    for (size_t i = 0; i < keeper->n_slots; i++) {
        token_source_free(keeper->slots[i].source);
        token_unref(keeper->slots[i].token);
        free(keeper->slots[i].complaint);
    }
    token_unref(keeper->current);
    token_unref(keeper->previous);
    scrub_free(keeper->scrub);
    alarm_free(keeper->alarm);
    free(keeper);
}

#include "proxy/token/keeper_parts.h"

#include <assert.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/alarm.h"

static uint32_t dice(void)
{
    uint32_t value;

    if (RAND_bytes((unsigned char *)&value, sizeof(value)) != 1)
        abort();
    return value;
}

/* ---- which one is current ---- */

/* Other desks shall know what stands on ours, and for how long it lives. */
static void tell_followers(const struct token_keeper *keeper)
{
    if (keeper->changed)
        keeper->changed(keeper->follower, keeper->desk.current);
}

static void make_current(struct token_keeper *keeper, const struct slot *slot)
{
    token_desk_put(&keeper->desk, slot->token);
    keeper->current_slot = slot;
    if (!token_generation(slot->token))
        token_set_generation(slot->token, ++keeper->generation);
    keeper->missed = false;
    rejection_new_token(&keeper->rejections);
    tell_followers(keeper);
    keeper_log_current(keeper); /* whoever reads it finds it in force */
}

/* The first slot with a live token. */
static void elect(struct token_keeper *keeper, struct moment now)
{
    const struct slot *best = NULL;

    for (size_t i = 0; i < keeper->n_slots && !best; i++)
        best = slot_is_live(&keeper->slots[i], now) ? &keeper->slots[i] : NULL;
    if (best && best->token != keeper->desk.current)
        make_current(keeper, best);
    else if (!best)
        keeper_log_missing(keeper);
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
    struct moment now = keeper_now(keeper);

    token_desk_attend(&keeper->desk, now);
    elect(keeper, now);
    alarm_set(keeper->alarm, least(keeper->desk.overlap_until_ms, ask_as_needed(keeper, now)));
}

void token_keeper_refresh(struct token_keeper *keeper)
{
    bool live = false;

    for (size_t i = 0; i < keeper->n_slots && !live; i++) {
        token_source_fetch(keeper->slots[i].source);
        live = slot_is_live(&keeper->slots[i], keeper_now(keeper));
    }
    token_keeper_attend(keeper);
}

static void on_alarm(void *context)
{
    token_keeper_attend(context);
}

/* ---- what the sources say ---- */

static void fail(struct slot *slot, const char *why, bool will_change)
{
    struct token_keeper *keeper = slot->keeper;

    keeper->n_failures++;
    slot->changing = will_change;
    keeper_complain(slot, why, will_change);
    schedule_failed(&slot->schedule, &keeper->rules.backoff, keeper_now(keeper).boot_ms, dice());
    token_keeper_attend(keeper);
    token_desk_tell(&keeper->desk);
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
    if (slot->token == slot->keeper->desk.current)
        tell_followers(slot->keeper);
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

/* Read again, a token that says when it expires does not outlive what was known of it: a wall clock that
 * has been set back would give it another life. False if it is dead. */
static bool is_within_first_life(const struct slot *slot, const struct token *token,
                                 struct moment now, struct moment *until)
{
    if (!slot->token || !token_equals(slot->token, token) || !token_expires_at(token))
        return true;
    if (until->boot_ms > slot->until.boot_ms)
        until->boot_ms = slot->until.boot_ms;
    return now.boot_ms < until->boot_ms;
}

static void on_arrived(void *owner, struct token *token)
{
    struct slot *slot = owner;
    struct token_keeper *keeper = slot->keeper;
    struct moment now = keeper_now(keeper), until;

    slot->changing = false;
    if (!life_of(keeper, token, now, &until) || !is_within_first_life(slot, token, now, &until)) {
        fail(slot, "the token that it gave has expired already", false);
    } else {
        if (slot->token && token_equals(slot->token, token))
            confirm(slot, now, until);
        else
            adopt(slot, token, now, until);
        free(slot->complaint);
        slot->complaint = NULL;
        token_keeper_attend(keeper);
        token_desk_tell(&keeper->desk);
    }
    token_unref(token);
}

/* ---- what the desk asks ---- */

static void on_missing(void *office)
{
    token_keeper_attend(office);
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
static bool is_renewing(const void *office)
{
    const struct token_keeper *keeper = office;

    for (size_t i = 0; i < keeper->n_slots; i++) {
        if (keeper->slots[i].source->asked || keeper->slots[i].changing)
            return true;
    }
    return false;
}

/* Whoever comes while others wait, or a question is open, waits with them. */
static bool on_asks(void *office, unsigned refused)
{
    struct token_keeper *keeper = office;

    (void)refused;
    if (is_asked(keeper) || !TAILQ_EMPTY(&keeper->desk.renewals))
        return true;
    if (!rejection_asks(&keeper->rejections, &keeper->rules.backoff, keeper_now(keeper).boot_ms))
        return false;
    token_source_fetch(keeper->current_slot->source);
    return true;
}

static void on_taken(void *office, bool again)
{
    struct token_keeper *keeper = office;

    rejection_accepted(&keeper->rejections, keeper_now(keeper).boot_ms, again);
}

static const struct token_office keeper_office = { on_missing, on_asks, is_renewing, on_taken };

struct token_desk *token_keeper_desk(struct token_keeper *keeper)
{
    return &keeper->desk;
}

void token_keeper_follow(struct token_keeper *keeper,
                         void (*changed)(void *context, const struct token *current), void *context)
{
    keeper->changed = changed;
    keeper->follower = context;
}

void token_keeper_taken(struct token_keeper *keeper, unsigned generation, uint64_t at_ms,
                        bool again)
{
    const struct token *current = keeper->desk.current;

    if (current && token_generation(current) == generation &&
        (again || at_ms > keeper->rejections.accepted_ms))
        rejection_accepted(&keeper->rejections, at_ms, again);
}

/* ---- beginning and end ---- */

struct token_keeper *token_keeper_new(struct loop *loop, struct log *log,
                                      const struct token_rules *rules)
{
    struct token_keeper *keeper = mem_alloc(1, sizeof(*keeper));

    keeper->log = log;
    keeper->rules = *rules;
    keeper->alarm = alarm_new(loop, on_alarm, keeper);
    token_desk_init(&keeper->desk, &keeper_office, keeper, rules->overlap_ms, rules->now);
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
    for (size_t i = 0; i < keeper->n_slots; i++) {
        token_source_free(keeper->slots[i].source);
        token_unref(keeper->slots[i].token);
        free(keeper->slots[i].complaint);
    }
    token_desk_fini(&keeper->desk);
    alarm_free(keeper->alarm);
    free(keeper);
}

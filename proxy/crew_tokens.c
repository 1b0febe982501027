#include "proxy/crew_tokens.h"

#include <stdlib.h>

#include "config/memory.h"
#include "config/settings.h"
#include "proxy/alarm.h"
#include "proxy/mailbox.h"
#include "proxy/token/keeper.h"

enum {
    MISSING_MS = 100, /* from one word that a token is missing to the next */
    /* From one word that a token was taken to the next. Well below ACCEPTED_RECENTLY_MS, so that the keeper
     * knows of a token that is taken elsewhere. */
    TAKEN_MS = 500,
};

struct messenger {
    /* the worker's thread's */
    struct mailbox *to_keeper;
    struct token_desk desk;
    struct alarm *alarm;
    unsigned asked; /* generation of the question that is open; 0: none is */
    unsigned next;  /* refused while it was: the answer may have been on its way already */
    uint64_t missing_ms, taken_ms, told_ms;

    /* the main loop's */
    struct mailbox *to_desk; /* NULL: closed */
    struct token_keeper *keeper;
    struct token_waiter waiter;
};

struct word {
    unsigned generation;
    uint64_t taken_ms; /* 0: not that we knew */
    bool again;
};

/* ---- on the main loop ---- */

static void on_answered(void *context, void *what);

static void answer(struct messenger *messenger)
{
    if (messenger->to_desk)
        mailbox_post(messenger->to_desk, on_answered, messenger, NULL);
}

static struct messenger *messenger_of(struct token_waiter *waiter)
{
    return CONTAINER_OF(waiter, struct messenger, waiter);
}

/* A new token has been put already: the keeper tells its followers first. */
static void on_told(struct token_waiter *waiter)
{
    answer(messenger_of(waiter));
}

static void on_refused(void *context, void *what)
{
    struct messenger *messenger = context;
    struct word *word = what;
    struct token *other;

    if (word->taken_ms)
        token_keeper_taken(messenger->keeper, word->generation, word->taken_ms, false);
    if (messenger->to_desk &&
        token_desk_rejected(token_keeper_desk(messenger->keeper), word->generation, false, &other,
                            &messenger->waiter) != RECOURSE_RENEWAL)
        answer(messenger);
    free(word);
}

static void on_taken(void *context, void *what)
{
    struct messenger *messenger = context;
    struct word *word = what;

    token_keeper_taken(messenger->keeper, word->generation, word->taken_ms, word->again);
    free(word);
}

static void on_missing(void *context, void *what)
{
    struct messenger *messenger = context;
    struct token *current = token_desk_current(token_keeper_desk(messenger->keeper));

    (void)what;
    if (current && messenger->to_desk)
        messengers_put(&messenger, 1, current);
}

static void on_put(void *context, void *what);

void messengers_put(struct messenger *const *messengers, size_t n, const struct token *current)
{
    struct addressee to[SETTINGS_MAX_THREADS];

    for (size_t i = 0; i < n; i++)
        to[i] = (struct addressee){ messengers[i]->to_desk, messengers[i], token_copy(current) };
    mailbox_post_all(to, n, on_put);
}

/* ---- on the worker's thread ---- */

static void post_word(struct messenger *messenger, void (*read)(void *context, void *what),
                      unsigned generation, bool again)
{
    struct word *word = mem_alloc(1, sizeof(*word));

    *word = (struct word){ generation, messenger->taken_ms, again };
    mailbox_post(messenger->to_keeper, read, messenger, word);
}

static void ask(struct messenger *messenger, unsigned refused)
{
    messenger->asked = refused;
    post_word(messenger, on_refused, refused, false);
}

static void on_answered(void *context, void *what)
{
    struct messenger *messenger = context;
    unsigned next = messenger->next;

    (void)what;
    messenger->asked = messenger->next = 0;
    if (next && (!messenger->desk.current || token_generation(messenger->desk.current) <= next))
        ask(messenger, next);
    token_desk_tell(&messenger->desk);
}

static void on_put(void *context, void *what)
{
    struct messenger *messenger = context;
    struct token_desk *desk = &messenger->desk;
    struct token *token = what;

    if (desk->current && token_generation(desk->current) == token_generation(token)) {
        token_live_like(desk->current, token);
    } else {
        token_desk_put(desk, token);
        messenger->taken_ms = messenger->told_ms = 0;
        alarm_set(messenger->alarm, desk->overlap_until_ms);
    }
    token_unref(token);
    token_desk_tell(desk);
}

static void on_alarm(void *context)
{
    struct messenger *messenger = context;

    token_desk_attend(&messenger->desk, clock_now());
}

static void desk_is_bare(void *office)
{
    struct messenger *messenger = office;
    uint64_t now = clock_now().boot_ms;

    if (messenger->missing_ms && now - messenger->missing_ms < MISSING_MS)
        return;
    messenger->missing_ms = now;
    mailbox_post(messenger->to_keeper, on_missing, messenger, NULL);
}

static bool desk_asks(void *office, unsigned refused)
{
    struct messenger *messenger = office;

    if (!messenger->asked)
        ask(messenger, refused);
    else if (refused > messenger->next)
        messenger->next = refused;
    return true;
}

static bool desk_is_renewing(const void *office)
{
    return ((const struct messenger *)office)->asked != 0;
}

static void desk_was_taken(void *office, bool again)
{
    struct messenger *messenger = office;

    messenger->taken_ms = clock_now().boot_ms;
    if (!again && messenger->told_ms && messenger->taken_ms - messenger->told_ms < TAKEN_MS)
        return;
    messenger->told_ms = messenger->taken_ms;
    post_word(messenger, on_taken, token_generation(messenger->desk.current), again);
}

static const struct token_office by_messenger = { desk_is_bare, desk_asks, desk_is_renewing,
                                                  desk_was_taken };

/* ---- beginning and end ---- */

struct token_desk *messenger_desk(struct messenger *messenger)
{
    return &messenger->desk;
}

struct messenger *messenger_new(struct token_keeper *keeper, struct mailbox *to_keeper,
                                struct loop *loop, struct mailbox *to_desk,
                                const struct settings *settings)
{
    struct messenger *messenger = mem_alloc(1, sizeof(*messenger));

    messenger->keeper = keeper;
    messenger->to_keeper = to_keeper;
    messenger->to_desk = to_desk;
    messenger->waiter.arrived = messenger->waiter.unrenewed = on_told;
    messenger->alarm = alarm_new(loop, on_alarm, messenger);
    token_desk_init(&messenger->desk, &by_messenger, messenger, settings->token_overlap_ms,
                    clock_now);
    return messenger;
}

void messenger_leave(struct messenger *messenger)
{
    alarm_free(messenger->alarm);
    token_desk_fini(&messenger->desk);
}

void messenger_close(struct messenger *messenger)
{
    token_desk_leave(token_keeper_desk(messenger->keeper), &messenger->waiter);
    messenger->to_desk = NULL;
}

void messenger_free(struct messenger *messenger)
{
    free(messenger);
}

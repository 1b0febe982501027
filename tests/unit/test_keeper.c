#include "tests/unit/stories.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proxy/log.h"
#include "proxy/token/keeper.h"
#include "proxy/token/scrub.h"

#define PAST   "e30.eyJleHAiOjF9.sig"             /* {"exp":1} */
#define FUTURE "e30.eyJleHAiOjQxMDI0NDQ4MDB9.sig" /* {"exp":4102444800} */
#define OPAQUE "opaque"

enum { WAITERS = 3 };

/* Somebody who waits, and what they do when they are told. */
struct somebody {
    struct token_waiter waiter;
    struct token_keeper *keeper;
    struct somebody *takes_off; /* leaves in the other's name */
    const char *puts;           /* a token that arrives meanwhile */
    bool again;                 /* waits once more, the first time */
    int told;
};

static char trace[32];
static struct somebody people[WAITERS];

static void put(struct token_keeper *keeper, const char *bytes)
{
    const char *why;

    token_keeper_put(keeper, token_new(text_of(bytes), &why));
}

static void on_arrived(struct token_waiter *waiter)
{
    struct somebody *self = (struct somebody *)(void *)waiter;
    size_t n = strlen(trace);

    trace[n] = (char)('a' + (self - people));
    trace[n + 1] = '\0';
    assert_false(waiter->waiting);
    assert_non_null(token_keeper_current(self->keeper)); /* told only when there is one */
    if (self->takes_off)
        token_keeper_leave(self->keeper, &self->takes_off->waiter);
    if (self->told++ == 0 && self->puts)
        put(self->keeper, self->puts);
    if (self->told == 1 && self->again)
        token_keeper_wait(self->keeper, waiter);
}

struct desk {
    struct token_keeper *keeper;
    struct log *log;
    int pipe[2];
};

static void desk_init(struct desk *desk)
{
    trace[0] = '\0';
    assert_int_equal(pipe2(desk->pipe, O_NONBLOCK | O_CLOEXEC), 0);
    desk->log = log_new(NULL, desk->pipe[1], LOG_DEBUG);
    desk->keeper = token_keeper_new(desk->log);
    for (int i = 0; i < WAITERS; i++)
        people[i] = (struct somebody){ .waiter.arrived = on_arrived, .keeper = desk->keeper };
}

static void desk_fini(struct desk *desk, char *logged, size_t size)
{
    token_keeper_free(desk->keeper);
    log_free(desk->log);
    ssize_t n = read(desk->pipe[0], logged, size - 1);
    logged[n > 0 ? n : 0] = '\0';
    close(desk->pipe[0]);
    close(desk->pipe[1]);
    assert_null(strstr(logged, "opaque-secret")); /* no token in any log */
    assert_null(strstr(logged, "eyJ"));
}

/* ---- which one is current ---- */

static struct current {
    const char *name;
    const char *puts[3];
    const char *want; /* NULL: none */
    const char *logged;
} currents[] = {
    { "none has come", { NULL }, NULL, "" },
    { "an opaque one", { OPAQUE }, OPAQUE, "does not say when it expires" },
    { "a live one", { FUTURE }, FUTURE, "expires_in_s=" },
    { "an expired one", { PAST }, NULL, "has expired and will not be sent" },
    { "a live one behind an expired one", { PAST, FUTURE }, FUTURE, "generation=2" },
    { "an expired one behind a live one", { FUTURE, PAST }, NULL, "level=error" },
    { "the last of three", { OPAQUE, PAST, "third" }, "third", "generation=3" },
    { "the same again is a new generation", { OPAQUE, OPAQUE }, OPAQUE, "generation=2" },
    { "its text is not logged", { "opaque-secret" }, "opaque-secret", "generation=1" },
};

static void test_current(void **state)
{
    const struct current *row = *state;
    struct token *token;
    struct desk desk;
    char logged[2048];
    unsigned n = 0;

    desk_init(&desk);
    for (; n < 3 && row->puts[n]; n++)
        put(desk.keeper, row->puts[n]);
    token = token_keeper_current(desk.keeper);
    if (row->want) {
        assert_non_null(token);
        assert_memory_equal(token_text(token).at, row->want, strlen(row->want));
        assert_int_equal(token_generation(token), n);
    } else {
        assert_null(token);
    }
    desk_fini(&desk, logged, sizeof(logged));
    assert_non_null(strstr(logged, row->logged));
}

/* ---- what is looked for in responses ---- */

static struct watched {
    const char *name;
    const char *puts[4];
    const char *sees; /* of "first-token second-token third-token" */
} watcheds[] = {
    { "nothing", { NULL }, "first-token second-token third-token" },
    { "the only one", { "first-token" }, "*********** second-token third-token" },
    { "the last two", { "first-token", "second-token" }, "*********** ************ third-token" },
    { "no more than two",
      { "first-token", "second-token", "third-token" },
      "first-token ************ ***********" },
    { "the same again does not count",
      { "first-token", "second-token", "second-token" },
      "*********** ************ third-token" },
    { "an expired one", { PAST, "first-token" }, "*********** second-token third-token" },
    { "a short one is not watched", { "first" }, "first-token second-token third-token" },
    { "the one before a short one",
      { "first-token", "second" },
      "*********** second-token third-token" },
};

static void test_watched(void **state)
{
    const struct watched *row = *state;
    char text[] = "first-token second-token third-token", logged[2048];
    struct scrub_trail trail = { .n_gone = 0 };
    struct desk desk;
    unsigned found = 0;

    desk_init(&desk);
    for (int i = 0; i < 4 && row->puts[i]; i++)
        put(desk.keeper, row->puts[i]);
    scrub_piece(token_keeper_scrub(desk.keeper), &trail, text, strlen(text), true, &found);
    assert_string_equal(text, row->sees);
    desk_fini(&desk, logged, sizeof(logged));
}

/* A holder keeps the token that it began with. */
static void test_held(void **state)
{
    struct token *held;
    struct desk desk;
    char logged[2048];

    (void)state;
    desk_init(&desk);
    put(desk.keeper, "first");
    held = token_ref(token_keeper_current(desk.keeper));
    put(desk.keeper, "second");
    assert_memory_equal(token_text(held).at, "first", 5);
    assert_int_equal(token_generation(held), 1);
    desk_fini(&desk, logged, sizeof(logged));
    assert_memory_equal(token_text(held).at, "first", 5);
    token_unref(held);
}

/* ---- waiting ---- */

static struct waiting {
    const char *name;
    const char *puts[3];
    const char *want; /* who was told, in order; a, b and c wait from the beginning */
    int a_takes_off;  /* 1: b, 2: c; 0: nobody */
    const char *a_puts;
    bool a_again;
} waitings[] = {
    { "nobody is told of nothing", { NULL }, "", 0, NULL, false },
    { "all are told, in order", { OPAQUE }, "abc", 0, NULL, false },
    { "once", { OPAQUE, FUTURE }, "abc", 0, NULL, false },
    { "not of an expired one", { PAST }, "", 0, NULL, false },
    { "of the live one that follows", { PAST, FUTURE }, "abc", 0, NULL, false },
    { "the first takes the second off", { OPAQUE }, "ac", 1, NULL, false },
    { "the first takes the last off", { OPAQUE }, "ab", 2, NULL, false },
    { "the first waits again, behind the others", { OPAQUE }, "abca", 0, NULL, true },
    { "another live one arrives meanwhile", { OPAQUE }, "abc", 0, FUTURE, false },
    { "an expired one arrives meanwhile", { OPAQUE }, "a", 0, PAST, false },
    { "an expired one meanwhile, and then a live one", { OPAQUE, FUTURE }, "abc", 0, PAST, false },
    { "waits again while an expired one arrives", { OPAQUE, FUTURE }, "abca", 0, PAST, true },
};

static void test_waiting(void **state)
{
    const struct waiting *row = *state;
    struct desk desk;
    char logged[4096];

    desk_init(&desk);
    people[0].takes_off = row->a_takes_off ? &people[row->a_takes_off] : NULL;
    people[0].puts = row->a_puts;
    people[0].again = row->a_again;
    for (int i = 0; i < WAITERS; i++)
        token_keeper_wait(desk.keeper, &people[i].waiter);
    for (int i = 0; i < 3 && row->puts[i]; i++)
        put(desk.keeper, row->puts[i]);
    assert_string_equal(trace, row->want);
    for (int i = 0; i < WAITERS; i++)
        token_keeper_leave(desk.keeper, &people[i].waiter);
    desk_fini(&desk, logged, sizeof(logged));
}

static void test_left(void **state)
{
    struct desk desk;
    char logged[2048];

    (void)state;
    desk_init(&desk);
    token_keeper_leave(desk.keeper, &people[0].waiter); /* never waited */
    for (int i = 0; i < WAITERS; i++)
        token_keeper_wait(desk.keeper, &people[i].waiter);
    token_keeper_leave(desk.keeper, &people[1].waiter);
    token_keeper_leave(desk.keeper, &people[1].waiter);
    put(desk.keeper, OPAQUE);
    assert_string_equal(trace, "ac");
    desk_fini(&desk, logged, sizeof(logged));
    token_keeper_free(NULL);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, currents, test_current);
    STORIES_ADD(&stories, waitings, test_waiting);
    STORIES_ADD(&stories, watcheds, test_watched);
    stories_add(&stories, "a held token outlives its keeper", test_held, NULL);
    stories_add(&stories, "who has left is not told", test_left, NULL);
    return stories_run("keeper", &stories);
}

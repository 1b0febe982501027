/* What is said again and again, and when it is told how often. */
#include "tests/unit/stories.h"

#include <stdio.h>

#include "proxy/log_repeat.h"

static bool say(struct repeats *repeats, const char *event, const char *sentence, uint64_t now_ms,
                unsigned *told)
{
    struct repeat ended;
    bool may = repeats_note(repeats, LOG_INFO, event, sentence, now_ms, &ended);

    *told = ended.held;
    return may;
}

/* `n` times the same, `gap_ms` apart. */
static struct row {
    const char *name;
    unsigned n;
    uint64_t gap_ms;
    unsigned said, told, held; /* told on the way; held back at the end */
} rows[] = {
    { "once", 1, 0, 1, 0, 0 },
    { "as often as is said", LOG_REPEATS, 0, LOG_REPEATS, 0, 0 },
    { "once more", LOG_REPEATS + 1, 0, LOG_REPEATS, 0, 1 },
    { "a thousand times at once", 1000, 0, LOG_REPEATS, 0, 1000 - LOG_REPEATS },
    { "slowly", 100, LOG_REPEAT_MS, 100, 0, 0 },
    { "twice a time", 100, LOG_REPEAT_MS / 2, 100, 0, 0 },
    { "twenty in each time", 60, LOG_REPEAT_MS / 20, 3 * LOG_REPEATS, 20, 10 },
};

static void is_held_back(void **state)
{
    const struct row *row = *state;
    struct repeats repeats = { 0 };
    struct repeat ended;
    unsigned said = 0, told = 0, n;
    uint64_t now = 77;

    for (unsigned i = 0; i < row->n; i++, now += row->gap_ms) {
        said += say(&repeats, "event", "sentence", now, &n);
        told += n;
    }
    assert_int_equal(said, row->said);
    assert_int_equal(told, row->told);
    if (row->held) {
        assert_true(repeats_next(&repeats, now, true, &ended));
        assert_int_equal(ended.held, row->held);
        assert_string_equal(ended.event, "event");
        assert_string_equal(ended.sentence, "sentence");
    }
    assert_false(repeats_next(&repeats, now + LOG_REPEAT_MS, true, &ended));
}

static void others_are_not_the_same(void **state)
{
    struct repeats repeats = { 0 };
    unsigned n;

    (void)state;
    for (unsigned i = 0; i < 5 * LOG_REPEATS; i++)
        say(&repeats, "event", "sentence", 1, &n);
    assert_false(say(&repeats, "event", "sentence", 1, &n));
    assert_true(say(&repeats, "event", "another", 1, &n));
    assert_true(say(&repeats, "other", "sentence", 1, &n));
    assert_true(say(&repeats, "events", "entence", 1, &n));
    assert_true(say(&repeats, "", "", 1, &n));
}

static void only_what_is_over_is_told(void **state)
{
    struct repeats repeats = { 0 };
    struct repeat ended;
    unsigned n;

    (void)state;
    for (unsigned i = 0; i <= LOG_REPEATS; i++)
        say(&repeats, "event", "sentence", 5, &n);
    assert_false(repeats_next(&repeats, 5 + LOG_REPEAT_MS - 1, false, &ended));
    assert_true(repeats_next(&repeats, 5 + LOG_REPEAT_MS, false, &ended));
    assert_int_equal(ended.held, 1);
    assert_true(say(&repeats, "event", "sentence", 5 + LOG_REPEAT_MS, &n));
}

/* A flood of others, each once, does not push it out. */
static void a_flood_of_others_does_not_hide_it(void **state)
{
    struct repeats repeats = { 0 };
    char sentence[32];
    unsigned said = 0, n;

    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        snprintf(sentence, sizeof(sentence), "sentence %u", i);
        assert_true(say(&repeats, "event", sentence, i, &n));
        said += say(&repeats, "event", "again", i, &n);
        assert_int_equal(n, 0);
    }
    assert_int_equal(said, LOG_REPEATS);
}

/* More messages than there is room for: who makes room is told, and nothing is lost. */
static void who_makes_room_is_told(void **state)
{
    struct repeats repeats = { 0 };
    struct repeat ended;
    char sentence[32];
    unsigned said = 0, told = 0, n, asked = 0;

    (void)state;
    for (unsigned i = 0; i < 3 * LOG_REPEAT_SLOTS; i++) {
        snprintf(sentence, sizeof(sentence), "sentence %u", i);
        for (unsigned j = 0; j < LOG_REPEATS + 3; j++, asked++) {
            said += say(&repeats, "event", sentence, i, &n);
            told += n;
        }
    }
    while (repeats_next(&repeats, 1, true, &ended))
        told += ended.held;
    assert_int_equal(said + told, asked);
    assert_int_equal(told, 3 * 3 * LOG_REPEAT_SLOTS);
}

int main(void)
{
    static struct stories all;

    STORIES_ADD(&all, rows, is_held_back);
    stories_add(&all, "others are not the same", others_are_not_the_same, NULL);
    stories_add(&all, "only what is over is told", only_what_is_over_is_told, NULL);
    stories_add(&all, "a flood of others", a_flood_of_others_does_not_hide_it, NULL);
    stories_add(&all, "who makes room is told", who_makes_room_is_told, NULL);
    return stories_run("log_repeat", &all);
}

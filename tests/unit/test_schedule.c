/* When a source is asked again, and when a 401 is worth a question: properties over many dice, and rows. */
#include "tests/unit/stories.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/token/rejection.h"
#include "proxy/token/schedule.h"

static const uint32_t dices[] = {
    0, 1, 1000, UINT32_MAX / 3, UINT32_MAX / 2, 3000000000, UINT32_MAX - 1, UINT32_MAX
};

enum { N_DICES = sizeof(dices) / sizeof(dices[0]) };

/* ---- pauses ---- */

static struct pauses {
    const char *name;
    struct backoff backoff;
    unsigned failures;
    uint64_t step;
} pauses[] = {
    { "the first failure", { 1000, 60000 }, 1, 1000 },
    { "the second: twice as long", { 1000, 60000 }, 2, 2000 },
    { "the sixth", { 1000, 60000 }, 6, 32000 },
    { "the seventh: the ceiling", { 1000, 60000 }, 7, 60000 },
    { "the hundredth", { 1000, 60000 }, 100, 60000 },
    { "as many as can be counted", { 1000, 60000 }, UINT32_MAX, 60000 },
    { "none yet", { 1000, 60000 }, 0, 1000 },
    { "a first step above the ceiling", { 5000, 1000 }, 1, 1000 },
    { "the smallest", { 1, 1 }, 9, 1 },
    { "the longest ceiling", { UINT32_MAX / 2 + 2, UINT32_MAX }, 2, UINT32_MAX },
};

/* Full jitter: anything from the least to the step, and the larger the dice, the longer. */
static void test_pause(void **state)
{
    const struct pauses *row = *state;
    uint64_t last = 0, most = row->step > BACKOFF_LEAST_MS ? row->step : BACKOFF_LEAST_MS;

    assert_int_equal(backoff_step_ms(&row->backoff, row->failures), row->step);
    for (size_t i = 0; i < N_DICES; i++) {
        uint64_t pause = backoff_pause_ms(&row->backoff, row->failures, dices[i]);
        assert_in_range(pause, BACKOFF_LEAST_MS, most);
        assert_true(pause >= last);
        last = pause;
    }
    assert_int_equal(backoff_pause_ms(&row->backoff, row->failures, 0), BACKOFF_LEAST_MS);
    assert_int_equal(last, most);
}

/* ---- renewals ---- */

static struct lives {
    const char *name;
    uint64_t life_ms;
} lives[] = {
    { "a second", 1000 },  { "a minute", 60000 },         { "ten minutes", 600000 },
    { "a day", 86400000 }, { "ten years", 315360000000 }, { "for ever", (1ULL << 53) * 1000 },
};

static void test_due(void **state)
{
    const struct lives *row = *state;
    const struct backoff backoff = { 1000, 60000 };
    const uint64_t now = 123456789;

    for (size_t i = 0; i < N_DICES; i++) {
        struct schedule schedule = { 0 };
        schedule_failed(&schedule, &backoff, now, dices[i]);
        schedule_failed(&schedule, &backoff, now, dices[i]);
        assert_int_equal(schedule.failures, 2);
        assert_in_range(schedule.due_ms, now + BACKOFF_LEAST_MS, now + 2000);
        schedule_answered(&schedule, now, row->life_ms, dices[i]);
        assert_int_equal(schedule.failures, 0);
        assert_in_range(schedule.due_ms - now, row->life_ms / 100 * 75,
                        row->life_ms / 100 * 85 + 100);
        assert_false(schedule_is_due(&schedule, schedule.due_ms - 1));
        assert_true(schedule_is_due(&schedule, schedule.due_ms));
    }
}

/* ---- rejections ----
 *
 *   +N  N ms pass    R  refused: is a new token asked for?  y n    N  a new one has come
 *   a   the current one is taken    A  by a request that had been refused */

static struct rejection {
    const char *name, *steps, *want;
} rejected[] = {
    { "the first asks", "R", "y" },
    { "the second does not, so soon", "R R +999 R", "ynn" },
    { "but after the step", "R +1000 R", "yy" },
    { "the step doubles", "R +1000 R +1999 R +1 R", "yyny" },
    { "whether a new one came or not", "R N +1000 R N +1999 R +1 R", "yyny" },
    { "up to the ceiling", "R +1000 R +2000 R +4000 R +7999 R +1 R +7999 R +1 R", "yyyynyny" },
    { "taken by others, first refusal ever: asks", "a R", "y" },
    { "taken by others since: not the token's fault", "R +5000 a R", "yn" },
    { "and again, and again", "R +5000 a R a R a R a R", "ynnnn" },
    { "taken, but not since it was refused: asks", "R +5000 a +1 R +1 R", "yny" },
    { "taken long ago: asks", "R +3000 a +2000 R", "yy" },
    { "taken just within memory", "R +3000 a +1999 R", "yn" },
    { "what the last one was taken for does not count for a new one", "R +5000 a N R", "yy" },
    { "the new one helped: at once again", "R N A R", "yy" },
    { "and the steps begin anew", "R +1000 R +2000 R N A R +999 R +1 R", "yyyyny" },
    { "helped, and taken by others: at once again", "R N A a a a R", "yy" },
    { "it helped a crowd: counted once", "R N A A A A A A A A A A A A R N A R", "yyy" },
    { "a route that wants a new one every time: not for ever",
      "R N A R N A R N A R N A R N A R N A R N A R N A R N A R R +999 R +1 R N A R",
      "yyyyyyyyynnnyn" },
    { "after a long pause it is forgotten",
      "R N A R N A R N A R N A R N A R N A R N A R N A R N A R +8000 R N A R", "yyyyyyyyynyy" },
};

static void test_rejection(void **state)
{
    const struct rejection *row = *state;
    const struct backoff backoff = { 1000, 8000 };
    struct rejections rejections = { 0 };
    char copy[160], got[32] = "", *rest = copy;
    uint64_t now = 1000000;
    size_t n = 0;

    assert_true(strlen(row->steps) < sizeof(copy));
    memcpy(copy, row->steps, strlen(row->steps) + 1);
    for (const char *step; (step = strsep(&rest, " "));) {
        if (step[0] == '+')
            now += strtoul(step + 1, NULL, 10);
        else if (step[0] == 'R')
            got[n++] = rejection_asks(&rejections, &backoff, now) ? 'y' : 'n';
        else if (step[0] == 'N')
            rejection_new_token(&rejections);
        else
            rejection_accepted(&rejections, now, step[0] == 'A');
    }
    assert_string_equal(got, row->want);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, pauses, test_pause);
    STORIES_ADD(&stories, lives, test_due);
    STORIES_ADD(&stories, rejected, test_rejection);
    return stories_run("schedule", &stories);
}

/* The retry budget: what is left after so many requests, retries and seconds. */
#include "tests/unit/stories.h"

#include "proxy/retry_budget.h"

enum { STEPS_MAX = 8 };

static struct story {
    const char *name;
    struct {
        unsigned after_s, requests;
        unsigned asked, granted; /* retries */
    } steps[STEPS_MAX];
} stories_of_budget[] = {
    { "nothing happened: the floor", { { 0, 0, 200, 100 } } },
    { "few requests: the floor and a fifth", { { 0, 10, 200, 102 } } },
    { "less than a fifth of one is none", { { 0, 4, 200, 100 } } },
    { "many requests: a fifth more", { { 0, 10000, 3000, 2100 } } },
    { "within the budget", { { 0, 1000, 300, 300 } } },
    { "what was refused stays refused", { { 0, 0, 100, 100 }, { 0, 0, 5, 0 }, { 5, 0, 5, 0 } } },
    { "requests that come later count", { { 0, 0, 100, 100 }, { 1, 50, 20, 10 } } },
    { "retries older than the window are forgotten", { { 0, 0, 100, 100 }, { 10, 0, 200, 100 } } },
    { "in its last second they are not", { { 0, 0, 100, 100 }, { 9, 0, 200, 0 } } },
    { "requests older than the window are forgotten too",
      { { 0, 1000, 0, 0 }, { 10, 0, 200, 100 } } },
    { "second by second",
      { { 0, 0, 50, 50 }, { 5, 0, 80, 50 }, { 5, 0, 80, 50 }, { 5, 0, 80, 50 } } },
    { "after a long sleep", { { 0, 1000, 300, 300 }, { 1000000, 0, 200, 100 } } },
};

static void test_story(void **state)
{
    const struct story *row = *state;
    struct retry_budget budget = { 0 };
    uint64_t now_us = 77000000, refused = 0;

    for (size_t i = 0; i < STEPS_MAX; i++) {
        unsigned granted = 0;

        now_us += (uint64_t)row->steps[i].after_s * 1000000;
        for (unsigned n = 0; n < row->steps[i].requests; n++)
            retry_budget_note(&budget, now_us);
        for (unsigned n = 0; n < row->steps[i].asked; n++)
            granted += retry_budget_take(&budget, now_us);
        if (granted != row->steps[i].granted)
            fail_msg("step %zu: %u granted", i + 1, granted);
        refused += row->steps[i].asked - granted;
    }
    assert_int_equal(budget.n_refused, refused);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, stories_of_budget, test_story);
    return stories_run("retry_budget", &stories);
}

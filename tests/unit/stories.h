/* tests/unit/stories.h - a table of stories becomes one cmocka test a row.
 *
 * Every row begins with `const char *name`; the name is the failure message, and the counts at the
 * end are rows, not tables. */
#ifndef TESTS_UNIT_STORIES_H
#define TESTS_UNIT_STORIES_H

/* cmocka.h wants these four before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { STORIES_MAX = 1024 };

struct stories {
    struct CMUnitTest tests[STORIES_MAX];
    size_t n;
};

static inline void stories_add(struct stories *stories, const char *name, CMUnitTestFunction run,
                               void *row)
{
    assert_true(stories->n < STORIES_MAX);
    stories->tests[stories->n++] =
        (struct CMUnitTest){ .name = name, .test_func = run, .initial_state = row };
}

/* `run` is called once for each row, with *state pointing at it. */
#define STORIES_ADD(stories, rows, run)                                                            \
    for (size_t row_ = 0; row_ < sizeof(rows) / sizeof((rows)[0]); row_++)                         \
    stories_add(stories, (rows)[row_].name, run, &(rows)[row_])

/* A story with a function of its own; STORIES_ADD(&stories, singles, single_run). */
struct single {
    const char *name;
    CMUnitTestFunction run;
};

static inline void single_run(void **state)
{
    const struct single *story = (const struct single *)*state;

    story->run(state);
}

static inline int stories_run(const char *group, struct stories *stories)
{
    return _cmocka_run_group_tests(group, stories->tests, stories->n, NULL, NULL);
}

#endif

#include "tests/unit/stories.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proxy/loop.h"

/* ---- jobs: each row is a script, and the order in which the jobs ran ---- */

enum act { NOTHING, DEFER, AGAIN, CANCEL };
enum { JOBS = 5, STEPS = 8 };

struct step {
    enum act act;
    int job; /* 'a'... */
};

struct scripted {
    struct job job;
    struct loop *loop;
    const struct step *does; /* when it runs for the first time */
    int runs;
};

static struct scripted scripted[JOBS];
static char trace[64];

static void act(struct loop *loop, const struct step *step)
{
    struct job *job = &scripted[step->job - 'a'].job;

    if (step->act == DEFER)
        loop_defer(loop, job);
    else if (step->act == AGAIN)
        loop_again(loop, job);
    else
        loop_cancel(loop, job);
}

static void note(char what)
{
    size_t n = strlen(trace);

    assert_true(n + 1 < sizeof(trace));
    trace[n] = what;
    trace[n + 1] = '\0';
}

static void on_job(struct job *job)
{
    struct scripted *self = (struct scripted *)(void *)job;

    note((char)('a' + (self - scripted)));
    if (self->runs++ == 0) {
        for (size_t i = 0; i < STEPS && self->does[i].act != NOTHING; i++)
            act(self->loop, &self->does[i]);
    }
}

static struct script {
    const char *name;
    struct step first[STEPS];      /* before the loop runs */
    struct step then[JOBS][STEPS]; /* by each job, when it runs for the first time */
    const char *want;
} scripts[] = {
    { "deferred jobs run in order",
      { { DEFER, 'a' }, { DEFER, 'b' }, { DEFER, 'c' } },
      { { { 0 } } },
      "abc" },
    { "again runs in order", { { AGAIN, 'a' }, { AGAIN, 'b' } }, { { { 0 } } }, "ab" },
    { "deferred comes before again", { { AGAIN, 'a' }, { DEFER, 'b' } }, { { { 0 } } }, "ba" },
    { "posting twice is posting once", { { AGAIN, 'a' }, { AGAIN, 'a' } }, { { { 0 } } }, "a" },
    { "deferring twice is deferring once",
      { { DEFER, 'a' }, { DEFER, 'b' }, { DEFER, 'a' } },
      { { { 0 } } },
      "ba" },
    { "defer takes a job out of again",
      { { AGAIN, 'a' }, { AGAIN, 'b' }, { DEFER, 'b' } },
      { { { 0 } } },
      "ba" },
    { "again leaves a deferred job where it is",
      { { DEFER, 'a' }, { AGAIN, 'a' } },
      { { { 0 } } },
      "a" },
    { "a cancelled job does not run",
      { { DEFER, 'a' }, { AGAIN, 'b' }, { CANCEL, 'a' }, { CANCEL, 'b' } },
      { { { 0 } } },
      "" },
    { "cancelling the middle one",
      { { DEFER, 'a' }, { DEFER, 'b' }, { DEFER, 'c' }, { CANCEL, 'b' } },
      { { { 0 } } },
      "ac" },
    { "cancelling the last one",
      { { AGAIN, 'a' }, { AGAIN, 'b' }, { CANCEL, 'b' }, { AGAIN, 'c' } },
      { { { 0 } } },
      "ac" },
    { "cancelling what is not posted", { { CANCEL, 'a' }, { DEFER, 'b' } }, { { { 0 } } }, "b" },
    { "cancelled and posted anew",
      { { DEFER, 'a' }, { CANCEL, 'a' }, { DEFER, 'a' } },
      { { { 0 } } },
      "a" },
    { "a deferred job defers itself",
      { { DEFER, 'a' }, { DEFER, 'b' } },
      { { { DEFER, 'a' } } },
      "aba" },
    { "a deferred job defers another",
      { { DEFER, 'a' } },
      { { { DEFER, 'b' }, { DEFER, 'c' } } },
      "abc" },
    { "a deferred job posts itself again",
      { { DEFER, 'a' }, { DEFER, 'b' } },
      { { { AGAIN, 'a' } } },
      "aba" },
    { "an again job posts itself again",
      { { AGAIN, 'a' }, { AGAIN, 'b' } },
      { { { AGAIN, 'a' } } },
      "aba" },
    { "what an again job defers runs before the next turn",
      { { AGAIN, 'a' } },
      { { { AGAIN, 'b' }, { DEFER, 'c' } } },
      "acb" },
    { "a deferred job cancels the next",
      { { DEFER, 'a' }, { DEFER, 'b' }, { DEFER, 'c' } },
      { { { CANCEL, 'b' } } },
      "ac" },
    { "a deferred job cancels the last",
      { { DEFER, 'a' }, { DEFER, 'b' }, { DEFER, 'c' } },
      { { { CANCEL, 'c' } } },
      "ab" },
    { "an again job cancels the next",
      { { AGAIN, 'a' }, { AGAIN, 'b' }, { AGAIN, 'c' } },
      { { { CANCEL, 'b' } } },
      "ac" },
    { "an again job cancels the last",
      { { AGAIN, 'a' }, { AGAIN, 'b' } },
      { { { CANCEL, 'b' } } },
      "a" },
    { "a job cancels one and posts it anew",
      { { DEFER, 'a' }, { DEFER, 'b' }, { DEFER, 'c' } },
      { { { CANCEL, 'b' }, { DEFER, 'b' } } },
      "acb" },
    { "a job defers one that is due",
      { { DEFER, 'a' }, { DEFER, 'b' }, { DEFER, 'c' } },
      { { { DEFER, 'b' } } },
      "acb" },
    { "an again job defers one that is due",
      { { AGAIN, 'a' }, { AGAIN, 'b' }, { AGAIN, 'c' } },
      { { { DEFER, 'b' } } },
      "acb" },
    { "an again job posts one that is due",
      { { AGAIN, 'a' }, { AGAIN, 'b' }, { AGAIN, 'c' } },
      { { { AGAIN, 'b' } } },
      "abc" },
    { "a job cancels itself", { { DEFER, 'a' }, { DEFER, 'b' } }, { { { CANCEL, 'a' } } }, "ab" },
    { "a job cancels what it has posted",
      { { AGAIN, 'a' }, { AGAIN, 'b' } },
      { { { AGAIN, 'c' }, { CANCEL, 'c' }, { CANCEL, 'b' } } },
      "a" },
    { "a deferred job cancels an again job",
      { { DEFER, 'a' }, { AGAIN, 'b' }, { AGAIN, 'c' } },
      { { { CANCEL, 'b' } } },
      "ac" },
};

static void run_dry(struct loop *loop)
{
    for (int turn = 0; turn < 10; turn++)
        event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
}

static void test_script(void **state)
{
    const struct script *row = *state;
    struct loop *loop = loop_new();

    assert_non_null(loop);
    trace[0] = '\0';
    for (int i = 0; i < JOBS; i++)
        scripted[i] = (struct scripted){ .job.run = on_job, .loop = loop, .does = row->then[i] };
    for (size_t i = 0; i < STEPS && row->first[i].act != NOTHING; i++)
        act(loop, &row->first[i]);
    run_dry(loop);
    assert_string_equal(trace, row->want);
    loop_free(loop);
}

static void test_deferred_at_the_end(void **state)
{
    static const struct step nothing[STEPS];
    struct loop *loop = loop_new();

    (void)state;
    trace[0] = '\0';
    for (int i = 0; i < JOBS; i++)
        scripted[i] = (struct scripted){ .job.run = on_job, .loop = loop, .does = nothing };
    loop_defer(loop, &scripted[0].job);
    loop_free(loop);
    assert_string_equal(trace, "a");
}

/* ---- deadlines ---- */

struct watch {
    struct deadline deadline;
    struct deadlines *again_in; /* where it is set anew, once */
    struct watch *clears;
    int passes;
    char name;
};

static void on_passed(struct deadline *deadline)
{
    struct watch *self = (struct watch *)(void *)deadline;

    note(self->name);
    assert_null(deadline->queue); /* it may be set anew, or freed */
    if (self->passes++ == 0 && self->again_in)
        deadline_set(self->again_in, deadline);
    if (self->clears)
        deadline_clear(&self->clears->deadline);
}

struct clock {
    struct loop *loop;
    struct deadlines *soon, *later;
    struct watch a, b, c;
};

static void clock_init(struct clock *clock)
{
    trace[0] = '\0';
    clock->loop = loop_new();
    clock->soon = deadlines_new(clock->loop, 2);
    clock->later = deadlines_new(clock->loop, 12);
    clock->a = (struct watch){ .deadline.passed = on_passed, .name = 'a' };
    clock->b = (struct watch){ .deadline.passed = on_passed, .name = 'b' };
    clock->c = (struct watch){ .deadline.passed = on_passed, .name = 'c' };
}

/* Until `want` has happened, or everything is long past. */
static void clock_run(struct clock *clock, const char *want)
{
    uint64_t end = loop_now_ms(clock->loop) + 1000;

    while (strcmp(trace, want) != 0 && loop_now_ms(clock->loop) < end &&
           event_base_loop(loop_base(clock->loop), EVLOOP_ONCE) == 0)
        continue;
    event_base_loop(loop_base(clock->loop), EVLOOP_NONBLOCK);
    assert_string_equal(trace, want);
}

static void clock_fini(struct clock *clock)
{
    deadlines_free(clock->soon);
    deadlines_free(clock->later);
    assert_null(clock->a.deadline.queue);
    assert_null(clock->b.deadline.queue);
    assert_null(clock->c.deadline.queue);
    loop_free(clock->loop);
}

static void test_passes_in_order(void **state)
{
    struct clock clock;
    uint64_t set_at;

    (void)state;
    clock_init(&clock);
    set_at = loop_now_ms(clock.loop);
    deadline_set(clock.later, &clock.c.deadline);
    deadline_set(clock.soon, &clock.a.deadline);
    deadline_set(clock.soon, &clock.b.deadline);
    clock_run(&clock, "abc");
    assert_true(loop_now_ms(clock.loop) - set_at >= 12);
    clock_fini(&clock);
}

static void test_set_anew(void **state)
{
    struct clock clock;

    (void)state;
    clock_init(&clock);
    deadline_set(clock.soon, &clock.a.deadline);
    deadline_set(clock.soon, &clock.b.deadline);
    deadline_set(clock.soon, &clock.a.deadline); /* now behind b */
    clock_run(&clock, "ba");
    clock_fini(&clock);
}

/* A settings file may make a time shorter, or longer, while some wait by the length of before. */
static void test_length_changes(void **state)
{
    struct clock clock;

    (void)state;
    clock_init(&clock);
    deadline_set(clock.later, &clock.c.deadline);
    deadlines_set_length(clock.later, 3);
    deadline_set(clock.later, &clock.a.deadline);
    deadlines_set_length(clock.later, 6);
    deadline_set(clock.later, &clock.b.deadline);
    clock_run(&clock, "abc");
    deadlines_set_length(clock.later, 60 * 60 * 1000);
    deadline_set(clock.later, &clock.a.deadline);
    deadline_clear(&clock.a.deadline); /* its timer stays */
    deadlines_set_length(clock.later, 2);
    deadline_set(clock.later, &clock.b.deadline);
    clock_run(&clock, "abcb");
    clock_fini(&clock);
}

static void test_set_in_another_queue(void **state)
{
    struct clock clock;

    (void)state;
    clock_init(&clock);
    deadline_set(clock.soon, &clock.a.deadline);
    deadline_set(clock.later, &clock.b.deadline);
    deadline_set(clock.later, &clock.a.deadline);
    deadline_set(clock.soon, &clock.b.deadline);
    clock_run(&clock, "ba");
    clock_fini(&clock);
}

static void test_cleared(void **state)
{
    struct clock clock;

    (void)state;
    clock_init(&clock);
    deadline_clear(&clock.a.deadline); /* never set */
    deadline_set(clock.soon, &clock.a.deadline);
    deadline_set(clock.soon, &clock.b.deadline);
    deadline_clear(&clock.a.deadline);
    deadline_clear(&clock.a.deadline);
    clock_run(&clock, "b");
    clock_fini(&clock);
}

/* The timer was armed for one that has gone: it fires for nobody, and the next is not forgotten. */
static void test_timer_outlives_the_first(void **state)
{
    struct clock clock;

    (void)state;
    clock_init(&clock);
    deadline_set(clock.soon, &clock.a.deadline);
    deadline_clear(&clock.a.deadline);
    event_base_loop(loop_base(clock.loop), EVLOOP_ONCE);
    assert_string_equal(trace, "");
    deadline_set(clock.soon, &clock.b.deadline);
    clock_run(&clock, "b");
    clock_fini(&clock);
}

static void test_cleared_in_a_callback(void **state)
{
    struct clock clock;

    (void)state;
    clock_init(&clock);
    clock.a.clears = &clock.b;
    deadline_set(clock.soon, &clock.a.deadline);
    deadline_set(clock.soon, &clock.b.deadline);
    deadline_set(clock.soon, &clock.c.deadline);
    clock_run(&clock, "ac");
    clock_fini(&clock);
}

static void test_set_in_its_callback(void **state)
{
    struct clock clock;

    (void)state;
    clock_init(&clock);
    clock.a.again_in = clock.soon;
    deadline_set(clock.soon, &clock.a.deadline);
    deadline_set(clock.soon, &clock.b.deadline);
    clock_run(&clock, "aba");
    clock_fini(&clock);
}

static void test_moved_in_its_callback(void **state)
{
    struct clock clock;

    (void)state;
    clock_init(&clock);
    clock.a.again_in = clock.later;
    deadline_set(clock.soon, &clock.a.deadline);
    clock_run(&clock, "aa");
    clock_fini(&clock);
}

static void test_still_set_at_the_end(void **state)
{
    struct clock clock;

    (void)state;
    clock_init(&clock);
    deadline_set(clock.soon, &clock.a.deadline);
    deadline_set(clock.later, &clock.b.deadline);
    clock_fini(&clock);
    assert_string_equal(trace, "");
    deadlines_free(NULL);
    loop_free(NULL);
}

static void test_clocks(void **state)
{
    struct loop *loop = loop_new();
    uint64_t ms = loop_now_ms(loop), us = loop_now_us();

    (void)state;
    assert_true(ms > 0 && loop_now_ms(loop) >= ms && loop_now_us() >= us);
    assert_true(us / 1000 + 20 > ms && us / 1000 < ms + 1000); /* one clock, in two sizes */
    loop_free(loop);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, scripts, test_script);
    stories_add(&stories, "what is deferred runs before the loop dies", test_deferred_at_the_end,
                NULL);
    stories_add(&stories, "deadlines pass in order, none early", test_passes_in_order, NULL);
    stories_add(&stories, "a deadline set anew goes behind", test_set_anew, NULL);
    stories_add(&stories, "a queue whose length changes", test_length_changes, NULL);
    stories_add(&stories, "a deadline set in another queue", test_set_in_another_queue, NULL);
    stories_add(&stories, "a cleared deadline never passes", test_cleared, NULL);
    stories_add(&stories, "a timer without its deadline", test_timer_outlives_the_first, NULL);
    stories_add(&stories, "a deadline clears the next", test_cleared_in_a_callback, NULL);
    stories_add(&stories, "a deadline sets itself anew", test_set_in_its_callback, NULL);
    stories_add(&stories, "a deadline moves to another queue", test_moved_in_its_callback, NULL);
    stories_add(&stories, "what is still set is forgotten", test_still_set_at_the_end, NULL);
    stories_add(&stories, "two clocks, one time", test_clocks, NULL);
    return stories_run("loop", &stories);
}

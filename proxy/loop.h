/* proxy/loop.h - one event loop: the clock, deadlines, and freeing things when nobody looks at
 * them.
 *
 * A loop and all that hangs on it belong to one thread. libevent carries readiness; what it would
 * do dearly (a timer a request) is done here: deadlines of the same length share one timer, and
 * setting one is a move in a list. */
#ifndef PROXY_LOOP_H
#define PROXY_LOOP_H

#include <stdint.h>
#include <sys/queue.h>

struct event_base;
struct loop;

struct loop *loop_new(void); /* NULL if libevent gives no base */
void loop_free(struct loop *loop);
struct event_base *loop_base(const struct loop *loop);

/* Milliseconds of a clock that never jumps, as of this turn; cheap. */
uint64_t loop_now_ms(const struct loop *loop);
/* Microseconds of the same clock, read afresh: for durations in the log. */
uint64_t loop_now_us(void);

/* Work put off. A job stands in one list at a time; posting it twice is posting it once. */
struct job {
    void (*run)(struct job *job);
    STAILQ_ENTRY(job) link;
    uint8_t posted;
};

/* Runs after the callback that is running now and before the loop waits: freeing, closing. */
void loop_defer(struct loop *loop, struct job *job);
/* Runs in the next turn, after other descriptors had theirs: going on after a fair share. */
void loop_again(struct loop *loop, struct job *job);
/* Takes a job back that has not run yet. */
void loop_cancel(struct loop *loop, struct job *job);

/* All deadlines of one length. */
struct deadlines;
struct deadline {
    TAILQ_ENTRY(deadline) link;
    struct deadlines *queue; /* NULL while not set */
    void (*passed)(struct deadline *deadline);
    uint64_t at_ms;
};

struct deadlines *deadlines_new(struct loop *loop, unsigned length_ms);
/* Another length for those that are set from now on. */
void deadlines_set_length(struct deadlines *deadlines, unsigned length_ms);
void deadlines_free(struct deadlines *queue); /* those still set are forgotten */

/* The one that is due next, or NULL. */
struct deadline *deadlines_first(const struct deadlines *queue);

/* `deadline->passed` will be called once, `length_ms` from now. Sets it anew if it was set, in
 * whatever queue. A deadline is embedded in what it watches and must be cleared before that dies.
 */
void deadline_set(struct deadlines *queue, struct deadline *deadline);
void deadline_clear(struct deadline *deadline);

#endif

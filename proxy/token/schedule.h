/* proxy/token/schedule.h - when a source is asked again. Pure: the time and the dice come from outside.
 *
 *   answered     at 80 % of the life that is left, a twentieth earlier or later, so that the sidecars of
 *                a cluster do not ask all at once
 *   failed       after a random part of a step; the step doubles with each failure, up to a ceiling
 *                ("full jitter"): whoever fails together does not come back together
 *
 * All times are of CLOCK_BOOTTIME in milliseconds; `dice` is any random number. */
#ifndef PROXY_TOKEN_SCHEDULE_H
#define PROXY_TOKEN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
    unsigned first_ms, max_ms;
};

struct schedule {
    uint64_t due_ms; /* ask then */
    unsigned failures;
};

enum { BACKOFF_LEAST_MS = 50 }; /* full jitter can be nothing at all */

/* The step after so many failures, and a random part of it. */
uint64_t backoff_step_ms(const struct backoff *backoff, unsigned failures);
uint64_t backoff_pause_ms(const struct backoff *backoff, unsigned failures, uint32_t dice);

void schedule_answered(struct schedule *schedule, uint64_t now_ms, uint64_t life_ms, uint32_t dice);
/* Nothing new came; `failed` lengthens the step. */
void schedule_failed(struct schedule *schedule, const struct backoff *backoff, uint64_t now_ms,
                     uint32_t dice);

static inline bool schedule_is_due(const struct schedule *schedule, uint64_t now_ms)
{
    return now_ms >= schedule->due_ms;
}

#endif

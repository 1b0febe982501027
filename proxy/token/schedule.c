#include "proxy/token/schedule.h"

uint64_t backoff_step_ms(const struct backoff *backoff, unsigned failures)
{
    uint64_t step = backoff->first_ms;

    for (unsigned i = 1; i < failures && step < backoff->max_ms; i++)
        step *= 2;
    return step < backoff->max_ms ? step : backoff->max_ms;
}

static uint64_t part_of(uint64_t whole, uint32_t dice)
{
    return whole * dice / UINT32_MAX;
}

uint64_t backoff_pause_ms(const struct backoff *backoff, unsigned failures, uint32_t dice)
{
    uint64_t pause = part_of(backoff_step_ms(backoff, failures), dice);

    return pause < BACKOFF_LEAST_MS ? BACKOFF_LEAST_MS : pause;
}

void schedule_answered(struct schedule *schedule, uint64_t now_ms, uint64_t life_ms, uint32_t dice)
{
    schedule->failures = 0;
    schedule->due_ms = now_ms + life_ms / 4 * 3 + part_of(life_ms / 10, dice);
}

void schedule_failed(struct schedule *schedule, const struct backoff *backoff, uint64_t now_ms,
                     uint32_t dice)
{
    schedule->failures++;
    schedule->due_ms = now_ms + backoff_pause_ms(backoff, schedule->failures, dice);
}

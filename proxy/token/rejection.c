#include "proxy/token/rejection.h"

/* Taken since it was last refused, and just now. */
static bool is_taken_elsewhere(const struct rejections *rejections, uint64_t now_ms)
{
    return rejections->accepted_ms && rejections->accepted_ms >= rejections->refused_ms &&
           now_ms - rejections->accepted_ms < ACCEPTED_RECENTLY_MS;
}

static bool may_ask(const struct rejections *rejections, uint64_t now_ms)
{
    return now_ms >= rejections->quiet_until_ms &&
           !(rejections->fruitless && is_taken_elsewhere(rejections, now_ms));
}

bool rejection_asks(struct rejections *rejections, const struct backoff *backoff, uint64_t now_ms)
{
    bool asks = may_ask(rejections, now_ms);

    rejections->refused_ms = now_ms;
    if (!asks)
        return false;
    if (now_ms - rejections->asked_ms >= backoff->max_ms)
        rejections->helped = 0;
    rejections->fruitless++;
    rejections->asked_ms = now_ms;
    rejections->quiet_until_ms = now_ms + backoff_step_ms(backoff, rejections->fruitless);
    return true;
}

void rejection_accepted(struct rejections *rejections, uint64_t now_ms, bool again)
{
    rejections->accepted_ms = now_ms;
    if (!again || !rejections->fruitless)
        return;
    rejections->fruitless = 0;
    if (rejections->helped++ < HELPED_AT_ONCE)
        rejections->quiet_until_ms = 0;
}

void rejection_new_token(struct rejections *rejections)
{
    rejections->accepted_ms = 0;
}

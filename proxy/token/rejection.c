#include "proxy/token/rejection.h"

static bool is_taken_elsewhere(const struct rejections *rejections, uint64_t now_ms)
{
    return rejections->accepted_ms && now_ms - rejections->accepted_ms < ACCEPTED_RECENTLY_MS;
}

bool rejection_asks(struct rejections *rejections, const struct backoff *backoff, uint64_t now_ms)
{
    if (now_ms < rejections->quiet_until_ms)
        return false;
    if (rejections->fruitless && is_taken_elsewhere(rejections, now_ms))
        return false;
    rejections->fruitless++;
    rejections->quiet_until_ms = now_ms + backoff_step_ms(backoff, rejections->fruitless);
    return true;
}

void rejection_accepted(struct rejections *rejections, uint64_t now_ms, bool again)
{
    rejections->accepted_ms = now_ms;
    if (again) {
        rejections->fruitless = 0;
        rejections->quiet_until_ms = 0;
    }
}

void rejection_new_token(struct rejections *rejections)
{
    rejections->accepted_ms = 0;
}

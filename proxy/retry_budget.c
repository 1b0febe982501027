#include "proxy/retry_budget.h"

#include <string.h>

/* Empties the slots of the seconds that have passed since the last call. */
static unsigned slot_of(struct retry_budget *budget, uint64_t now_us)
{
    uint64_t second = now_us / 1000000;

    if (second > budget->second + RETRY_WINDOW_S) {
        memset(budget->requests, 0, sizeof(budget->requests));
        memset(budget->retries, 0, sizeof(budget->retries));
        budget->n_requests = budget->n_retries = 0;
        budget->second = second;
    }
    while (budget->second < second) {
        unsigned slot = (unsigned)(++budget->second % RETRY_WINDOW_S);

        budget->n_requests -= budget->requests[slot];
        budget->n_retries -= budget->retries[slot];
        budget->requests[slot] = budget->retries[slot] = 0;
    }
    return (unsigned)(budget->second % RETRY_WINDOW_S);
}

void retry_budget_note(struct retry_budget *budget, uint64_t now_us)
{
    budget->requests[slot_of(budget, now_us)]++;
    budget->n_requests++;
}

bool retry_budget_take(struct retry_budget *budget, uint64_t now_us)
{
    unsigned slot = slot_of(budget, now_us);
    uint64_t most = RETRY_FLOOR_PER_S * RETRY_WINDOW_S + budget->n_requests * RETRY_PERCENT / 100;

    if (budget->n_retries >= most) {
        budget->n_refused++;
        return false;
    }
    budget->retries[slot]++;
    budget->n_retries++;
    return true;
}

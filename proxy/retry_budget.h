/* proxy/retry_budget.h - how many requests we may send a second time because their connection was dead. Pure.
 *
 * A fifth of the requests of the last ten seconds, and ten a second whatever there was: an origin that
 * fails gets a little more to do because of us, never a multiple. Zero-initialised is empty. */
#ifndef PROXY_RETRY_BUDGET_H
#define PROXY_RETRY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum { RETRY_WINDOW_S = 10, RETRY_PERCENT = 20, RETRY_FLOOR_PER_S = 10 };

struct retry_budget {
    uint64_t second; /* of the newest slot */
    unsigned requests[RETRY_WINDOW_S], retries[RETRY_WINDOW_S];
    uint64_t n_requests, n_retries; /* in the window */
    uint64_t n_refused;             /* ever */
};

/* A request begins. */
void retry_budget_note(struct retry_budget *budget, uint64_t now_us);
/* It would be sent again: true, and the budget is smaller by one; false: it must not. */
bool retry_budget_take(struct retry_budget *budget, uint64_t now_us);

#endif

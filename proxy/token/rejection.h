/* proxy/token/rejection.h - when a 401 is worth a new token. Pure: the time comes from outside.
 *
 * A 401 may say that the token has died. It may also say that this app may not do that, and then no
 * new token helps: an endpoint that always answers so must not keep the issuer busy.
 *
 *   - the first 401 asks at once
 *   - each further one that finds the last new token refused as well waits longer, as backoff does
 *   - while others take the token that was refused here, it is not the token's fault
 *   - a request that passed with the new token ends all that
 *
 * Times are of CLOCK_BOOTTIME in milliseconds. */
#ifndef PROXY_TOKEN_REJECTION_H
#define PROXY_TOKEN_REJECTION_H

#include "proxy/token/schedule.h"

struct rejections {
    unsigned fruitless;      /* new tokens in a row that were asked for so, and helped nobody yet */
    uint64_t quiet_until_ms; /* none is asked for before */
    uint64_t accepted_ms;    /* the current token was last taken somewhere; 0: not yet */
};

enum { ACCEPTED_RECENTLY_MS = 2000 };

/* True, and noted, if a new token is to be asked for now. */
bool rejection_asks(struct rejections *rejections, const struct backoff *backoff, uint64_t now_ms);

/* The current token was taken; `again`: by a request that had been refused before. */
void rejection_accepted(struct rejections *rejections, uint64_t now_ms, bool again);
void rejection_new_token(struct rejections *rejections);

#endif

/* proxy/token/rejection.h - when a 401 is worth a new token. Pure: the time comes from outside.
 *
 * A 401 may say that the token has died. It may also say that this app may not do that, and then no
 * new token helps: an endpoint that always answers so must not keep the issuer busy.
 *
 *   - the first 401 asks at once
 *   - each further one that finds the last new token refused as well waits longer, as backoff does
 *   - while others take the token that was refused here, it is not the token's fault; two refusals
 *     between which nobody took it may be
 *   - a request that was refused and passed with the new token ends all that; but a route that wants
 *     another new token every time is not served at once for ever either
 *
 * Times are of CLOCK_BOOTTIME in milliseconds. */
#ifndef PROXY_TOKEN_REJECTION_H
#define PROXY_TOKEN_REJECTION_H

#include "proxy/token/schedule.h"

struct rejections {
    unsigned fruitless;      /* new tokens in a row that were asked for so, and helped nobody yet */
    uint64_t quiet_until_ms; /* none is asked for before */
    uint64_t accepted_ms;    /* the current token was last taken somewhere; 0: not yet */
    uint64_t refused_ms;     /* one was last refused */
    uint64_t asked_ms;       /* a new one was last asked for */
    unsigned helped;         /* new tokens that did help, since there was a long pause */
};

enum {
    ACCEPTED_RECENTLY_MS = 2000,
    HELPED_AT_ONCE = 8, /* asked for without a pause in between */
};

/* True, and noted, if a new token is to be asked for now. */
bool rejection_asks(struct rejections *rejections, const struct backoff *backoff, uint64_t now_ms);

/* The current token was taken; `again`: by a request that had been refused before. */
void rejection_accepted(struct rejections *rejections, uint64_t now_ms, bool again);
void rejection_new_token(struct rejections *rejections);

#endif

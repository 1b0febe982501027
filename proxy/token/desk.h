/* proxy/token/desk.h - what the requests of one loop see of the app tokens: the current one, the one before
 * it, what finds them in a response, and a place to wait. One loop owns it; nothing here locks.
 *
 *   exchanges --- current, scrub, wait, rejected, accepted ---> desk <--- put, tell --- its office
 *                                                                 `--- missing, asks, taken --->
 *
 * The office is the keeper, or with --threads a messenger to the keeper on the main loop
 * (proxy/crew_tokens.h). What has died is never given out: both clocks are looked at on every use.
 *
 * Readers borrow: a token lives until control returns to the event loop; token_ref() makes it live
 * longer. Token text never reaches a log. */
#ifndef PROXY_TOKEN_DESK_H
#define PROXY_TOKEN_DESK_H

#include <sys/queue.h>

#include "proxy/token/token.h"

struct scrub;

/* Somebody who would rather wait. Embedded; told once. */
struct token_waiter {
    TAILQ_ENTRY(token_waiter) link;
    void (*arrived)(
        struct token_waiter *waiter); /* a live one, and if it waits for a renewal: a new one */
    void (*unrenewed)(
        struct token_waiter *waiter); /* the renewal it waits for brought nothing new */
    unsigned beyond; /* private: the generation that was refused; 0: waits for any */
    bool waiting;
};
TAILQ_HEAD(token_waiters, token_waiter);

struct token_office {
    /* None is live. May put one on the desk before it returns, later, or never. */
    void (*missing)(void *office);
    /* That one was refused, and there is no newer one. True: one is being asked for, and token_desk_tell()
     * will follow. */
    bool (*asks)(void *office, unsigned refused);
    /* Is a question open, or somebody at work on an answer? Those who wait for a renewal wait on. */
    bool (*renewing)(const void *office);
    /* The current one was taken; `again`: by a request that had been refused before. */
    void (*taken)(void *office, bool again);
};

struct token_desk { /* private */
    const struct token_office *kind;
    void *office;
    struct moment (*now)(void);
    unsigned overlap_ms;
    struct token *current, *previous;
    uint64_t overlap_until_ms; /* the previous one is forgotten then */
    struct scrub *scrub;       /* of these two; it remembers longer than `previous` is kept */
    struct token_waiters waiters, renewals;
};

/* ---- for the office */
/* `overlap_ms`: how long the previous token is kept; `now`: clock_now, but for tests. */
void token_desk_init(struct token_desk *desk, const struct token_office *kind, void *office,
                     unsigned overlap_ms, struct moment (*now)(void));
void token_desk_fini(struct token_desk *desk); /* nobody may be waiting */
/* It is current from now on. Counts a reference of its own. */
void token_desk_put(struct token_desk *desk, struct token *token);
/* Forgets the one before when its time is over. */
void token_desk_attend(struct token_desk *desk, struct moment now);
/* Tells all those who can be told now. */
void token_desk_tell(struct token_desk *desk);
size_t token_desk_n_waiting(const struct token_desk *desk);

/* ---- for the exchanges */
/* The token to send now, or NULL when none is live: nothing is ever forwarded without one. Asking
 * while there is none lets the office know. */
struct token *token_desk_current(struct token_desk *desk);

/* What finds the current token and the one before in what comes back; NULL: none has come yet. For
 * now only: the next token replaces it. */
const struct scrub *token_desk_scrub(const struct token_desk *desk);

void token_desk_wait(struct token_desk *desk, struct token_waiter *waiter);
void token_desk_leave(struct token_desk *desk, struct token_waiter *waiter);

/* An origin that may see the app token answered 401 to it: what now? */
enum token_recourse {
    RECOURSE_NONE,   /* nothing: the 401 passes */
    RECOURSE_OTHER,  /* `*other` (borrowed) is live and another one: try that */
    RECOURSE_RENEWAL /* one is being asked for: `waiter` will be told */
};
/* `refused`: the newest generation that this request was refused with. `may_fall_back`: it has not tried
 * the previous token yet, which an issuer's node may still know when it does not know the newest. */
enum token_recourse token_desk_rejected(struct token_desk *desk, unsigned refused,
                                        bool may_fall_back, struct token **other,
                                        struct token_waiter *waiter);
/* It was taken; `again`: by a request that had been refused before. */
void token_desk_accepted(struct token_desk *desk, const struct token *token, bool again);

#endif

/* proxy/token/keeper.h - keeps the current app token, renews it before it dies, and tells those who wait.
 *
 *   sources, in order of preference        the keeper                            exchanges
 *     file ------- arrived/failed --->  a slot for each source  --- current ---> borrow, pin
 *     login <------ fetch -----------   (last good token, when
 *                                        to ask again)          <-- rejected --- a 401 came back
 *
 * Current is the first slot's token that is live; it changes when a better one arrives or it dies. A
 * source is asked at about 80 % of its token's life, one question at a time, with backoff after
 * failures; one that is not needed, because a preferred one has a live token, is left alone. What
 * has died is never given out, whatever else fails: both clocks are looked at on every use, so that
 * neither sleep nor a set clock makes it stale.
 *
 * Readers borrow: a token lives until control returns to the event loop; token_ref() makes it live
 * longer. Token text never reaches a log. */
#ifndef PROXY_TOKEN_KEEPER_H
#define PROXY_TOKEN_KEEPER_H

#include <sys/queue.h>

#include "proxy/token/schedule.h"
#include "proxy/token/source.h"

struct log;
struct loop;
struct scrub;
struct token_keeper;

struct token_rules {
    unsigned lifetime_ms; /* of a token that does not say */
    unsigned skew_ms; /* the end of a life in which it is not sent; a tenth of the life at most */
    unsigned overlap_ms; /* how long the previous token is kept */
    struct backoff backoff;
    const char *account, *workspace; /* what a token should be for; NULL: whatever */
    struct moment (*now)(void);      /* clock_now, but for tests */
};

struct token_keeper *token_keeper_new(struct loop *loop, struct log *log,
                                      const struct token_rules *rules);
void token_keeper_free(struct token_keeper *keeper); /* nobody may be waiting */

/* Takes `source`; the preferred ones first, TOKEN_SOURCES_MAX at most. Then start. */
enum { TOKEN_SOURCES_MAX = 4 };
void token_keeper_add(struct token_keeper *keeper, struct token_source *source);
void token_keeper_start(struct token_keeper *keeper);

/* Does what is due now: the alarm does it too, and whoever believes that something has changed may. */
void token_keeper_attend(struct token_keeper *keeper);

/* Somebody says that there is something new: asks now, from the preferred source to the one whose
 * token is in use, whatever the schedule says. What comes is kept as ever; a failure takes nothing
 * away. */
void token_keeper_refresh(struct token_keeper *keeper);

/* The token to send now, or NULL when none is live: nothing is ever forwarded without one. Asking
 * while there is none asks the sources, as far as backoff lets. */
struct token *token_keeper_current(struct token_keeper *keeper);
bool token_keeper_is_live(const struct token_keeper *keeper, const struct token *token);

/* What finds the current token and the one before in what comes back; NULL: none has come yet. For
 * now only: the next token replaces it. */
const struct scrub *token_keeper_scrub(const struct token_keeper *keeper);

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
void token_keeper_wait(struct token_keeper *keeper, struct token_waiter *waiter);
void token_keeper_leave(struct token_keeper *keeper, struct token_waiter *waiter);

/* An origin that may see the app token answered 401 to it: what now? */
enum token_recourse {
    RECOURSE_NONE,   /* nothing: the 401 passes */
    RECOURSE_OTHER,  /* `*other` (borrowed) is live and another one: try that */
    RECOURSE_RENEWAL /* one is being asked for: `waiter` will be told */
};
/* `refused`: the newest that this request was refused with. `may_fall_back`: it has not tried the
 * previous token yet, which an issuer's node may still know when it does not know the newest. */
enum token_recourse token_keeper_rejected(struct token_keeper *keeper, const struct token *refused,
                                          bool may_fall_back, struct token **other,
                                          struct token_waiter *waiter);
/* It was taken; `again`: by a request that had been refused before. */
void token_keeper_accepted(struct token_keeper *keeper, const struct token *token, bool again);

/* What may be told of it: for readiness, /token, metrics. Borrowed until the loop goes on. */
struct token_facts {
    const struct token *current; /* NULL: none is live */
    const char *source;          /* the current token's, "file"; NULL with it */
    const char *label;
    int64_t expires_in_ms; /* until it is not sent any more */
    int64_t renewal_in_ms; /* until its source is asked again; negative: overdue */
    const char *complaint; /* the first source's last failure; NULL: none since its last success */
    unsigned generation;
    unsigned long long n_renewals, n_failures;
    size_t n_waiting, n_sources;
};
void token_keeper_facts(const struct token_keeper *keeper, struct token_facts *facts);

#endif

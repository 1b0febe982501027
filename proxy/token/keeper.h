/* proxy/token/keeper.h - keeps the current app token, renews it before it dies, and tells those who wait.
 *
 *   sources, in order of preference        the keeper                            exchanges
 *     file ------- arrived/failed --->  a slot for each source  --- put ----> desk ---> borrow, pin
 *     login <------ fetch -----------   (last good token, when    <-- asks ---  (proxy/token/desk.h)
 *                                        to ask again)
 *
 * Current is the first slot's token that is live; it changes when a better one arrives or it dies. A
 * source is asked at about 80 % of its token's life, one question at a time, with backoff after
 * failures; one that is not needed, because a preferred one has a live token, is left alone. What
 * has died is never given out, whatever else fails: both clocks are looked at on every use, so that
 * neither sleep nor a set clock makes it stale. */
#ifndef PROXY_TOKEN_KEEPER_H
#define PROXY_TOKEN_KEEPER_H

#include "proxy/token/desk.h"
#include "proxy/token/schedule.h"
#include "proxy/token/source.h"

struct log;
struct loop;
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

/* Where the exchanges of this loop find its tokens; lives as long as the keeper. */
struct token_desk *token_keeper_desk(struct token_keeper *keeper);

/* Other loops have desks of their own. Tells of each new current token, and when the life of the current
 * one has become longer. */
void token_keeper_follow(struct token_keeper *keeper,
                         void (*changed)(void *context, const struct token *current),
                         void *context);
/* At another loop's desk the token of that generation was taken, at `at_ms` of the boot clock. */
void token_keeper_taken(struct token_keeper *keeper, unsigned generation, uint64_t at_ms,
                        bool again);

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

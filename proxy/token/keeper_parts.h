/* proxy/token/keeper_parts.h - what the keeper's own files share; nobody else includes it.
 *
 *   keeper.c           slots: which token is current, when a source is asked, what it answers
 *   keeper_telling.c   what the log and the facts say */
#ifndef PROXY_TOKEN_KEEPER_PARTS_H
#define PROXY_TOKEN_KEEPER_PARTS_H

#include "proxy/token/keeper.h"
#include "proxy/token/rejection.h"

/* One source and what came of it. */
struct slot {
    struct token_keeper *keeper;
    struct token_source *source;
    struct token *token;    /* the last good one; it may have died */
    struct moment until;    /* of its life */
    uint64_t last_tenth_ms; /* of its life: from then on the next source is asked too */
    struct schedule schedule;
    uint64_t
        planned_ms;  /* its renewal, as planned when it came; failures put the schedule off it */
    char *complaint; /* what was last said of it: once, not at every try */
    bool changing;   /* somebody is at work on it: what it last said is not its last word */
};

struct token_keeper {
    struct log *log;
    struct token_rules rules;
    struct alarm *alarm;
    struct slot slots[TOKEN_SOURCES_MAX];
    size_t n_slots;
    struct token_desk desk;
    const struct slot *current_slot; /* whose token stands on the desk */
    unsigned generation;
    struct rejections rejections;
    void (*changed)(void *context, const struct token *current); /* NULL: nobody follows */
    void *follower;
    bool missed; /* the log knows that there is no live one */
    unsigned long long n_renewals, n_failures;
};

static inline struct moment keeper_now(const struct token_keeper *keeper)
{
    return keeper->rules.now();
}

static inline bool slot_is_live(const struct slot *slot, struct moment now)
{
    return slot->token && token_is_live(slot->token, now);
}

/* keeper_telling.c */
void keeper_log_current(struct token_keeper *keeper);
void keeper_log_missing(struct token_keeper *keeper); /* once, until a token is there again */
/* Once for each reason. */
void keeper_complain(struct slot *slot, const char *why, bool will_change);

#endif

/* proxy/crew_parts.h - what the crew's own files share; nobody else includes it.
 *
 *   crew.c          the workers together: beginning and end, what is added up
 *   crew_letters.c  what is told to all
 *   crew_hand.c     one worker with a thread of its own, from its building to its end
 *   crew_tokens.c   (crew_tokens.h) its desk of tokens */
#ifndef PROXY_CREW_PARTS_H
#define PROXY_CREW_PARTS_H

#include <pthread.h>

#include "proxy/caller.h"
#include "proxy/crew.h"
#include "proxy/crew_tokens.h"
#include "proxy/mailbox.h"
#include "proxy/origin/tls.h"

/* One worker, and whatever it has to itself because it has a thread. */
struct hand {
    struct crew *crew;
    unsigned number; /* from 1 */
    struct worker *worker;
    struct settings settings; /* a copy that borrows, as of the last letter about them */
    struct mailbox *in;
    struct loop *loop;
    struct log *log;
    struct tally tally;
    struct lag *lag;
    struct tls *tls;
    struct callers *callers;
    struct helper *helper;
    struct origins *origins;
    struct messenger *messenger;

    pthread_t thread;
    bool running;
    /* What it last told, and how often it was asked and has answered. */
    pthread_mutex_t lock;
    pthread_cond_t told;
    struct worker_facts facts;
    unsigned asked, answered;
};

struct crew {
    struct crew_plan plan;
    struct mailbox *in; /* NULL: there is no thread, and hands[0] has a worker and nothing else */
    struct hand *hands;
    unsigned n, n_emptied;
    struct worker_facts sum; /* as last added up */
};

/* What others tell us to tell: the keeper of tokens, and the callers, whose followers we are. */
void crew_on_secret(void *context);
void crew_on_token(void *context, const struct token *current);

/* Built on the main loop; `plan` has what all share. */
void hand_build(struct hand *hand, struct crew *crew, const struct worker_plan *plan);
void hand_start(struct hand *hand);
/* Ends its thread, if it has begun, and takes all apart: the first says so, the second waits; the third, when
 * the crew's mailbox is empty, is the last. */
void hand_quit(struct hand *hand);
void hand_end(struct hand *hand);
void hand_fini(struct hand *hand);

/* Asks for its facts; then, a second later at most, adds them. */
struct timespec;
void hand_ask(struct hand *hand);
void hand_add_facts(struct hand *hand, const struct timespec *until, struct worker_facts *sum);

#endif

/* proxy/ask.h - one question of our own to an origin: a whole request, and one response, bounded.
 *
 *              ready              head             whole
 *   OPENING ----------> AWAITING ------> READING ----------> ENDED
 *      ^                   |
 *      `------ stale ------'             failed, from any state ---> ENDED
 *
 * It takes the way of every exchange: the pool, the judged address, verified TLS. stale: a kept
 * connection ended before anything came back; the question goes again, once, on a new one.
 * Both directions may hold secrets: what was sent and what came is wiped. */
#ifndef PROXY_ASK_H
#define PROXY_ASK_H

#include "proxy/http/buffer.h"
#include "proxy/origin/pool.h"

struct ask;

struct ask_plan {
    struct loop *loop;
    struct pool *pool;                     /* is freed after the question has ended */
    struct deadlines *deadlines;           /* for all of it: from the name to the last byte */
    const struct destination *destination; /* copied; where, not what */
    struct buffer request;                 /* head and body; taken */
    uint32_t max_body;                     /* less than LIMIT_HEAD_BYTES */
};

struct ask_answer {
    enum outcome outcome; /* OUTCOME_RELAYED: a whole response; the last three are set */
    const char *detail;   /* of a failure; may be empty. Nothing that the origin sent */
    unsigned status;      /* 200 or more */
    bool encoded;         /* there is a Content-Encoding */
    struct text body;     /* gone when the callback returns */
};

/* Told once, and never from inside ask_open(); then the question is gone. */
typedef void ask_done(void *arg, const struct ask_answer *answer);

struct ask *ask_open(const struct ask_plan *plan, ask_done *done, void *arg);
/* Gives it up; nobody is told. Only before `done`. NULL is fine. */
void ask_cancel(struct ask *ask);

#endif

/* proxy/exchange_parts.h - what the exchange's own files share; nobody else includes it.
 *
 *   exchange.c         the states and the table of moves; finding an origin
 *   exchange_begin.c   the beginning and the end
 *   exchange_events.c  what happens meanwhile
 *   exchange_judge.c   from a request head to where it goes, whether it may, and as whom
 *   exchange_shadow.c  what a second policy would have said
 *   exchange_graphql.c a GraphQL operation, read before it goes on
 *   exchange_guard.c   what comes in for the app, and who may
 *   exchange_up.c      bytes from the client to the origin
 *   exchange_down.c    bytes from the origin to the client
 *   exchange_tunnel.c  a connection that becomes a WebSocket
 *   exchange_renew.c   a 401 to our own token: another token, and once more
 *   exchange_scrub.c   the app token in what comes back
 *   exchange_answer.c  what we answer ourselves
 *   exchange_log.c     the line in the log
 *   exchange_tally.c   what is counted */
#ifndef PROXY_EXCHANGE_PARTS_H
#define PROXY_EXCHANGE_PARTS_H

#include "policy/tenant.h"
#include "proxy/exchange.h"
#include "proxy/exchange_graphql.h"
#include "proxy/exchange_guard.h"
#include "proxy/forward.h"
#include "proxy/http/held.h"
#include "proxy/log.h"
#include "proxy/loop.h"
#include "proxy/token/scrub.h"
#include "proxy/trace.h"

enum exchange_state {
    WAITING,
    READING,
    ASKING,
    OPENING,
    SENDING,
    AWAITING,
    RENEWING,
    RELAYING,
    TUNNEL,
    ANSWERING,
    ENDED,
    N_STATES
};

enum exchange_event {
    TOKEN,     /* a live token has arrived */
    READ,      /* the GraphQL operation has been read, and may go on */
    GUARDED,   /* it has, and somebody must be asked */
    GRANTED,   /* who was asked says yes */
    READY,     /* the origin can be written to */
    SENT,      /* the request has left, whole */
    HEAD,      /* the final response's head is here (x->response_head) */
    SWITCHED,  /* it is a 101 to what the client asked for */
    REFUSED,   /* it is a 401 to our own token, and another token might help */
    UNRENEWED, /* there is no other: the 401 goes on to the client */
    DONE,      /* the client has the whole response, or one side has ended the tunnel */
    STALE,     /* a reused connection died before it answered, and the request can go again */
    WITHDRAWN, /* as FAILED, and nothing of the response's head has left yet */
    FAILED,    /* x->outcome says how */
    N_EVENTS,
};

/* The longest registered method has 17 letters; a path of a VTEX service some 150 bytes. What is longer
 * is cut, and the line in the log says so: nobody takes a part for the whole. */
enum { LOG_METHOD_MAX = 32, LOG_PATH_MAX = 512 };

/* On its way to the client: what we wrote, then content out of the response's intake, then a tail.
 * Content behind that is held (exchange_scrub.c). */
struct outflow {
    struct buffer lead;
    size_t content;
    struct text tail;
    uint32_t most; /* how much is gathered before it leaves; 0: not decided */
};

enum origin_end { END_NONE, END_CLEAN, END_CUT };

struct exchange {
    struct exchange_context *context;
    struct client *client;
    enum exchange_state state;
    enum outcome outcome;

    /* the request, as judged */
    struct policy *policy;
    struct verdict verdict;
    struct text sent_method; /* whole; borrows, as path and query of the destination */
    enum realm realm;
    struct identity identity; /* texts valid while judging only */
    struct token *token;      /* pinned; NULL if it is not needed */
    struct token *refused;    /* pinned; the newest that was answered 401 */
    bool fell_back;           /* has tried the token before the current one */
    bool renewed;             /* has been given a newer one */
    bool settled;             /* whatever is answered now goes to the client */
    unsigned client_minor;
    bool to_head, keep_alive, expects_continue;
    bool websocket;   /* asked for, and --upgrade allows it */
    bool judged;      /* destination and verdict hold, and what the log says of the path */
    size_t held_head; /* while WAITING: bytes of the head that still stand in the client's intake */

    /* up: head and content on their way to the origin */
    struct buffer up; /* while it keeps, all of the request so far stands in it */
    size_t up_head;   /* bytes of the head in it */
    struct token_places token_places;
    struct body request;
    bool up_ended;  /* the last chunk is in `up` */
    bool up_broken; /* the origin takes no more */
    bool up_begun;  /* some of it may have reached the origin */
    bool idempotent;
    unsigned retries; /* on account of a dead connection */
    unsigned resends; /* on account of a refused token */

    /* down: the response on its way to the client */
    struct pooled *pooled;
    struct intake intake;
    struct head_scan scan;
    const struct head *response_head; /* during the HEAD move */
    struct framing client_framing;    /* how the body goes on */
    struct body response;
    struct outflow down;
    struct scrub_trail trail;
    unsigned scrubbed;          /* occurrences of the app token */
    bool compressed;            /* the body: it is not looked at */
    uint64_t head_from;         /* bytes_down, when the head begins to leave */
    enum origin_end origin_end; /* seen, and told once all before it has left */
    bool answered;              /* at least one byte came back */
    bool down_ended;            /* the last chunk is in `down` */
    bool head_relayed, origin_keep_alive, close_client;
    unsigned status, interim;

    struct exchange_graphql *graphql; /* NULL: it is no GraphQL, or nobody looks */

    struct token_waiter waiter;
    struct deadline deadline;
    struct deadline total; /* --total-timeout */
    struct job job;        /* goes on in the next turn; frees */

    /* for the log */
    uint64_t id, begun_us, head_us, sent_us;
    uint64_t seeking_us; /* when a connection was first sought */
    uint64_t asked_us;   /* when the request began to leave, of the last time that it did */
    uint64_t token_since_us, token_wait_us; /* it waited for a token, before that; since when */
    uint64_t bytes_down;
    bool reused;
    struct origin_facts origin_facts;
    size_t path_len;
    bool method_cut, path_cut, path_masked;

    /* What stands above begins zeroed. The first four of these begin empty, the rest is not read before
     * the exchange is judged. */
    char detail[LIMIT_DETAIL_BYTES]; /* of the outcome, for the log and the answer */
    char would_deny[200]; /* --mode report lets it pass: what the policy says; else empty */
    char method[LOG_METHOD_MAX];
    struct trace trace;
    struct destination destination; /* path and query borrow: valid while judging only */
    char path[LOG_PATH_MAX];        /* raw bytes */
    char an[TENANT_NAME_MAX];       /* the account that the query names; else empty */
};

/* exchange.c */
void exchange_open_origin(struct exchange *x);
void exchange_release_origin(struct exchange *x, bool keep);
void exchange_begin_anew(struct exchange *x);
void exchange_move(struct exchange *x, enum exchange_event event);
void exchange_fail(struct exchange *x, enum outcome outcome, const char *detail);
/* A client that waits for its answer needs no room: gives its intake's back, if nothing is in it. */
void exchange_rest_intake(struct exchange *x);
/* Judged, and its head is in x->up. */
void exchange_set_out(struct exchange *x);
/* The rest of the response never comes, and the client sees that. */
void exchange_cut(struct exchange *x);

/* exchange_begin.c: the one way out. The memory stays until the turn is over. */
void exchange_end(struct exchange *x, enum client_next next);

/* exchange_events.c */
void exchange_advance(struct exchange *x); /* both directions, as far as they go */
void exchange_expect(struct exchange *x);  /* a new exchange is told of what it waits for */

/* exchange_judge.c */
/* OUTCOME_RELAYED, or how it ends; then x->detail or `*why` says why. */
enum outcome exchange_judge(struct exchange *x, const struct head *head, const char **why);
/* Writes the head that leaves into x->up. Call once the token, if one is needed, is in x->token. */
enum outcome exchange_prepare(struct exchange *x, const struct head *head);

/* exchange_shadow.c: logs and counts where the shadow policy differs from x->verdict. */
void exchange_shadow(struct exchange *x, struct text method);

/* What moving bytes came to. */
enum step {
    STEP_ON,      /* something was done: look again */
    STEP_BLOCKED, /* nothing can be done now; an event will come */
    STEP_OVER,    /* the exchange has moved elsewhere: leave */
};
static inline void exchange_progress(struct exchange *x)
{
    if (x->state != AWAITING)
        deadline_set(x->context->idle_deadlines, &x->deadline);
}

/* exchange_up.c: as far as it goes now; may end the exchange. */
void exchange_push(struct exchange *x);
/* More of the request, into the client's intake; a client that has left ends the exchange. */
enum step exchange_receive(struct exchange *x, size_t *moved);

/* exchange_down.c: as far as it goes now; may end the exchange. */
void exchange_pull(struct exchange *x);
/* True when nothing is left to send; false if it must wait, or the client is gone and x has ended.
 */
bool exchange_flush(struct exchange *x);
bool exchange_outflow_is_empty(const struct exchange *x);

/* exchange_tunnel.c */
/* The request asks for a WebSocket, and may. */
bool exchange_asks_for_websocket(const struct exchange *x, const struct head *head);
/* A 101: moves on SWITCHED, or fails the exchange and returns false. */
bool exchange_switch(struct exchange *x, const struct head *head);
void exchange_open_tunnel(struct exchange *x); /* SWITCHED */
void exchange_end_tunnel(struct exchange *x);  /* DONE, in the tunnel */

/* exchange_renew.c */
/* A 401 that our token may be to blame for, and something could be done about it. */
bool exchange_refuses_token(const struct exchange *x, const struct head *head);
void exchange_renew(struct exchange *x);        /* REFUSED */
void exchange_send_again(struct exchange *x);   /* TOKEN, while RENEWING */
void exchange_take_refusal(struct exchange *x); /* UNRENEWED */
void exchange_note_acceptance(struct exchange *x, unsigned status);
enum { DETAILS_MAX = 320 };
/* What the response's Proxy-Status says; empty: nothing. */
struct text exchange_details(const struct exchange *x, char out[DETAILS_MAX]);

/* exchange_scrub.c: looks for the app token and masks it, or fails the exchange and returns false. */
bool exchange_scrub_head(struct exchange *x, struct text head);
/* Says in x->down.content how much of the content may leave now. */
bool exchange_scrub_body(struct exchange *x);
bool exchange_is_compressed(const struct head *head);

/* exchange_answer.c */
void exchange_answer(struct exchange *x, enum outcome outcome, const char *message);
/* Goes on with an answer: sends it, reads away what is left of the request, finishes. */
void exchange_answering(struct exchange *x);

/* exchange_tally.c */
void exchange_tally(const struct exchange *x, uint64_t now_us);
/* What was ours: until a connection was sought, but for waiting; 0: it did not come so far. */
uint64_t exchange_ours_us(const struct exchange *x);
/* What was the origin's: from asking to the head; 0: none came. */
uint64_t exchange_first_byte_us(const struct exchange *x);

/* exchange_log.c */
void exchange_log(const struct exchange *x, uint64_t now_us);
/* Destination, path and the account of the query, as every line that tells of a judged request has
 * them (docs/log.md). */
void exchange_log_destination(struct log *log, const struct exchange *x);
/* Keeps of the destination's path what they tell of it: its beginning, without credentials. */
void exchange_keep_path(struct exchange *x);
void exchange_log_method(struct log *log, const struct exchange *x);
/* A sentence, without what looks like a credential in it. */
void exchange_log_detail(struct log *log, const char *sentence);
void exchange_id(const struct exchange *x, char out[33]);
const char *exchange_verdict_name(enum verdict_kind kind);
/* The deciding rule's line under `line_key`; its file too, under `file_key`, if that is not `manifest`:
 * a provider's. */
void exchange_log_rule(struct log *log, const char *line_key, const char *file_key,
                       const struct verdict *verdict, const char *manifest);
struct text exchange_date(struct exchange_context *context);

#endif

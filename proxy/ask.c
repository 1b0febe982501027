#include "proxy/ask.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/http/intake.h"
#include "proxy/loop.h"

enum { INTAKE_BYTES = LIMIT_HEAD_BYTES }; /* never grows: nothing is left behind by a realloc */

enum ask_state { OPENING, AWAITING, READING, ENDED, N_STATES };
enum ask_event { READY, HEAD, WHOLE, STALE, FAILED, N_EVENTS };

struct ask {
    struct loop *loop;
    struct pool *pool;
    struct destination destination;
    ask_done *done;
    void *arg;
    enum ask_state state;
    struct pooled *pooled;
    struct deadline deadline;
    struct job job; /* goes on; later frees */

    struct buffer request;
    bool deaf; /* the origin takes no more of it; it may have answered before that */

    struct intake intake;
    struct head_scan scan;
    struct body body;
    uint32_t max_body;
    unsigned interim;
    bool retried, heard, keep_alive;

    struct ask_answer answer;
    char detail[LIMIT_DETAIL_BYTES];
};

enum step {
    STEP_ON,      /* look again */
    STEP_BLOCKED, /* an event will come */
    STEP_OVER,    /* it has ended, or goes another way: leave */
};

static void move(struct ask *ask, enum ask_event event);

/* A kept connection that died says nothing about the origin. */
static enum step fail(struct ask *ask, enum outcome outcome, const char *detail)
{
    bool kept = ask->pooled && pooled_is_reused(ask->pooled);
    bool stale = outcome == OUTCOME_ORIGIN_CLOSED && kept && !ask->heard && !ask->retried;

    ask->answer.outcome = outcome;
    snprintf(ask->detail, sizeof(ask->detail), "%s", detail && !stale ? detail : "");
    move(ask, stale ? STALE : FAILED);
    return STEP_OVER;
}

/* ---- the request ---- */

static void send_request(struct ask *ask)
{
    struct text waiting;

    while (!ask->deaf && (waiting = buffer_waiting(&ask->request)).len) {
        ssize_t n = origin_send(pooled_origin(ask->pooled), waiting.at, waiting.len, false);
        if (n == ORIGIN_AGAIN)
            return;
        if (n < 0)
            ask->deaf = true;
        else
            buffer_sent(&ask->request, (size_t)n);
    }
}

/* ---- the response ---- */

static bool is_encoded(const struct head *head)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        if (text_eq_nocase(head->headers[i].name, TEXT("Content-Encoding")))
            return true;
    }
    return false;
}

static enum step protocol_error(struct ask *ask, const char *why)
{
    return fail(ask, OUTCOME_ORIGIN_PROTOCOL, why);
}

static enum step skip_interim(struct ask *ask, unsigned status)
{
    if (status == 101)
        return protocol_error(ask, "it switches protocols without being asked");
    if (++ask->interim > LIMIT_INTERIM_RESPONSES)
        return protocol_error(ask, "too many interim responses");
    return STEP_ON;
}

static enum step take_head(struct ask *ask, struct text bytes)
{
    struct framing framing;
    const char *why;
    struct head head;

    if (head_parse_response(bytes, &head, &why) != HEAD_OK)
        return protocol_error(ask, why);
    if (head.status < 200)
        return skip_interim(ask, head.status);
    if (framing_of_response(&head, false, &framing, &why) != FRAMING_OK)
        return protocol_error(ask, why);
    if (framing.kind == FRAMING_LENGTH && framing.length > ask->max_body)
        return protocol_error(ask, "its body is too large");
    body_init(&ask->body, framing);
    ask->keep_alive = head.keep_alive && framing.kind != FRAMING_UNTIL_CLOSE;
    ask->answer.status = head.status;
    ask->answer.encoded = is_encoded(&head);
    move(ask, HEAD);
    return STEP_ON;
}

/* STEP_BLOCKED: it is not all there yet. */
static enum step read_head(struct ask *ask)
{
    struct text raw = intake_raw(&ask->intake);
    const char *why;
    size_t end;
    enum head_result result = head_end(&ask->scan, raw, &end, &why);

    if (ask->scan.start > 0)
        return protocol_error(ask, "an empty line stands before the status line");
    if (result == HEAD_MORE)
        return raw.len < INTAKE_BYTES ? STEP_BLOCKED
                                      : protocol_error(ask, "its head is larger than 64 KiB");
    if (result != HEAD_OK)
        return protocol_error(ask, why);
    ask->scan = (struct head_scan){ 0 };
    enum step step = take_head(ask, (struct text){ raw.at, end });
    if (step == STEP_ON)
        intake_take_raw(&ask->intake, end);
    return step;
}

static enum step read_body(struct ask *ask)
{
    if (body_take(&ask->body, &ask->intake) != BODY_OK)
        return protocol_error(ask, "the chunked coding of its body is broken");
    if (ask->body.bytes > ask->max_body)
        return protocol_error(ask, "its body is too large");
    if (!ask->body.done)
        return STEP_BLOCKED;
    move(ask, WHOLE);
    return STEP_OVER;
}

static enum step interpret(struct ask *ask)
{
    enum step step = STEP_ON;

    while (step == STEP_ON)
        step = ask->state == AWAITING ? read_head(ask) : read_body(ask);
    return step;
}

/* Only a body that ends with the connection, and only if TLS says that this is the end, is whole. */
static enum step end_of_origin(struct ask *ask, bool clean)
{
    if (!clean || ask->state != READING || ask->body.framing.kind != FRAMING_UNTIL_CLOSE)
        return fail(ask, OUTCOME_ORIGIN_CLOSED,
                    clean ? NULL : origin_trouble(pooled_origin(ask->pooled)));
    ask->body.done = true;
    return STEP_ON;
}

/* As if a kept connection had closed before our request came. */
static enum step spoke_early(struct ask *ask)
{
    return fail(ask,
                pooled_is_reused(ask->pooled) ? OUTCOME_ORIGIN_CLOSED : OUTCOME_ORIGIN_PROTOCOL,
                "it spoke before it was asked");
}

static enum step receive(struct ask *ask, size_t *moved)
{
    size_t room;
    char *bytes = intake_room(&ask->intake, INTAKE_BYTES, &room);

    assert(bytes); /* read_head() and read_body() have their ceilings */
    ssize_t n = origin_receive(pooled_origin(ask->pooled), bytes, room);
    if (n > 0 && !ask->heard && origin_spoke_early(pooled_origin(ask->pooled)))
        return spoke_early(ask);
    if (n > 0) {
        if (!ask->heard)
            origin_note_answer(pooled_origin(ask->pooled));
        ask->heard = true;
        intake_received(&ask->intake, (size_t)n);
        *moved += (size_t)n;
        return STEP_ON;
    }
    if (n == ORIGIN_AGAIN && !ask->deaf)
        return STEP_BLOCKED;
    return end_of_origin(ask, n == 0);
}

static void advance(struct ask *ask)
{
    enum step step = STEP_ON;
    size_t moved = 0;

    send_request(ask);
    while (step == STEP_ON && moved < RELAY_TURN_BYTES) {
        step = interpret(ask);
        if (step == STEP_BLOCKED)
            step = receive(ask, &moved);
    }
    if (step == STEP_ON)
        loop_again(ask->loop, &ask->job);
}

/* ---- moves ---- */

static void release_origin(struct ask *ask, bool keep)
{
    struct pooled *pooled = ask->pooled;

    ask->pooled = NULL;
    if (pooled && keep)
        pool_give(pooled);
    else
        pool_drop(pooled);
}

static void free_ask(struct job *job)
{
    free(CONTAINER_OF(job, struct ask, job));
}

/* The memory stays until the turn is over, for whoever called us. */
static void let_go(struct ask *ask)
{
    ask->state = ENDED;
    deadline_clear(&ask->deadline);
    release_origin(ask, false);
    buffer_fini(&ask->request);
    intake_reset(&ask->intake);
    ask->job.run = free_ask;
    loop_defer(ask->loop, &ask->job);
}

static void begin(struct ask *ask)
{
    if (origin_is_quiet_now(pooled_origin(ask->pooled)))
        advance(ask);
    else if (pooled_is_reused(ask->pooled))
        fail(ask, OUTCOME_ORIGIN_CLOSED, NULL);
    else
        protocol_error(ask, origin_why_not_quiet(pooled_origin(ask->pooled)));
}

static void go_on(struct ask *ask)
{
    (void)ask; /* whoever read the head reads on */
}

static void tell(struct ask *ask)
{
    buffer_fini(&ask->request);
    ask->answer.detail = ask->detail;
    ask->done(ask->arg, &ask->answer);
    let_go(ask);
}

static void tell_answer(struct ask *ask)
{
    bool clean =
        ask->keep_alive && !buffer_waiting(&ask->request).len && !intake_raw(&ask->intake).len;

    deadline_clear(&ask->deadline);
    release_origin(ask, clean);
    ask->answer.outcome = OUTCOME_RELAYED;
    ask->answer.body = intake_content(&ask->intake);
    tell(ask);
}

static const struct origin_owner origin_owner;

static void open_again(struct ask *ask)
{
    release_origin(ask, false);
    buffer_rewind(&ask->request);
    ask->retried = true;
    ask->deaf = false;
    ask->pooled = pool_open(ask->pool, &ask->destination, &origin_owner, ask);
}

static void tell_failure(struct ask *ask)
{
    deadline_clear(&ask->deadline);
    release_origin(ask, false);
    tell(ask);
}

static void move(struct ask *ask, enum ask_event event)
{
    static const struct {
        void (*run)(struct ask *ask); /* NULL: this event cannot come in this state */
        enum ask_state next;
    } moves[N_STATES][N_EVENTS] = {
        [OPENING] = { [READY] = { begin, AWAITING }, [FAILED] = { tell_failure, ENDED } },
        [AWAITING] = { [HEAD] = { go_on, READING },
                       [STALE] = { open_again, OPENING },
                       [FAILED] = { tell_failure, ENDED } },
        [READING] = { [WHOLE] = { tell_answer, ENDED }, [FAILED] = { tell_failure, ENDED } },
    };

    assert(moves[ask->state][event].run);
    void (*run)(struct ask *) = moves[ask->state][event].run;
    ask->state = moves[ask->state][event].next;
    run(ask);
}

/* ---- events ---- */

static void on_ready(void *arg)
{
    move(arg, READY);
}

static void on_failed(void *arg, enum outcome outcome, const char *detail)
{
    fail(arg, outcome, detail);
}

static void on_io(void *arg)
{
    struct ask *ask = arg;

    if (ask->state != OPENING) /* a kept connection may speak before the job below has run */
        advance(ask);
}

static const struct origin_owner origin_owner = { on_ready, on_failed, on_io };

static void on_turn(struct job *job)
{
    struct ask *ask = CONTAINER_OF(job, struct ask, job);

    if (ask->state == OPENING)
        move(ask, READY);
    else
        advance(ask);
}

/* A silence of which no circuit hears: a login that hangs must not close the host to everybody else. */
static void on_deadline(struct deadline *deadline)
{
    struct ask *ask = CONTAINER_OF(deadline, struct ask, deadline);

    fail(ask, OUTCOME_RESPONSE_TIMEOUT, NULL);
}

struct ask *ask_open(const struct ask_plan *plan, ask_done *done, void *arg)
{
    struct ask *ask = mem_alloc(1, sizeof(*ask));

    assert(plan->max_body < INTAKE_BYTES && !plan->request.overflowed);
    ask->loop = plan->loop;
    ask->pool = plan->pool;
    ask->destination = *plan->destination;
    ask->destination.path = ask->destination.query = TEXT_NONE;
    ask->request = plan->request;
    ask->request.keeps = true; /* a kept connection may be dead */
    ask->max_body = plan->max_body;
    ask->done = done;
    ask->arg = arg;
    ask->job.run = on_turn;
    ask->deadline.passed = on_deadline;
    deadline_set(plan->deadlines, &ask->deadline);
    ask->pooled = pool_take(ask->pool, &ask->destination, &origin_owner, ask);
    if (ask->pooled)
        loop_defer(ask->loop, &ask->job);
    else
        ask->pooled = pool_open(ask->pool, &ask->destination, &origin_owner, ask);
    return ask;
}

void ask_cancel(struct ask *ask)
{
    if (ask)
        let_go(ask);
}

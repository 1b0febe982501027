/* The life of one request.
 *
 *   begin: judged (exchange_judge.c): destination, framing, policy, identity; refused -> ANSWERING
 *     |
 *     v        token           ready            sent             head             done
 *   WAITING ---------> OPENING ------> SENDING ------> AWAITING ------> RELAYING ------> ENDED
 *   (only while no      ^  ^              | `---- head (early) --->--------^
 *    token is live)     |  `--- stale ----+---------------'                |
 *                       `----- token ----------- RENEWING --- unrenewed ---'
 *   (a GraphQL operation that must be read first: READING comes before OPENING, and where somebody must
 *   be asked about it, ASKING; exchange_graphql.h)
 *   (switched: a 101 that was asked for leads from AWAITING to TUNNEL, which either side ends)
 *   (refused: a 401 to our token, from SENDING or AWAITING, leads to RENEWING)
 *
 *   failed: before a response head went to the client we answer ourselves (ANSWERING, then ENDED);
 *   after it we can only cut the client, so that it sees that something is missing. A head that has not
 *   begun to leave can be withdrawn.
 *   gone: the client left. From any state the origin connection is cut at once. */
#include "proxy/exchange_parts.h"
#include "proxy/mailbox.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/memory.h"

/* ---- moves ---- */

/* A client that waits for its answer needs no room. Nothing may borrow from it any more. */
static void rest_intake(struct exchange *x)
{
    struct intake *intake = client_intake(x->client);

    if (intake_is_empty(intake))
        intake_reset(intake);
}

/* While WAITING the head stands in the client's intake, because its texts borrow from there. */
static void release_head(struct exchange *x)
{
    intake_take_raw(client_intake(x->client), x->held_head);
    x->held_head = 0;
}

/* Judged, and its head is in x->up. */
static void set_out(struct exchange *x)
{
    if (x->graphql)
        exchange_graphql_begin(x);
    else
        exchange_open_origin(x);
}

static void prepare_with_token(struct exchange *x)
{
    struct text bytes = { intake_raw(client_intake(x->client)).at, x->held_head };
    const char *why = NULL;
    struct head head;

    deadline_clear(&x->deadline);
    x->token_wait_us = loop_now_us() - x->token_since_us;
    if (head_parse_request(bytes, &head, &why) != HEAD_OK)
        abort(); /* it was accepted before */
    enum outcome outcome = exchange_judge(x, &head, &why);
    if (outcome == OUTCOME_RELAYED)
        outcome = exchange_prepare(x, &head);
    release_head(x);
    if (outcome == OUTCOME_RELAYED)
        set_out(x);
    else
        exchange_answer(x, outcome, why);
}

static void start_sending(struct exchange *x)
{
    x->reused = pooled_is_reused(x->pooled);
    if (!x->reused)
        x->asked_us = loop_now_us();
    x->origin_facts = origin_facts(pooled_origin(x->pooled));
    if (x->token && !token_is_live(x->token, clock_now())) {
        exchange_fail(x, OUTCOME_TOKEN_UNAVAILABLE,
                      "it expired while the origin was being reached");
        return;
    }
    if (!x->reused && !origin_is_quiet_now(pooled_origin(x->pooled))) { /* pool_take() asked too */
        exchange_fail(x, OUTCOME_ORIGIN_PROTOCOL, origin_why_not_quiet(pooled_origin(x->pooled)));
        return;
    }
    deadline_set(x->context->idle_deadlines, &x->deadline);
    exchange_push(x);
}

static void await_response(struct exchange *x)
{
    rest_intake(x);
    x->sent_us = loop_now_us();
    deadline_set(x->context->response_deadlines, &x->deadline);
}

static void note_sent(struct exchange *x)
{
    x->sent_us = loop_now_us();
}

static struct framing framing_for_client(const struct exchange *x, struct framing origins)
{
    if (origins.kind != FRAMING_CHUNKED && origins.kind != FRAMING_UNTIL_CLOSE)
        return origins;
    return (struct framing){ x->client_minor ? FRAMING_CHUNKED : FRAMING_UNTIL_CLOSE, 0 };
}

/* The request's body may still be on its way: then this connection ends with the response, because
 * nobody knows how much of the body the client is still going to send. */
static void relay_head(struct exchange *x)
{
    const struct head *head = x->response_head;
    char details[DETAILS_MAX];

    exchange_note_acceptance(x, head->status);
    buffer_forget(&x->up);
    x->head_us = loop_now_us();
    x->status = head->status;
    x->origin_keep_alive = head->keep_alive && x->response.framing.kind != FRAMING_UNTIL_CLOSE;
    x->client_framing = framing_for_client(x, x->response.framing);
    if (!x->request.done || x->client_framing.kind == FRAMING_UNTIL_CLOSE || x->context->leaving)
        x->close_client = true;
    struct to_client to = { .minor = x->client_minor,
                            .framing = x->client_framing,
                            .to_head = x->to_head,
                            .close = x->close_client || !x->keep_alive,
                            .date = exchange_date(x->context),
                            .details = exchange_details(x, details),
                            .extras = { .via = x->context->settings->via == VIA_ON } };
    x->compressed = exchange_is_compressed(head);
    x->head_from = x->bytes_down + buffer_waiting(&x->down.lead).len;
    forward_response(&x->down.lead, head, &to);
    x->head_relayed = true;
    deadline_set(x->context->idle_deadlines, &x->deadline);
}

void exchange_release_origin(struct exchange *x, bool keep)
{
    struct pooled *pooled = x->pooled;

    x->pooled = NULL;
    if (!pooled || !keep) {
        pool_drop(pooled);
        return;
    }
    origin_wipe(pooled_origin(pooled));
    pool_give(pooled);
}

static void finish(struct exchange *x)
{
    bool request_sent = x->request.done && !buffer_waiting(&x->up).len;

    x->outcome = OUTCOME_RELAYED;
    exchange_release_origin(x, request_sent && x->origin_keep_alive && intake_is_empty(&x->intake));
    exchange_end(x, x->keep_alive && !x->close_client && x->request.done ? CLIENT_KEEP
                                                                         : CLIENT_LINGER);
}

/* The request as it was, from its first byte on. */
void exchange_begin_anew(struct exchange *x)
{
    if (x->up_begun)
        buffer_rewind(&x->up);
    x->up_begun = x->up_broken = x->reused = x->answered = false;
    x->origin_end = END_NONE;
    x->sent_us = 0;
    deadline_clear(&x->deadline);
    intake_reset(&x->intake);
    x->scan = (struct head_scan){ 0 };
    exchange_open_origin(x);
}

static void open_again(struct exchange *x)
{
    exchange_release_origin(x, false);
    x->retries++;
    x->context->tally->stale_retries++;
    exchange_begin_anew(x);
}

static void answer_failure(struct exchange *x)
{
    token_desk_leave(x->context->desk, &x->waiter);
    release_head(x);
    exchange_release_origin(x, false);
    exchange_answer(x, x->outcome, NULL);
}

/* A length or a chunked coding that is not fulfilled shows that something is missing. Where only the end
 * of the connection ends the response, it must not look like an ordinary end. */
static void cut_client(struct exchange *x)
{
    bool looks_whole = x->client_framing.kind == FRAMING_UNTIL_CLOSE;

    exchange_release_origin(x, false);
    exchange_end(x, looks_whole ? CLIENT_ABORT : CLIENT_LINGER);
}

static bool head_has_left(const struct exchange *x)
{
    return x->bytes_down > x->head_from;
}

/* Interim responses before it stay. */
static void withdraw_head(struct exchange *x)
{
    buffer_cut(&x->down.lead, (size_t)(x->head_from - x->bytes_down));
    x->down.content = 0;
    x->down.tail = TEXT_NONE;
    answer_failure(x);
}

static void end_answer(struct exchange *x)
{
    exchange_end(x, x->close_client || !x->keep_alive ? CLIENT_LINGER : CLIENT_KEEP);
}

static const struct move {
    void (*run)(struct exchange *x); /* NULL: this event cannot come in this state */
    enum exchange_state next;
} moves[N_STATES][N_EVENTS] = {
    [WAITING] = { [TOKEN] = { prepare_with_token, OPENING },
                  [FAILED] = { answer_failure, ANSWERING } },
    [READING] = { [READ] = { exchange_open_origin, OPENING },
                  [GUARDED] = { exchange_guard_ask, ASKING },
                  [FAILED] = { answer_failure, ANSWERING } },
    [ASKING] = { [GRANTED] = { exchange_open_origin, OPENING },
                 [FAILED] = { answer_failure, ANSWERING } },
    [OPENING] = { [READY] = { start_sending, SENDING }, [FAILED] = { answer_failure, ANSWERING } },
    [SENDING] = { [SENT] = { await_response, AWAITING },
                  [HEAD] = { relay_head, RELAYING },
                  [REFUSED] = { exchange_renew, RENEWING },
                  [STALE] = { open_again, OPENING },
                  [FAILED] = { answer_failure, ANSWERING } },
    [AWAITING] = { [HEAD] = { relay_head, RELAYING },
                   [SWITCHED] = { exchange_open_tunnel, TUNNEL },
                   [REFUSED] = { exchange_renew, RENEWING },
                   [STALE] = { open_again, OPENING },
                   [FAILED] = { answer_failure, ANSWERING } },
    [RENEWING] = { [TOKEN] = { exchange_send_again, OPENING },
                   [UNRENEWED] = { exchange_take_refusal, AWAITING },
                   [FAILED] = { answer_failure, ANSWERING } },
    [RELAYING] = { [SENT] = { note_sent, RELAYING },
                   [DONE] = { finish, ENDED },
                   [WITHDRAWN] = { withdraw_head, ANSWERING },
                   [FAILED] = { cut_client, ENDED } },
    [TUNNEL] = { [DONE] = { exchange_end_tunnel, ENDED }, [FAILED] = { cut_client, ENDED } },
    [ANSWERING] = { [DONE] = { end_answer, ENDED } },
};

void exchange_move(struct exchange *x, enum exchange_event event)
{
    const struct move *move = &moves[x->state][event];

    assert(move->run);
    x->state = move->next;
    move->run(x);
}

/* A dead connection that was kept from an earlier exchange says nothing about the origin: if nothing
 * came back, and nothing was sent or the request may be repeated, it goes again on a new one. */
void exchange_fail(struct exchange *x, enum outcome outcome, const char *detail)
{
    bool repeatable = x->up.keeps && x->idempotent;
    bool stale = outcome == OUTCOME_ORIGIN_CLOSED && x->reused && !x->answered &&
                 (repeatable || !x->up_begun) &&
                 retry_budget_take(&x->context->retries, loop_now_us());
    bool withdrawn =
        outcome == OUTCOME_TOKEN_IN_RESPONSE && x->state == RELAYING && !head_has_left(x);

    x->outcome = outcome;
    snprintf(x->detail, sizeof(x->detail), "%s", detail && !stale ? detail : "");
    exchange_move(x, stale ? STALE : withdrawn ? WITHDRAWN : FAILED);
}

/* ---- events ---- */

/* Either side may have room or bytes: both directions are taken as far as they go. */
void exchange_advance(struct exchange *x)
{
    lag_note_work(x->context->lag);
    if (x->state == ANSWERING) {
        exchange_answering(x);
        return;
    }
    if (x->state == READING) {
        exchange_graphql_read(x);
        return;
    }
    if (x->state == SENDING || x->state == TUNNEL || (x->state == RELAYING && !x->sent_us))
        exchange_push(x);
    if (x->state == SENDING || x->state == AWAITING || x->state == RELAYING || x->state == TUNNEL)
        exchange_pull(x);
}

void exchange_io(void *exchange)
{
    struct exchange *x = exchange;

    if (client_has_left(x->client))
        exchange_gone(x);
    else
        exchange_advance(x);
}

void exchange_gone(void *exchange)
{
    struct exchange *x = exchange;

    if (x->state == ENDED)
        return;
    x->outcome = x->state == TUNNEL ? OUTCOME_RELAYED : OUTCOME_CLIENT_GONE;
    x->state = ENDED;
    exchange_release_origin(x, false);
    exchange_end(x, CLIENT_ABORT);
}

static void on_token(struct token_waiter *waiter)
{
    exchange_move(CONTAINER_OF(waiter, struct exchange, waiter), TOKEN);
}

static void on_unrenewed(struct token_waiter *waiter)
{
    exchange_move(CONTAINER_OF(waiter, struct exchange, waiter), UNRENEWED);
}

/* Waiting for the client: to send its body, or to read what waits for it. A client that was told to
 * expect a 100 waits for the origin instead. */
static bool client_is_slow(const struct exchange *x)
{
    bool awaits_continue = x->expects_continue && !x->interim && !x->request.bytes;

    if (x->state == SENDING)
        return !buffer_waiting(&x->up).len && !awaits_continue;
    return x->state == READING || x->state == ANSWERING ||
           (x->state == RELAYING && !exchange_outflow_is_empty(x));
}

static void on_deadline(struct deadline *deadline)
{
    struct exchange *x = CONTAINER_OF(deadline, struct exchange, deadline);

    if (x->state == ANSWERING && !buffer_waiting(&x->down.lead).len) {
        exchange_end(x, CLIENT_LINGER); /* answered; only the rest of the body never came */
    } else if (x->state == TUNNEL) {
        snprintf(x->detail, sizeof(x->detail), "nothing moved in the tunnel");
        exchange_move(x, DONE);
    } else if (x->state == RENEWING) {
        token_desk_leave(x->context->desk, &x->waiter);
        exchange_move(x, UNRENEWED);
    } else if (client_is_slow(x)) {
        x->outcome = OUTCOME_CLIENT_TIMEOUT;
        x->state = ENDED;
        cut_client(x);
    } else if (x->state == WAITING) {
        exchange_fail(x, OUTCOME_TOKEN_UNAVAILABLE, NULL);
    } else {
        if (!x->answered)
            origin_note_silence(pooled_origin(x->pooled), x->context->settings->response_ms);
        exchange_fail(x, OUTCOME_RESPONSE_TIMEOUT, NULL);
    }
}

/* Whatever it waits for. An answer of ours that is on its way has its own time. */
static void on_total_deadline(struct deadline *deadline)
{
    struct exchange *x = CONTAINER_OF(deadline, struct exchange, total);

    if (x->state == ANSWERING)
        return;
    x->close_client |= !x->request.done; /* nor is the rest of its body waited for */
    exchange_fail(x, OUTCOME_RESPONSE_TIMEOUT, "the whole exchange took longer than allowed");
}

static void on_again(struct job *job)
{
    exchange_advance(CONTAINER_OF(job, struct exchange, job));
}

/* ---- the origin ---- */

static void on_ready(void *arg)
{
    struct exchange *x = arg;

    exchange_move(x, READY);
}

static void on_failed(void *arg, enum outcome outcome, const char *detail)
{
    struct exchange *x = arg;

    x->origin_facts = origin_facts(pooled_origin(x->pooled));
    exchange_fail(x, outcome, detail);
}

static void on_origin_io(void *arg)
{
    exchange_advance(arg);
}

static const struct origin_owner origin_owner = { on_ready, on_failed, on_origin_io };

/* What may not be repeated does not go over the connection of a refusal, nor over its like: many an
 * origin closes behind a 401, and nobody would know then whether the request was carried out. */
static bool wants_new_connection(const struct exchange *x)
{
    return x->retries || (x->resends && !x->idempotent);
}

void exchange_open_origin(struct exchange *x)
{
    x->asked_us = loop_now_us();
    if (!x->seeking_us)
        x->seeking_us = x->asked_us;
    x->pooled = wants_new_connection(x)
                    ? NULL
                    : pool_take(x->context->pool, &x->destination, &origin_owner, x);
    if (x->pooled)
        exchange_move(x, READY);
    else
        x->pooled = pool_open(x->context->pool, &x->destination, &origin_owner, x);
}

/* ---- beginning ---- */

enum {
    UP_MAX =
        LIMIT_HEAD_BYTES + 4 * LIMIT_TOKEN_BYTES + LIMIT_KEPT_REQUEST_BYTES + 2 * RELAY_BUFFER_BYTES
};

static _Thread_local struct mem_spares spares = { .size = sizeof(struct exchange),
                                                  .max = LIMIT_SPARE_EXCHANGES };

static struct exchange *exchange_new(struct exchange_context *context, struct client *client)
{
    struct exchange *x = mem_spare_take(&spares);

    memset(x, 0, offsetof(struct exchange, detail));
    x->detail[0] = x->would_deny[0] = x->method[0] = x->trace.id[0] = '\0';
    x->context = context;
    x->client = client;
    x->id = ++context->n_begun;
    x->begun_us = loop_now_us();
    x->policy = context->policy ? policy_ref(context->policy) : NULL;
    x->client_minor = 1;
    x->waiter.arrived = on_token;
    x->waiter.unrenewed = on_unrenewed;
    x->deadline.passed = on_deadline;
    x->total.passed = on_total_deadline;
    context->n_active++;
    lag_note_work(context->lag);
    x->job.run = on_again;
    buffer_init(&x->up, UP_MAX);
    buffer_init(&x->down.lead, UP_MAX);
    return x;
}

static void note_request(struct exchange *x, const struct head *head)
{
    x->client_minor = head->minor;
    x->to_head = text_eq(head->method, TEXT("HEAD"));
    x->keep_alive = head->keep_alive;
    x->expects_continue = head_has_token(head, HEADER_EXPECT, TEXT("100-continue")) && head->minor;
    text_printable(head->method, x->method, sizeof(x->method)); /* a token: printable as it is */
    x->method_cut = head->method.len >= sizeof(x->method);
    if (head->count[HEADER_TRACEPARENT] == 1)
        trace_parse(head_value(head, HEADER_TRACEPARENT), &x->trace);
}

static void go_on(struct exchange *x, const struct head *head)
{
    retry_budget_note(&x->context->retries, x->begun_us);
    if (x->context->total_deadlines)
        deadline_set(x->context->total_deadlines, &x->total);
    if (x->identity.needs_app_token && !token_desk_current(x->context->desk)) {
        x->state = WAITING;
        x->held_head = head->length;
        x->token_since_us = loop_now_us();
        deadline_set(x->context->token_deadlines, &x->deadline);
        token_desk_wait(x->context->desk, &x->waiter);
        return;
    }
    enum outcome outcome = exchange_prepare(x, head);
    intake_take_raw(client_intake(x->client), head->length);
    x->state = OPENING;
    if (outcome == OUTCOME_RELAYED) {
        rest_intake(x);
        set_out(x);
    } else {
        exchange_answer(x, outcome, NULL);
    }
}

/* What is under way goes on; what we answer ourselves costs little and is answered. */
static bool has_room(struct exchange_context *context, const char **why)
{
    unsigned max = context->max_requests;
    bool crowded = max && context->n_active > max;

    if (!crowded && !held_is_full())
        return true;
    *why = crowded ? "As many requests as --max-requests allows are in flight."
                   : "The buffers of the requests in flight hold as much as --max-buffers allows.";
    return false;
}

/* What was put in force for all before this request came is in force for it, whichever loop it came to:
 * another may have told the client of it already. */
static void read_mail(const struct exchange_context *context)
{
    if (context->in && mailbox_has_mail(context->in))
        mailbox_read(context->in);
}

void *exchange_begin(void *context, struct client *client, const struct head *head)
{
    read_mail(context);
    struct exchange *x = exchange_new(context, client);
    const char *why = NULL;

    note_request(x, head);
    enum outcome outcome = exchange_judge(x, head, &why);
    if (outcome == OUTCOME_RELAYED && x->context->draining)
        outcome = OUTCOME_DRAINING; /* what was begun before is carried out */
    if (outcome == OUTCOME_RELAYED && !has_room(context, &why))
        outcome = OUTCOME_OVERLOADED;
    if (outcome == OUTCOME_RELAYED) {
        go_on(x, head);
    } else {
        intake_take_raw(client_intake(client), head->length);
        exchange_answer(x, outcome, why);
    }
    return x->state == ENDED ? NULL : x;
}

void *exchange_refuse(void *context, struct client *client, enum outcome outcome, const char *why)
{
    struct exchange *x = exchange_new(context, client);

    x->close_client = true;
    x->request.done = true;
    exchange_answer(x, outcome, why);
    return x->state == ENDED ? NULL : x;
}

/* ---- the end ---- */

static void free_exchange(struct job *job)
{
    mem_spare_give(&spares, CONTAINER_OF(job, struct exchange, job));
}

void exchange_thread_end(void)
{
    mem_spare_fini(&spares);
    exchange_graphql_thread_end();
}

/* The one way out. The memory stays until the turn is over: whoever called us may still look at
 * x->state, and nothing else. */
void exchange_end(struct exchange *x, enum client_next next)
{
    struct exchange_context *context = x->context;
    struct client *client = x->client;
    uint64_t now_us = loop_now_us();

    assert(!x->pooled);
    x->state = ENDED;
    exchange_tally(x, now_us);
    exchange_log(x, now_us);
    deadline_clear(&x->deadline);
    deadline_clear(&x->total);
    context->n_active--;
    token_desk_leave(context->desk, &x->waiter);
    token_unref(x->token);
    token_unref(x->refused);
    exchange_graphql_free(x);
    policy_unref(x->policy);
    buffer_fini(&x->up);
    buffer_fini(&x->down.lead);
    intake_reset(&x->intake);
    x->job.run = free_exchange;
    loop_defer(context->loop, &x->job);
    client_finish(client, next);
}

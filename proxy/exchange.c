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

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- moves ---- */

/* A client that waits for its answer needs no room. Nothing may borrow from it any more. */
void exchange_rest_intake(struct exchange *x)
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
void exchange_set_out(struct exchange *x)
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
        exchange_set_out(x);
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
    exchange_rest_intake(x);
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
void exchange_cut(struct exchange *x)
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
                   [FAILED] = { exchange_cut, ENDED } },
    [TUNNEL] = { [DONE] = { exchange_end_tunnel, ENDED }, [FAILED] = { exchange_cut, ENDED } },
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

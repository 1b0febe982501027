/* What happens to an exchange: bytes and room on either side, the client's leaving, a token, time. */
#include "proxy/exchange_parts.h"

#include <stdio.h>

#include "config/memory.h"

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
        exchange_cut(x);
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

void exchange_expect(struct exchange *x)
{
    x->waiter.arrived = on_token;
    x->waiter.unrenewed = on_unrenewed;
    x->deadline.passed = on_deadline;
    x->total.passed = on_total_deadline;
    x->job.run = on_again;
}

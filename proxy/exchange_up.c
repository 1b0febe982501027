/* Bytes up, from the client to the origin, with backpressure: the client is read only when nothing of it
 * waits to be sent. One buffer; what does not fit stays in the client's socket. */
#include "proxy/exchange_parts.h"

#include <assert.h>

enum { CHUNK_CODING_BYTES = 32 }; /* around the content of one chunk, and the last chunk */

/* What is too long is kept no longer; nor is anything once all buffers are at --max-buffers; nor is what has no room behind a head that takes nearly all of it,
 * or in a coding of many small chunks. */
static bool must_forget(const struct exchange *x, size_t n)
{
    return x->up.keeps && (x->request.bytes > LIMIT_KEPT_REQUEST_BYTES || held_is_full() ||
                           n + CHUNK_CODING_BYTES > x->up.max - x->up.end);
}

/* What is still to come, if all of it will be kept. */
static size_t keepable(const struct exchange *x)
{
    return x->request.left <= LIMIT_KEPT_REQUEST_BYTES ? (size_t)x->request.left : 0;
}

/* Content goes behind what waits in `up`, so that head and content leave in one record. */
static void stage_up(struct exchange *x, struct text content)
{
    bool chunked = x->request.framing.kind == FRAMING_CHUNKED;

    if (must_forget(x, content.len))
        buffer_forget(&x->up);
    if (x->up.keeps && content.len > RELAY_BUFFER_BYTES / 2)
        buffer_reserve(&x->up, content.len + keepable(x));
    if (chunked && content.len) {
        buffer_add_hex(&x->up, content.len);
        buffer_add(&x->up, TEXT("\r\n"));
    }
    buffer_add(&x->up, content);
    if (chunked && content.len)
        buffer_add(&x->up, TEXT("\r\n"));
    if (chunked && x->request.done && !x->up_ended) {
        buffer_add(&x->up, TEXT("0\r\n\r\n"));
        x->up_ended = true;
    }
    assert(!x->up.overflowed);
    intake_take_content(client_intake(x->client), content.len);
}

static enum step fill_up(struct exchange *x)
{
    struct intake *intake = client_intake(x->client);

    if (body_take(&x->request, intake) != BODY_OK) {
        x->close_client = true;
        exchange_fail(x, OUTCOME_BAD_REQUEST, "the chunked coding of the body is broken");
        return STEP_OVER;
    }
    if (x->context->settings->max_body_bytes &&
        x->request.bytes > x->context->settings->max_body_bytes) {
        x->close_client = true;
        exchange_fail(x, OUTCOME_BODY_TOO_LARGE, NULL);
        return STEP_OVER;
    }
    stage_up(x, intake_content(intake));
    return STEP_ON;
}

enum step exchange_receive(struct exchange *x, size_t *moved)
{
    ssize_t n = client_receive(x->client);

    if (n == SOCKET_AGAIN)
        return STEP_BLOCKED;
    if (n == 0 && x->state == TUNNEL) {
        exchange_move(x, DONE);
        return STEP_OVER;
    }
    if (n <= 0) {
        exchange_gone(x);
        return STEP_OVER;
    }
    *moved += (size_t)n;
    exchange_progress(x);
    return STEP_ON;
}

/* An origin that takes no more may have answered before it closed: the answer is read first. */
static enum step send_up(struct exchange *x, size_t *moved)
{
    struct text waiting = buffer_waiting(&x->up);
    bool more =
        waiting.len > RELAY_BUFFER_BYTES || (!x->request.done && client_has_more(x->client));
    ssize_t n = origin_send(pooled_origin(x->pooled), waiting.at, waiting.len, more);

    if (n == ORIGIN_AGAIN)
        return STEP_BLOCKED;
    if (n < 0) {
        x->up_broken = true;
        if (x->state != RELAYING && x->state != TUNNEL)
            exchange_pull(x);
        return STEP_OVER;
    }
    x->up_begun = true;
    buffer_sent(&x->up, (size_t)n);
    *moved += (size_t)n;
    exchange_progress(x);
    return STEP_ON;
}

static enum step push_once(struct exchange *x, size_t *moved)
{
    if (buffer_waiting(&x->up).len < RELAY_BUFFER_BYTES && fill_up(x) == STEP_OVER)
        return STEP_OVER;
    if (buffer_waiting(&x->up).len)
        return send_up(x, moved);
    if (!x->request.done)
        return exchange_receive(x, moved);
    exchange_move(x, SENT);
    return STEP_OVER;
}

void exchange_push(struct exchange *x)
{
    size_t moved = 0;
    enum step step = x->up_broken ? STEP_OVER : STEP_ON;

    while (step == STEP_ON && moved < RELAY_TURN_BYTES)
        step = push_once(x, &moved);
    if (step == STEP_BLOCKED)
        origin_push(pooled_origin(x->pooled));
    if (step == STEP_ON)
        loop_again(x->context->loop, &x->job);
}

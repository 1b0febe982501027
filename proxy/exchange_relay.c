/* Bytes up and down, with backpressure: a direction reads only when nothing of it waits to be sent.
 * Each holds one buffer; what does not fit stays in the sender's socket. */
#include "proxy/exchange_parts.h"

#include <assert.h>

enum { CHUNK_CODING_BYTES = 32 }; /* around the content of one chunk, and the last chunk */

enum step {
    STEP_ON,      /* something was done: look again */
    STEP_BLOCKED, /* nothing can be done now; an event will come */
    STEP_OVER,    /* the exchange has moved elsewhere: leave */
};

static void progress(struct exchange *x)
{
    if (x->state != AWAITING)
        deadline_set(x->context->idle_deadlines, &x->deadline);
}

/* ---- up: from the client to the origin ---- */

/* What is too long is kept no longer; nor is anything once all buffers are at --max-buffers; nor is what has no room behind a head that takes nearly all of it,
 * or in a coding of many small chunks. */
static bool must_forget(const struct exchange *x, size_t n)
{
    return x->up.keeps && (x->request.bytes > LIMIT_KEPT_REQUEST_BYTES || held_is_full() ||
                           n + CHUNK_CODING_BYTES > x->up.max - x->up.end);
}

/* Content goes behind what waits in `up`, so that head and content leave in one record. */
static void stage_up(struct exchange *x, struct text content)
{
    bool chunked = x->request.framing.kind == FRAMING_CHUNKED;

    if (must_forget(x, content.len))
        buffer_forget(&x->up);
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

static enum step read_client(struct exchange *x, size_t *moved)
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
    progress(x);
    return STEP_ON;
}

/* An origin that takes no more may have answered before it closed: the answer is read first. */
static enum step send_up(struct exchange *x, size_t *moved)
{
    struct text waiting = buffer_waiting(&x->up);
    ssize_t n = origin_send(pooled_origin(x->pooled), waiting.at, waiting.len);

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
    progress(x);
    return STEP_ON;
}

static enum step push_once(struct exchange *x, size_t *moved)
{
    if (buffer_waiting(&x->up).len < RELAY_BUFFER_BYTES && fill_up(x) == STEP_OVER)
        return STEP_OVER;
    if (buffer_waiting(&x->up).len)
        return send_up(x, moved);
    if (!x->request.done)
        return read_client(x, moved);
    exchange_move(x, SENT);
    return STEP_OVER;
}

void exchange_push(struct exchange *x)
{
    size_t moved = 0;
    enum step step = x->up_broken ? STEP_OVER : STEP_ON;

    while (step == STEP_ON && moved < RELAY_TURN_BYTES)
        step = push_once(x, &moved);
    if (step == STEP_ON)
        loop_again(x->context->loop, &x->job);
}

/* ---- down: from the origin to the client ---- */

static int outflow_pieces(const struct exchange *x, struct iovec pieces[3])
{
    struct text parts[3] = { buffer_waiting(&x->down.lead),
                             { intake_content(&x->intake).at, x->down.content },
                             x->down.tail };
    int n = 0;

    for (int i = 0; i < 3; i++) {
        if (parts[i].len)
            pieces[n++] = (struct iovec){ (void *)(uintptr_t)parts[i].at, parts[i].len };
    }
    return n;
}

static void outflow_sent(struct exchange *x, size_t n)
{
    struct outflow *down = &x->down;
    size_t lead = buffer_waiting(&down->lead).len;

    if (n < lead) {
        buffer_sent(&down->lead, n);
        return;
    }
    buffer_sent(&down->lead, lead);
    n -= lead;
    size_t content = n < down->content ? n : down->content;
    intake_take_content(&x->intake, content);
    down->content -= content;
    down->tail = (struct text){ down->tail.at + (n - content), down->tail.len - (n - content) };
}

bool exchange_outflow_is_empty(const struct exchange *x)
{
    return !buffer_waiting(&x->down.lead).len && !x->down.content && !x->down.tail.len;
}

bool exchange_flush(struct exchange *x)
{
    struct iovec pieces[3];
    int n_pieces;

    while ((n_pieces = outflow_pieces(x, pieces)) > 0) {
        ssize_t n = client_send(x->client, pieces, n_pieces);
        if (n == SOCKET_AGAIN)
            return false;
        if (n < 0) {
            exchange_gone(x);
            return false;
        }
        outflow_sent(x, (size_t)n);
        x->bytes_down += (uint64_t)n;
        progress(x);
    }
    return true;
}

static enum step protocol_error(struct exchange *x, const char *why)
{
    exchange_fail(x, OUTCOME_ORIGIN_PROTOCOL, why);
    return STEP_OVER;
}

/* 100, 103 and their like pass to those who know them (RFC 9110, 15.2). */
static enum step relay_interim(struct exchange *x, const struct head *head)
{
    struct to_client to = { .minor = 1,
                            .framing = { FRAMING_NONE, 0 },
                            .extras = { .via = x->context->settings->via == VIA_ON } };

    if (head->status == 101)
        return exchange_switch(x, head) ? STEP_ON : STEP_OVER;
    if (++x->interim > LIMIT_INTERIM_RESPONSES)
        return protocol_error(x, "too many interim responses");
    if (x->client_minor > 0)
        forward_response(&x->down.lead, head, &to);
    return STEP_ON;
}

/* Scrubbed before it is read, so that what is relayed is what was read. */
static enum step take_head(struct exchange *x, struct text bytes)
{
    struct framing framing;
    const char *why;
    struct head head;

    if (!exchange_scrub_head(x, bytes))
        return STEP_OVER;
    if (head_parse_response(bytes, &head, &why) != HEAD_OK)
        return protocol_error(x, why);
    if (head.status < 200)
        return relay_interim(x, &head);
    if (framing_of_response(&head, x->to_head, &framing, &why) != FRAMING_OK)
        return protocol_error(x, why);
    body_init(&x->response, framing);
    x->response_head = &head;
    if (exchange_refuses_token(x, &head)) {
        exchange_move(x, REFUSED);
        return STEP_OVER;
    }
    exchange_move(x, HEAD);
    x->response_head = NULL;
    return x->down.lead.overflowed ? protocol_error(x, "its head is too large") : STEP_ON;
}

static enum step read_head(struct exchange *x)
{
    struct text raw = intake_raw(&x->intake);
    const char *why;
    size_t end;
    enum head_result result = head_end(&x->scan, raw, &end, &why);

    if (x->scan.start > 0)
        return protocol_error(x, "an empty line stands before the status line");
    if (result == HEAD_MORE)
        return raw.len < LIMIT_HEAD_BYTES ? STEP_BLOCKED
                                          : protocol_error(x, "its head is larger than 64 KiB");
    if (result != HEAD_OK)
        return protocol_error(x, why);
    x->scan = (struct head_scan){ 0 };
    enum step step = take_head(x, (struct text){ raw.at, end });
    if (step == STEP_ON)
        intake_take_raw(&x->intake, end);
    return step;
}

/* Only when nothing waits: then all of the content is new, or was held. */
static enum step stage_down(struct exchange *x)
{
    bool chunked = x->client_framing.kind == FRAMING_CHUNKED;

    if (body_take(&x->response, &x->intake) != BODY_OK)
        return protocol_error(x, "the chunked coding of its body is broken");
    if (!exchange_scrub_body(x))
        return STEP_OVER;
    if (!chunked || x->down_ended)
        return STEP_BLOCKED;
    if (x->down.content) {
        buffer_add_hex(&x->down.lead, x->down.content);
        buffer_add(&x->down.lead, TEXT("\r\n"));
        x->down.tail = x->response.done ? TEXT("\r\n0\r\n\r\n") : TEXT("\r\n");
    } else if (x->response.done) {
        buffer_add(&x->down.lead, TEXT("0\r\n\r\n"));
    }
    x->down_ended = x->response.done;
    return STEP_BLOCKED;
}

/* What came from the origin becomes something to send. STEP_BLOCKED: all of it is looked at. */
static enum step interpret(struct exchange *x)
{
    enum step step = STEP_ON;

    while (step == STEP_ON && !x->head_relayed)
        step = read_head(x);
    if (step == STEP_OVER || !x->head_relayed)
        return step;
    return stage_down(x);
}

/* The connection ended. Only a body that ends with the connection, and only if TLS says that this
 * is the end, is complete now. */
static enum step end_of_origin(struct exchange *x, bool clean)
{
    if (clean && x->head_relayed && x->response.framing.kind == FRAMING_UNTIL_CLOSE) {
        x->response.done = true;
        return STEP_ON;
    }
    exchange_fail(x, OUTCOME_ORIGIN_CLOSED,
                  clean ? NULL : origin_trouble(pooled_origin(x->pooled)));
    return STEP_OVER;
}

/* As if a kept connection had closed before our request came: it is sent again, if it may be. */
static enum step spoke_early(struct exchange *x)
{
    exchange_fail(x, x->reused ? OUTCOME_ORIGIN_CLOSED : OUTCOME_ORIGIN_PROTOCOL,
                  "it spoke before it was asked");
    return STEP_OVER;
}

static enum step read_origin(struct exchange *x, size_t *moved)
{
    uint32_t size = RELAY_BUFFER_BYTES;
    size_t held = intake_content(&x->intake).len, room;

    while (size <= intake_raw(&x->intake).len + 2 * held)
        size *= 2; /* a long head, or what is held; read_head() and the token have ceilings */
    char *bytes = intake_room(&x->intake, size, &room);
    assert(bytes);
    ssize_t n = origin_receive(pooled_origin(x->pooled), bytes, room);
    if (n > 0 && !x->answered && origin_spoke_early(pooled_origin(x->pooled)))
        return spoke_early(x);
    if (n > 0) {
        if (!x->answered)
            origin_note_answer(pooled_origin(x->pooled));
        x->answered = true;
        intake_received(&x->intake, (size_t)n);
        *moved += (size_t)n;
        return STEP_ON;
    }
    if (n == ORIGIN_AGAIN && !x->up_broken)
        return STEP_BLOCKED;
    return end_of_origin(x, n == 0);
}

static enum step pull_once(struct exchange *x, size_t *moved)
{
    if (exchange_outflow_is_empty(x) && interpret(x) == STEP_OVER)
        return STEP_OVER;
    if (!exchange_flush(x))
        return STEP_OVER;
    if (!x->head_relayed || !x->response.done)
        return read_origin(x, moved);
    if (x->client_framing.kind == FRAMING_CHUNKED && !x->down_ended)
        return STEP_ON; /* the last chunk is still to be staged */
    exchange_move(x, DONE);
    return STEP_OVER;
}

void exchange_pull(struct exchange *x)
{
    size_t moved = 0;
    enum step step = STEP_ON;

    while (step == STEP_ON && moved < RELAY_TURN_BYTES)
        step = pull_once(x, &moved);
    if (step == STEP_ON)
        loop_again(x->context->loop, &x->job);
}

/* Bytes down, from the origin to the client, with backpressure: the origin is read only when nothing of it
 * waits to be sent. One buffer; what does not fit stays in the origin's socket.
 *
 *   read_head ...   take_body --(the origin has more at hand, the client keeps up: gather)--> stage --> flush
 *                       ^----------------------------------------------------------------------------'
 */
#include "proxy/exchange_parts.h"

#include <assert.h>

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
        exchange_progress(x);
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

/* Looks at all that came: heads go on their way, a body's bytes become content. */
static enum step interpret(struct exchange *x)
{
    enum step step = STEP_ON;

    while (step == STEP_ON && !x->head_relayed)
        step = read_head(x);
    if (step == STEP_OVER || !x->head_relayed)
        return step;
    if (body_take(&x->response, &x->intake) != BODY_OK)
        return protocol_error(x, "the chunked coding of its body is broken");
    return STEP_ON;
}

/* As if a kept connection had closed before our request came: it is sent again, if it may be. */
static enum step spoke_early(struct exchange *x)
{
    exchange_fail(x, x->reused ? OUTCOME_ORIGIN_CLOSED : OUTCOME_ORIGIN_PROTOCOL,
                  "it spoke before it was asked");
    return STEP_OVER;
}

static enum step take_bytes(struct exchange *x, size_t n)
{
    if (!x->answered && origin_spoke_early(pooled_origin(x->pooled)))
        return spoke_early(x);
    if (!x->answered)
        origin_note_answer(pooled_origin(x->pooled));
    x->answered = true;
    intake_received(&x->intake, n);
    return STEP_ON;
}

/* Into a room of `size` bytes or more. An end is noted, and told when what came before it has left. */
static enum step read_origin(struct exchange *x, uint32_t size, size_t *moved)
{
    size_t room;
    char *bytes = intake_room(&x->intake, size, &room);

    assert(bytes);
    ssize_t n = origin_receive(pooled_origin(x->pooled), bytes, room);
    if (n == ORIGIN_AGAIN && !x->up_broken)
        return STEP_BLOCKED;
    if (n <= 0) {
        x->origin_end = n == 0 ? END_CLEAN : END_CUT;
        return STEP_ON;
    }
    *moved += (size_t)n;
    return take_bytes(x, (size_t)n);
}

/* ---- gathering: where the origin is ahead, several records leave in one system call ---- */

/* Decided once for what leaves together. A client that is slow, and one whose buffers would come on top of too
 * many, gets one record at a time: no more of it waits here. */
static uint32_t gather_bytes(struct exchange *x)
{
    if (!x->down.most)
        x->down.most =
            client_keeps_up(x->client) && !held_is_full() ? RELAY_GATHER_BYTES : RELAY_BUFFER_BYTES;
    return x->down.most;
}

/* More is to come, and a record of it has room behind what is here. */
static bool gathers(struct exchange *x)
{
    return x->head_relayed && !x->response.done && !x->origin_end && x->intake.raw_end &&
           x->intake.raw_end + RELAY_BUFFER_BYTES <= gather_bytes(x);
}

/* Until nothing more is at hand: whoever sends a piece first finds more behind it, and sends again. */
static enum step gather(struct exchange *x, size_t *moved)
{
    enum step step = interpret(x);

    while (step != STEP_OVER && gathers(x)) {
        origin_defer_wiping(pooled_origin(x->pooled));
        step = read_origin(x, RELAY_GATHER_BYTES, moved);
        if (step == STEP_BLOCKED)
            break;
        if (step == STEP_ON)
            step = interpret(x);
    }
    return step;
}

/* The content that is here begins to leave. Only when nothing waits: then all of it is new, or was held. */
static enum step stage(struct exchange *x)
{
    bool chunked = x->client_framing.kind == FRAMING_CHUNKED;

    x->down.most = 0;
    if (!exchange_scrub_body(x))
        return STEP_OVER;
    if (!chunked || x->down_ended)
        return STEP_ON;
    if (x->down.content) {
        buffer_add_hex(&x->down.lead, x->down.content);
        buffer_add(&x->down.lead, TEXT("\r\n"));
        x->down.tail = x->response.done ? TEXT("\r\n0\r\n\r\n") : TEXT("\r\n");
    } else if (x->response.done) {
        buffer_add(&x->down.lead, TEXT("0\r\n\r\n"));
    }
    x->down_ended = x->response.done;
    return STEP_ON;
}

/* What came from the origin becomes something to send. */
static enum step fill_down(struct exchange *x, size_t *moved)
{
    if (gather(x, moved) == STEP_OVER)
        return STEP_OVER;
    return x->head_relayed ? stage(x) : STEP_ON;
}

/* The connection ended. Only a body that ends with the connection, and only if TLS says that this
 * is the end, is complete now. */
static enum step end_of_origin(struct exchange *x)
{
    bool clean = x->origin_end == END_CLEAN;

    if (clean && x->head_relayed && x->response.framing.kind == FRAMING_UNTIL_CLOSE) {
        x->response.done = true;
        return STEP_ON;
    }
    exchange_fail(x, OUTCOME_ORIGIN_CLOSED,
                  clean ? NULL : origin_trouble(pooled_origin(x->pooled)));
    return STEP_OVER;
}

/* A room for what may be gathered, or what a long head or held content needs; read_head() and the token have
 * ceilings. */
static enum step read_record(struct exchange *x, size_t *moved)
{
    size_t held = intake_content(&x->intake).len;
    uint32_t size = RELAY_GATHER_BYTES;

    while (size <= intake_raw(&x->intake).len + 2 * held)
        size *= 2;
    return read_origin(x, size, moved);
}

static enum step pull_once(struct exchange *x, size_t *moved)
{
    if (exchange_outflow_is_empty(x) && fill_down(x, moved) == STEP_OVER)
        return STEP_OVER;
    if (!exchange_flush(x))
        return STEP_OVER;
    if (!x->head_relayed || !x->response.done)
        return x->origin_end ? end_of_origin(x) : read_record(x, moved);
    if (x->client_framing.kind == FRAMING_CHUNKED && !x->down_ended)
        return STEP_ON; /* the last chunk is still to be staged */
    exchange_move(x, DONE);
    return STEP_OVER;
}

/* An exchange that waits holds no room but for what waits with it: the next that reads takes it, still warm. */
void exchange_pull(struct exchange *x)
{
    size_t moved = 0;
    enum step step = STEP_ON;

    while (step == STEP_ON && moved < RELAY_TURN_BYTES)
        step = pull_once(x, &moved);
    intake_fit(&x->intake, RELAY_BUFFER_BYTES);
    if (step == STEP_ON)
        loop_again(x->context->loop, &x->job);
}

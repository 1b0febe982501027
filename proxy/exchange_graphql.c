#include "proxy/exchange_graphql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/memory.h"
#include "proxy/exchange_guard.h"
#include "proxy/exchange_parts.h"

/* ---- what is noted of the head ---- */

static char *copy(struct text value, size_t *len)
{
    *len = value.len;
    return value.at ? text_dup(value) : NULL;
}

/* Of two lines nobody knows which one counts: then there is none that we would read by. */
static struct text content_type_of(const struct head *head)
{
    struct text found = TEXT_NONE;

    for (size_t i = 0; i < head->n_headers; i++) {
        if (!text_eq_nocase(head->headers[i].name, TEXT("Content-Type")))
            continue;
        if (found.at || head->headers[i].nominated)
            return TEXT("");
        found = head->headers[i].value;
    }
    return found;
}

static bool is_encoded(const struct head *head)
{
    return head->count[HEADER_CONTENT_ENCODING] > 1 ||
           (head->count[HEADER_CONTENT_ENCODING] &&
            !text_eq_nocase(head_value(head, HEADER_CONTENT_ENCODING), TEXT("identity")));
}

void exchange_graphql_note(struct exchange *x, const struct head *head, struct graphql_gate *gate)
{
    struct exchange_graphql *graphql = mem_alloc(1, sizeof(*graphql));

    exchange_graphql_free(x); /* judged a second time, after a wait for the token */
    graphql->exchange = x;
    graphql->gate = graphql_gate_ref(gate);
    graphql->query = copy(x->destination.query, &graphql->query_len);
    graphql->content_type = copy(content_type_of(head), &graphql->content_type_len);
    graphql->encoded = is_encoded(head);
    x->graphql = graphql;
}

void exchange_graphql_free(struct exchange *x)
{
    struct exchange_graphql *graphql = x->graphql;

    if (!graphql)
        return;
    exchange_guard_leave(x);
    graphql_gate_unref(graphql->gate);
    token_unref(graphql->token);
    free(graphql->query);
    free(graphql->content_type);
    free(graphql);
    x->graphql = NULL;
}

/* ---- reading ---- */

/* A chunk's size has room for eight digits, which are put in when it is known (RFC 9112, 7.1: leading
 * zeros are fine). So the content stands in one piece. */
#define CHUNK_SIZE_ROOM "00000000\r\n"
enum { CHUNK_DIGITS = 8, CHUNK_ROOM = CHUNK_DIGITS + 2 };

static bool is_chunked(const struct exchange *x)
{
    return x->request.framing.kind == FRAMING_CHUNKED;
}

static struct text content_of(const struct exchange *x)
{
    return (struct text){ x->up.bytes + x->graphql->from, x->up.end - x->graphql->from };
}

static void end_chunk(struct exchange *x)
{
    size_t n = content_of(x).len;
    char *digits = x->up.bytes + x->graphql->from - CHUNK_ROOM;

    if (!is_chunked(x))
        return;
    if (n == 0) { /* a chunk of no bytes would be the last one */
        x->up.end -= CHUNK_ROOM;
        return;
    }
    for (size_t i = CHUNK_DIGITS, left = n; i-- > 0; left >>= 4)
        digits[i] = "0123456789abcdef"[left & 15];
    buffer_add(&x->up, TEXT("\r\n"));
}

static _Thread_local struct arena arena; /* one judgement at a time; its first block stays */

void exchange_graphql_thread_end(void)
{
    arena_fini(&arena);
}

static void judge(struct exchange *x)
{
    struct exchange_graphql *graphql = x->graphql;
    struct graphql_message message = {
        .method = text_of(x->method),
        .query = { graphql->query, graphql->query_len },
        .content_type = { graphql->content_type, graphql->content_type_len },
        .encoded = graphql->encoded,
        .body = content_of(x),
    };

    if (x->request.done)
        graphql_judge(graphql->gate, &message, &arena, &graphql->judgement);
    else
        graphql->judgement =
            (struct graphql_judgement){ .answer = GRAPHQL_UNREADABLE,
                                        .why = "its body is longer than is read here" };
    arena_clear(&arena);
    graphql->judged = true;
}

static void end_reading(struct exchange *x)
{
    judge(x);
    end_chunk(x);
    if (x->request.bytes > LIMIT_KEPT_REQUEST_BYTES && x->up.keeps)
        buffer_forget(&x->up);
    exchange_graphql_judged(x);
}

static bool take_content(struct exchange *x)
{
    struct intake *intake = client_intake(x->client);
    uint64_t max = x->context->settings->max_body_bytes;

    if (body_take(&x->request, intake) != BODY_OK) {
        x->close_client = true;
        exchange_fail(x, OUTCOME_BAD_REQUEST, "the chunked coding of the body is broken");
        return false;
    }
    if (max && x->request.bytes > max) {
        x->close_client = true;
        exchange_fail(x, OUTCOME_BODY_TOO_LARGE, NULL);
        return false;
    }
    buffer_add(&x->up, intake_content(intake));
    intake_take_content(intake, intake_content(intake).len);
    return true;
}

void exchange_graphql_read(struct exchange *x)
{
    size_t moved = 0;

    while (moved < RELAY_TURN_BYTES) {
        if (!take_content(x))
            return;
        if (x->request.done || content_of(x).len > GRAPHQL_BODY_MAX || held_is_full()) {
            end_reading(x);
            return;
        }
        if (exchange_receive(x, &moved) != STEP_ON)
            return;
    }
    loop_again(x->context->loop, &x->job);
}

/* The client waits for a 100 before it sends what we wait for. The origin's own comes too late. */
static bool say_continue(struct exchange *x)
{
    if (!x->expects_continue || x->request.done)
        return true;
    x->interim++;
    buffer_add(&x->down.lead, TEXT("HTTP/1.1 100 Continue\r\n\r\n"));
    exchange_flush(x);
    return x->state != ENDED;
}

void exchange_graphql_begin(struct exchange *x)
{
    x->state = READING;
    x->up.max += GRAPHQL_BODY_MAX + RELAY_BUFFER_BYTES + CHUNK_ROOM;
    if (is_chunked(x))
        buffer_add(&x->up, TEXT(CHUNK_SIZE_ROOM));
    x->graphql->from = x->up.end;
    deadline_set(x->context->idle_deadlines, &x->deadline);
    if (say_continue(x))
        exchange_graphql_read(x);
}

/* ---- going out ---- */

static const char *who(enum presented presented)
{
    return presented == PRESENTED_STORE
               ? "VtexIdclientAutCookie is a shopper's token, and shoppers are granted nothing"
               : "the request has no VtexIdclientAutCookie";
}

static void deny(struct exchange *x, const struct graphql_need *need)
{
    char type[80], field[80], product[80], resource[80], detail[LIMIT_DETAIL_BYTES];

    snprintf(detail, sizeof(detail), "%s.%s needs productCode %s, resourceCode %s; %s",
             text_printable(need->type, type, sizeof(type)),
             text_printable(need->field, field, sizeof(field)),
             text_printable(need->product, product, sizeof(product)),
             text_printable(need->resource, resource, sizeof(resource)),
             who(x->graphql->presented));
    exchange_fail(x, OUTCOME_GRAPHQL_DENIED, detail);
}

/* What the schema does not have, or what is broken in it, is for the app itself to answer: it may have
 * another version of it. */
static void judged_going_out(struct exchange *x)
{
    const struct graphql_judgement *judgement = &x->graphql->judgement;

    if (judgement->n_needs && x->graphql->presented != PRESENTED_SOME)
        deny(x, &judgement->needs[0]);
    else if (judgement->answer == GRAPHQL_UNREADABLE &&
             x->context->settings->graphql_unknown == GRAPHQL_UNKNOWN_REFUSE)
        exchange_fail(x, OUTCOME_GRAPHQL_UNREADABLE, judgement->why);
    else
        exchange_move(x, READ);
}

void exchange_graphql_judged(struct exchange *x)
{
    graphql_counts_add(x->context->graphql_counts, &x->graphql->judgement);
    if (x->context->guard)
        exchange_guard_judged(x);
    else
        judged_going_out(x);
}

/* ---- the log ---- */

void exchange_graphql_log(struct log *log, const struct exchange *x)
{
    const struct graphql_judgement *judgement = x->graphql ? &x->graphql->judgement : NULL;

    if (!judgement || !x->graphql->judged)
        return;
    log_text(log, "graphql", text_of(graphql_counted_type(judgement)));
    if (judgement->summary.name[0])
        log_text(log, "graphql_name", text_of(judgement->summary.name));
    if (judgement->summary.fields[0])
        log_text(log, "graphql_fields", text_of(judgement->summary.fields));
    if (judgement->summary.cut)
        log_number(log, "graphql_cut", 1);
    if (judgement->summary.n_operations > 1)
        log_number(log, "graphql_operations", judgement->summary.n_operations);
    if (judgement->why[0])
        log_text(log, "graphql_why", text_of(judgement->why));
}

/* From a request head to an exchange, and the one way out. */
#include "proxy/exchange_parts.h"

#include <assert.h>
#include <string.h>

#include "config/memory.h"
#include "proxy/mailbox.h"

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
    context->n_active++;
    lag_note_work(context->lag);
    exchange_expect(x);
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
        exchange_rest_intake(x);
        exchange_set_out(x);
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

/* Whoever called us may still look at x->state, and nothing else. */
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

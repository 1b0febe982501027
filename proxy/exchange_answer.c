/* What we answer ourselves: one reply, then what is left of the request is read away, so that the
 * connection can be used again, or closed without losing the reply. */
#include "proxy/exchange_parts.h"

#include <stdio.h>

#include "policy/explain.h"

enum { MESSAGE_MAX = 2048, HELP_MAX = 2048, VRN_MAX = 1024 };

/* The platform's own sentence, so that people and scripts that know it know ours. */
static void write_denial(const struct exchange *x, char *message, size_t size)
{
    char vrn[VRN_MAX];
    struct text app = policy_app_id(x->policy), account = policy_account(x->policy),
                workspace = policy_workspace(x->policy);

    policy_vrn(x->policy, &x->destination, vrn, sizeof(vrn));
    snprintf(message, size,
             "Role %s:" TEXT_FMT " in " TEXT_FMT "/" TEXT_FMT
             " cannot perform action %s on resource %s",
             text_eq(workspace, TEXT("master")) ? "app" : "link", TEXT_ARG(app), TEXT_ARG(account),
             TEXT_ARG(workspace), x->method, vrn);
}

/* What decided, what came nearest, and what would open exactly this. */
static void write_help(const struct exchange *x, char *help, size_t size)
{
    struct explanation explanation;

    explain_request(x->policy, x->sent_method, &x->destination, &explanation);
    explain_line(x->policy, &explanation, &x->destination, help, size);
    explain_fini(&explanation);
}

static bool can_keep(const struct exchange *x)
{
    if (x->close_client || !x->keep_alive || x->context->leaving)
        return false;
    if (x->request.done)
        return true;
    return !x->expects_continue && x->request.framing.kind == FRAMING_LENGTH &&
           x->request.left <= LIMIT_DRAIN_BYTES;
}

void exchange_answer(struct exchange *x, enum outcome outcome, const char *message)
{
    char sentence[MESSAGE_MAX], help[HELP_MAX], id[33], details[DETAILS_MAX];
    struct reply reply = { .outcome = outcome, .to_head = x->to_head };

    x->outcome = outcome;
    x->context->n_overloaded += outcome == OUTCOME_OVERLOADED;
    x->status = outcome_row(outcome)->status;
    if (outcome == OUTCOME_OUTBOUND_DENIED) {
        write_denial(x, sentence, sizeof(sentence));
        write_help(x, help, sizeof(help));
        reply.message = text_of(sentence);
        reply.help = text_of(help);
    } else if (message) {
        reply.message = text_of(message);
        snprintf(x->detail, sizeof(x->detail), "%s", message);
    } else if (x->detail[0]) {
        snprintf(sentence, sizeof(sentence), "%s (%s)", outcome_row(outcome)->message, x->detail);
        reply.message = text_of(sentence);
    }
    exchange_id(x, id);
    reply.request_id = text_of(id);
    reply.details = exchange_details(x, details);
    reply.date = exchange_date(x->context);
    reply.close = !can_keep(x);
    reply.keep_alive_1_0 = x->client_minor == 0;
    reply.n_list = x->graphql ? x->graphql->judgement.n_list : 0;
    x->close_client = reply.close;
    reply_write(&reply, &x->down.lead);
    x->state = ANSWERING;
    deadline_set(x->context->idle_deadlines, &x->deadline);
    exchange_answering(x);
}

/* True when the request's body has been read to its end; false if more must come first. */
static bool drain_request(struct exchange *x)
{
    struct intake *intake = client_intake(x->client);

    for (;;) {
        if (body_take(&x->request, intake) != BODY_OK) {
            x->close_client = true;
            return true;
        }
        intake_take_content(intake, intake_content(intake).len);
        if (x->request.done)
            return true;
        ssize_t n = client_receive(x->client);
        if (n == SOCKET_AGAIN)
            return false;
        if (n <= 0) {
            exchange_gone(x);
            return false;
        }
    }
}

void exchange_answering(struct exchange *x)
{
    if (!exchange_flush(x))
        return;
    if (x->close_client || drain_request(x)) {
        if (x->state == ANSWERING)
            exchange_move(x, DONE);
    }
}

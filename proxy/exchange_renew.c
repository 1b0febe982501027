/* An origin refuses our token with a 401: another token, and the request once more.
 *
 *   refused --- a newer one is there, or the one before may still be known ---> sent again
 *      |
 *      `------- one is asked for: RENEWING, the 401 stays unread ---+--- it came ---------> sent again
 *                                                                   `--- none came, or late: it goes on
 *
 * Twice at most: once with the token before, because an issuer's nodes may not all know the newest
 * yet, and once with a newer one. What the client has seen any answer to is never sent again, nor
 * is a body that is too long to be kept. What may not be repeated goes over a new connection. A user's
 * own token is none of our business. */
#include <stdio.h>

#include "proxy/exchange_parts.h"

bool exchange_refuses_token(const struct exchange *x, const struct head *head)
{
    return head->status == 401 && x->token && !x->settled;
}

static void note_refused(struct exchange *x)
{
    if (x->refused && token_generation(x->refused) >= token_generation(x->token))
        return;
    token_unref(x->refused);
    x->refused = token_ref(x->token);
}

static void pin(struct exchange *x, struct token *token)
{
    token_ref(token);
    token_unref(x->token);
    x->token = token;
}

/* The refusal is read away if it has come whole: then its connection is as good as any. */
static bool read_refusal_away(struct exchange *x)
{
    struct head_scan scan = { 0 };
    const char *why;
    size_t end;

    if (x->up_broken || !x->sent_us ||
        head_end(&scan, intake_raw(&x->intake), &end, &why) != HEAD_OK)
        return false;
    intake_take_raw(&x->intake, end);
    if (body_take(&x->response, &x->intake) != BODY_OK)
        return false;
    intake_take_content(&x->intake, intake_content(&x->intake).len);
    return x->response.done && x->origin_keep_alive && intake_is_empty(&x->intake);
}

/* False if it does not fit: then the refusal goes on to the client. Not counted against the retry budget:
 * the origin is well, hundreds may meet a revoked token at once, and token/rejection.h is the bound. */
static bool send_with(struct exchange *x, struct token *token)
{
    size_t old_len = token_text(x->token).len;

    if (!forward_replace_token(&x->up, &x->token_places, old_len, token_text(token)))
        return false;
    x->up_head += x->token_places.n * (token_text(token).len - old_len);
    x->fell_back = x->fell_back || token_generation(token) < token_generation(x->refused);
    x->renewed = x->renewed || token_generation(token) > token_generation(x->refused);
    pin(x, token);
    x->resends++;
    exchange_release_origin(x, read_refusal_away(x));
    x->state = OPENING;
    exchange_begin_anew(x);
    return true;
}

void exchange_send_again(struct exchange *x)
{
    struct token *token = token_desk_current(x->context->desk);

    if (!token || !send_with(x, token)) {
        x->state = RENEWING;
        exchange_move(x, UNRENEWED);
    }
}

/* It cannot be sent again itself, but the next request shall have a token that is taken. */
static void ask_for_others(struct exchange *x)
{
    struct token *other;

    if (!x->renewed && token_desk_rejected(x->context->desk, token_generation(x->refused), false,
                                           &other, &x->waiter) == RECOURSE_RENEWAL)
        token_desk_leave(x->context->desk, &x->waiter);
    exchange_move(x, UNRENEWED);
}

void exchange_renew(struct exchange *x)
{
    bool may_fall_back = !x->fell_back && !x->renewed;
    struct token *other;

    x->origin_keep_alive =
        x->response_head->keep_alive && x->response.framing.kind != FRAMING_UNTIL_CLOSE;
    x->response_head = NULL;
    note_refused(x);
    if (!x->up.keeps || x->renewed) {
        ask_for_others(x);
        return;
    }
    switch (token_desk_rejected(x->context->desk, token_generation(x->refused), may_fall_back,
                                &other, &x->waiter)) {
    case RECOURSE_RENEWAL:
        deadline_set(x->context->token_deadlines, &x->deadline);
        return;
    case RECOURSE_OTHER:
        if (send_with(x, other))
            return;
        break;
    case RECOURSE_NONE:
        break;
    }
    exchange_move(x, UNRENEWED);
}

/* The 401 still stands in the intake: it is read again, this time for the client. */
void exchange_take_refusal(struct exchange *x)
{
    x->settled = true;
    if (!x->sent_us)
        x->state = SENDING;
    deadline_set(x->sent_us ? x->context->response_deadlines : x->context->idle_deadlines,
                 &x->deadline);
    loop_again(x->context->loop, &x->job);
}

/* A gateway's 502 says nothing of the token. */
void exchange_note_acceptance(struct exchange *x, unsigned status)
{
    if (x->token && status != 401 && status < 500)
        token_desk_accepted(x->context->desk, x->token, x->refused);
}

static const char *renewal_note(const struct exchange *x)
{
    if (!x->refused)
        return "";
    if (x->resends == 0)
        return "the app token was refused; not sent again";
    if (x->state == ANSWERING)
        return "the app token was refused; sent again with another one";
    if (x->status != 401 && x->renewed)
        return "the app token was refused, renewed and sent again";
    return x->status == 401 ? "the app token was refused, another one too"
                            : "the app token was refused, the one before it taken";
}

struct text exchange_details(const struct exchange *x, char out[DETAILS_MAX])
{
    const char *note = renewal_note(x);
    if (!note[0] && !x->would_deny[0])
        return TEXT_NONE;
    int len = snprintf(out, DETAILS_MAX, "%s%s%s", x->would_deny,
                       x->would_deny[0] && note[0] ? "; " : "", note);

    return (struct text){ out, (size_t)(len < DETAILS_MAX ? len : DETAILS_MAX - 1) };
}

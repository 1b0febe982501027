/* A connection that becomes a WebSocket (RFC 9110, 7.8; RFC 6455), where --upgrade says that it may.
 *
 *   AWAITING --- a 101 to websocket ---> TUNNEL --- either side ends, or nothing moves ---> ENDED
 *
 * The request is judged like any other, and until the 101 it is one: the origin may answer something else,
 * and what the client has sent behind its head is then its next request. In the tunnel both directions are
 * bodies that end with their connection, so backpressure, deadlines and the watch over what comes back are
 * those of every exchange. The watch sees bytes, not frames: a token that is compressed, or that a frame's
 * end cuts in two, is not found. Neither connection is used again. */
#include <stdio.h>

#include "proxy/exchange_parts.h"

static bool is_websocket(const struct head *head)
{
    return head->minor > 0 && head_has_token(head, HEADER_CONNECTION, TEXT("upgrade")) &&
           head_has_token(head, HEADER_UPGRADE, TEXT("websocket"));
}

/* RFC 6455, 4.1: a GET, and so without a body. Anything else that is offered is not passed on. */
bool exchange_asks_for_websocket(const struct exchange *x, const struct head *head)
{
    return x->context->settings->upgrade == UPGRADE_WEBSOCKET &&
           text_eq(head->method, TEXT("GET")) && x->request.framing.kind == FRAMING_NONE &&
           is_websocket(head);
}

/* To what was asked for, and to nothing beside it. */
static bool is_the_answer(const struct exchange *x, const struct head *head)
{
    return x->websocket && is_websocket(head) && head->count[HEADER_UPGRADE] == 1 &&
           text_eq_nocase(head_value(head, HEADER_UPGRADE), TEXT("websocket"));
}

bool exchange_switch(struct exchange *x, const struct head *head)
{
    if (x->state != AWAITING || !is_the_answer(x, head)) {
        exchange_fail(x, OUTCOME_ORIGIN_PROTOCOL, "it switches protocols without being asked");
        return false;
    }
    x->response_head = head;
    exchange_move(x, SWITCHED);
    x->response_head = NULL;
    return true;
}

void exchange_open_tunnel(struct exchange *x)
{
    const struct head *head = x->response_head;
    struct framing endless = { FRAMING_UNTIL_CLOSE, 0 };
    struct to_client to = { .minor = x->client_minor,
                            .framing = { FRAMING_NONE, 0 },
                            .extras = { .via = x->context->settings->via == VIA_ON,
                                        .websocket = true } };

    exchange_note_acceptance(x, head->status);
    buffer_forget(&x->up);
    body_init(&x->request, endless);
    body_init(&x->response, endless);
    x->client_framing = endless;
    x->head_us = loop_now_us();
    x->status = head->status;
    x->close_client = true;
    forward_response(&x->down.lead, head, &to);
    x->head_relayed = true;
    deadline_set(x->context->idle_deadlines, &x->deadline);
    loop_again(x->context->loop, &x->job); /* the client may have spoken already */
}

void exchange_end_tunnel(struct exchange *x)
{
    x->outcome = OUTCOME_RELAYED;
    exchange_release_origin(x, false);
    exchange_end(x, CLIENT_LINGER);
}

#include "proxy/forward.h"

#include "proxy/proxy_status.h"

enum { ROOM_FOR_OURS = 256 }; /* what a head grows by, as a rule */

/* What never goes on, in either direction. Framing headers are written anew. */
static bool is_hop_by_hop(const struct header *header)
{
    switch (header->id) {
    case HEADER_CONNECTION:
    case HEADER_KEEP_ALIVE:
    case HEADER_PROXY_CONNECTION:
    case HEADER_PROXY_AUTHORIZATION:
    case HEADER_TE:
    case HEADER_TRAILER:
    case HEADER_UPGRADE:
    case HEADER_TRANSFER_ENCODING:
    case HEADER_CONTENT_LENGTH:
        return true;
    default:
        return header->nominated;
    }
}

static bool is_for_us(const struct header *header)
{
    return header->id == HEADER_HOST || header->id == HEADER_USE_HTTPS ||
           header->id == HEADER_PROXY_TO || header->id == HEADER_REMOTE_PORT ||
           header->id == HEADER_JANUS_AUTH || header->id == HEADER_JANUS_CALLER;
}

/* A state without the parent that it belongs to says nothing (Trace Context, 3.3). */
static bool is_trace(const struct header *header)
{
    return header->id == HEADER_TRACEPARENT || header->id == HEADER_TRACESTATE;
}

static void add_header(struct buffer *out, const struct header *header)
{
    buffer_add_field(out, header->name, header->value);
}

/* The version is that of the message as it came (RFC 9110, 7.6.3). */
static void add_via(struct buffer *out, const struct head *head)
{
    buffer_add(out, head->minor ? TEXT("Via: 1.1 janus-sidecar\r\n")
                                : TEXT("Via: 1.0 janus-sidecar\r\n"));
}

/* Behind what the app may have written itself: both are lists (RFC 7239, 4). */
static void add_forwarded(struct buffer *out, const struct forward_extras *extras)
{
    struct text who = extras->forwarded_for;
    bool is_six = who.len > 2 && who.at[0] == '[';

    if (extras->forwarded == FORWARDED_STANDARD) {
        buffer_add(out, is_six ? TEXT("Forwarded: for=\"") : TEXT("Forwarded: for="));
        buffer_add(out, who);
        buffer_add(out, is_six ? TEXT("\";proto=http\r\n") : TEXT(";proto=http\r\n"));
    } else if (extras->forwarded == FORWARDED_X) {
        buffer_add_field(out, TEXT("X-Forwarded-For"),
                         is_six ? (struct text){ who.at + 1, who.len - 2 } : who);
        buffer_add_field(out, TEXT("X-Forwarded-Proto"), TEXT("http"));
    }
}

/* Named by us for the next hop; what the other side wrote went no further. */
static void add_websocket(struct buffer *out)
{
    buffer_add(out, TEXT("Connection: upgrade\r\nUpgrade: websocket\r\n"));
}

/* ---- to the origin ---- */

enum { MAX_FORWARDS = 1000000000 };

struct leaving {
    const struct identity *identity;
    struct text token;
    const struct head *head;
    struct token_places *places;
};

static void add_token(struct buffer *out, const struct leaving *leaving)
{
    struct token_places *places = leaving->places;

    if (places->n < TOKEN_PLACES_MAX)
        places->at[places->n] = (uint32_t)out->end;
    places->n++;
    buffer_add(out, leaving->token);
}

/* The scheme stays as it was written: "Bearer X" or just "X". */
static void add_authorization(struct buffer *out, const struct header *header,
                              const struct leaving *leaving)
{
    struct text credentials = authorization_credentials(header->value);

    buffer_add(out, header->name);
    buffer_add(out, TEXT(": "));
    buffer_add(out, text_span(header->value.at, credentials.at));
    add_token(out, leaving);
    buffer_add(out, TEXT("\r\n"));
}

static void add_token_field(struct buffer *out, struct text name, const struct leaving *leaving)
{
    buffer_add(out, name);
    buffer_add(out, TEXT(": "));
    add_token(out, leaving);
    buffer_add(out, TEXT("\r\n"));
}

/* The placeholder in the shopper's cookie is just taken off: the app token has no place there. */
static enum fate fate_of_pair(const struct identity *identity, struct text name, struct text value)
{
    if (!text_eq(value, identity->placeholder))
        return FATE_KEEP;
    if (text_eq(name, TEXT("VtexIdclientAutCookie")))
        return identity->cookie;
    return text_eq(name, identity->store_cookie) ? FATE_DROP : FATE_KEEP;
}

static struct text without_semicolon(struct text pair)
{
    pair = text_trim(pair);
    if (pair.len && pair.at[pair.len - 1] == ';')
        pair.len--;
    return text_trim(pair);
}

/* Every pair but the placeholder's goes on byte for byte. A header left empty does not go on. */
static void add_cookie(struct buffer *out, const struct header *header,
                       const struct leaving *leaving)
{
    struct text cookies = header->value, whole, name, value;
    bool begun = false;

    while (cookie_next(&cookies, &whole, &name, &value)) {
        enum fate fate = fate_of_pair(leaving->identity, name, value);
        if (fate == FATE_DROP)
            continue;
        if (!begun)
            buffer_add(out, header->name);
        buffer_add(out, begun ? TEXT("; ") : TEXT(": "));
        begun = true;
        if (fate == FATE_APP_TOKEN) {
            buffer_add(out, name);
            buffer_add(out, TEXT("="));
            add_token(out, leaving);
        } else {
            buffer_add(out, without_semicolon(whole));
        }
    }
    if (begun)
        buffer_add(out, TEXT("\r\n"));
}

static void add_by_fate(struct buffer *out, const struct header *header, enum fate fate,
                        const struct leaving *leaving)
{
    if (fate == FATE_DROP)
        return;
    if (fate == FATE_KEEP)
        add_header(out, header);
    else if (header->id == HEADER_AUTHORIZATION)
        add_authorization(out, header, leaving);
    else
        add_token_field(out, header->name, leaving);
}

/* One hop less, where it means anything; 0 does not come here. A number with more digits than we count is
 * our greatest: the recipient's own maximum may stand instead of it (RFC 9110, 7.6.2). */
static void add_max_forwards(struct buffer *out, const struct header *header,
                             const struct head *head)
{
    unsigned long long hops = MAX_FORWARDS;

    if (!text_eq(head->method, TEXT("OPTIONS"))) {
        add_header(out, header);
        return;
    }
    text_to_uint(header->value, MAX_FORWARDS, &hops);
    buffer_add(out, TEXT("Max-Forwards: "));
    buffer_add_uint(out, hops - (hops > 0));
    buffer_add(out, TEXT("\r\n"));
}

static void add_request_header(struct buffer *out, const struct header *header,
                               const struct leaving *leaving)
{
    const struct identity *identity = leaving->identity;

    switch (header->id) {
    case HEADER_AUTHORIZATION:
        add_by_fate(out, header, identity->authorization, leaving);
        break;
    case HEADER_VTEX_ID:
        add_by_fate(out, header, identity->vtex_id, leaving);
        break;
    case HEADER_COOKIE:
        if (identity->rewrites_cookies)
            add_cookie(out, header, leaving);
        else
            add_header(out, header);
        break;
    case HEADER_EXPECT: /* an HTTP/1.0 client cannot mean it (RFC 9110, 10.1.1) */
        if (leaving->head->minor > 0)
            add_header(out, header);
        break;
    case HEADER_MAX_FORWARDS:
        add_max_forwards(out, header, leaving->head);
        break;
    default:
        add_header(out, header);
    }
}

static void add_identity(struct buffer *out, const struct leaving *leaving)
{
    const struct identity *identity = leaving->identity;

    if (identity->add_authorization) {
        buffer_add(out, TEXT("Authorization: Bearer "));
        add_token(out, leaving);
        buffer_add(out, TEXT("\r\n"));
    }
    if (identity->add_vtex_id)
        add_token_field(out, TEXT("VtexIdclientAutCookie"), leaving);
    if (identity->user_token.at)
        buffer_add_field(out, TEXT("VtexIdclientAutCookie"), identity->user_token);
}

static void add_length(struct buffer *out, uint64_t length)
{
    buffer_add(out, TEXT("Content-Length: "));
    buffer_add_uint(out, length);
    buffer_add(out, TEXT("\r\n"));
}

static void add_request_framing(struct buffer *out, const struct head *head, struct framing framing)
{
    if (framing.kind == FRAMING_CHUNKED)
        buffer_add(out, TEXT("Transfer-Encoding: chunked\r\n"));
    else if (head->count[HEADER_CONTENT_LENGTH])
        add_length(out, framing.length);
}

static void add_start_line(struct buffer *out, const struct head *head,
                           const struct destination *destination, bool with_host)
{
    char authority[AUTHORITY_MAX];
    size_t len = destination_authority(destination, authority);

    buffer_add(out, head->method);
    buffer_add(out, TEXT(" "));
    buffer_add(out, destination->asterisk ? TEXT("*") : destination->path);
    if (destination->query.at) {
        buffer_add(out, TEXT("?"));
        buffer_add(out, destination->query);
    }
    buffer_add(out, TEXT(" HTTP/1.1\r\n"));
    if (with_host)
        buffer_add_field(out, TEXT("Host"), (struct text){ authority, len });
}

void forward_request(struct buffer *out, const struct head *head,
                     const struct destination *destination, const struct identity *identity,
                     struct text token, struct framing framing, struct forward_extras extras,
                     struct token_places *places)
{
    struct leaving leaving = { identity, token, head, places };

    buffer_reserve(out, head->length + destination->host_len + token.len + ROOM_FOR_OURS);
    add_start_line(out, head, destination, !extras.as_it_came || !head->count[HEADER_HOST]);
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct header *header = &head->headers[i];
        if (!is_hop_by_hop(header) && (extras.as_it_came || !is_for_us(header)) &&
            !(extras.traceparent.at && is_trace(header)))
            add_request_header(out, header, &leaving);
    }
    add_identity(out, &leaving);
    if (extras.traceparent.at)
        buffer_add_field(out, TEXT("traceparent"), extras.traceparent);
    if (extras.via)
        add_via(out, head);
    if (extras.forwarded)
        add_forwarded(out, &extras);
    if (extras.websocket)
        add_websocket(out);
    add_request_framing(out, head, framing);
    buffer_add(out, TEXT("\r\n"));
}

bool forward_replace_token(struct buffer *out, struct token_places *places, size_t old_len,
                           struct text token)
{
    struct buffer anew = { .max = out->max, .keeps = out->keeps };
    struct token_places moved = { .n = places->n };
    size_t from = 0;

    if (places->n > TOKEN_PLACES_MAX)
        return false;
    for (size_t i = 0; i < places->n; i++) {
        buffer_add(&anew, text_span(out->bytes + from, out->bytes + places->at[i]));
        moved.at[i] = (uint32_t)anew.end;
        buffer_add(&anew, token);
        from = places->at[i] + old_len;
    }
    buffer_add(&anew, text_span(out->bytes + from, out->bytes + out->end));
    if (anew.overflowed) {
        buffer_fini(&anew);
        return false;
    }
    buffer_fini(out);
    *out = anew;
    *places = moved;
    return true;
}

/* ---- to the client ---- */

/* A response without content may still say how long it would be (RFC 9110, 8.6), but not a 204 or
 * 1xx. */
static void add_response_framing(struct buffer *out, const struct head *head,
                                 const struct to_client *to)
{
    bool describes = to->to_head || head->status == 304;

    if (to->framing.kind == FRAMING_CHUNKED)
        buffer_add(out, TEXT("Transfer-Encoding: chunked\r\n"));
    else if (to->framing.kind == FRAMING_LENGTH)
        add_length(out, to->framing.length);
    else if (to->framing.kind == FRAMING_NONE && head->status != 204 && head->status >= 200 &&
             (!describes || head->count[HEADER_CONTENT_LENGTH]))
        add_length(out, describes ? to->framing.length : 0);
}

static void add_connection(struct buffer *out, const struct head *head, const struct to_client *to)
{
    if (head->status < 200)
        return;
    if (to->close)
        buffer_add(out, TEXT("Connection: close\r\n"));
    else if (to->minor == 0)
        buffer_add(out, TEXT("Connection: keep-alive\r\n"));
}

void forward_response(struct buffer *out, const struct head *head, const struct to_client *to)
{
    bool dated = false;

    buffer_reserve(out, head->length + ROOM_FOR_OURS);
    buffer_add(out, TEXT("HTTP/1.1 "));
    buffer_add_uint(out, head->status);
    buffer_add(out, TEXT(" "));
    buffer_add(out, head->reason);
    buffer_add(out, TEXT("\r\n"));
    for (size_t i = 0; i < head->n_headers; i++) {
        if (is_hop_by_hop(&head->headers[i]))
            continue;
        add_header(out, &head->headers[i]);
        dated = dated || head->headers[i].id == HEADER_DATE;
    }
    if (!dated && head->status >= 200)
        buffer_add_field(out, TEXT("Date"), to->date);
    if (to->details.len && head->status >= 200)
        proxy_status_add(out, NULL, to->details);
    if (to->extras.via)
        add_via(out, head);
    if (to->extras.websocket)
        add_websocket(out);
    add_response_framing(out, head, to);
    add_connection(out, head, to);
    buffer_add(out, TEXT("\r\n"));
}

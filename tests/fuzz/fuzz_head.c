/* Heads of both kinds. First byte of the input: bit 0 says a response, bit 1 that it answers HEAD.
 * The rest is what a peer sends. What must hold:
 *
 *   byte by byte the end is found where it is found at once, or the head is refused earlier
 *   an accepted head holds no byte that a header may not have, and its parts lie inside it
 *   framing is decided or refused with a sentence
 *   what we send on is read again, by the same strict reader, as the same message */
#include <stdlib.h>

#include "proxy/forward.h"
#include "proxy/http/syntax.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Texts are taken from memory of exactly their size, so that a look behind them is seen. */
static char *copy_of(struct text bytes)
{
    char *copy = malloc(bytes.len + 1);

    CHECK(copy != NULL);
    if (bytes.len)
        memcpy(copy, bytes.at, bytes.len);
    return realloc(copy, bytes.len ? bytes.len : 1);
}

static enum head_result find_end(struct text bytes, struct text *head, const char **why)
{
    struct head_scan scan = { 0 };
    size_t end = 0;
    enum head_result result = head_end(&scan, bytes, &end, why);

    if (result == HEAD_OK) {
        CHECK(scan.start < end && end <= bytes.len);
        *head = text_span(bytes.at + scan.start, bytes.at + end);
    }
    return result;
}

static bool refused_by_parser(struct text bytes)
{
    struct head head;
    const char *why = NULL;

    return head_parse_request(bytes, &head, &why) != HEAD_OK &&
           head_parse_response(bytes, &head, &why) != HEAD_OK;
}

static void check_in_pieces(struct text bytes, enum head_result want, struct text head)
{
    enum head_result result = HEAD_MORE;
    struct head_scan scan = { 0 };
    const char *why = NULL;
    size_t end = 0, step = bytes.len > 512 ? bytes.len / 512 + 1 : 1;

    for (size_t n = 0; result == HEAD_MORE; n += step) {
        size_t len = n < bytes.len ? n : bytes.len;
        result = head_end(&scan, (struct text){ bytes.at, len }, &end, &why);
        if (len == bytes.len)
            break;
    }
    /* Early, byte by byte, a head may be refused that the parser would refuse when it is whole. */
    if (result == HEAD_BAD && want == HEAD_OK)
        want = refused_by_parser(head) ? HEAD_BAD : want;
    CHECK(result == want);
    if (want == HEAD_OK)
        CHECK(bytes.at + scan.start == head.at && bytes.at + end == head.at + head.len);
    if (want == HEAD_BAD)
        CHECK(why != NULL);
}

static void check_inside(struct text part, struct text whole)
{
    CHECK(part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len));
}

static void check_fields(const struct head *head, struct text bytes)
{
    unsigned count[N_HEADER_IDS] = { 0 };

    CHECK(head->n_headers <= LIMIT_HEADERS && head->length == bytes.len);
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct header *header = &head->headers[i];
        check_inside(header->name, bytes);
        check_inside(header->value, bytes);
        CHECK(syntax_all(header->name, BYTE_TCHAR));
        CHECK(header->value.len == 0 || syntax_all(header->value, BYTE_FIELD));
        CHECK(text_trim(header->value).len == header->value.len);
        if (count[header->id]++ == 0)
            CHECK(head->first[header->id] == i);
    }
    for (int id = 0; id < N_HEADER_IDS; id++)
        CHECK(head->count[id] == count[id]);
}

/* A second reader: the headers of a name, counted in the bytes themselves. */
static unsigned lines_named(struct text bytes, struct text name)
{
    unsigned n = 0;

    for (size_t i = 0; i + name.len + 2 < bytes.len; i++) {
        if (bytes.at[i] == '\n' && bytes.at[i + 1 + name.len] == ':' &&
            text_eq_nocase((struct text){ bytes.at + i + 1, name.len }, name))
            n++;
    }
    return n;
}

static void check_counts(const struct head *head, struct text bytes)
{
    CHECK(head->count[HEADER_CONTENT_LENGTH] == lines_named(bytes, TEXT("content-length")));
    CHECK(head->count[HEADER_TRANSFER_ENCODING] == lines_named(bytes, TEXT("transfer-encoding")));
    CHECK(head->count[HEADER_HOST] == lines_named(bytes, TEXT("host")));
    CHECK(head->count[HEADER_CONNECTION] == lines_named(bytes, TEXT("connection")));
    CHECK(head->count[HEADER_VTEX_ID] == lines_named(bytes, TEXT("vtexidclientautcookie")));
}

static void check_framing(const struct head *head, const struct framing *framing)
{
    if (framing->kind == FRAMING_CHUNKED)
        CHECK(head->count[HEADER_TRANSFER_ENCODING] == 1 && head->minor == 1);
    if (framing->kind == FRAMING_LENGTH)
        CHECK(head->count[HEADER_CONTENT_LENGTH] == 1 && framing->length > 0);
    CHECK(!head->count[HEADER_CONTENT_LENGTH] || !head->count[HEADER_TRANSFER_ENCODING]);
}

static void send_request(const struct head *head, struct framing framing)
{
    struct identity identity = { .kind = IDENTITY_NONE };
    struct destination destination = {
        .scheme = SCHEME_HTTPS, .port = 443, .host_len = 6, .host = "a.test", .path = head->target
    };
    struct framing again_framing;
    struct token_places places = { .n = 0 };
    struct buffer out;
    struct head again;
    struct text bytes;
    const char *why = NULL;

    buffer_init(&out, (size_t)4 * LIMIT_HEAD_BYTES);
    forward_request(&out, head, &destination, &identity, TEXT_NONE, framing,
                    (struct forward_extras){ 0 }, &places);
    CHECK(!out.overflowed);
    CHECK(find_end(buffer_waiting(&out), &bytes, &why) == HEAD_OK);
    CHECK(bytes.len == buffer_waiting(&out).len);
    enum head_result result = head_parse_request(bytes, &again, &why);
    CHECK(result == HEAD_OK || (result == HEAD_TOO_LARGE && head->n_headers == LIMIT_HEADERS));
    if (result == HEAD_OK) {
        CHECK(text_eq(again.method, head->method) && text_eq(again.target, head->target));
        CHECK(again.minor == 1 && again.keep_alive && again.count[HEADER_HOST] == 1);
        CHECK(framing_of_request(&again, &again_framing, &why) == FRAMING_OK);
        CHECK(again_framing.kind == framing.kind && again_framing.length == framing.length);
        CHECK(!again.count[HEADER_CONNECTION] && !again.count[HEADER_PROXY_AUTHORIZATION]);
    }
    buffer_fini(&out);
}

static void send_response(const struct head *head, struct framing framing, bool to_head)
{
    struct to_client to = {
        .minor = 1, .framing = framing, .to_head = to_head, .date = TEXT("now")
    };
    struct framing again_framing;
    struct buffer out;
    struct head again;
    struct text bytes;
    const char *why = NULL;

    to.close = framing.kind == FRAMING_UNTIL_CLOSE;
    buffer_init(&out, (size_t)4 * LIMIT_HEAD_BYTES);
    forward_response(&out, head, &to);
    CHECK(!out.overflowed);
    CHECK(find_end(buffer_waiting(&out), &bytes, &why) == HEAD_OK);
    CHECK(bytes.len == buffer_waiting(&out).len);
    enum head_result result = head_parse_response(bytes, &again, &why);
    CHECK(result == HEAD_OK || (result == HEAD_TOO_LARGE && head->n_headers + 2 >= LIMIT_HEADERS));
    if (result == HEAD_OK) {
        CHECK(again.status == head->status && text_eq(again.reason, head->reason));
        CHECK(framing_of_response(&again, to_head, &again_framing, &why) == FRAMING_OK);
        CHECK(again_framing.kind == framing.kind);
        CHECK(framing.kind != FRAMING_LENGTH || again_framing.length == framing.length);
        CHECK(again.keep_alive == !to.close);
    }
    buffer_fini(&out);
}

static void read_request(struct text bytes)
{
    struct framing framing;
    struct head head;
    const char *why = NULL;

    if (head_parse_request(bytes, &head, &why) != HEAD_OK) {
        CHECK(why != NULL);
        return;
    }
    check_fields(&head, bytes);
    check_counts(&head, bytes);
    check_inside(head.method, bytes);
    check_inside(head.target, bytes);
    CHECK(syntax_all(head.method, BYTE_TCHAR) && syntax_all(head.target, BYTE_TARGET));
    if (framing_of_request(&head, &framing, &why) != FRAMING_OK) {
        CHECK(why != NULL);
        return;
    }
    CHECK(framing.kind != FRAMING_UNTIL_CLOSE);
    check_framing(&head, &framing);
    send_request(&head, framing);
}

static void read_response(struct text bytes, bool to_head)
{
    struct framing framing;
    struct head head;
    const char *why = NULL;

    if (head_parse_response(bytes, &head, &why) != HEAD_OK) {
        CHECK(why != NULL);
        return;
    }
    check_fields(&head, bytes);
    check_counts(&head, bytes);
    check_inside(head.reason, bytes);
    CHECK(head.status >= 100 && head.status <= 599);
    if (head.status < 200)
        return; /* goes on without framing */
    if (framing_of_response(&head, to_head, &framing, &why) != FRAMING_OK) {
        CHECK(why != NULL);
        return;
    }
    check_framing(&head, &framing);
    send_response(&head, framing, to_head);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct text bytes = { (const char *)data + 1, size - 1 }, head = TEXT_NONE;
    const char *why = NULL;

    if (size == 0)
        return 0;
    enum head_result result = find_end(bytes, &head, &why);
    check_in_pieces(bytes, result, head);
    if (result != HEAD_OK) {
        CHECK(result == HEAD_MORE || why != NULL);
        return 0;
    }
    char *exact = copy_of(head);
    if (data[0] & 1)
        read_response((struct text){ exact, head.len }, (data[0] & 2) != 0);
    else
        read_request((struct text){ exact, head.len });
    free(exact);
    return 0;
}

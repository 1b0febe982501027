/* Responses on their way to the client. Requests are in test_identity.c. */
#include "tests/unit/stories.h"

#include <stdio.h>

#include "proxy/forward.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

enum { TO_HEAD = 1, CLOSE = 2, TO_1_0 = 4 };

static struct story {
    const char *name;
    unsigned how;         /* TO_HEAD, CLOSE, TO_1_0 */
    struct framing goes;  /* how the body goes on */
    const char *response; /* status line without version, and header lines */
    const char *want;     /* the same, as it leaves */
} stories_of_responses[] = {
    /* lengths */
    { "a length",
      0,
      { FRAMING_LENGTH, 5 },
      "200 OK\r\nDate: d\r\nContent-Length: 5\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 5\r\n" },
    { "a length is written anew",
      0,
      { FRAMING_LENGTH, 5 },
      "200 OK\r\ncontent-length: 0005\r\nDate: d\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 5\r\n" },
    { "length 0",
      0,
      { FRAMING_NONE, 0 },
      "200 OK\r\nDate: d\r\nContent-Length: 0\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 0\r\n" },
    { "chunks to 1.1",
      0,
      { FRAMING_CHUNKED, 0 },
      "200 OK\r\nDate: d\r\ntransfer-encoding: Chunked\r\n",
      "200 OK\r\nDate: d\r\nTransfer-Encoding: chunked\r\n" },
    { "until close becomes chunks to 1.1",
      0,
      { FRAMING_CHUNKED, 0 },
      "200 OK\r\nDate: d\r\n",
      "200 OK\r\nDate: d\r\nTransfer-Encoding: chunked\r\n" },
    { "chunks become until close to 1.0",
      CLOSE | TO_1_0,
      { FRAMING_UNTIL_CLOSE, 0 },
      "200 OK\r\nDate: d\r\nTransfer-Encoding: chunked\r\n",
      "200 OK\r\nDate: d\r\nConnection: close\r\n" },
    { "a length to 1.0",
      TO_1_0,
      { FRAMING_LENGTH, 5 },
      "200 OK\r\nDate: d\r\nContent-Length: 5\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 5\r\nConnection: keep-alive\r\n" },
    { "204 says no length",
      0,
      { FRAMING_NONE, 0 },
      "204 No Content\r\nDate: d\r\n",
      "204 No Content\r\nDate: d\r\n" },
    { "204 loses the length that it must not have",
      0,
      { FRAMING_NONE, 5 },
      "204 No Content\r\nDate: d\r\nContent-Length: 5\r\n",
      "204 No Content\r\nDate: d\r\n" },
    { "204 loses the coding that it must not have",
      0,
      { FRAMING_NONE, 0 },
      "204 No Content\r\nDate: d\r\nTransfer-Encoding: chunked\r\n",
      "204 No Content\r\nDate: d\r\n" },
    { "304 without a length",
      0,
      { FRAMING_NONE, 0 },
      "304 x\r\nDate: d\r\nETag: \"a\"\r\n",
      "304 x\r\nDate: d\r\nETag: \"a\"\r\n" },
    { "304 keeps the length that it would have",
      0,
      { FRAMING_NONE, 40 },
      "304 x\r\nDate: d\r\nContent-Length: 40\r\n",
      "304 x\r\nDate: d\r\nContent-Length: 40\r\n" },
    { "304 with chunks says nothing",
      0,
      { FRAMING_NONE, 0 },
      "304 x\r\nDate: d\r\nTransfer-Encoding: chunked\r\n",
      "304 x\r\nDate: d\r\n" },
    { "to HEAD with a length",
      TO_HEAD,
      { FRAMING_NONE, 9 },
      "200 OK\r\nDate: d\r\nContent-Length: 9\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 9\r\n" },
    { "to HEAD with length 0",
      TO_HEAD,
      { FRAMING_NONE, 0 },
      "200 OK\r\nDate: d\r\nContent-Length: 0\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 0\r\n" },
    { "to HEAD without a length",
      TO_HEAD,
      { FRAMING_NONE, 0 },
      "200 OK\r\nDate: d\r\n",
      "200 OK\r\nDate: d\r\n" },
    { "to HEAD with chunks",
      TO_HEAD,
      { FRAMING_NONE, 0 },
      "200 OK\r\nDate: d\r\nTransfer-Encoding: chunked\r\n",
      "200 OK\r\nDate: d\r\n" },
    { "204 to HEAD",
      TO_HEAD,
      { FRAMING_NONE, 5 },
      "204 x\r\nDate: d\r\nContent-Length: 5\r\n",
      "204 x\r\nDate: d\r\n" },
    { "a length over 4 GiB",
      0,
      { FRAMING_LENGTH, 4294967301 },
      "200 OK\r\nDate: d\r\nContent-Length: 4294967301\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 4294967301\r\n" },
    /* the start line */
    { "an empty reason",
      0,
      { FRAMING_NONE, 0 },
      "200 \r\nDate: d\r\n",
      "200 \r\nDate: d\r\nContent-Length: 0\r\n" },
    { "no reason at all",
      0,
      { FRAMING_NONE, 0 },
      "200\r\nDate: d\r\n",
      "200 \r\nDate: d\r\nContent-Length: 0\r\n" },
    { "a reason in another script",
      0,
      { FRAMING_NONE, 0 },
      "404 N\xc3\xa3o\r\nDate: d\r\n",
      "404 N\xc3\xa3o\r\nDate: d\r\nContent-Length: 0\r\n" },
    /* Date */
    { "a Date is added",
      0,
      { FRAMING_NONE, 0 },
      "200 OK\r\n",
      "200 OK\r\nDate: " DATE "\r\nContent-Length: 0\r\n" },
    { "a Date in another case is one",
      0,
      { FRAMING_NONE, 0 },
      "200 OK\r\ndate: d\r\n",
      "200 OK\r\ndate: d\r\nContent-Length: 0\r\n" },
    { "100 gets no Date and no length",
      0,
      { FRAMING_NONE, 0 },
      "100 Continue\r\n",
      "100 Continue\r\n" },
    { "103 keeps its links",
      0,
      { FRAMING_NONE, 0 },
      "103 Early Hints\r\nLink: </a>\r\n",
      "103 Early Hints\r\nLink: </a>\r\n" },
    { "an interim response says nothing of the connection",
      CLOSE,
      { FRAMING_NONE, 0 },
      "100 Continue\r\nConnection: close\r\n",
      "100 Continue\r\n" },
    { "an interim response has no length",
      0,
      { FRAMING_NONE, 0 },
      "102 Processing\r\nContent-Length: 5\r\n",
      "102 Processing\r\n" },
    /* Connection */
    { "the origin's close is not ours",
      0,
      { FRAMING_NONE, 0 },
      "200 OK\r\nDate: d\r\nConnection: close\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 0\r\n" },
    { "our close",
      CLOSE,
      { FRAMING_NONE, 0 },
      "200 OK\r\nDate: d\r\nConnection: keep-alive\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 0\r\nConnection: close\r\n" },
    { "a 1.0 client hears that it may stay",
      TO_1_0,
      { FRAMING_NONE, 0 },
      "200 OK\r\nDate: d\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 0\r\nConnection: keep-alive\r\n" },
    { "a 1.0 client hears that it may not",
      CLOSE | TO_1_0,
      { FRAMING_NONE, 0 },
      "200 OK\r\nDate: d\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 0\r\nConnection: close\r\n" },
    /* headers */
    { "order and spelling are kept",
      0,
      { FRAMING_NONE, 0 },
      "200 OK\r\nx-B: 1\r\nDATE: d\r\nX-a:2\r\nx-B:  3 \r\n",
      "200 OK\r\nx-B: 1\r\nDATE: d\r\nX-a: 2\r\nx-B: 3\r\nContent-Length: 0\r\n" },
    { "every Set-Cookie, in order",
      0,
      { FRAMING_NONE, 0 },
      "200 OK\r\nSet-Cookie: b=1; Path=/\r\nDate: d\r\nset-cookie: a=2\r\nSet-Cookie: b=3\r\n",
      "200 OK\r\nSet-Cookie: b=1; Path=/\r\nDate: d\r\nset-cookie: a=2\r\nSet-Cookie: b=3\r\n"
      "Content-Length: 0\r\n" },
    { "hop by hop goes no further",
      0,
      { FRAMING_NONE, 0 },
      "200 OK\r\nDate: d\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nUpgrade: h2\r\n"
      "Trailer: X\r\nTE: a\r\nProxy-Authorization: x\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 0\r\n" },
    { "what Connection names goes no further",
      0,
      { FRAMING_NONE, 0 },
      "200 OK\r\nDate: d\r\nConnection: X-A, x-c\r\nX-a: 1\r\nX-B: 2\r\nX-C: 3\r\n",
      "200 OK\r\nDate: d\r\nX-B: 2\r\nContent-Length: 0\r\n" },
    { "Connection cannot name the length away",
      0,
      { FRAMING_LENGTH, 3 },
      "200 OK\r\nDate: d\r\nConnection: content-length\r\nContent-Length: 3\r\n",
      "200 OK\r\nDate: d\r\nContent-Length: 3\r\n" },
    { "Proxy-Authenticate is the origin's own",
      0,
      { FRAMING_NONE, 0 },
      "407 x\r\nDate: d\r\nProxy-Authenticate: Basic\r\n",
      "407 x\r\nDate: d\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n" },
    { "nothing names us",
      0,
      { FRAMING_NONE, 0 },
      "200 OK\r\nDate: d\r\nServer: s\r\nVia: 1.1 a\r\n",
      "200 OK\r\nDate: d\r\nServer: s\r\nVia: 1.1 a\r\nContent-Length: 0\r\n" },
    { "an encoding of the content stays",
      0,
      { FRAMING_LENGTH, 3 },
      "200 OK\r\nDate: d\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n",
      "200 OK\r\nDate: d\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n" },
};

static void read_response(const char *lines, struct head *head)
{
    static char bytes[1024];
    const char *why = "";
    int n = snprintf(bytes, sizeof(bytes), "HTTP/1.1 %s\r\n", lines);

    assert_int_equal(head_parse_response((struct text){ bytes, (size_t)n }, head, &why), HEAD_OK);
}

static void test_response(void **state)
{
    const struct story *row = *state;
    struct to_client to = { .minor = row->how & TO_1_0 ? 0 : 1,
                            .framing = row->goes,
                            .to_head = (row->how & TO_HEAD) != 0,
                            .close = (row->how & CLOSE) != 0,
                            .date = TEXT(DATE) };
    struct buffer out;
    struct head head;
    char want[1024], got[1024];

    read_response(row->response, &head);
    buffer_init(&out, LIMIT_HEAD_BYTES);
    forward_response(&out, &head, &to);
    snprintf(want, sizeof(want), "HTTP/1.1 %s\r\n", row->want);
    snprintf(got, sizeof(got), TEXT_FMT, TEXT_ARG(buffer_waiting(&out)));
    buffer_fini(&out);
    assert_string_equal(got, want);
}

/* What leaves is read again as what was meant, by the same strict reader. */
static void test_read_again(void **state)
{
    const struct story *row = *state;
    struct to_client to = { .minor = row->how & TO_1_0 ? 0 : 1,
                            .framing = row->goes,
                            .to_head = (row->how & TO_HEAD) != 0,
                            .close = (row->how & CLOSE) != 0,
                            .date = TEXT(DATE) };
    struct framing framing;
    struct buffer out;
    struct head head, again;
    const char *why = "";

    read_response(row->response, &head);
    buffer_init(&out, LIMIT_HEAD_BYTES);
    forward_response(&out, &head, &to);
    assert_int_equal(head_parse_response(buffer_waiting(&out), &again, &why), HEAD_OK);
    assert_int_equal(again.status, head.status);
    if (head.status >= 200) {
        assert_int_equal(framing_of_response(&again, to.to_head, &framing, &why), FRAMING_OK);
        assert_int_equal(framing.kind, row->goes.kind);
        assert_int_equal(again.keep_alive, !to.close);
    }
    buffer_fini(&out);
}

/* ---- the request's start line and Host ---- */

static struct start {
    const char *name;
    struct destination destination;
    const char *method;
    const char *want;
} starts[] = {
    { "the default port is not said",
      { .scheme = SCHEME_HTTPS, .port = 443, .host = "a.test", .path = TEXT_INIT("/x") },
      "GET",
      "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n" },
    { "another port is said",
      { .scheme = SCHEME_HTTPS, .port = 8443, .host = "a.test", .path = TEXT_INIT("/") },
      "GET",
      "GET / HTTP/1.1\r\nHost: a.test:8443\r\n\r\n" },
    { "port 80 over TLS is said",
      { .scheme = SCHEME_HTTPS, .port = 80, .host = "a.test", .path = TEXT_INIT("/") },
      "GET",
      "GET / HTTP/1.1\r\nHost: a.test:80\r\n\r\n" },
    { "port 80 in plaintext is not",
      { .scheme = SCHEME_HTTP, .port = 80, .host = "a.test", .path = TEXT_INIT("/") },
      "GET",
      "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n" },
    { "a query",
      { .scheme = SCHEME_HTTPS,
        .port = 443,
        .host = "a.test",
        .path = TEXT_INIT("/x"),
        .query = TEXT_INIT("a=1&b=%20") },
      "GET",
      "GET /x?a=1&b=%20 HTTP/1.1\r\nHost: a.test\r\n\r\n" },
    { "an empty query",
      { .scheme = SCHEME_HTTPS,
        .port = 443,
        .host = "a.test",
        .path = TEXT_INIT("/x"),
        .query = TEXT_INIT("") },
      "GET",
      "GET /x? HTTP/1.1\r\nHost: a.test\r\n\r\n" },
    { "a method of its own case",
      { .scheme = SCHEME_HTTPS, .port = 443, .host = "a.test", .path = TEXT_INIT("/x") },
      "m-search",
      "m-search /x HTTP/1.1\r\nHost: a.test\r\n\r\n" },
    { "an IPv6 address",
      { .scheme = SCHEME_HTTPS,
        .port = 443,
        .host = "2001:db8::1",
        .host_is_address = true,
        .path = TEXT_INIT("/x") },
      "GET",
      "GET /x HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n" },
};

static void test_start(void **state)
{
    const struct start *row = *state;
    struct destination destination = row->destination;
    struct identity identity = { .kind = IDENTITY_NONE };
    struct token_places places = { .n = 0 };
    struct buffer out;
    struct head head;
    const char *why = "";
    char bytes[128], got[256];
    int n = snprintf(bytes, sizeof(bytes), "%s http://b.test:1/y HTTP/1.0\r\nHost: c\r\n\r\n",
                     row->method);

    destination.host_len = (uint16_t)strlen(destination.host);
    assert_int_equal(head_parse_request((struct text){ bytes, (size_t)n }, &head, &why), HEAD_OK);
    buffer_init(&out, LIMIT_HEAD_BYTES);
    forward_request(&out, &head, &destination, &identity, TEXT_NONE,
                    (struct framing){ FRAMING_NONE, 0 }, (struct forward_extras){ 0 }, &places);
    snprintf(got, sizeof(got), TEXT_FMT, TEXT_ARG(buffer_waiting(&out)));
    buffer_fini(&out);
    assert_string_equal(got, row->want);
}

/* ---- a trace ---- */

static struct trace_row {
    const char *name, *headers;
    bool made;
    const char *want;
} traces[] = {
    { "as it came", "traceparent: 00-A\r\nTraceState: b=c\r\n", false,
      "traceparent: 00-A\r\nTraceState: b=c\r\n" },
    { "none, and none is made", "", false, "" },
    { "none, and one is made", "", true, "traceparent: OURS\r\n" },
    { "ours instead", "X: 1\r\nTraceparent: 00-A\r\nY: 2\r\n", true,
      "X: 1\r\nY: 2\r\ntraceparent: OURS\r\n" },
    { "instead of all of them", "traceparent: a\r\ntraceparent: b\r\n", true,
      "traceparent: OURS\r\n" },
    { "a state without its parent goes", "tracestate: b=c\r\nX: 1\r\n", true,
      "X: 1\r\ntraceparent: OURS\r\n" },
};

static void test_trace(void **state)
{
    const struct trace_row *row = *state;
    struct destination destination = {
        .scheme = SCHEME_HTTPS, .port = 443, .host = "a.test", .host_len = 6, .path = TEXT("/")
    };
    struct identity identity = { .kind = IDENTITY_NONE };
    struct token_places places = { .n = 0 };
    struct buffer out;
    struct head head;
    const char *why = "";
    char bytes[256], want[256], got[256];
    int n =
        snprintf(bytes, sizeof(bytes), "GET / HTTP/1.1\r\nHost: a.test\r\n%s\r\n", row->headers);

    assert_int_equal(head_parse_request((struct text){ bytes, (size_t)n }, &head, &why), HEAD_OK);
    buffer_init(&out, LIMIT_HEAD_BYTES);
    forward_request(
        &out, &head, &destination, &identity, TEXT_NONE, (struct framing){ FRAMING_NONE, 0 },
        (struct forward_extras){ .traceparent = row->made ? TEXT("OURS") : TEXT_NONE }, &places);
    snprintf(want, sizeof(want), "GET / HTTP/1.1\r\nHost: a.test\r\n%s\r\n", row->want);
    snprintf(got, sizeof(got), TEXT_FMT, TEXT_ARG(buffer_waiting(&out)));
    buffer_fini(&out);
    assert_string_equal(got, want);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, stories_of_responses, test_response);
    STORIES_ADD(&stories, stories_of_responses, test_read_again);
    STORIES_ADD(&stories, starts, test_start);
    STORIES_ADD(&stories, traces, test_trace);
    return stories_run("forward", &stories);
}

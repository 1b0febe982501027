/* Origins that are not there, are not who they should be, are too slow, or do not speak HTTP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST "Host: any.partner.example\r\n"
#define GET  "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct world world;

/* ---- worlds of their own
 * --------------------------------------------------------------------------- */

static struct elsewhere {
    const char *name;
    struct plan plan;
    const char *request;
    bool shakes_hands; /* in vain */
    unsigned status;
    const char *code, *says, *error;
} elsewheres[] = {
    { "a certificate of an unknown authority",
      { .certificate = CERTIFICATE_STRANGER },
      GET,
      true,
      502,
      "OriginCertificate",
      "unable to get local issuer certificate",
      "tls_certificate_error" },
    { "a certificate for another name",
      { .certificate = CERTIFICATE_OTHER_NAME },
      GET,
      true,
      502,
      "OriginCertificate",
      "hostname mismatch",
      "tls_certificate_error" },
    { "a certificate for another address",
      { .certificate = CERTIFICATE_OTHER_NAME, .policies = "127.0.0.2\t*" },
      "GET https://127.0.0.2/ HTTP/1.1\r\nHost: 127.0.0.2\r\n\r\n",
      true,
      502,
      "OriginCertificate",
      "IP address mismatch",
      "tls_certificate_error" },
    { "a certificate of yesterday",
      { .certificate = CERTIFICATE_EXPIRED },
      GET,
      true,
      502,
      "OriginCertificate",
      "expired",
      "tls_certificate_error" },
    { "nobody listens",
      { .other_port = true },
      GET,
      false,
      502,
      "OriginUnreachable",
      "refused",
      "connection_refused" },
    { "nobody answers the handshake",
      { .options = { "--connect-timeout", "300ms" } },
      GET,
      false,
      504,
      "ProxyTimeout",
      "handshake took too long",
      "connection_timeout" },
};

static void fails_elsewhere(void **state)
{
    struct elsewhere *story = *state;
    struct world own;
    char error[64];

    world_open(&own, &story->plan);
    struct client *client = world_client(&own);
    client_say(client, story->request);
    if (story->shakes_hands)
        origin_accept_failing(own.origin);
    const struct response *response = client_response(client);
    expect_answer(response, story->status, story->code, story->says);
    snprintf(error, sizeof(error), "janus-sidecar; error=%s", story->error);
    expect_header(response, "Proxy-Status", error);
    expect_header(response, "Connection", NULL);
    world_close(&own);
}

static void not_tls(void **state)
{
    static const struct plan plan = { .plain = true };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_bytes(conn, 5); /* of a ClientHello */
    origin_say(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    expect_answer(client_response(client), 502, "OriginCertificate", "No TLS connection");
    world_close(&own);
}

static void plaintext_host(void **state)
{
    static const struct plan plan = { .plain = true,
                                      .options = { "--plaintext-host", "any.partner.example" } };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(own.origin);
    assert_string_equal(origin_head(conn), GET);
    origin_say(conn, "HTTP/1.1 200 OK\r\n\r\nbye");
    origin_close(conn); /* a FIN is all that such an origin can say */
    expect_body(client_response(client), "bye");
    world_close(&own);
}

/* A resolver that answers "no" and one that does not answer are both possible where tests run. */
static void unresolvable(void **state)
{
    static const struct plan plan = {
        .policies = "*\t*",
        .options = { "--connect-timeout", "500ms", "--connect-to",
                     "any.partner.example:443:nowhere.invalid:443" },
    };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    client_say(client, GET);
    const struct response *response = client_response(client);
    if (response->status == 504)
        expect_answer(response, 504, "ProxyTimeout", "");
    else
        expect_answer(response, 502, "OriginUnreachable", "resolved");
    world_close(&own);
}

static void response_timeout(void **state)
{
    static const struct plan plan = { .options = { "--response-timeout", "300ms" } };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    long long before = now_ms();
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    const struct response *response = client_response(client);
    expect_answer(response, 504, "ProxyTimeout", "in time");
    expect_header(response, "Proxy-Status", "janus-sidecar; error=http_response_timeout");
    assert_true(now_ms() - before >= 290);
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    world_close(&own);
}

/* The client does what it was told to do: it waits. */
static void no_continue(void **state)
{
    static const struct plan plan = { .options = { "--idle-timeout", "300ms", "--response-timeout",
                                                   "300ms" } };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    client_say(client,
               "POST /a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    expect_answer(client_response(client), 504, "ProxyTimeout", "in time");
    assert_int_equal(client_end(client), ENDING_CLEAN);
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    world_close(&own);
}

static void stalled_body(void **state)
{
    static const struct plan plan = { .options = { "--idle-timeout", "300ms" } };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    assert_false(client_response(client)->complete);
    assert_int_equal(client_end(client), ENDING_CLEAN);
    origin_await_end(conn);
    process_await_line(own.sidecar, "outcome=http_response_timeout");
    world_close(&own);
}

/* ---- what is not HTTP
 * ------------------------------------------------------------------------------ */

static struct garbage {
    const char *name, *response;
    void (*leave)(struct origin_conn *conn); /* NULL: stays */
    const char *says;
} garbage[] = {
    { "noise", "\x01\x02\x03 what?\r\n\r\n", NULL, "" },
    { "another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", NULL, "status line" },
    { "HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", NULL, "status line" },
    { "HTTP/0.9", "<html>hello</html>\r\n\r\n", NULL, "" },
    { "a request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", NULL, "status line" },
    { "a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", NULL, "status" },
    { "a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", NULL, "status" },
    { "status 600", "HTTP/1.1 600 OK\r\n\r\n", NULL, "status" },
    { "an empty line before", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL,
      "empty line" },
    { "a bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", NULL, "bare LF" },
    { "a folded header", "HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length: 0\r\n\r\n", NULL,
      "folded" },
    { "a blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", NULL,
      "header name" },
    { "a control byte in a value", "HTTP/1.1 200 OK\r\nX: \x01\r\nContent-Length: 0\r\n\r\n", NULL,
      "control" },
    { "length and coding",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", NULL,
      "contradict" },
    { "two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", NULL,
      "more than once" },
    { "a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", NULL, "decimal" },
    { "a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", NULL, "decimal" },
    { "a huge length", "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\nok", NULL,
      "decimal" },
    { "an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", NULL,
      "chunked" },
    { "chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
      NULL, "chunked" },
    { "a coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      NULL, "HTTP/1.0" },
    { "101 that nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", NULL,
      "switches protocols" },
    { "gone before it answers", "", origin_close, "before its response was complete" },
    { "cut before it answers", "", origin_cut, "before its response was complete" },
    { "reset before it answers", "", origin_reset, "before its response was complete" },
    { "gone within its head", "HTTP/1.1 200 OK\r\nContent-Le", origin_close,
      "before its response was complete" },
    { "gone between head and empty line", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", origin_close,
      "before its response was complete" },
};

/* The client is told, its connection stays usable, and the origin's is not used again. */
static void garbage_is_told(void **state)
{
    const struct garbage *story = *state;
    struct client *client = world_client(&world);

    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, story->response);
    if (story->leave)
        story->leave(conn);
    const struct response *response = client_response(client);
    expect_answer(response, 502, "OriginProtocol", story->says);
    expect_header(response, "Connection", NULL);
    if (!story->leave)
        origin_await_end(conn);
    client_say(client, GET);
    conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

static void huge_head(void **state)
{
    struct client *client = world_client(&world);
    struct bytes head = { 0 };

    (void)state;
    bytes_print(&head, "HTTP/1.1 200 OK\r\nX: %070000d\r\n\r\n", 7);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, head.at);
    bytes_free(&head);
    expect_answer(client_response(client), 502, "OriginProtocol", "64 KiB");
}

static void large_head(void **state)
{
    struct client *client = world_client(&world);
    struct bytes head = { 0 };

    (void)state;
    bytes_print(&head, "HTTP/1.1 200 OK\r\nX: %060000d\r\nContent-Length: 2\r\n\r\nok", 7);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, head.at);
    bytes_free(&head);
    const struct response *response = client_response(client);
    expect_body(response, "ok");
    assert_true(strlen(response->head) > 60000);
}

static void endless_interim(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    for (int i = 0; i < 33; i++)
        origin_say(conn, "HTTP/1.1 103 Early Hints\r\n\r\n");
    for (int i = 0; i < 32; i++)
        expect_status(client_response(client), 103);
    expect_answer(client_response(client), 502, "OriginProtocol", "too many interim");
}

static struct bad_chunk {
    const char *name, *body;
} bad_chunks[] = {
    { "a size that is none", "zz\r\nhello\r\n0\r\n\r\n" },
    { "a negative size", "-5\r\nhello\r\n0\r\n\r\n" },
    { "a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n" },
    { "a huge size", "ffffffffffffffffff\r\nhello\r\n0\r\n\r\n" },
    { "content longer than its size", "5\r\nhello!\r\n0\r\n\r\n" },
    { "a bare LF", "5\nhello\r\n0\r\n\r\n" },
    { "a broken trailer", "0\r\nnot a field\r\n\r\n" },
};

static void bad_chunk_cuts(void **state)
{
    const struct bad_chunk *story = *state;
    struct client *client = world_client(&world);

    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
    client_head(client);
    assert_string_equal(client_bytes(client, 7), "2\r\nhi\r\n");
    origin_say(conn, story->body);
    assert_false(client_rest(client)->complete);
    assert_int_equal(client_end(client), ENDING_CLEAN);
    origin_await_end(conn);
}

static struct single singles[] = {
    { "an origin without TLS", not_tls },
    { "an origin without TLS, as asked for", plaintext_host },
    { "a name that nobody knows", unresolvable },
    { "no answer in time", response_timeout },
    { "neither 100 nor an answer in time", no_continue },
    { "a body that stands still", stalled_body },
    { "a head of 70 kB", huge_head },
    { "a head of 60 kB", large_head },
    { "interim responses without end", endless_interim },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, elsewheres, fails_elsewhere);
    STORIES_ADD(&stories, garbage, garbage_is_told);
    STORIES_ADD(&stories, bad_chunks, bad_chunk_cuts);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("origin", &stories, &world, NULL);
}

/* Bodies both ways: every framing, early and interim responses. Bytes are carried on as they come,
 * and what is cut is seen to be cut. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_world.h"

#define HOST "Host: any.partner.example\r\n"
#define GET  "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct world world;

/* ---- requests with a body
 * -------------------------------------------------------------------------- */

static struct sent {
    const char *name, *request, *want_framing;
    bool chunked;
    const char *want_body;
} sent[] = {
    { "POST with a length", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
      "Content-Length: 5\r\n\r\n", false, "hello" },
    { "GET with a body", "GET /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
      "Content-Length: 5\r\n\r\n", false, "hello" },
    { "DELETE with a body", "DELETE /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
      "Content-Length: 5\r\n\r\n", false, "hello" },
    { "OPTIONS with a body", "OPTIONS /a HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}",
      "Content-Length: 2\r\n\r\n", false, "{}" },
    { "a length with zeros before it",
      "PUT /a HTTP/1.1\r\n" HOST "Content-Length: 0005\r\n\r\nhello", "Content-Length: 5\r\n\r\n",
      false, "hello" },
    { "chunked is coded anew, extensions and trailers are dropped",
      "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
      "3;a=b\r\nhel\r\n2 ; c=\"d\"\r\nlo\r\n0;e\r\nX: 1\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n", true, "hello" },
    { "chunked with nothing in it",
      "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n", true, "" },
    { "Chunked in capitals, sizes with zeros",
      "GET /a HTTP/1.1\r\n" HOST "Transfer-Encoding: CHUNKED\r\n\r\n00005\r\nhello\r\n000\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n", true, "hello" },
    { "a request as a body stays a body",
      "POST /a HTTP/1.1\r\n" HOST "Content-Length: 26\r\n\r\nGET /evil HTTP/1.1\r\nX: y\r\n",
      "Content-Length: 26\r\n\r\n", false, "GET /evil HTTP/1.1\r\nX: y\r\n" },
};

static void sent_as(void **state)
{
    const struct sent *story = *state;
    struct client *client = world_client(&world);

    client_say(client, story->request);
    struct origin_conn *conn = origin_accept(world.origin);
    const char *head = origin_head(conn);
    if (strlen(head) < strlen(story->want_framing) ||
        strcmp(head + strlen(head) - strlen(story->want_framing), story->want_framing) != 0)
        fail_msg("\"%s\" was expected:\n%s", story->want_framing, head);
    assert_string_equal(story->chunked ? origin_chunked(conn, NULL)
                                       : origin_bytes(conn, strlen(story->want_body)),
                        story->want_body);
    assert_int_equal(origin_unread(conn), 0);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

static void upload_in_pieces(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn); /* it does not wait for the body */
    client_say(client, "01234");
    assert_string_equal(origin_bytes(conn, 5), "01234");
    client_say(client, "56789");
    assert_string_equal(origin_bytes(conn, 5), "56789");
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

static void broken_upload(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client,
               "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    assert_string_equal(origin_bytes(conn, 8), "3\r\nabc\r\n");
    client_say(client, "zz\r\nabc\r\n0\r\n\r\n");
    expect_status(client_response(client), 400);
    assert_int_equal(client_end(client), ENDING_CLEAN);
    origin_await_end(conn); /* and the origin does not take three bytes for the whole */
    assert_int_equal(origin_unread(conn), 0);
}

/* ---- responses
 * ------------------------------------------------------------------------------------- */

static struct answered {
    const char *name, *request, *response;
    unsigned want_status;
    const char *want_framing, *want_value, *want_body;
} answered[] = {
    { "a length", GET, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "Content-Length",
      "5", "hello" },
    { "a length of nothing", GET, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200,
      "Content-Length", "0", "" },
    { "chunked is coded anew, extensions and trailers are dropped", GET,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
      "3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX: 1\r\n\r\n",
      200, "Transfer-Encoding", "chunked", "hello" },
    { "chunked with nothing in it", GET,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "Transfer-Encoding",
      "chunked", "" },
    { "HEAD keeps the length and has no body", "HEAD /a HTTP/1.1\r\n" HOST "\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 200, "Content-Length", "1000", "" },
    { "HEAD of a chunked response", "HEAD /a HTTP/1.1\r\n" HOST "\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "Content-Length", NULL, "" },
    { "204", "DELETE /a HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 204 No Content\r\n\r\n", 204,
      "Content-Length", NULL, "" },
    { "304 keeps the length and has no body",
      "GET /a HTTP/1.1\r\n" HOST "If-None-Match: \"x\"\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: \"x\"\r\n\r\n", 304,
      "Content-Length", "1000", "" },
    { "304 without a length", GET, "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", 304, "ETag",
      "\"x\"", "" },
    { "a reason of its own", GET, "HTTP/1.1 418 I'm a \xc3\xa9 teapot\r\nContent-Length: 0\r\n\r\n",
      418, "Content-Length", "0", "" },
    { "no reason", GET, "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, "Content-Length", "0",
      "" },
    { "500 passes as it is", GET,
      "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nouch", 500, "Content-Length",
      "4", "ouch" },
    { "a cookie stays", GET,
      "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n",
      200, "Set-Cookie", "a=b; Path=/", "" },
    { "a redirect is left alone", GET,
      "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.test/x\r\nContent-Length: 0\r\n\r\n", 302,
      "Location", "https://elsewhere.test/x", "" },
    { "what is for one hop stays here", GET,
      "HTTP/1.1 200 OK\r\nConnection: X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\n"
      "Content-Length: 0\r\n\r\n",
      200, "X-Private", NULL, "" },
};

/* Each is asked for twice on one connection: whoever miscounts a body cannot answer the second. */
static void answered_as(void **state)
{
    const struct answered *story = *state;
    bool to_head = strncmp(story->request, "HEAD", 4) == 0;
    struct client *client = world_client(&world);
    struct origin_conn *conn = NULL;

    for (int i = 0; i < 2; i++) {
        client_say(client, story->request);
        conn = conn ? conn : origin_accept(world.origin);
        origin_head(conn);
        origin_say(conn, story->response);
        const struct response *response =
            to_head ? client_response_to_head(client) : client_response(client);
        expect_status(response, story->want_status);
        expect_header(response, story->want_framing, story->want_value);
        expect_body(response, story->want_body);
        expect_header(response, "Connection", NULL);
    }
}

static void until_close(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\n\r\nhel");
    client_head(client); /* at once */
    origin_say(conn, "lo");
    origin_close(conn);
    const struct response *response = client_rest(client);
    expect_header(response, "Transfer-Encoding", "chunked");
    expect_body(response, "hello");
    client_say(client, GET); /* chunked, so the client's connection lives on */
    conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

/* The ends that must not look like one: the origin's body is shorter than it said. The framing shows
 * it, so the client's connection ends without a reset, which could take away what came before. */
static struct cut {
    const char *name, *response;
    void (*leave)(struct origin_conn *conn);
} cuts[] = {
    { "until close, without close_notify", "HTTP/1.1 200 OK\r\n\r\nhello", origin_cut },
    { "until close, reset", "HTTP/1.1 200 OK\r\n\r\nhello", origin_reset },
    { "a length, closed", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", origin_close },
    { "a length, cut", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", origin_cut },
    { "chunked, closed within a chunk",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello", origin_close },
    { "chunked, closed between two",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", origin_close },
    { "chunked, closed before the last line's end",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", origin_close },
};

static void cut_is_seen(void **state)
{
    const struct cut *story = *state;
    struct client *client = world_client(&world);

    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, story->response);
    client_head(client);
    story->leave(conn);
    assert_false(client_rest(client)->complete);
    assert_int_equal(client_end(client), ENDING_CLEAN);
}

/* ---- interim and early responses
 * ------------------------------------------------------------------- */

static void early_hints(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    const struct response *response = client_response(client);
    expect_status(response, 103);
    expect_header(response, "Link", "</x>");
    expect_header(response, "Content-Length", NULL);
    origin_say(conn, "HTTP/1.1 102 Processing\r\n\r\n" OK);
    expect_status(client_response(client), 102);
    expect_body(client_response(client), "ok");
}

static void expect_continue(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client,
               "POST /a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    char *expect = head_field(origin_head(conn), "Expect");
    assert_string_equal(expect, "100-continue");
    free(expect);
    origin_say(conn, "HTTP/1.1 100 Continue\r\n\r\n");
    expect_status(client_response(client), 100);
    client_say(client, "hello");
    assert_string_equal(origin_bytes(conn, 5), "hello");
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

static void expectation_failed(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client,
               "POST /a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    const struct response *response = client_response(client);
    expect_status(response, 417);
    expect_header(response, "Connection", "close"); /* nobody knows whether a body will come */
    assert_int_equal(client_end(client), ENDING_CLEAN);
    origin_await_end(conn);
}

static void interim_for_1_0(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "GET /a HTTP/1.0\r\n" HOST "\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 103 Early Hints\r\n\r\n" OK);
    expect_status(client_response(client), 200);
    assert_int_equal(client_end(client), ENDING_CLEAN);
}

static void early_response(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n01234");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    assert_string_equal(origin_bytes(conn, 5), "01234");
    origin_say(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!");
    const struct response *response = client_response(client);
    expect_status(response, 413);
    expect_body(response, "no!");
    expect_header(response, "Connection", "close");
    client_say(client, "56789"); /* who did not hear it yet goes on sending, and is not reset */
    assert_int_equal(client_end(client), ENDING_CLEAN);
    origin_await_end(conn); /* half a request: not to be used again */
}

/* The origin refuses a large upload and leaves: its answer must get through all the same. */
static void early_response_and_gone(void **state)
{
    static char piece[64 * 1024];
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 100000000\r\n\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    while (client_offer(client, piece, sizeof(piece)) > 0)
        ; /* everything on the way is full */
    origin_say(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!");
    const struct response *response = client_response(client);
    expect_status(response, 413);
    expect_body(response, "no!");
    origin_close(conn);
}

static void early_response_goes_on(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nab");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    assert_string_equal(origin_bytes(conn, 2), "ab");
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nAB"); /* an echo */
    client_head(client);
    assert_string_equal(client_bytes(client, 2), "AB");
    client_say(client, "cd");
    assert_string_equal(origin_bytes(conn, 2), "cd");
    origin_say(conn, "CD");
    assert_string_equal(client_bytes(client, 2), "CD");
}

static struct single singles[] = {
    { "an upload in pieces is passed on in pieces", upload_in_pieces },
    { "an upload whose coding breaks is not passed on as whole", broken_upload },
    { "until close, clean", until_close },
    { "103 and 102 go through before the answer", early_hints },
    { "100 goes through, and then the body", expect_continue },
    { "417 instead of 100 ends the connection", expectation_failed },
    { "an HTTP/1.0 client sees no interim response", interim_for_1_0 },
    { "an answer before the upload has ended", early_response },
    { "an answer while the upload is stuck, and the origin leaves", early_response_and_gone },
    { "an answer that goes on with the upload", early_response_goes_on },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, sent, sent_as);
    STORIES_ADD(&stories, answered, answered_as);
    STORIES_ADD(&stories, cuts, cut_is_seen);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("streaming", &stories, &world, NULL);
}

/* Clients in their ways: those that leave, those that do not wait for an answer, HTTP/1.0. */
#include <stdio.h>
#include <string.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST "Host: any.partner.example\r\n"
#define GET  "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct world world;

/* ---- clients that leave
 * ---------------------------------------------------------------------------- */

static struct leaver {
    const char *name, *request, *response;
    bool reset;
} leavers[] = {
    { "before the answer", GET, NULL, false },
    { "before the answer, by a reset", GET, NULL, true },
    { "in the middle of the answer", GET,
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly the beginning", false },
    { "in the middle of the answer, by a reset", GET,
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly the beginning", true },
    { "in the middle of the request", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n01234",
      NULL, false },
    { "in the middle of the request, by a reset",
      "POST /a HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n01234", NULL, true },
    { "with the next request on its way", GET GET, NULL, false },
};

static void leaver_is_noticed(void **state)
{
    const struct leaver *story = *state;
    struct client *client = world_client(&world);

    client_say(client, story->request);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    if (story->response) {
        origin_say(conn, story->response);
        client_bytes(client, 10);
    }
    if (story->reset)
        client_reset(client);
    else
        client_close(client);
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    process_await_line(world.sidecar, "outcome=client_gone");
}

/* ---- clients that only have no more to say
 * --------------------------------------------------------- */

static void half_closed(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab");
    client_shut(client);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    assert_string_equal(origin_bytes(conn, 2), "ab");
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    assert_int_equal(client_end(client), ENDING_CLEAN);
}

static void half_closed_later(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    client_shut(client);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok");
    client_head(client);
    origin_say(conn, "ok");
    expect_body(client_rest(client), "okok");
    assert_int_equal(client_end(client), ENDING_CLEAN);
}

/* Whether the FIN comes with the request or behind it must not decide. */
static void half_closed_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        struct client *client = world_client(&world);
        client_say(client, GET);
        client_shut(client);
        struct origin_conn *conn = origin_accept(world.origin);
        origin_head(conn);
        origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        origin_close(conn);
        expect_body(client_response(client), "ok");
        assert_int_equal(client_end(client), ENDING_CLEAN);
        client_close(client);
    }
}

static void half_closed_upload(void **state)
{
    static char body[100000];

    (void)state;
    for (int i = 0; i < 10; i++) {
        struct client *client = world_client(&world);
        client_say(client, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n");
        client_send(client, body, sizeof(body));
        client_shut(client);
        struct origin_conn *conn = origin_accept(world.origin);
        origin_head(conn);
        origin_bytes(conn, sizeof(body));
        origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        origin_close(conn);
        expect_body(client_response(client), "ok");
        client_close(client);
    }
}

static void half_closed_too_early(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nab");
    client_shut(client);
    origin_await_end(origin_accept(world.origin)); /* half a request never becomes a whole one */
    assert_int_not_equal(client_end(client), ENDING_NONE);
}

/* ---- connections
 * ----------------------------------------------------------------------------------- */

static void pipelined(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client,
               "GET /1 HTTP/1.1\r\n" HOST "\r\n"
               "POST /2 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
               "GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n"
               "POST /3 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
               "GET /4 HTTP/1.1\r\n" HOST "\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    for (int i = 1; i <= 4; i++) {
        char start[16], answer[64];
        snprintf(start, sizeof(start), " /%d HTTP/1.1\r\n", i);
        if (!strstr(origin_head(conn), start))
            fail_msg("request %d is not the next", i);
        if (i == 2)
            assert_string_equal(origin_bytes(conn, 3), "abc");
        if (i == 3)
            assert_string_equal(origin_chunked(conn, NULL), "x");
        snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", i);
        origin_say(conn, answer);
    }
    expect_body(client_response(client), "1");
    expect_body(client_response(client), "2");
    expect_status(client_response(client), 403);
    expect_body(client_response(client), "3");
    expect_body(client_response(client), "4");
    assert_int_equal(origin_unread(conn), 0);
}

static void many_on_one_connection(void **state)
{
    struct client *client = world_client(&world);
    struct origin_conn *conn = NULL;

    (void)state;
    for (int i = 0; i < 500; i++) {
        client_say(client, GET);
        conn = conn ? conn : origin_accept(world.origin);
        origin_head(conn);
        origin_say(conn, OK);
        expect_body(client_response(client), "ok");
    }
    origin_untouched(world.origin);
}

static void close_is_kept(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    assert_int_equal(head_count(origin_head(conn), "Connection"), 0);
    origin_say(conn, OK);
    const struct response *response = client_response(client);
    expect_header(response, "Connection", "close");
    expect_body(response, "ok");
    assert_int_equal(client_end(client), ENDING_CLEAN);
}

static void http_1_0(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "GET /a HTTP/1.0\r\n" HOST "Expect: 100-continue\r\n\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    assert_int_equal(head_count(origin_head(conn), "Expect"), 0);
    origin_say(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
    const struct response *response = client_response(client);
    expect_header(response, "Transfer-Encoding", NULL);
    expect_header(response, "Connection", "close");
    expect_body(response, "hello");
    assert_int_equal(client_end(client), ENDING_CLEAN);
}

static void http_1_0_kept(void **state)
{
    struct client *client = world_client(&world);
    struct origin_conn *conn = NULL;

    (void)state;
    for (int i = 0; i < 2; i++) {
        client_say(client, "GET /a HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n");
        conn = conn ? conn : origin_accept(world.origin);
        origin_head(conn);
        origin_say(conn, OK);
        const struct response *response = client_response(client);
        expect_header(response, "Connection", "keep-alive");
        expect_body(response, "ok");
    }
}

/* An HTTP/1.0 client knows the end of such a body by the connection alone: a cut must be a reset.
 */
static void http_1_0_cut(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "GET /a HTTP/1.0\r\n" HOST "\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n");
    client_head(client);
    assert_string_equal(client_bytes(client, 3), "hel");
    origin_close(conn);
    assert_int_equal(client_end(client), ENDING_RESET);
}

/* Both answers are on their way when the second breaks off: the first must arrive whole. */
static void cut_behind_an_answer(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, GET GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, OK);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    origin_close(conn);
    process_await_line(world.sidecar, "outcome=connection_terminated");
    expect_body(client_response(client), "ok");
    assert_false(client_response(client)->complete);
}

/* Reads no more of it than must be read for the sidecar to be done with it; returns how much. */
static size_t read_until_next(struct client *client, const struct origin_conn *conn)
{
    struct pollfd next = { .fd = origin_fd(conn), .events = POLLIN };
    size_t read = 0;

    for (; !wait_any(&next, 1, now_ms() + 50); read += 4096)
        client_bytes(client, 4096);
    return read;
}

/* The same with an answer that waits in the sidecar's socket, because the client is slow. */
static void cut_behind_a_large_answer(void **state)
{
    enum { LARGE = 400000 };
    static char content[LARGE];
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, GET GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    memset(content, 'x', sizeof(content));
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n");
    origin_send(conn, content, sizeof(content));
    client_head(client);
    size_t read = read_until_next(client, conn);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    origin_close(conn);
    process_await_line(world.sidecar, "outcome=connection_terminated");
    assert_memory_equal(client_bytes(client, LARGE - read), content, LARGE - read);
    assert_false(client_response(client)->complete);
}

static struct single singles[] = {
    { "half-closed behind its request", half_closed },
    { "half-closed before the answer", half_closed_later },
    { "half-closed at once, 40 times", half_closed_at_once },
    { "half-closed behind an upload, 10 times", half_closed_upload },
    { "half-closed within its request", half_closed_too_early },
    { "a cut does not take the answer before it", cut_behind_an_answer },
    { "a cut does not take the large answer before it", cut_behind_a_large_answer },
    { "pipelined requests are answered in order", pipelined },
    { "500 requests on one connection", many_on_one_connection },
    { "Connection: close is kept", close_is_kept },
    { "HTTP/1.0 gets no chunks", http_1_0 },
    { "HTTP/1.0 with keep-alive", http_1_0_kept },
    { "HTTP/1.0, cut", http_1_0_cut },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, leavers, leaver_is_noticed);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("clients", &stories, &world, NULL);
}

/* Everything has an end: bodies, buffers, requests, clients, times, retries. What is under way goes on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST "Host: any.partner.example\r\n"
#define GET  "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct world world; /* --max-body 10B */

/* ---- bodies
 * ---------------------------------------------------------------------------------------- */

#define CHUNKED "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"

static struct refused_body {
    const char *name, *request;
    unsigned status;
    const char *code;
    bool closes;
} refused_bodies[] = {
    { "a length above the limit, its body behind it",
      "POST /a HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n01234567890", 413, "BodyTooLarge",
      false },
    { "a length far above the limit",
      "POST /a HTTP/1.1\r\n" HOST "Content-Length: 999999999999999999\r\n\r\n", 413, "BodyTooLarge",
      true },
    { "a length above the limit, 100-continue",
      "PUT /a HTTP/1.1\r\n" HOST "Content-Length: 11\r\nExpect: 100-continue\r\n\r\n", 413,
      "BodyTooLarge", true },
    { "denied whatever its length",
      "POST /a HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 11\r\n\r\n01234567890", 403,
      "OutboundAccessDenied", false },
};

static void body_is_refused(void **state)
{
    const struct refused_body *story = *state;
    const struct response *response = world_refused(&world, story->request);

    expect_answer(response, story->status, story->code, "");
    expect_header(response, "Connection", story->closes ? "close" : NULL);
}

static void body_at_the_limit(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    assert_string_equal(origin_bytes(conn, 10), "0123456789");
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    client_say(client, CHUNKED "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n");
    origin_head(conn);
    assert_string_equal(origin_chunked(conn, NULL), "0123456789");
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

/* Whatever of it has left, the origin sees that it is not whole. */
static void chunks_above_the_limit(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, CHUNKED "5\r\n01234\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    assert_string_equal(origin_bytes(conn, 10), "5\r\n01234\r\n");
    client_say(client, "6\r\n567890\r\n0\r\n\r\n");
    const struct response *response = client_response(client);
    expect_answer(response, 413, "BodyTooLarge", "--max-body");
    expect_header(response, "Connection", "close");
    assert_int_equal(client_end(client), ENDING_CLEAN);
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    assert_int_equal(origin_unread(conn), 0);
}

static void chunks_behind_an_answer(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, CHUNKED "5\r\n01234\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_bytes(conn, 10);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    client_head(client);
    client_say(client, "6\r\n567890\r\n0\r\n\r\n");
    assert_false(client_rest(client)->complete);
    origin_await_end(conn);
    process_await_line(world.sidecar, "outcome=body_too_large");
}

/* ---- buffers and requests
 * -------------------------------------------------------------------------- */

enum { HELD_MAX = 16 };

static void expect_overloaded(const struct response *response, const char *says)
{
    expect_answer(response, 503, "Overloaded", says);
    expect_header(response, "Retry-After", "1");
    expect_header(response, "Proxy-Status", "janus-sidecar; error=connection_limit_reached");
    expect_header(response, "Connection", NULL);
}

struct held {
    struct client *client;
    struct origin_conn *conn;
};

/* Requests that their origin does not answer yet, until one more is refused. */
static size_t hold_until_refused(struct world *own, struct held held[HELD_MAX], const char *says)
{
    for (size_t n = 0; n < HELD_MAX; n++) {
        held[n].client = world_client(own);
        struct pollfd either[2] = { { .fd = client_fd(held[n].client), .events = POLLIN },
                                    { .fd = origin_listening(own->origin), .events = POLLIN } };
        client_say(held[n].client, GET);
        assert_true(wait_any(either, 2, now_ms() + PATIENCE_MS));
        if (either[0].revents) {
            expect_overloaded(client_response(held[n].client), says);
            return n;
        }
        held[n].conn = origin_accept(own->origin);
        origin_head(held[n].conn);
    }
    fail_msg("%d requests were let in", HELD_MAX);
    return 0;
}

static void answer(const struct held *held)
{
    origin_say(held->conn, OK);
    expect_body(client_response(held->client), "ok");
}

/* What was held goes on; once there is room, the client that was refused is served. */
static void serves_again(struct world *own, struct held *held, size_t n)
{
    for (size_t i = 0; i < n; i++)
        answer(&held[i]);
    client_say(held[n].client, GET);
    origin_head(held[n - 1].conn); /* the connection that came back last */
    origin_say(held[n - 1].conn, OK);
    expect_body(client_response(held[n].client), "ok");
    world_metrics(own, "janus_sidecar_requests_in_flight 0\n");
}

static void requests_are_counted(void **state)
{
    static const struct plan plan = { .options = { "--max-requests", "3" } };
    struct held held[HELD_MAX];
    struct world own;

    (void)state;
    world_open(&own, &plan);
    size_t n = hold_until_refused(&own, held, "--max-requests");
    assert_int_equal(n, 3);
    world_metrics(&own, "janus_sidecar_overloaded_total 1\n");
    /* what is refused anyway is refused as ever */
    expect_answer(world_refused(&own, "GET /a HTTP/1.1\r\nHost: evil.test\r\n\r\n"), 403,
                  "OutboundAccessDenied", "");
    serves_again(&own, held, n);
    world_close(&own);
}

static void buffers_are_counted(void **state)
{
    static const struct plan plan = { .options = { "--max-buffers", "24KiB" } };
    struct held held[HELD_MAX];
    struct world own;

    (void)state;
    world_open(&own, &plan);
    size_t n = hold_until_refused(&own, held, "--max-buffers");
    assert_in_range(n, 2, 9);
    serves_again(&own, held, n);
    world_metrics(&own, "janus_sidecar_buffer_bytes 0\n");
    world_close(&own);
}

/* A head that does not end would wait in memory: 16 KiB each here. */
static void heads_are_counted(void **state)
{
    static const struct plan plan = { .options = { "--max-buffers", "64KiB" } };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    for (int i = 0; i < 3; i++)
        client_say(world_client(&own), "GET /a HTTP/1.1\r\nX: ");
    struct client *fourth = world_client(&own);
    client_say(fourth, "GET /a HTTP/1.1\r\nX: "); /* accepted in order, and read in order */
    const struct response *response = client_response(fourth);
    expect_answer(response, 503, "Overloaded", "");
    expect_header(response, "Connection", "close");
    assert_int_equal(client_end(fourth), ENDING_CLEAN);
    world_close(&own);
}

/* ---- clients
 * --------------------------------------------------------------------------------------- */

static void oldest_idle_client_leaves(void **state)
{
    static const struct plan plan = { .options = { "--max-clients", "2" } };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *first = world_client(&own), *second = world_client(&own);
    client_say(first, GET);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(first), "ok");
    client_say(second, GET);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(second), "ok");
    struct client *third = world_client(&own);
    client_say(third, GET);
    origin_head(conn);
    assert_int_equal(client_end(first), ENDING_CLEAN);
    origin_say(conn, OK);
    expect_body(client_response(third), "ok");
    client_say(second, GET); /* it is still there */
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(second), "ok");
    world_close(&own);
}

static void busy_clients_stay(void **state)
{
    static const struct plan plan = { .options = { "--max-clients", "2" } };
    struct held held[2];
    struct world own;

    (void)state;
    world_open(&own, &plan);
    for (int i = 0; i < 2; i++) {
        held[i].client = world_client(&own);
        client_say(held[i].client, GET);
        held[i].conn = origin_accept(own.origin);
        origin_head(held[i].conn);
    }
    struct client *third = world_client(&own); /* the kernel lets it in, we do not */
    client_say(third, GET);
    process_await_line(own.sidecar, "event=accept_paused");
    origin_untouched(own.origin);
    answer(&held[0]); /* now it is idle, and makes room */
    origin_head(held[0].conn);
    origin_say(held[0].conn, OK);
    expect_body(client_response(third), "ok");
    assert_int_equal(client_end(held[0].client), ENDING_CLEAN);
    answer(&held[1]);
    world_close(&own);
}

/* ---- times
 * ----------------------------------------------------------------------------------------- */

static struct total {
    const char *name, *request, *response; /* response NULL: no handshake; "": no answer */
    bool answered;                         /* the client has a beginning of it */
    bool drips;
} totals[] = {
    { "nobody answers the handshake", GET, NULL, false, false },
    { "no answer", GET, "", false, false },
    { "half a head", GET, "HTTP/1.1 200 OK\r\nX: ", false, false },
    { "an upload that never ends", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n01", "",
      false, false },
    { "a body that never ends", GET, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello", true,
      false },
    { "a body that drips", GET, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello", true,
      true },
};

/* A byte now and then, so that nothing is ever idle. */
static void drip(struct origin_conn *conn, struct client *client)
{
    struct pollfd end = { .fd = client_fd(client), .events = POLLRDHUP };
    long long until = now_ms() + PATIENCE_MS;

    while (!wait_any(&end, 1, now_ms() + 20) && now_ms() < until)
        origin_offer(conn, "x", 1);
}

static void total_passes(void **state)
{
    const struct total *story = *state;
    static const struct plan plan = { .options = { "--total-timeout", "300ms" } };
    struct world own;

    world_open(&own, &plan);
    struct client *client = world_client(&own);
    long long before = now_ms();
    client_say(client, story->request);
    struct origin_conn *conn =
        story->response ? origin_accept(own.origin) : origin_connected(own.origin);
    if (story->response) {
        origin_head(conn);
        origin_say(conn, story->response);
    }
    if (story->drips)
        drip(conn, client);
    if (story->answered)
        assert_false(client_response(client)->complete);
    else
        expect_answer(client_response(client), 504, "ProxyTimeout", "longer than allowed");
    assert_true(now_ms() - before >= 290);
    if (!story->drips)
        origin_await_end(conn);
    process_await_line(own.sidecar, "outcome=http_response_timeout");
    world_close(&own);
}

static void total_is_per_request(void **state)
{
    static const struct plan plan = { .options = { "--total-timeout", "2s" } };
    struct world own;
    struct origin_conn *conn = NULL;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    for (long long until = now_ms() + 2300; now_ms() < until;) {
        client_say(client, GET);
        conn = conn ? conn : origin_accept(own.origin);
        origin_head(conn);
        origin_say(conn, OK);
        expect_body(client_response(client), "ok");
    }
    world_close(&own);
}

static void old_connections_are_not_kept(void **state)
{
    static const struct plan plan = { .options = { "--pool-max-age", "1ms" } };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    for (int i = 0; i < 3; i++) {
        client_say(client, GET);
        struct origin_conn *conn = origin_accept(own.origin); /* each time a new one */
        long long born = now_ms();
        origin_head(conn);
        while (now_ms() - born < 3)
            wait_any(NULL, 0, now_ms() + 1);
        origin_say(conn, OK);
        expect_body(client_response(client), "ok");
        assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    }
    world_close(&own);
}

/* ---- retries
 * --------------------------------------------------------------------------------------- */

/* An origin that closes each connection when its second request comes: every other request would be sent
 * twice. A hundred, and a fifth of all, and no more. */
static void retries_are_bounded(void **state)
{
    static const struct plan plan = { .plain = true,
                                      .options = { "--plaintext-host", "any.partner.example" } };
    enum { ROUNDS_MAX = 1000 };
    unsigned again = 0, round = 0;
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    for (; round < ROUNDS_MAX; round++) {
        struct pollfd either[2] = { { .fd = client_fd(client), .events = POLLIN },
                                    { .fd = origin_listening(own.origin), .events = POLLIN } };
        client_say(client, GET);
        origin_head(conn);
        origin_close(conn);
        assert_true(wait_any(either, 2, now_ms() + PATIENCE_MS));
        if (either[0].revents)
            break;
        again++;
        conn = origin_accept(own.origin);
        origin_head(conn);
        origin_say(conn, OK);
        expect_body(client_response(client), "ok");
    }
    expect_answer(client_response(client), 502, "OriginProtocol", "");
    if (again < 100)
        fail_msg("only %u were sent again", again);
    print_message("%u of %u requests were sent again\n", again, round + 2);
    world_metrics(&own, "janus_sidecar_retries_refused_total 1\n");
    world_close(&own);
}

static struct single singles[] = {
    { "bodies of just the limit", body_at_the_limit },
    { "chunks above the limit", chunks_above_the_limit },
    { "chunks above the limit behind an answer", chunks_behind_an_answer },
    { "--max-requests", requests_are_counted },
    { "--max-buffers", buffers_are_counted },
    { "--max-buffers, heads without an end", heads_are_counted },
    { "--max-clients: the oldest idle one leaves", oldest_idle_client_leaves },
    { "--max-clients: busy ones stay", busy_clients_stay },
    { "--total-timeout is of one request", total_is_per_request },
    { "--pool-max-age", old_connections_are_not_kept },
    { "retries are bounded", retries_are_bounded },
};

int main(void)
{
    static const struct plan plan = { .options = { "--max-body", "10B" } };
    static struct stories stories;

    STORIES_ADD(&stories, refused_bodies, body_is_refused);
    STORIES_ADD(&stories, totals, total_passes);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("bounds", &stories, &world, &plan);
}

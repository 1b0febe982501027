/* WebSockets, where --upgrade allows them: who gets one, bytes both ways, and every end of a tunnel. */
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST    "Host: any.partner.example\r\n"
#define ASK     "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a2V5\r\n"
#define GET     "GET /chat HTTP/1.1\r\n" HOST ASK "\r\n"
#define SWITCH  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
#define ACCEPT  "Sec-WebSocket-Accept: YWNjZXB0\r\n\r\n"
#define OK      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define NEXT    "GET /next HTTP/1.1\r\n" HOST "\r\n"
#define OPTIONS "--upgrade", "websocket"

static struct world world;
static const struct plan websockets = { .options = { OPTIONS } };
static const struct plan impatient = { .options = { OPTIONS, "--idle-timeout", "200ms" } };
static const struct plan strict = { .options = { OPTIONS, "--scrub", "cut" } };

/* ---- who gets one */

static struct asked {
    const char *name, *request;
    bool passed_on;
} asked[] = {
    { "a GET that asks for one", GET, true },
    { "any case, and beside another protocol",
      "GET /chat HTTP/1.1\r\n" HOST "connection: UPGRADE\r\nupgrade: h2c, WebSocket\r\n\r\n",
      true },
    { "not what Connection does not name",
      "GET /chat HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n\r\n", false },
    { "not another protocol",
      "GET /chat HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", false },
    { "not in HTTP/1.0", "GET /chat HTTP/1.0\r\n" HOST ASK "\r\n", false },
    { "not with another method", "DELETE /chat HTTP/1.1\r\n" HOST ASK "\r\n", false },
    { "not with a body", "GET /chat HTTP/1.1\r\n" HOST ASK "Content-Length: 2\r\n\r\nhi", false },
};

static void asked_for(void **state)
{
    const struct asked *story = *state;
    char *head = world_exchange(&world, story->request);
    char *upgrade = head_field(head, "Upgrade"), *connection = head_field(head, "Connection");

    if (story->passed_on) {
        assert_non_null(upgrade);
        assert_string_equal(upgrade, "websocket");
        assert_string_equal(connection, "upgrade");
    } else {
        assert_null(upgrade);
        assert_null(connection);
    }
    free(upgrade);
    free(connection);
    free(head);
}

static void off_by_default(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, NULL);
    char *head = world_exchange(&own, GET);
    assert_null(head_field(head, "Upgrade"));
    free(head);
    world_close(&own);
}

static void denied_like_any_request(void **state)
{
    (void)state;
    expect_answer(
        world_refused(&world, "GET /v2 HTTP/1.1\r\nHost: api.partner.example\r\n" ASK "\r\n"), 403,
        "OutboundAccessDenied", "cannot perform action GET");
}

/* ---- the tunnel */

struct ends {
    struct client *client;
    struct origin_conn *conn;
};

static struct ends tunnel_begin(struct world *where)
{
    struct ends ends = { .client = world_client(where) };

    client_say(ends.client, GET);
    ends.conn = origin_accept(where->origin);
    origin_head(ends.conn);
    origin_say(ends.conn, SWITCH ACCEPT);
    const struct response *response = client_head(ends.client);
    expect_status(response, 101);
    expect_header(response, "Upgrade", "websocket");
    expect_header(response, "Connection", "upgrade");
    expect_header(response, "Sec-WebSocket-Accept", "YWNjZXB0");
    return ends;
}

static void both_ways(void **state)
{
    struct ends ends = tunnel_begin(&world);

    (void)state;
    client_say(ends.client, "ping");
    assert_string_equal(origin_bytes(ends.conn, 4), "ping");
    origin_say(ends.conn, "pong");
    assert_string_equal(client_bytes(ends.client, 4), "pong");
    client_say(ends.client, "GET /evil HTTP/1.1\r\n\r\n"); /* bytes, not a request */
    assert_string_equal(origin_bytes(ends.conn, 22), "GET /evil HTTP/1.1\r\n\r\n");
}

static void early_on_both_sides(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, GET "early");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    assert_int_equal(origin_unread(conn), 0); /* until the 101 it may be a request */
    origin_say(conn, SWITCH ACCEPT "hello");
    expect_status(client_head(client), 101);
    assert_string_equal(client_bytes(client, 5), "hello");
    assert_string_equal(origin_bytes(conn, 5), "early");
}

static void refused_by_the_origin(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, GET NEXT);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    assert_non_null(
        strstr(origin_head(conn), "GET /next ")); /* a request again, and a kept connection */
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

static struct unasked {
    const char *name, *request, *answer;
} unasked[] = {
    { "a 101 that nobody asked for", "GET /chat HTTP/1.1\r\n" HOST "\r\n", SWITCH ACCEPT },
    { "a 101 to something else", GET,
      "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: tls/1.0\r\n\r\n" },
    { "a 101 to more than was asked for", GET,
      "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket, tls/1.0\r\n\r\n" },
    { "a 101 to nothing", GET, "HTTP/1.1 101 x\r\n\r\n" },
    { "a 101 that does not name it", GET, "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n" },
    { "a 101 in HTTP/1.0", GET,
      "HTTP/1.0 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" },
};

static void switched_wrongly(void **state)
{
    const struct unasked *story = *state;
    struct client *client = world_client(&world);

    client_say(client, story->request);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, story->answer);
    expect_answer(client_response(client), 502, "OriginProtocol", "switches protocols");
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
}

/* What does not fit stays in the sender's socket: nobody's memory grows. */
static void slow_readers(void **state)
{
    static char piece[64 * 1024];
    struct ends ends = tunnel_begin(&world);
    size_t up = 0, down = 0, n;

    (void)state;
    while ((n = client_offer(ends.client, piece, sizeof(piece))) > 0)
        up += n;
    while ((n = origin_offer(ends.conn, piece, sizeof(piece))) > 0)
        down += n;
    assert_true(up < 64u << 20 && down < 64u << 20);
    for (size_t left = down; left > 0; left -= n) {
        n = left < sizeof(piece) ? left : sizeof(piece);
        client_bytes(ends.client, n);
    }
    for (size_t left = up; left > 0; left -= n) {
        n = left < sizeof(piece) ? left : sizeof(piece);
        origin_bytes(ends.conn, n);
    }
}

/* ---- its ends */

static void origin_says_goodbye(void **state)
{
    struct ends ends = tunnel_begin(&world);

    (void)state;
    origin_say(ends.conn, "bye");
    origin_close(ends.conn);
    assert_string_equal(client_bytes(ends.client, 3), "bye");
    assert_int_equal(client_end(ends.client), ENDING_CLEAN);
}

static void origin_is_cut(void **state)
{
    struct ends ends = tunnel_begin(&world);

    (void)state;
    origin_cut(ends.conn);
    assert_int_equal(client_end(ends.client), ENDING_RESET);
}

static void client_says_goodbye(void **state)
{
    struct ends ends = tunnel_begin(&world);

    (void)state;
    client_say(ends.client, "bye");
    client_shut(ends.client);
    assert_string_equal(origin_bytes(ends.conn, 3), "bye");
    assert_int_equal(origin_await_end(ends.conn), ENDING_CLEAN);
    assert_int_equal(client_end(ends.client), ENDING_CLEAN);
}

static void client_is_reset(void **state)
{
    struct ends ends = tunnel_begin(&world);

    (void)state;
    client_reset(ends.client);
    assert_int_not_equal(origin_await_end(ends.conn), ENDING_NONE);
}

/* What was a tunnel is never lent to another request. */
static void never_used_again(void **state)
{
    struct ends ends = tunnel_begin(&world);

    (void)state;
    client_shut(ends.client);
    assert_int_not_equal(origin_await_end(ends.conn), ENDING_NONE);
    unsigned before = origin_accepted(world.origin);
    free(world_exchange(&world, NEXT));
    assert_int_equal(origin_accepted(world.origin), before + 1);
}

static void nothing_moves(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, &impatient);
    struct ends ends = tunnel_begin(&own);
    assert_int_equal(client_end(ends.client), ENDING_CLEAN);
    assert_int_not_equal(origin_await_end(ends.conn), ENDING_NONE);
    world_close(&own);
}

/* ---- the watch over what comes back */

static void token_is_masked(void **state)
{
    struct ends ends = tunnel_begin(&world);

    (void)state;
    origin_say(ends.conn, "\x81\x1e<" TOKEN ">");
    const char *seen = client_bytes(ends.client, 4 + strlen(TOKEN));
    assert_memory_equal(seen, "\x81\x1e<****", 7);
    assert_null(strstr(seen, TOKEN));
}

static void token_cuts_the_tunnel(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, &strict);
    struct ends ends = tunnel_begin(&own);
    origin_say(ends.conn, "<" TOKEN ">");
    assert_int_equal(client_end(ends.client), ENDING_RESET);
    world_close(&own);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, asked, asked_for);
    stories_add(&stories, "none unless a setting says so", off_by_default, NULL);
    stories_add(&stories, "denied like any request", denied_like_any_request, NULL);
    stories_add(&stories, "bytes both ways", both_ways, NULL);
    stories_add(&stories, "bytes before and right behind the 101", early_on_both_sides, NULL);
    stories_add(&stories, "an origin that does not switch", refused_by_the_origin, NULL);
    STORIES_ADD(&stories, unasked, switched_wrongly);
    stories_add(&stories, "readers that stand still, both ways", slow_readers, NULL);
    stories_add(&stories, "the origin says goodbye", origin_says_goodbye, NULL);
    stories_add(&stories, "the origin is cut", origin_is_cut, NULL);
    stories_add(&stories, "the client says goodbye", client_says_goodbye, NULL);
    stories_add(&stories, "the client is reset", client_is_reset, NULL);
    stories_add(&stories, "no connection is used again", never_used_again, NULL);
    stories_add(&stories, "nothing moves for too long", nothing_moves, NULL);
    stories_add(&stories, "a token in it is masked", token_is_masked, NULL);
    stories_add(&stories, "a token in it cuts it (--scrub cut)", token_cuts_the_tunnel, NULL);
    return flow_run("upgrade", &stories, &world, &websockets);
}

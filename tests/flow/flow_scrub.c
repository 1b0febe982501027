/* The app token in what comes back: masked, wherever it stands and however it is cut, and nothing
 * else is changed or delayed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_world.h"

#define SECRET  "app+token/of=the-flow-tests"
#define PERCENT "app%2Btoken%2Fof%3Dthe-flow-tests"
#define JSON    "app+token\\/of=the-flow-tests"
#define BASIC   "dXNlcjphcHArdG9rZW4vb2Y9dGhlLWZsb3ctdGVzdHM="
#define STARS   "***************************"

#define HOST "Host: any.partner.example\r\n"
#define GET  "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define OLD  "GET /a HTTP/1.0\r\n" HOST "\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

enum { SECRET_LEN = sizeof(SECRET) - 1 };

static struct world world;
static const struct plan masking = { .token = SECRET };
static const struct plan cutting = { .token = SECRET, .options = { "--scrub", "cut" } };
static const struct plan off = { .token = SECRET, .options = { "--scrub", "off" } };

/* Sends a request on a new connection; the origin has read it when this returns. */
static struct origin_conn *asked(const struct world *in, struct client *client, const char *request)
{
    client_say(client, request);
    struct origin_conn *conn = origin_accept(in->origin);
    origin_head(conn);
    return conn;
}

static void never_logged(const struct world *in)
{
    assert_null(strstr(process_log(in->sidecar), SECRET));
    assert_null(strstr(process_log(in->sidecar), "the-flow-tests"));
}

/* ---- where it may stand
 * ----------------------------------------------------------------------------------- */

static struct place {
    const char *name, *request, *response;
    const char *want_header, *want_value, *want_body;
} places[] = {
    { "nothing", GET, OK, "Content-Length", "2", "ok" },
    { "a header", GET, "HTTP/1.1 200 OK\r\nX-Echo: " SECRET "\r\nContent-Length: 0\r\n\r\n",
      "X-Echo", STARS, "" },
    { "a header, in the middle", GET,
      "HTTP/1.1 200 OK\r\nX-Echo: Bearer " SECRET ", x\r\nContent-Length: 0\r\n\r\n", "X-Echo",
      "Bearer " STARS ", x", "" },
    { "a cookie", GET,
      "HTTP/1.1 200 OK\r\nSet-Cookie: a=" SECRET "; Path=/\r\nContent-Length: 0\r\n\r\n",
      "Set-Cookie", "a=" STARS "; Path=/", "" },
    { "a redirect", GET,
      "HTTP/1.1 302 Found\r\nLocation: https://x.test/?t=" PERCENT
      "&u=1\r\nContent-Length: 0\r\n\r\n",
      "Location", "https://x.test/?t=*********************************&u=1", "" },
    { "a header, in base64", GET,
      "HTTP/1.1 200 OK\r\nX-Echo: Basic " BASIC "\r\nContent-Length: 0\r\n\r\n", "X-Echo",
      "Basic dXNlcjp***********************************M=", "" },
    { "a header of an answer to HEAD", "HEAD /a HTTP/1.1\r\n" HOST "\r\n",
      "HTTP/1.1 200 OK\r\nX-Echo: " SECRET "\r\nContent-Length: 1000\r\n\r\n", "X-Echo", STARS,
      "" },
    { "a header of a 204", GET, "HTTP/1.1 204 No Content\r\nX-Echo: " SECRET "\r\n\r\n", "X-Echo",
      STARS, "" },
    { "a header of a 304", GET,
      "HTTP/1.1 304 Not Modified\r\nETag: \"" SECRET "\"\r\nContent-Length: 9\r\n\r\n", "ETag",
      "\"" STARS "\"", "" },

    { "a body", GET, "HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n<" SECRET ">", "Content-Length",
      "29", "<" STARS ">" },
    { "the body of an error", GET,
      "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 29\r\n\r\n<" SECRET ">",
      "Content-Length", "29", "<" STARS ">" },
    { "a body, in JSON", GET, "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n\"" JSON "\"",
      "Content-Length", "30", "\"*" STARS "\"" },
    { "a body, at its very end and almost again", GET,
      "HTTP/1.1 200 OK\r\nContent-Length: 53\r\n\r\n" SECRET "app+token/of=the-flow-test",
      "Content-Length", "53", STARS "app+token/of=the-flow-test" },
    { "a body that ends in its beginning", GET,
      "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n..app+token", "Content-Length", "11",
      "..app+token" },
    { "a chunk", GET,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1d\r\n<" SECRET ">\r\n0\r\n\r\n",
      "Transfer-Encoding", "chunked", "<" STARS ">" },
    { "two chunks", GET,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "a\r\n<app+token\r\n13;x=y\r\n/of=the-flow-tests>\r\n0\r\n\r\n",
      "Transfer-Encoding", "chunked", "<" STARS ">" },
    { "a chunk that ends in its beginning", GET,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\napp+token\r\n0\r\n\r\n",
      "Transfer-Encoding", "chunked", "app+token" },
    { "a trailer is dropped anyway", GET,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: " SECRET "\r\n\r\n",
      "X", NULL, "ok" },

    { "labelled as not coded", GET,
      "HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\nContent-Length: 27\r\n\r\n" SECRET,
      "Content-Encoding", "Identity", STARS },
    { "labelled with what nobody knows", GET,
      "HTTP/1.1 200 OK\r\nContent-Encoding: utf-8\r\nContent-Length: 27\r\n\r\n" SECRET,
      "Content-Encoding", "utf-8", STARS },
    { "labelled gzip: not looked at", GET,
      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 27\r\n\r\n" SECRET,
      "Content-Encoding", "gzip", SECRET },
    { "labelled twice, Brotli last: not looked at", GET,
      "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Encoding: x, BR\r\n"
      "Content-Length: 27\r\n\r\n" SECRET,
      "Content-Length", "27", SECRET },
    { "compressed, and in the head", GET,
      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nX-Echo: " SECRET
      "\r\nContent-Length: 2\r\n\r\nok",
      "X-Echo", STARS, "ok" },
};

/* Each twice on one connection: whoever miscounts a body cannot answer the second. */
static void masked(void **state)
{
    const struct place *story = *state;
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
        expect_header(response, story->want_header, story->want_value);
        expect_body(response, story->want_body);
    }
    never_logged(&world);
}

static void reason(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    struct origin_conn *conn = asked(&world, client, GET);
    origin_say(conn, "HTTP/1.1 200 " SECRET "\r\nX-" SECRET ": 1\r\nContent-Length: 0\r\n\r\n");
    /* it is no token of RFC 9110 that may stand in a name, but its mask is */
    expect_header(client_response(client), "X-" STARS, "1");
}

static void interim(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    struct origin_conn *conn = asked(&world, client, GET);
    origin_say(conn, "HTTP/1.1 103 Early Hints\r\nLink: <" SECRET ">\r\n\r\n");
    expect_header(client_response(client), "Link", "<" STARS ">");
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

/* ---- however it is cut
 * ----------------------------------------------------------------------------------- */

/* What comes at once when the origin has said "ab" and `cut` bytes of the token, and what follows. */
struct cut {
    size_t at;
    char first[64], rest[64];
};

static struct cut cut_at(size_t at)
{
    struct cut cut = { .at = at };
    int shown = at < 4 ? (int)at : 0; /* fewer than four bytes are not held */

    snprintf(cut.first, sizeof(cut.first), "ab%.*s", shown, SECRET);
    snprintf(cut.rest, sizeof(cut.rest), "%s.", STARS + shown);
    return cut;
}

static void cut_with_length(void **state)
{
    (void)state;
    for (size_t at = 1; at < SECRET_LEN; at++) {
        struct cut cut = cut_at(at);
        struct client *client = world_client(&world);
        struct origin_conn *conn = asked(&world, client, GET);

        origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 30\r\nConnection: close\r\n\r\nab");
        origin_send(conn, SECRET, at);
        client_head(client);
        assert_string_equal(client_bytes(client, strlen(cut.first)), cut.first);
        origin_send(conn, SECRET "." + at, SECRET_LEN + 1 - at);
        assert_string_equal(client_bytes(client, strlen(cut.rest)), cut.rest);
        origin_close(conn);
        client_close(client);
    }
}

static void cut_in_chunks(void **state)
{
    (void)state;
    for (size_t at = 1; at < SECRET_LEN; at++) {
        struct cut cut = cut_at(at);
        struct client *client = world_client(&world);
        struct origin_conn *conn = asked(&world, client, GET);
        struct bytes said = { 0 };

        bytes_print(&said,
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                    "%zx\r\nab%.*s\r\n",
                    2 + at, (int)at, SECRET);
        origin_say(conn, said.at);
        client_head(client);
        bytes_free(&said);
        bytes_print(&said, "%zx\r\n%s\r\n", strlen(cut.first), cut.first);
        assert_string_equal(client_bytes(client, said.n), said.at);
        bytes_free(&said);
        bytes_print(&said, "%zx\r\n%s.\r\n0\r\n\r\n", SECRET_LEN + 1 - at, SECRET + at);
        origin_say(conn, said.at);
        expect_body(client_rest(client), cut.rest);
        bytes_free(&said);
        origin_close(conn);
        client_close(client);
    }
}

static void cut_until_close(void **state)
{
    const char *request = *state;

    for (size_t at = 1; at < SECRET_LEN; at++) {
        struct client *client = world_client(&world);
        struct origin_conn *conn = asked(&world, client, request);

        origin_say(conn, "HTTP/1.1 200 OK\r\n\r\nab");
        origin_send(conn, SECRET, at);
        client_head(client);
        origin_send(conn, SECRET "." + at, SECRET_LEN + 1 - at);
        origin_close(conn);
        const struct response *response = client_rest(client);
        assert_true(response->complete);
        assert_int_equal(response->body.n, 30);
        assert_null(strstr(response->body.at, "token"));
        assert_string_equal(response->body.at + 5, STARS "." + 3);
        client_close(client);
    }
}

static void byte_by_byte(void **state)
{
    struct client *client = world_client(&world);
    struct origin_conn *conn = asked(&world, client, GET);

    (void)state;
    origin_say(conn, "HTTP/1.1 200 OK\r\n\r\n");
    client_head(client);
    for (const char *at = "<" SECRET "," BASIC ">"; *at; at++)
        origin_send(conn, at, 1);
    origin_close(conn);
    const struct response *response = client_rest(client);
    assert_true(response->complete);
    assert_int_equal(response->body.n, SECRET_LEN + sizeof(BASIC) + 2);
    assert_null(strstr(response->body.at, "token"));
    assert_null(strstr(response->body.at, "dG9r"));
}

static void held_to_the_end(void **state)
{
    struct client *client = world_client(&world);
    struct origin_conn *conn = asked(&world, client, (const char *)*state);

    origin_say(conn, "HTTP/1.1 200 OK\r\n\r\n<app+token/of");
    client_head(client);
    origin_close(conn);
    expect_body(client_rest(client), "<app+token/of");
}

/* What is held goes down with a connection that is cut: nothing of it looks complete. */
static void held_and_cut(void **state)
{
    struct client *client = world_client(&world);
    struct origin_conn *conn = asked(&world, client, GET);

    (void)state;
    origin_say(conn, "HTTP/1.1 200 OK\r\n\r\n<app+token/of");
    client_head(client);
    assert_string_equal(client_bytes(client, 6), "1\r\n<\r\n");
    origin_cut(conn);
    assert_false(client_rest(client)->complete);
    assert_int_equal(client_end(client), ENDING_CLEAN);
}

static void held_and_gone(void **state)
{
    struct client *client = world_client(&world);
    struct origin_conn *conn = asked(&world, client, GET);

    (void)state;
    origin_say(conn, "HTTP/1.1 200 OK\r\n\r\n<app+token/of");
    client_head(client);
    assert_string_equal(client_bytes(client, 6), "1\r\n<\r\n");
    client_reset(client);
    origin_await_end(conn);
}

/* Of the longest tokens a form is longer than the buffer that bodies pass through. */
static void longer_than_the_buffer(void **state)
{
    enum { TOKEN_MAX = 8000, PIECES = 7 };
    struct bytes token = { 0 }, said = { 0 };
    struct world own;

    (void)state;
    for (int i = 0; token.n < TOKEN_MAX; i++)
        bytes_print(&token, "%d/+=/+=", i);
    struct plan plan = { .token = token.at };
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    struct origin_conn *conn = asked(&own, client, GET);
    bytes_print(&said, "<");
    for (size_t i = 0; i < token.n; i++) {
        bool plain = token.at[i] >= '0' && token.at[i] <= '9';
        bytes_print(&said, plain ? "%c" : "\\u%04x", token.at[i]);
    }
    bytes_print(&said, ">");
    origin_say(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    client_head(client);
    for (size_t i = 0, at = 0; i < PIECES; i++) {
        struct bytes chunk = { 0 };
        size_t n = i + 1 < PIECES ? said.n / PIECES : said.n - at;
        bytes_print(&chunk, "%zx\r\n%.*s\r\n", n, (int)n, said.at + at);
        origin_send(conn, chunk.at, chunk.n);
        bytes_free(&chunk);
        at += n;
        if (i == 0) /* the rest comes when this has been looked at */
            assert_string_equal(client_bytes(client, 6), "1\r\n<\r\n");
    }
    origin_say(conn, "0\r\n\r\n");
    const struct response *response = client_rest(client);
    assert_true(response->complete);
    assert_true(said.n > 32 * 1024);
    assert_int_equal(response->body.n, said.n - 1);
    assert_int_equal(strspn(response->body.at, "*"), said.n - 2);
    assert_int_equal(response->body.at[said.n - 2], '>');
    bytes_free(&token);
    bytes_free(&said);
    world_close(&own);
}

/* ---- what else passes
 * ----------------------------------------------------------------------------------- */

static void stream_is_not_delayed(void **state)
{
    static const char *const events[] = { "data: 1\n\n", "data: app\n\n", "a",           "ap",
                                          "app",         "app",           "data: {}\n\n" };
    struct client *client = world_client(&world);
    struct origin_conn *conn = asked(&world, client, GET);

    (void)state;
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n");
    client_head(client);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        struct bytes chunk = { 0 };
        bytes_print(&chunk, "%zx\r\n%s\r\n", strlen(events[i]), events[i]);
        origin_send(conn, chunk.at, chunk.n);
        assert_string_equal(client_bytes(client, chunk.n), chunk.at);
        bytes_free(&chunk);
    }
    origin_say(conn, "0\r\n\r\n");
    assert_true(client_rest(client)->complete);
}

/* Longer than every buffer, the token here and there, in chunks of odd sizes. */
static void large(void **state)
{
    enum { N = 40000 };
    struct client *client = world_client(&world);
    struct origin_conn *conn = asked(&world, client, (const char *)*state);
    struct bytes body = { 0 }, want = { 0 };

    for (int i = 0; i < N; i++) {
        bytes_print(&body, "{\"n\":%d,\"t\":\"%s\"},", i, i % 7 ? "app+token/of=the" : SECRET);
        bytes_print(&want, "{\"n\":%d,\"t\":\"%s\"},", i, i % 7 ? "app+token/of=the" : STARS);
    }
    origin_say(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    struct bytes coded = { 0 };
    for (size_t at = 0, n = 1; at < body.n; at += n, n = (n * 31 + 7) % 9973 + 1) {
        n = n < body.n - at ? n : body.n - at;
        bytes_print(&coded, "%zx\r\n", n);
        bytes_add(&coded, body.at + at, n);
        bytes_add(&coded, "\r\n", 2);
    }
    bytes_print(&coded, "0\r\n\r\n");
    /* both ends in turn: nobody here reads while the other writes */
    client_head(client);
    for (size_t at = 0, got = 0; at < coded.n; at += got) {
        got = origin_offer(conn, coded.at + at, coded.n - at);
        if (!got)
            client_bytes(client, 0);
    }
    const struct response *response = client_rest(client);
    assert_true(response->complete);
    assert_int_equal(response->body.n, want.n);
    size_t differs = 0;
    for (size_t i = 0; i < want.n; i++)
        differs += response->body.at[i] != want.at[i];
    assert_true(differs <= N * 3 / 7); /* at most its first three bytes, where a read ended there */
    assert_null(strstr(response->body.at, SECRET + 3));
    bytes_free(&body);
    bytes_free(&want);
    bytes_free(&coded);
}

static void counted(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, &masking);
    struct client *client = world_client(&own);
    struct origin_conn *conn = asked(&own, client, GET);
    origin_say(conn, "HTTP/1.1 200 OK\r\nX-Echo: " SECRET "\r\nContent-Length: 88\r\n\r\n" SECRET
                     "," PERCENT SECRET);
    client_response(client);
    char *line = process_await(own.sidecar, "event=exchange");
    if (!strstr(line, " scrubbed=4 ") || !strstr(line, "outcome=relayed"))
        fail_msg("scrubbed=4 was expected: %s", line);
    free(line);
    never_logged(&own);
    world_close(&own);
}

static void both_generations(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, &masking);
    process_await_line(own.sidecar, "event=token generation=1");
    folder_replace(own.folder, "token", "the-second-token");
    process_await_line(own.sidecar, "event=token generation=2");
    struct client *client = world_client(&own);
    struct origin_conn *conn = asked(&own, client, GET);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n" SECRET ",the-second-token");
    expect_body(client_response(client), STARS ",****************");
    folder_replace(own.folder, "token", "the-third--token");
    process_await_line(own.sidecar, "event=token generation=3");
    client_say(client, GET);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 61\r\n\r\n" SECRET
                     ",the-second-token,the-third--token");
    expect_body(client_response(client), SECRET ",****************,****************");
    world_close(&own);
}

/* The token comes while a response is under way: from then on it is watched. */
static void late_token(void **state)
{
    static const struct plan late = { .token = "" };
    struct world own;

    (void)state;
    world_open(&own, &late);
    struct client *client = world_client(&own);
    struct origin_conn *conn = asked(&own, client, GET);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 55\r\n\r\n" SECRET);
    client_head(client);
    assert_string_equal(client_bytes(client, SECRET_LEN), SECRET);
    folder_replace(own.folder, "token", SECRET);
    process_await_line(own.sidecar, "event=token generation=1");
    origin_say(conn, "," SECRET);
    assert_string_equal(client_bytes(client, SECRET_LEN + 1), "," STARS);
    world_close(&own);
}

static void turned_off(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, &off);
    struct client *client = world_client(&own);
    struct origin_conn *conn = asked(&own, client, GET);
    origin_say(conn, "HTTP/1.1 200 OK\r\nX-Echo: " SECRET "\r\nContent-Length: 27\r\n\r\n" SECRET);
    const struct response *response = client_response(client);
    expect_header(response, "X-Echo", SECRET);
    expect_body(response, SECRET);
    world_close(&own);
}

/* ---- --scrub cut
 * ------------------------------------------------------------------------------------------ */

/* Before anything of the head has left, the client gets an answer. */
static struct withdrawn {
    const char *name, *response, *says;
} withdrawals[] = {
    { "in a header", "HTTP/1.1 200 OK\r\nX-Echo: " SECRET "\r\nContent-Length: 2\r\n\r\nok",
      "in its head" },
    { "in a redirect", "HTTP/1.1 302 x\r\nLocation: /" PERCENT "\r\nContent-Length: 0\r\n\r\n",
      "in its head" },
    { "in a body that comes with its head", "HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n" SECRET,
      "in its body" },
    { "in a chunk that comes with its head",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1b\r\n" SECRET "\r\n0\r\n\r\n",
      "in its body" },
};

static void withdrawn(void **state)
{
    const struct withdrawn *story = *state;
    struct world own;

    world_open(&own, &cutting);
    struct client *client = world_client(&own);
    struct origin_conn *conn = asked(&own, client, GET);
    origin_say(conn, story->response);
    expect_answer(client_response(client), 502, "OriginProtocol", story->says);
    origin_await_end(conn);
    char *line = process_await(own.sidecar, "event=exchange");
    if (!strstr(line, "outcome=token_in_response") || !strstr(line, " scrubbed=1 ") ||
        !strstr(line, " status=502 "))
        fail_msg("token_in_response was expected: %s", line);
    free(line);
    conn =
        asked(&own, client, GET); /* the client's connection is still good, on a new one of ours */
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    never_logged(&own);
    world_close(&own);
}

static void withdrawn_behind_interim(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, &cutting);
    struct client *client = world_client(&own);
    struct origin_conn *conn = asked(&own, client, GET);
    origin_say(conn, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                     "HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n" SECRET);
    expect_header(client_response(client), "Link", "</x>");
    expect_answer(client_response(client), 502, "OriginProtocol", "in its body");
    world_close(&own);
}

/* Afterwards it is cut, and does not look complete. */
static struct severed {
    const char *name, *request, *head, *behind;
    size_t at_once;
    enum ending want;
} severed[] = {
    { "a length", GET, "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nab", SECRET ".", 2,
      ENDING_CLEAN },
    { "chunked", GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
      "1b\r\n" SECRET "\r\n0\r\n\r\n", 7, ENDING_CLEAN },
    { "until close", OLD, "HTTP/1.1 200 OK\r\n\r\nab", SECRET, 2, ENDING_RESET },
};

static void cut_off(void **state)
{
    const struct severed *story = *state;
    struct world own;

    world_open(&own, &cutting);
    struct client *client = world_client(&own);
    struct origin_conn *conn = asked(&own, client, story->request);
    origin_say(conn, story->head);
    client_head(client);
    client_bytes(client, story->at_once);
    origin_say(conn, story->behind);
    assert_int_equal(client_end(client), story->want);
    origin_await_end(conn);
    process_await_line(own.sidecar, "outcome=token_in_response");
    never_logged(&own);
    world_close(&own);
}

static void clean_is_not_cut(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, &cutting);
    struct client *client = world_client(&own);
    struct origin_conn *conn = asked(&own, client, GET);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n..app+token");
    expect_body(client_response(client), "..app+token");
    world_close(&own);
}

static struct single_with {
    const char *name;
    CMUnitTestFunction run;
    const char *with;
} singles[] = {
    { "the reason and a name", reason, NULL },
    { "an interim response", interim, NULL },
    { "cut at every byte, with a length", cut_with_length, NULL },
    { "cut at every byte, in chunks", cut_in_chunks, NULL },
    { "cut at every byte, until close", cut_until_close, GET },
    { "cut at every byte, until close, to an HTTP/1.0 client", cut_until_close, OLD },
    { "byte by byte", byte_by_byte, NULL },
    { "a form longer than the buffer", longer_than_the_buffer, NULL },
    { "held to the end", held_to_the_end, GET },
    { "held to the end, to an HTTP/1.0 client", held_to_the_end, OLD },
    { "held, and the origin is cut", held_and_cut, NULL },
    { "held, and the client leaves", held_and_gone, NULL },
    { "a stream is not delayed", stream_is_not_delayed, NULL },
    { "a large body", large, GET },
    { "a large body to an HTTP/1.0 client", large, OLD },
    { "the log counts and does not tell", counted, NULL },
    { "this token and the one before", both_generations, NULL },
    { "a token that comes meanwhile", late_token, NULL },
    { "--scrub off", turned_off, NULL },
    { "--scrub cut, behind an interim response", withdrawn_behind_interim, NULL },
    { "--scrub cut, and nothing is in it", clean_is_not_cut, NULL },
};

static void run_single(void **state)
{
    const struct single_with *story = *state;
    void *with = (void *)(uintptr_t)story->with;

    story->run(&with);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, places, masked);
    STORIES_ADD(&stories, withdrawals, withdrawn);
    STORIES_ADD(&stories, severed, cut_off);
    STORIES_ADD(&stories, singles, run_single);
    return flow_run("scrub", &stories, &world, &masking);
}

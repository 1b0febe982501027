/* Connections to an origin after the first exchange: kept, resumed, found dead, given up. */
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST "Host: any.partner.example\r\n"
#define GET  "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define POST "POST /a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct world world;

/* One exchange over a new connection that stays with the sidecar. */
static struct origin_conn *kept(struct client *client)
{
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    return conn;
}

static struct stale {
    const char *name, *request, *response;
    void (*leave)(struct origin_conn *conn);
    bool again;
} stales[] = {
    { "GET, closed", GET, "", origin_close, true },
    { "GET, cut", GET, "", origin_cut, true },
    { "GET, reset", GET, "", origin_reset, true },
    { "HEAD", "HEAD /a HTTP/1.1\r\n" HOST "\r\n", "", origin_close, true },
    { "PUT without a body", "PUT /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "",
      origin_close, true },
    { "DELETE", "DELETE /a HTTP/1.1\r\n" HOST "\r\n", "", origin_close, true },
    { "POST", POST, "", origin_close, false },
    { "POST without a body", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "",
      origin_close, false },
    { "PATCH without a body", "PATCH /a HTTP/1.1\r\n" HOST "\r\n", "", origin_close, false },
    { "GET with a body", "GET /a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", "", origin_close,
      true },
    { "PUT with a body", "PUT /a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", "", origin_close,
      true },
    { "GET of which a byte was answered", GET, "H", origin_close, false },
    { "a method of its own", "PURGE /a HTTP/1.1\r\n" HOST "\r\n", "", origin_close, false },
};

static void stale_connection(void **state)
{
    const struct stale *story = *state;
    bool to_head = strncmp(story->request, "HEAD", 4) == 0;
    struct client *client = world_client(&world);
    struct origin_conn *conn = kept(client);

    client_say(client, story->request);
    const char *head = origin_head(conn);
    char *first = text_copy(head, strlen(head));
    origin_say(conn, story->response);
    story->leave(conn);
    if (story->again) {
        conn = origin_accept(world.origin);
        assert_string_equal(origin_head(conn), first);
        if (strstr(story->request, "\r\n\r\nx"))
            assert_string_equal(origin_bytes(conn, 1), "x");
        origin_say(conn, OK);
    }
    free(first);
    expect_status(to_head ? client_response_to_head(client) : client_response(client),
                  story->again ? 200 : 502);
    origin_untouched(world.origin);
}

static void stale_once_only(void **state)
{
    struct client *client = world_client(&world);
    struct origin_conn *conn = kept(client);

    (void)state;
    client_say(client, GET);
    origin_head(conn);
    origin_close(conn);
    conn = origin_accept(world.origin);
    origin_head(conn);
    origin_close(conn);
    expect_answer(client_response(client), 502, "OriginProtocol", "");
    origin_untouched(world.origin);
    process_await_line(world.sidecar, "retries=1");
}

static void kept_breaks_off(void **state)
{
    struct client *client = world_client(&world);
    struct origin_conn *conn = kept(client);

    (void)state;
    client_say(client, GET);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    origin_close(conn);
    assert_false(client_response(client)->complete);
    assert_int_equal(client_end(client), ENDING_CLEAN);
    origin_untouched(world.origin);
}

static void reused(void **state)
{
    struct origin_conn *conn = kept(world_client(&world));

    (void)state;
    clients_close();
    struct client *client = world_client(&world); /* another client, the same connection */
    client_say(client, GET);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    origin_untouched(world.origin);
    process_await_line(world.sidecar, "reused=1");
}

static void not_shared_between_hosts(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    kept(client);
    client_say(client, "GET /v1/a HTTP/1.1\r\nHost: api.partner.example\r\n\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    assert_string_equal(origin_server_name(conn), "api.partner.example");
    assert_false(origin_resumed(conn));
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

static void not_shared_at_once(void **state)
{
    struct client *first = world_client(&world), *second = world_client(&world);

    (void)state;
    client_say(first, GET);
    struct origin_conn *one = origin_accept(world.origin);
    origin_head(one);
    client_say(second, GET);
    struct origin_conn *two = origin_accept(world.origin);
    origin_head(two);
    origin_say(two, OK);
    expect_body(client_response(second), "ok");
    origin_say(one, OK);
    expect_body(client_response(first), "ok");
}

static void resumed(void **state)
{
    struct client *client = world_client(&world);
    struct origin_conn *conn = kept(client);

    (void)state;
    origin_close(conn);
    client_say(client, GET); /* also if the end comes after the request */
    conn = origin_accept(world.origin);
    assert_true(origin_resumed(conn));
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

static void server_name(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "GET /a HTTP/1.1\r\nHost: ANY.partner.example.:443\r\n\r\n");
    assert_string_equal(origin_server_name(origin_accept(world.origin)), "any.partner.example");
}

static void unasked_bytes(void **state)
{
    struct origin_conn *conn = kept(world_client(&world));

    (void)state;
    origin_say(conn, OK);
    origin_await_end(conn);
}

static void bytes_behind_the_response(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, OK "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    expect_body(client_response(client), "ok");
    origin_await_end(conn);
    kept(client);
}

static void bytes_behind_no_content(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "HEAD /a HTTP/1.1\r\n" HOST "\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    expect_status(client_response_to_head(client), 200);
    origin_await_end(conn);
    kept(client);
}

static void close_asked_for(void **state)
{
    static const char *const responses[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    };
    struct client *client = world_client(&world);

    (void)state;
    for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
        client_say(client, GET);
        struct origin_conn *conn = origin_accept(world.origin);
        origin_head(conn);
        origin_say(conn, responses[i]);
        expect_body(client_response(client), "ok"); /* the client's own connection stays */
        origin_await_end(conn);
    }
}

/* ---- a second response that nobody asked for must never answer the next request */

#define EVIL "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

/* What `text` would be on the wire; the caller frees. */
static struct bytes on_the_wire(struct origin_conn *conn, const char *text)
{
    SSL *ssl = origin_tls(conn);
    struct bytes wire = { 0 };
    char *at = NULL;

    if (!ssl) {
        bytes_add(&wire, text, strlen(text));
        return wire;
    }
    SSL_set0_wbio(ssl, BIO_new(BIO_s_mem()));
    assert_int_equal(SSL_write(ssl, text, (int)strlen(text)), strlen(text));
    long n = BIO_get_mem_data(SSL_get_wbio(ssl), &at);
    bytes_add(&wire, at, (size_t)n);
    SSL_set_fd(ssl, origin_fd(conn));
    return wire;
}

static void send_raw(struct origin_conn *conn, const struct bytes *wire, size_t from, size_t n)
{
    assert_int_equal(send(origin_fd(conn), wire->at + from, n, MSG_NOSIGNAL), n);
}

static void in_one_record(struct origin_conn *conn, struct client *client)
{
    origin_say(conn, OK EVIL);
    expect_body(client_response(client), "ok");
    client_say(client, GET);
}

static void in_one_segment(struct origin_conn *conn, struct client *client)
{
    struct bytes wire = on_the_wire(conn, OK), evil = on_the_wire(conn, EVIL);

    bytes_add(&wire, evil.at, evil.n);
    send_raw(conn, &wire, 0, wire.n);
    bytes_free(&wire);
    bytes_free(&evil);
    expect_body(client_response(client), "ok");
    client_say(client, GET);
}

static void in_the_next_record(struct origin_conn *conn, struct client *client)
{
    origin_say(conn, OK);
    origin_say(conn, EVIL);
    expect_body(client_response(client), "ok");
    client_say(client, GET);
}

static void behind_the_response(struct origin_conn *conn, struct client *client)
{
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    origin_say(conn, EVIL);
    client_say(client, GET);
}

static void in_two_pieces(struct origin_conn *conn, struct client *client)
{
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    struct bytes evil = on_the_wire(conn, EVIL);
    send_raw(conn, &evil, 0, 3); /* not even the head of a record */
    client_say(client, GET);
    send(origin_fd(conn), evil.at + 3, evil.n - 3, MSG_NOSIGNAL);
    bytes_free(&evil);
}

static void deafen(struct origin_conn *conn, bool deaf)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = { 1, &nothing };

    assert_int_equal(setsockopt(origin_fd(conn), SOL_SOCKET,
                                deaf ? SO_ATTACH_FILTER : SO_DETACH_FILTER, &filter,
                                sizeof(filter)),
                     0);
}

static unsigned dropped(const struct origin_conn *conn)
{
    unsigned numbers[SK_MEMINFO_VARS] = { 0 };
    socklen_t len = sizeof(numbers);

    assert_int_equal(getsockopt(origin_fd(conn), SOL_SOCKET, SO_MEMINFO, numbers, &len), 0);
    return numbers[SK_MEMINFO_DROPS];
}

/* It meets the request on the wire: the request has left, and its packets have not arrived. */
static void across_the_request(struct origin_conn *conn, struct client *client)
{
    long long until = now_ms() + PATIENCE_MS;

    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    deafen(conn, true);
    unsigned before = dropped(conn);
    client_say(client, GET);
    while (dropped(conn) == before && now_ms() < until)
        wait_any(NULL, 0, now_ms() + 1);
    origin_say(conn, EVIL);
}

static struct poison {
    const char *name;
    void (*second)(struct origin_conn *conn, struct client *client);
    bool plain;
    unsigned times;
} poisons[] = {
    { "a second response in the same record", in_one_record, false, 5 },
    { "a second response in the same segment", in_one_segment, false, 5 },
    { "a second response right behind the first", in_the_next_record, false, 40 },
    { "a second response just before the next request", behind_the_response, false, 40 },
    { "a second response in two pieces", in_two_pieces, false, 10 },
    { "a second response that meets the request on the wire", across_the_request, false, 2 },
    { "plain: a second response in the same segment", in_one_record, true, 5 },
    { "plain: a second response right behind the first", in_the_next_record, true, 40 },
    { "plain: a second response just before the next request", behind_the_response, true, 40 },
    { "plain: a second response that meets the request on the wire", across_the_request, true, 2 },
};

/* Nagle's algorithm would hold the second response back until the next request acknowledges the first:
 * then nobody can tell it from an answer. */
static void send_at_once(struct origin_conn *conn)
{
    int on = 1;

    setsockopt(origin_fd(conn), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void poisoned(struct world *in, const struct poison *story)
{
    struct client *client = world_client(in);

    client_say(client, GET);
    struct origin_conn *conn = origin_accept(in->origin);
    origin_head(conn);
    send_at_once(conn);
    story->second(conn, client);
    struct origin_conn *next = origin_accept(in->origin);
    origin_head(next);
    origin_say(next, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngood");
    expect_body(client_response(client), "good");
    if (story->second == across_the_request)
        deafen(conn, false);
    client_close(client);
}

static void never_poisons(void **state)
{
    const struct poison *story = *state;
    static const struct plan plan = { .plain = true,
                                      .options = { "--plaintext-host", "any.partner.example" } };
    struct world own;

    if (story->plain)
        world_open(&own, &plan);
    for (unsigned i = 0; i < story->times; i++)
        poisoned(story->plain ? &own : &world, story);
    if (story->plain)
        world_close(&own);
}

/* The 408 of an origin that gave up waiting just when the request left. */
static void farewell_meets_the_request(void **state)
{
    struct client *client = world_client(&world);
    struct origin_conn *conn = kept(client);
    long long until = now_ms() + PATIENCE_MS;

    (void)state;
    deafen(conn, true);
    unsigned before = dropped(conn);
    client_say(client, POST);
    while (dropped(conn) == before && now_ms() < until)
        wait_any(NULL, 0, now_ms() + 1);
    origin_say(conn, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    expect_answer(client_response(client), 502, "OriginProtocol", "before it was asked");
    deafen(conn, false);
    origin_untouched(world.origin); /* a POST is not sent twice */
}

/* RFC 9112, 9.8: a length is proof enough that nothing is missing. */
static void length_needs_no_close_notify(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, OK);
    origin_cut(conn);
    expect_body(client_response(client), "ok");
    kept(client);
}

static struct single singles[] = {
    { "a stale connection, twice", stale_once_only },
    { "a kept connection breaks off in the middle", kept_breaks_off },
    { "a kept connection serves the next client", reused },
    { "a connection is of one host", not_shared_between_hosts },
    { "a busy connection is not shared", not_shared_at_once },
    { "the next connection resumes the session", resumed },
    { "the name in the handshake", server_name },
    { "unasked bytes on an idle connection", unasked_bytes },
    { "bytes behind a response", bytes_behind_the_response },
    { "bytes behind a response without content", bytes_behind_no_content },
    { "a farewell that meets a POST on the wire", farewell_meets_the_request },
    { "an origin that wants to close", close_asked_for },
    { "a length needs no close_notify", length_needs_no_close_notify },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, stales, stale_connection);
    STORIES_ADD(&stories, poisons, never_poisons);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("reuse", &stories, &world, NULL);
}

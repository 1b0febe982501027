/* TLS over time: certificates that end or change between connections, trust that is read again,
 * sessions that are resumed and no longer resumed, and connections that end badly. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST "Host: any.partner.example\r\n"
#define GET  "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define LAST "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

static struct world world;

static struct origin_conn *exchange(struct client *client, const char *response)
{
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, response);
    expect_body(client_response(client), "ok");
    return conn;
}

static void again(struct client *client, struct origin_conn *conn)
{
    client_say(client, GET);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

static void refused(struct client *client, const char *says)
{
    client_say(client, GET);
    origin_accept_failing(world.origin);
    expect_answer(client_response(client), 502, "OriginCertificate", says);
}

static void serve(const struct recipe *recipe)
{
    origin_serve(world.origin, certificate_cook(recipe));
}

static const struct recipe usual, strange = { .signer = SIGNER_STRANGER },
                                  nobody = { .names = "DNS:nobody.test" };

/* ---- certificates that end ---- */

/* The clock is what is waited for. */
static void await_second(time_t second)
{
    struct pollfd none = { .fd = -1, .events = POLLIN };

    while (time(NULL) <= second)
        wait_any(&none, 1, now_ms() + 50);
}

/* The connection that was kept is not used again, the session is not resumed, and the new
 * connection sees the certificate that has ended. */
static void ends_in_the_pool(int version)
{
    struct recipe short_lived = { .from_s = -60, .to_s = 3, .version = version };
    struct client *client = world_client(&world);
    time_t end = time(NULL) + 3;

    serve(&short_lived);
    origin_close(exchange(client, LAST));
    struct origin_conn *kept = exchange(client, OK);
    assert_true(origin_resumed(kept)); /* while it lives, it is resumed */
    await_second(end);
    refused(client, "certificate has expired: CN=flow origin (depth 0) was valid");
    origin_await_end(kept); /* it was closed instead of used */
    assert_int_equal(origin_unread(kept), 0);
}

static void ends_in_the_pool_13(void **state)
{
    (void)state;
    ends_in_the_pool(TLS1_3_VERSION);
}

static void ends_in_the_pool_12(void **state)
{
    (void)state;
    ends_in_the_pool(TLS1_2_VERSION);
}

/* ---- certificates that change ---- */

static void changes(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    serve(&usual);
    origin_close(exchange(client, LAST));
    serve(&strange);
    refused(client, "is signed by CN=Strange Authority");
    serve(&nobody);
    refused(client, "the certificate is for nobody.test");
    serve(&usual);
    struct origin_conn *conn = exchange(client, OK);
    serve(&strange);
    again(client, conn); /* what was verified still holds */
}

/* A session of one host is not one of another, though the same origin would resume it. */
static void one_session_a_host(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    serve(&usual);
    origin_close(exchange(client, LAST));
    client_say(client, "GET https://api.partner.example/v1/a HTTP/1.1\r\nHost: "
                       "api.partner.example\r\n\r\n");
    struct origin_conn *other = origin_accept(world.origin);
    assert_false(origin_resumed(other));
    origin_head(other);
    origin_say(other, LAST);
    expect_body(client_response(client), "ok");
    origin_close(other);
    struct origin_conn *same = exchange(client, LAST);
    assert_true(origin_resumed(same));
    origin_close(same);
}

/* ---- trust that is read again ---- */

static void reload(const char *event)
{
    process_signal(world.sidecar, SIGHUP);
    process_await_line(world.sidecar, event);
}

static void trust_changes(void **state)
{
    const char *path = folder_name(world.folder, "ca.pem");
    struct client *client = world_client(&world);

    (void)state;
    serve(&usual);
    origin_close(exchange(client, LAST)); /* a session to resume */
    struct origin_conn *kept = exchange(client, OK);
    certificate_write_stranger(path);
    reload("event=tls_reloaded");
    refused(client, "is signed by CN=Flow Test Authority"); /* neither kept nor resumed */
    origin_await_end(kept);
    serve(&strange);
    origin_close(exchange(client, LAST));
    certificate_write_authority(path);
    reload("event=tls_reloaded");
    refused(client, "is signed by CN=Strange Authority");
}

/* As the manifest: nobody has to say so. */
static void trust_is_watched(void **state)
{
    const char *path = folder_name(world.folder, "ca.pem");
    struct client *client = world_client(&world);

    (void)state;
    serve(&usual);
    certificate_write_stranger(path);
    process_await_line(world.sidecar, "event=tls_reloaded");
    refused(client, "is signed by CN=Flow Test Authority");
    certificate_write_authority(path);
    process_await_line(world.sidecar, "event=tls_reloaded");
    origin_close(exchange(client, LAST));
}

static void bad_trust_changes_nothing(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    serve(&usual);
    struct origin_conn *kept = exchange(client, OK);
    folder_write(world.folder, "ca.pem", "noise");
    reload("is not a readable file of PEM certificates");
    process_await_line(world.sidecar, "event=tls_reload_failed");
    again(client, kept);
    certificate_write_authority(folder_name(world.folder, "ca.pem"));
    reload("event=reloaded");
    again(client, kept); /* the trust is that of before, and so is the connection */
}

/* Most of them are about the manifest. */
static void nothing_changed(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    serve(&usual);
    struct origin_conn *kept = exchange(client, OK);
    reload("event=reloaded");
    again(client, kept);
}

/* A request under way when the trust is read again goes to its end; its connection is not kept. */
static void reload_under_way(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    serve(&usual);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    certificate_write_stranger(folder_name(world.folder, "ca.pem"));
    reload("event=tls_reloaded");
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    assert_int_equal(origin_await_end(conn), ENDING_CLEAN);
    certificate_write_authority(folder_name(world.folder, "ca.pem"));
    reload("event=tls_reloaded");
}

/* ---- bad ends ---- */

/* Not TLS any more, in the middle of a response: what an attacker on the way can do. */
static void noise(struct origin_conn *conn)
{
    static const char bytes[] = "\x17\x03\x03\x00\x20garbage-garbage-garbage-garbage-";

    assert_int_equal(write(origin_fd(conn), bytes, sizeof(bytes) - 1), sizeof(bytes) - 1);
}

/* An alert that nobody encrypted. */
static void alert(struct origin_conn *conn)
{
    static const char bytes[] = "\x15\x03\x03\x00\x02\x02\x50";

    assert_int_equal(write(origin_fd(conn), bytes, sizeof(bytes) - 1), sizeof(bytes) - 1);
}

#define LENGTH_HEAD  "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
#define CHUNKED_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CLOSE_HEAD   "HTTP/1.1 200 OK\r\n\r\n"

static struct bad_end {
    const char *name, *response;
    void (*leave)(struct origin_conn *conn);
    bool complete;
} bad_ends[] = {
    { "length, whole, then cut", LENGTH_HEAD "body", origin_cut, true },
    { "length, short, then cut", LENGTH_HEAD "bo", origin_cut, false },
    { "length, short, then close_notify", LENGTH_HEAD "bo", origin_close, false },
    { "length, short, then noise", LENGTH_HEAD "bo", noise, false },
    { "length, short, then an alert", LENGTH_HEAD "bo", alert, false },
    { "length, short, then a reset", LENGTH_HEAD "bo", origin_reset, false },
    { "chunked, whole, then cut", CHUNKED_HEAD "4\r\nbody\r\n0\r\n\r\n", origin_cut, true },
    { "chunked, without its last chunk, then cut", CHUNKED_HEAD "4\r\nbody\r\n", origin_cut,
      false },
    { "chunked, without its last chunk, then close_notify", CHUNKED_HEAD "4\r\nbody\r\n",
      origin_close, false },
    { "chunked, within a chunk, then an alert", CHUNKED_HEAD "4\r\nbo", alert, false },
    { "until its end, then close_notify", CLOSE_HEAD "body", origin_close, true },
    { "until its end, then cut", CLOSE_HEAD "body", origin_cut, false },
    { "until its end, then an alert", CLOSE_HEAD "body", alert, false },
    { "until its end, then a reset", CLOSE_HEAD "body", origin_reset, false },
};

static void ends_badly(void **state)
{
    const struct bad_end *story = *state;
    struct client *client = world_client(&world);

    serve(&usual);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, story->response);
    client_head(client);
    story->leave(conn);
    assert_int_equal(client_rest(client)->complete, story->complete);
}

/* Before anything was answered, the client is told what TLS said. */
static struct early_end {
    const char *name;
    void (*leave)(struct origin_conn *conn);
    const char *says;
} early_ends[] = {
    { "cut", origin_cut, "its end was not announced (close_notify)" },
    { "noise", noise, "before its response was complete. (" },
    { "close_notify", origin_close, "before its response was complete." },
};

static void ends_early(void **state)
{
    const struct early_end *story = *state;
    struct client *client = world_client(&world);

    serve(&usual);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    story->leave(conn);
    expect_answer(client_response(client), 502, "OriginProtocol", story->says);
}

static struct single singles[] = {
    { "a certificate ends while its connection is kept", ends_in_the_pool_13 },
    { "... in TLS 1.2", ends_in_the_pool_12 },
    { "the certificate changes between connections", changes },
    { "a session is its host's", one_session_a_host },
    { "SIGHUP reads --ca-file again", trust_changes },
    { "--ca-file changes, and nobody says so", trust_is_watched },
    { "a --ca-file that is none changes nothing", bad_trust_changes_nothing },
    { "SIGHUP while no file of TLS has changed", nothing_changed },
    { "SIGHUP during a request", reload_under_way },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, bad_ends, ends_badly);
    STORIES_ADD(&stories, early_ends, ends_early);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("tls_life", &stories, &world, NULL);
}

/* --warm: connections that are opened ahead. The origin counts connections, and says which were resumed. */
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_world.h"

#define API "Host: api.partner.example\r\n"
#define OK  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static const char get[] = "GET /v1/a HTTP/1.1\r\n" API "\r\n";

static void open_warm(struct world *world, const char *n, const char *flag, const char *value)
{
    struct plan plan = { .options = { "--warm", n, flag, value } };

    world_open(world, &plan);
}

static void answer(struct client *client, struct origin_conn *conn)
{
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

/* The first exchange of a world; the connection stays. */
static struct origin_conn *begin(struct world *world, struct client **client)
{
    *client = world_client(world);
    client_say(*client, get);
    struct origin_conn *conn = origin_accept(world->origin);
    answer(*client, conn);
    return conn;
}

/* A request at work; what is opened meanwhile serves the next one. */
static void another_is_ready(void **state)
{
    struct client *first, *second;
    struct world world;

    (void)state;
    open_warm(&world, "1", NULL, NULL);
    struct origin_conn *kept = begin(&world, &first);
    client_say(first, get);
    struct origin_conn *ahead = origin_accept(world.origin);
    assert_true(origin_resumed(ahead));
    process_forget_log(world.sidecar);
    origin_head(kept);
    second = world_client(&world);
    client_say(second, get);
    struct origin_conn *third = origin_accept(world.origin); /* because `ahead` is at work now */
    answer(second, ahead);
    origin_say(kept, OK);
    expect_body(client_response(first), "ok");
    assert_true(origin_resumed(third));
    assert_int_equal(origin_accepted(world.origin), 3);
    clients_close();
    world_close(&world);
}

/* The kept one grows old and is closed; another stands there when the next request comes. */
static void over_a_pause(void **state)
{
    struct client *client;
    struct world world;

    (void)state;
    open_warm(&world, "1", "--pool-idle-timeout", "1200ms");
    struct origin_conn *kept = begin(&world, &client);
    origin_await_end(kept);
    struct origin_conn *ahead = origin_accept(world.origin);
    assert_true(origin_resumed(ahead));
    client_say(client, get);
    answer(client, ahead);
    assert_int_equal(origin_accepted(world.origin), 2);
    clients_close();
    world_close(&world);
}

static void several(void **state)
{
    struct client *client;
    struct world world;

    (void)state;
    open_warm(&world, "4", NULL, NULL);
    begin(&world, &client);
    for (int i = 0; i < 3; i++)
        assert_true(origin_resumed(origin_accept(world.origin)));
    free(world_exchange(&world, "GET /v1/b HTTP/1.1\r\nHost: any.partner.example\r\n\r\n"));
    clients_close();
    world_close(&world);
}

/* An origin that closes at once is not asked again before there is a request. */
static void not_wanted(void **state)
{
    struct client *client;
    struct world world;

    (void)state;
    open_warm(&world, "1", NULL, NULL);
    for (unsigned i = 1; i <= 3; i++) {
        struct origin_conn *conn = begin(&world, &client);
        origin_close(conn);
        assert_int_equal(origin_accepted(world.origin), i);
    }
    clients_close();
    world_close(&world);
}

/* Nothing is opened that no request needs. */
static void off(void **state)
{
    struct client *client;
    struct world world;

    (void)state;
    world_open(&world, NULL);
    struct origin_conn *conn = begin(&world, &client);
    for (int i = 0; i < 3; i++) {
        client_say(client, get);
        answer(client, conn);
    }
    assert_int_equal(origin_accepted(world.origin), 1);
    clients_close();
    world_close(&world);
}

int main(void)
{
    static struct stories stories;

    stories_add(&stories, "while one is at work another is ready", another_is_ready, NULL);
    stories_add(&stories, "a pause costs no handshake", over_a_pause, NULL);
    stories_add(&stories, "several", several, NULL);
    stories_add(&stories, "an origin that closes at once is left alone", not_wanted, NULL);
    stories_add(&stories, "off unless asked for", off, NULL);
    return flow_run("warm", &stories, NULL, NULL);
}

/* Addresses of origins that fail again and again are left alone for a while, then tried once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST "Host: any.partner.example\r\n"
#define GET  "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static const char left_alone[] = "janus-sidecar; error=destination_unavailable";

static const struct response *ask(struct client *client)
{
    client_say(client, GET);
    return client_response(client);
}

static void expect_left_alone(struct client *client)
{
    const struct response *response = ask(client);

    expect_answer(response, 502, "OriginUnreachable", "failed again and again");
    expect_header(response, "Proxy-Status", left_alone);
    expect_header(response, "Connection", NULL);
}

static bool is_left_alone(const struct response *response)
{
    char *status = head_field(response->head, "Proxy-Status");
    bool is = status && strcmp(status, left_alone) == 0;

    free(status);
    return is;
}

/* Asks until the time of the circuit is over: the answer that is not the circuit's. */
static const struct response *ask_until_tried(struct client *client)
{
    long long until = now_ms() + PATIENCE_MS;
    const struct response *response;

    while (is_left_alone(response = ask(client)) && now_ms() < until)
        wait_any(NULL, 0, now_ms() + 20);
    return response;
}

/* ---- what opens a circuit */

static struct opening {
    const char *name;
    struct plan plan;
    bool shakes_hands; /* in vain */
    bool listens;      /* and does not answer */
    unsigned status;
    const char *code;
} openings[] = {
    { "nobody listens",
      { .other_port = true, .options = { "--circuit-failures", "3" } },
      false,
      false,
      502,
      "OriginUnreachable" },
    { "certificates that are not accepted",
      { .certificate = CERTIFICATE_STRANGER, .options = { "--circuit-failures", "3" } },
      true,
      false,
      502,
      "OriginCertificate" },
    { "nobody answers the handshake",
      { .options = { "--circuit-failures", "3", "--connect-timeout", "100ms" } },
      false,
      false,
      504,
      "ProxyTimeout" },
    { "requests are not answered",
      { .options = { "--circuit-failures", "3", "--response-timeout", "100ms" } },
      false,
      true,
      504,
      "ProxyTimeout" },
};

static void opens(void **state)
{
    struct opening *story = *state;
    struct world own;

    world_open(&own, &story->plan);
    struct client *client = world_client(&own);
    for (int i = 0; i < 3; i++) {
        client_say(client, GET);
        if (story->shakes_hands)
            origin_accept_failing(own.origin);
        if (story->listens)
            origin_head(origin_accept(own.origin));
        expect_answer(client_response(client), story->status, story->code, "");
    }
    process_await_line(own.sidecar, "event=circuit_open");
    long long before = now_ms();
    for (int i = 0; i < 5; i++)
        expect_left_alone(client);
    assert_true(now_ms() - before < 1000);
    world_metrics(&own, "janus_sidecar_circuits_open 1\n");
    assert_null(strstr(strstr(process_log(own.sidecar), "event=circuit_open") + 1,
                       "event=circuit_open")); /* said once */
    world_close(&own);
}

/* ---- what closes it, and what does not */

static void probe_fails(void **state)
{
    static const struct plan plan = { .other_port = true,
                                      .options = { "--circuit-failures", "1" } };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    expect_answer(ask(client), 502, "OriginUnreachable", "refused");
    process_await_line(own.sidecar, "left alone for 1000 ms");
    expect_left_alone(client);
    expect_answer(ask_until_tried(client), 502, "OriginUnreachable", "refused");
    process_await_line(own.sidecar, "left alone for 2000 ms");
    expect_left_alone(client);
    world_close(&own);
}

/* At 127.0.0.2, whatever port is free there. */
static struct origin *origin_elsewhere(void)
{
    struct origin *elsewhere = NULL;

    for (int i = 0; i < 20 && !elsewhere; i++) {
        struct origin *free_here = origin_new_plain();
        elsewhere = origin_new_beside(origin_port(free_here));
        origin_free(free_here);
    }
    assert_non_null(elsewhere);
    return elsewhere;
}

/* Asks until somebody knocks at `origin`. */
static void ask_until_knocked(struct client *client, const struct origin *origin)
{
    long long until = now_ms() + PATIENCE_MS;

    for (;;) {
        struct pollfd fds[2] = { { .fd = client_fd(client), .events = POLLIN },
                                 { .fd = origin_listening(origin), .events = POLLIN } };
        client_say(client, GET);
        assert_true(wait_any(fds, 2, until));
        if (fds[1].revents)
            return;
        assert_true(is_left_alone(client_response(client)));
        wait_any(NULL, 0, now_ms() + 20);
    }
}

static void answered(struct origin_conn *conn, struct client *client)
{
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

/* As if its packets were lost at first. */
static void comes_back(void **state)
{
    struct origin *late = origin_elsewhere();
    char connect_to[64];
    struct plan plan = { .plain = true,
                         .options = { "--plaintext-host", "any.partner.example",
                                      "--circuit-failures", "2", "--connect-timeout", "200ms",
                                      "--connect-to", connect_to } };
    struct world own;

    (void)state;
    snprintf(connect_to, sizeof(connect_to), "any.partner.example::127.0.0.2:%u",
             origin_port(late));
    world_open(&own, &plan);
    origin_deafen(late, true);
    struct client *client = world_client(&own);
    expect_answer(ask(client), 504, "ProxyTimeout", "connecting took too long");
    expect_answer(ask(client), 504, "ProxyTimeout", "connecting took too long");
    expect_left_alone(client);
    origin_deafen(late, false);
    ask_until_knocked(client, late);
    struct origin_conn *conn = origin_accept(late);
    answered(conn, client);
    process_await_line(own.sidecar, "event=circuit_closed");
    world_metrics(&own, "janus_sidecar_circuits_open 0\n");
    client_say(client, GET);
    answered(conn, client);
    world_close(&own);
    origin_free(late);
}

/* It still accepts connections: an answer is what counts. One that comes late enough not to be one more silence,
 * and soon enough not to be waited for by the next request. */
static void speaks_again(void **state)
{
    static const struct plan plan = { .options = { "--circuit-failures", "2", "--response-timeout",
                                                   "200ms" } };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own), *other = world_client(&own);
    for (int i = 0; i < 2; i++) {
        client_say(client, GET);
        origin_head(origin_accept(own.origin));
        expect_answer(client_response(client), 504, "ProxyTimeout", "");
    }
    expect_left_alone(client);
    ask_until_knocked(client, own.origin);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    expect_left_alone(other); /* connected is not answered */
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    process_await_line(own.sidecar, "event=circuit_closed");
    world_metrics(&own, "janus_sidecar_circuits_open 0\n");
    world_close(&own);
}

/* A slow request among others that are answered says nothing about the origin. */
static void one_slow_request(void **state)
{
    static const struct plan plan = { .options = { "--circuit-failures", "2", "--response-timeout",
                                                   "100ms" } };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *slow = world_client(&own), *quick = world_client(&own);
    for (int i = 0; i < 4; i++) {
        client_say(slow, GET);
        origin_head(origin_accept(own.origin));
        expect_answer(client_response(slow), 504, "ProxyTimeout", "");
        client_say(quick, GET);
        struct origin_conn *conn = origin_accept(own.origin);
        origin_head(conn);
        origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        expect_body(client_response(quick), "ok");
    }
    assert_null(strstr(process_log(own.sidecar), "event=circuit_open"));
    world_close(&own);
}

/* Whoever probes may leave; the next one probes then. */
static void prober_leaves(void **state)
{
    static const struct plan plan = { .options = { "--circuit-failures", "1", "--connect-timeout",
                                                   "200ms" } };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    expect_answer(ask(client), 504, "ProxyTimeout", "handshake took too long");
    origin_await_end(origin_connected(own.origin));
    struct client *leaver = world_client(&own);
    ask_until_knocked(leaver, own.origin);
    client_close(leaver);
    origin_await_end(origin_connected(own.origin));
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    world_close(&own);
}

/* Both addresses of a name stand in /etc/hosts, and nobody is at the first. */
static void other_addresses(void **state)
{
    struct folder *folder = folder_new();
    struct origin *live = origin_new_plain();
    const char *hosts = folder_write(folder, "hosts",
                                     "127.0.0.2 two.partner.example\n"
                                     "127.0.0.1 two.partner.example\n");
    char connect_to[64];
    struct plan plan = { .hosts = hosts,
                         .options = { "--plaintext-host", "any.partner.example",
                                      "--circuit-failures", "2", "--connect-to", connect_to } };
    struct world own;

    (void)state;
    if (!process_may_have_hosts(hosts)) {
        print_message("no hosts file can be given to a child here\n");
        origin_free(live);
        folder_free(folder);
        skip();
    }
    snprintf(connect_to, sizeof(connect_to), "any.partner.example::two.partner.example:%u",
             origin_port(live));
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    for (int i = 0; i < 5; i++) {
        client_say(client, GET);
        struct origin_conn *conn = origin_accept(live);
        origin_head(conn);
        origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        expect_body(client_response(client), "ok");
    }
    process_await_line(own.sidecar, "event=circuit_open");
    world_metrics(&own, "janus_sidecar_circuits_open 1\n");
    world_close(&own);
    origin_free(live);
    folder_free(folder);
}

/* ---- what it does not touch */

static void other_hosts(void **state)
{
    static const struct plan plan = {
        .options = { "--circuit-failures", "1", "--connect-timeout", "200ms" },
    };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    expect_answer(ask(client), 504, "ProxyTimeout", "handshake took too long");
    origin_await_end(origin_connected(own.origin));
    expect_left_alone(client);
    client_say(client, "GET /v1/a HTTP/1.1\r\nHost: api.partner.example\r\n\r\n");
    struct origin_conn *conn = origin_accept(own.origin); /* the same address */
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    world_close(&own);
}

static void switched_off(void **state)
{
    static const struct plan plan = { .other_port = true,
                                      .options = { "--circuit-failures", "0" } };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    for (int i = 0; i < 20; i++)
        expect_answer(ask(client), 502, "OriginUnreachable", "refused");
    world_close(&own);
}

static struct single singles[] = {
    { "a probe that fails: twice as long", probe_fails },
    { "an address that comes back", comes_back },
    { "a silent one that speaks again", speaks_again },
    { "one slow request among others", one_slow_request },
    { "a prober that leaves", prober_leaves },
    { "other addresses of the name are used", other_addresses },
    { "other hosts at the same address go on", other_hosts },
    { "--circuit-failures 0", switched_off },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, openings, opens);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("circuit", &stories, NULL, NULL);
}

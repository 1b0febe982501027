/* What /metrics says after this and that, to whom, and that it costs an idle sidecar nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST   "any.partner.example"
#define GET    "GET /a HTTP/1.1\r\nHost: " HOST "\r\n\r\n"
#define POST   "POST /a HTTP/1.1\r\nHost: " HOST "\r\nContent-Length: 5\r\n\r\nhello"
#define DENIED "GET /a HTTP/1.1\r\nHost: evil.example\r\n\r\n"
#define OK     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define OPEN   "Accept: application/openmetrics-text;version=1.0.0\r\n"
#define N      "janus_sidecar_"

static struct world world;

/* ---- asking ---- */

/* The body, which the caller frees. */
static char *metrics(const char *header)
{
    struct client *client = client_new(world.admin_port);

    client_say(client, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
    client_say(client, header);
    client_say(client, "\r\n");
    const struct response *response = client_response(client);
    expect_status(response, 200);
    char *text = text_copy(response->body.at, response->body.n);
    client_close(client);
    return text;
}

/* What stands behind `sample` and a blank at the beginning of a line; -1: there is no such line. */
static double value_in(const char *text, const char *sample)
{
    size_t len = strlen(sample);

    for (const char *at = text; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
        if (strncmp(at, sample, len) == 0 && at[len] == ' ')
            return strtod(at + len, NULL);
    }
    return -1;
}

static void expect_sample(const char *sample, double want)
{
    char *text = metrics("");
    double got = value_in(text, sample);

    if (got < want || got > want)
        fail_msg("%s is %g, not %g:\n%s", sample, got, want, text);
    free(text);
}

static void expect_absent(const char *part)
{
    char *text = metrics("");

    if (strstr(text, part))
        fail_msg("%s is there:\n%s", part, text);
    free(text);
}

/* ---- what happens ---- */

static void relay_one(struct client *client, struct origin_conn *conn, const char *request)
{
    client_say(client, request);
    conn = conn ? conn : origin_accept(world.origin);
    origin_head(conn);
    if (strstr(request, "hello"))
        origin_bytes(conn, 5);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

static struct origin_conn *kept(struct client *client)
{
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    return conn;
}

static void nothing(void)
{
}

static void one(void)
{
    relay_one(world_client(&world), NULL, POST);
}

static void two(void)
{
    struct client *client = world_client(&world);

    relay_one(client, kept(client), GET);
}

static void denied(void)
{
    expect_status(world_refused(&world, DENIED), 403);
}

static void malformed(void)
{
    expect_status(world_refused(&world, "GET / HTTP/1.1\r\n\r\n"), 400);
}

static void refused(void)
{
    expect_status(world_refused(&world, "GET /%00 HTTP/1.1\r\nHost: " HOST "\r\n\r\n"), 400);
}

static void stale(void)
{
    struct client *client = world_client(&world);
    struct origin_conn *conn = kept(client);

    client_say(client, GET);
    origin_head(conn);
    origin_close(conn);
    relay_one(client, NULL, "");
}

static void slow_origin(void)
{
    struct client *client = world_client(&world);

    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    wait_any(NULL, 0, now_ms() + 30); /* it thinks */
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

static void unreachable(void)
{
    expect_status(world_refused(&world, GET), 502);
}

static void bad_handshake(void)
{
    struct client *client = world_client(&world);

    client_say(client, GET);
    origin_accept_failing(world.origin);
    expect_status(client_response(client), 502);
}

static void late_handshake(void)
{
    struct client *client = world_client(&world);

    client_say(client, GET);
    origin_connected(world.origin);
    expect_status(client_response(client), 504);
}

static void no_tls(void)
{
    struct client *client = world_client(&world);

    client_say(client, GET);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_say(conn, "HTTP/1.1 400 Bad Request\r\n\r\n");
    expect_status(client_response(client), 502);
}

static void lost_name(void)
{
    struct client *client = world_client(&world);

    client_say(client, GET);
    assert_true(client_response(client)->status >= 502);
}

static void without_token(void)
{
    expect_status(world_refused(&world, "GET /a HTTP/1.1\r\nHost: "
                                        "storeacct.vtexcommercestable.com.br\r\n\r\n"),
                  503);
}

static void in_flight(void)
{
    client_say(world_client(&world), GET);
    origin_head(origin_accept(world.origin));
}

static struct story {
    const char *name;
    void (*happens)(void);
    struct plan plan;
    struct {
        const char *sample;
        double value;
    } want[7];
} stories[] = {
    { "nothing yet",
      nothing,
      { 0 },
      { { N "requests_in_flight", 0 },
        { N "origin_connections{state=\"idle\"}", 0 },
        { N "request_duration_seconds_count", 0 },
        { N "tls_handshakes_total{kind=\"full\"}", 0 },
        { N "policy_rules{policy=\"manifest\"}", 4 } } },
    { "one request",
      one,
      { 0 },
      { { N "requests_total{verdict=\"allow\",outcome=\"relayed\",destination=\"" HOST "\"}", 1 },
        { N "origin_first_byte_seconds_count{destination=\"" HOST "\"}", 1 },
        { N "request_duration_seconds_count", 1 },
        { N "overhead_seconds_bucket{le=\"+Inf\"}", 1 },
        { N "request_body_bytes_total", 5 },
        { N "requests_in_flight", 0 },
        { N "origin_connections{state=\"idle\"}", 1 } } },
    { "its connection",
      one,
      { 0 },
      { { N "origin_connections_opened_total", 1 },
        { N "origin_connections_reused_total", 0 },
        { N "tls_handshakes_total{kind=\"full\"}", 1 },
        { N "tls_handshakes_total{kind=\"resumed\"}", 0 },
        { N "connect_seconds_count", 1 },
        { N "dns_lookups_total", 0 } } },
    { "two over one connection",
      two,
      { 0 },
      { { N "requests_total{verdict=\"allow\",outcome=\"relayed\",destination=\"" HOST "\"}", 2 },
        { N "origin_connections_opened_total", 1 },
        { N "origin_connections_reused_total", 1 },
        { N "stale_retries_total", 0 } } },
    { "a denied one has no name",
      denied,
      { 0 },
      { { N "requests_total{verdict=\"deny\",outcome=\"outbound_access_denied\",destination="
            "\"other\"}",
          1 },
        { N "origin_connections_opened_total", 0 },
        { N "overhead_seconds_count", 0 },
        { N "request_duration_seconds_count", 1 } } },
    { "a refused one",
      refused,
      { 0 },
      { { N "requests_total{verdict=\"refuse\",outcome=\"bad_request\",destination=\"other\"}",
          1 } } },
    { "one that was never judged",
      malformed,
      { 0 },
      { { N "requests_total{verdict=\"none\",outcome=\"bad_request\",destination=\"other\"}",
          1 } } },
    { "one that would have been denied",
      one,
      { .policies = "api.partner.example\t*\n", .options = { "--mode", "report" } },
      { { N "requests_total{verdict=\"would-deny\",outcome=\"relayed\",destination=\"other\"}", 1 },
        { N "would_deny_total", 1 },
        { N "origin_first_byte_seconds_count{destination=\"other\"}", 1 } } },
    { "a kept connection that was dead",
      stale,
      { 0 },
      { { N "stale_retries_total", 1 },
        { N "origin_connections_opened_total", 2 },
        { N "origin_connections_reused_total", 1 },
        { N "tls_handshakes_total{kind=\"resumed\"}", 1 } } },
    { "an origin that thinks",
      slow_origin,
      { 0 },
      { { N "origin_first_byte_seconds_bucket{destination=\"" HOST "\",le=\"0.025\"}", 0 },
        { N "origin_first_byte_seconds_bucket{destination=\"" HOST "\",le=\"60.0\"}", 1 },
        { N "request_duration_seconds_bucket{le=\"0.025\"}", 0 },
        { N "overhead_seconds_bucket{le=\"0.025\"}", 1 } } },
    { "nobody listens there",
      unreachable,
      { .other_port = true },
      { { N "requests_total{verdict=\"allow\",outcome=\"connection_refused\",destination=\"" HOST
            "\"}",
          1 },
        { N "origin_connections{state=\"busy\"}", 0 },
        { N "origin_connections_opened_total", 1 },
        { N "connect_seconds_count", 0 } } },
    { "a certificate that is not accepted",
      bad_handshake,
      { .certificate = CERTIFICATE_OTHER_NAME },
      { { N "tls_handshake_failures_total{reason=\"certificate\"}", 1 },
        { N "tls_handshake_failures_total{reason=\"protocol\"}", 0 },
        { N "tls_handshakes_total{kind=\"full\"}", 0 } } },
    { "a handshake that does not end",
      late_handshake,
      { .options = { "--connect-timeout", "100ms" } },
      { { N "tls_handshake_failures_total{reason=\"timeout\"}", 1 },
        { N "tls_handshake_failures_total{reason=\"certificate\"}", 0 } } },
    { "no TLS at all",
      no_tls,
      { .plain = true },
      { { N "tls_handshake_failures_total{reason=\"protocol\"}", 1 } } },
    { "a name that nobody knows",
      lost_name,
      { .options = { "--connect-timeout", "1s", "--connect-to", "::nowhere.invalid:443" } },
      { { N "dns_lookups_total", 1 },
        { N "dns_failures_total", 1 },
        { N "dns_seconds_count", 1 } } },
    { "no token",
      without_token,
      { .token = "", .options = { "--token-wait", "50ms" } },
      { { N "requests_total{verdict=\"allow\",outcome=\"token_unavailable\",destination="
            "\"storeacct.vtexcommercestable.com.br\"}",
          1 },
        { N "token_live", 0 },
        { N "overhead_seconds_count", 0 } } },
    { "one under way",
      in_flight,
      { 0 },
      { { N "requests_in_flight", 1 },
        { N "clients", 1 },
        { N "origin_connections{state=\"busy\"}", 1 },
        { N "request_duration_seconds_count", 0 } } },
};

static void is_counted(void **state)
{
    const struct story *story = *state;

    world_open(&world, &story->plan);
    if (!story->plan.token)
        process_await_line(world.sidecar, "event=token");
    story->happens();
    for (size_t i = 0; i < 7 && story->want[i].sample; i++)
        expect_sample(story->want[i].sample, story->want[i].value);
    expect_absent("evil.example");
    world_close(&world);
}

/* ---- how much of it ---- */

/* A wildcard opens any number of names; the labels have an end, and the count does not lose any. */
static void labels_have_an_end(void **state)
{
    enum { HOSTS = 70, NAMED = 64 };
    static const struct plan plan = { .policies = "*.partner.example\t*\n" };
    char request[128], sample[160];

    (void)state;
    world_open(&world, &plan);
    for (int i = 0; i < HOSTS; i++) {
        snprintf(request, sizeof(request), "GET /a HTTP/1.1\r\nHost: h%d.partner.example\r\n\r\n",
                 i);
        struct client *client = world_client(&world);
        client_say(client, request);
        struct origin_conn *conn = origin_connected(world.origin);
        origin_cut(conn);
        assert_int_equal(client_response(client)->status, 502);
        client_close(client);
    }
    char *text = metrics("");
    unsigned named = 0;
    for (int i = 0; i < HOSTS; i++) {
        snprintf(sample, sizeof(sample), "destination=\"h%d.partner.example\"", i);
        named += strstr(text, sample) != NULL;
    }
    assert_int_equal(named, NAMED);
    free(text);
    expect_sample(N "requests_total{verdict=\"allow\",outcome=\"tls_protocol_error\",destination="
                    "\"other\"}",
                  HOSTS - NAMED);
    world_close(&world);
}

static void of_the_process(void **state)
{
    (void)state;
    world_open(&world, NULL);
    one();
    char *text = metrics("");
    size_t resident_kib = process_now_kib(world.sidecar);
    double resident = value_in(text, "process_resident_memory_bytes") / 1024;
    assert_true(resident > (double)resident_kib * 0.8 && resident < (double)resident_kib * 1.2);
    /* the listener's connection that asked is one of them, and is gone by now */
    double open = value_in(text, "process_open_fds");
    double counted = (double)process_descriptors(world.sidecar);
    assert_true(open >= counted && open <= counted + 2);
    assert_true(value_in(text, "process_max_fds") >= open);
    assert_true(value_in(text, "process_cpu_seconds_total") > 0);
    double age = (double)time(NULL) - value_in(text, "process_start_time_seconds");
    assert_true(age > -2 && age < 300);
    assert_non_null(strstr(text, "\n" N "build_info{version=\""));
    free(text);
    world_close(&world);
}

/* ---- who gets what ---- */

static struct wish {
    const char *name, *header, *type, *says, *says_not;
} wishes[] = {
    { "Prometheus",
      "Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
      "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n",
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
      "# TYPE " N "requests counter\n", "# TYPE " N "requests_total" },
    { "curl", "Accept: */*\r\n", "text/plain; version=0.0.4; charset=utf-8",
      "# TYPE " N "requests_total counter\n", "# EOF" },
    { "nobody in particular", "", "text/plain; version=0.0.4; charset=utf-8",
      "# TYPE " N "build_info gauge\n", "# UNIT" },
    { "an end and units", OPEN, "application/openmetrics-text; version=1.0.0; charset=utf-8",
      "# UNIT " N "buffer_bytes bytes\n", "# TYPE " N "build_info" },
};

static void is_given(void **state)
{
    const struct wish *wish = *state;

    world_open(&world, NULL);
    struct client *client = client_new(world.admin_port);
    client_say(client, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
    client_say(client, wish->header);
    client_say(client, "\r\n");
    const struct response *response = client_response(client);
    expect_status(response, 200);
    expect_header(response, "Content-Type", wish->type);
    assert_non_null(strstr(response->body.at, wish->says));
    assert_null(strstr(response->body.at, wish->says_not));
    world_close(&world);
}

static void open_text_ends(void **state)
{
    static const char end[] = "\n# EOF\n";

    (void)state;
    world_open(&world, NULL);
    char *text = metrics(OPEN);
    assert_string_equal(text + strlen(text) - strlen(end), end);
    assert_ptr_equal(strstr(text, end), text + strlen(text) - strlen(end));
    free(text);
    world_close(&world);
}

/* ---- what it costs to be idle ---- */

/* How often it has waited: each wake-up is followed by such a wait. */
static unsigned long waits(void)
{
    static const char key[] = "voluntary_ctxt_switches:";
    char path[64], line[256];
    unsigned long n = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)process_id(world.sidecar));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, key, strlen(key)) == 0)
            n = strtoul(line + strlen(key), NULL, 10);
    }
    fclose(file);
    assert_true(n > 0);
    return n;
}

/* Busy, it looks at its lateness four times a second; without work it does nothing at all. (One wait is for
 * the slow look at watched files, which may fall into this second.) */
static void idle_is_idle(void **state)
{
    enum { PROBE_MS = 250, MOST = 1 };

    (void)state;
    world_open(&world, NULL);
    process_await_line(world.sidecar, "event=token");
    one();
    clients_close();
    origin_settle(world.origin);
    wait_any(NULL, 0, now_ms() + 3 * PROBE_MS); /* the last look: nobody reports it */
    unsigned long before = waits();
    wait_any(NULL, 0, now_ms() + 5 * PROBE_MS);
    unsigned long n = waits() - before;
    if (n > MOST)
        fail_msg("it woke up %lu times and had nothing to do", n);
    char *text = metrics("");
    assert_true(value_in(text, N "loop_lag_seconds_count") >= 1);
    free(text);
    world_close(&world);
}

static struct single singles[] = {
    { "labels have an end", labels_have_an_end },
    { "of the process", of_the_process },
    { "OpenMetrics end once", open_text_ends },
    { "an idle sidecar stays idle", idle_is_idle },
};

static void run_single(void **state)
{
    ((const struct single *)*state)->run(state);
}

int main(void)
{
    static struct stories all;

    STORIES_ADD(&all, stories, is_counted);
    STORIES_ADD(&all, wishes, is_given);
    STORIES_ADD(&all, singles, run_single);
    return flow_run("metrics", &all, NULL, NULL);
}

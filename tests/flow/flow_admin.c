/* The second listener: what it says, and that nobody who reaches it can fill the memory, take the
 * descriptors or keep the processor busy. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HEALTHZ    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define GET        "GET /v1/a HTTP/1.1\r\nHost: api.partner.example\r\n\r\n"
#define POST(what) "POST /" what " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
#define OK         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct world own;

/* ---- what it says
 * ---------------------------------------------------------------------------------- */

static struct admin {
    const char *name, *request;
    unsigned status;
    const char *says;
} admins[] = {
    { "/healthz", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "alive" },
    { "/readyz", "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "\"ready\":true" },
    { "/metrics", "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 200,
      "# TYPE janus_sidecar_policy_rules gauge\n"
      "# HELP janus_sidecar_policy_rules Rules of the policy in force.\n"
      "janus_sidecar_policy_rules{policy=\"manifest\"} 4\n" },
    { "/metrics to a page",
      "GET /metrics HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.test\r\n\r\n", 403,
      "CallerRefused" },
    { "/policy", "GET /policy HTTP/1.1\r\nHost: localhost\r\n\r\n", 200,
      "\"account\":\"storeacct\",\"workspace\":\"master\",\"region\":\"aws-us-east-1\",\"kinds\":["
      "\"outbound-access\",\"license\",\"app\"],\"mode\":\"enforce\"" },
    { "/explain allows",
      "GET /explain?method=GET&url=https%3A%2F%2Fapi.partner.example%2Fv1%2Fa HTTP/1.1\r\n"
      "Host: localhost\r\n\r\n",
      200,
      "\"verdict\":\"allow\",\"method\":\"GET\",\"url\":\"https://api.partner.example/v1/a\"" },
    { "/explain denies",
      "GET /explain?url=https://api.partner.example/v2 HTTP/1.1\r\nHost: localhost\r\n\r\n", 200,
      "\"verdict\":\"deny\",\"method\":\"GET\"" },
    { "/explain decodes once",
      "GET /explain?url=https://any.partner.example/%2541?x%26y HTTP/1.1\r\nHost: "
      "localhost\r\n\r\n",
      200, "\"url\":\"https://any.partner.example/%41?x&y\"" },
    { "/explain leaves a broken escape",
      "GET /explain?url=https://any.partner.example/%4 HTTP/1.1\r\nHost: localhost\r\n\r\n", 200,
      "\"verdict\":\"refuse\"" },
    { "/explain without a url", "GET /explain?method=GET HTTP/1.1\r\nHost: localhost\r\n\r\n", 400,
      "BadRequest" },
    { "/explain without a query", "GET /explain HTTP/1.1\r\nHost: localhost\r\n\r\n", 400,
      "BadRequest" },
    { "/explain by POST",
      "POST /explain?url=x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405,
      "Use GET" },
    { "/reload by GET", "GET /reload HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "Use POST" },
    { "/drain by GET", "GET /drain HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "Use POST" },
    { "/quitquitquit by GET", "GET /quitquitquit HTTP/1.1\r\nHost: localhost\r\n\r\n", 405,
      "Use POST" },
    { "/quitquitquit by a page", POST("quitquitquit") "Origin: https://evil.test\r\n\r\n", 403,
      "CallerRefused" },
    { "/reload by a rebound page",
      "POST /reload HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 0\r\n\r\n", 403,
      "CallerRefused" },
    { "/ is not there", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "/healthz" },
    { "POST", "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405,
      "MethodNotAllowed" },
    { "Origin", "GET /readyz HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.test\r\n\r\n", 403,
      "CallerRefused" },
    { "Sec-Fetch-Site",
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n\r\n", 403,
      "CallerRefused" },
    { "Origin, and not there",
      "GET /nowhere HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.test\r\n\r\n", 403,
      "CallerRefused" },
};

static void expect_admin(const char *request, unsigned status, const char *says)
{
    struct client *client = client_new(own.admin_port);

    client_say(client, request);
    const struct response *response = client_response(client);
    expect_status(response, status);
    if (!strstr(response->body.at, says))
        fail_msg("\"%s\" was expected:\n%s", says, response->body.at);
    expect_header(response, "Connection", "close");
    assert_int_equal(client_end(client), ENDING_CLEAN);
    client_close(client);
}

static void admin_says(void **state)
{
    const struct admin *story = *state;

    world_open(&own, NULL);
    process_await_line(own.sidecar, "event=token");
    expect_admin(story->request, story->status, story->says);
    world_close(&own);
}

static void admin_stays_open(void **state)
{
    (void)state;
    world_open(&own, NULL);
    struct client *client = client_new(own.admin_port);
    client_say(client, "GET /healthz HTTP/1.1\r\n");
    expect_admin(HEALTHZ, 200, "alive"); /* by now it has been accepted */
    sidecar_stop(own.sidecar);           /* does not wait for it */
    assert_int_not_equal(client_end(client), ENDING_NONE);
    world_forget(&own);
}

static void readiness(void **state)
{
    static const char readyz[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const struct plan plan = { .token = "" };
    char *old = jwt_text("old", time(NULL) - 10), *brief;

    (void)state;
    world_open(&own, &plan);
    expect_admin(readyz, 503, "missing or expired");
    expect_admin("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "alive");
    brief = jwt_text("brief", time(NULL) + 3);
    folder_replace(own.folder, "token", brief);
    process_await_line(own.sidecar, "event=token generation=1");
    expect_admin(readyz, 200, "\"token\":\"live\"");
    world_metrics(&own, "janus_sidecar_token_live 1\n");
    world_metrics(&own, "janus_sidecar_token_generation 1\n");
    world_metrics(&own, "janus_sidecar_token_info{generation=\"1\",fingerprint=\"");
    world_metrics(&own, "janus_sidecar_token_renewals_total 1\n");
    folder_replace(own.folder, "token", old);
    process_await_line(own.sidecar, "expired already; its last token stays in use");
    process_await_line(own.sidecar, "the last token has died");
    expect_admin(readyz, 503, "missing or expired");
    world_metrics(&own, "janus_sidecar_token_live 0\n");
    free(brief);
    free(old);
    struct client *client = world_client(&own);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    process_signal(own.sidecar, SIGTERM);
    process_await_line(own.sidecar, "event=draining");
    expect_admin(readyz, 503, "\"draining\":true");
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    clients_close();
    assert_int_equal(process_wait(own.sidecar), 0);
    world_forget(&own);
}

/* ---- what it does
 * ---------------------------------------------------------------------------------- */

static void reloads(void **state)
{
    (void)state;
    world_open(&own, NULL);
    process_await_line(own.sidecar, "event=token");
    folder_manifest(own.folder, "api.partner.example\t/v2/*\n");
    expect_admin(POST("reload") "\r\n", 200, "\"reloaded\":true,\"generation\":");
    expect_status(world_refused(&own, GET), 403);
    folder_write(own.folder, "manifest.json", "{ \"policies\": [ }");
    expect_admin(POST("reload") "\r\n", 409, "manifest.json:1:");
    expect_admin("GET /policy HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "\"reload\":\"failed\"");
    expect_admin("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "\"ready\":true");
    world_close(&own);
}

/* It says that it leaves, and serves on. */
static void announces(void **state)
{
    static const struct plan one_pool = { .options = { "--threads", "1" } };

    (void)state;
    world_open(&own, &one_pool);
    process_await_line(own.sidecar, "event=token");
    struct client *client = world_client(&own);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    expect_admin(POST("drain") "\r\n", 200, "\"draining\":true");
    expect_admin("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", 503, "\"draining\":true");
    origin_say(conn, OK);
    expect_header(client_response(client), "Connection", "close");
    assert_int_equal(client_end(client), ENDING_CLEAN);
    client = world_client(&own);
    client_say(client, GET);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    world_close(&own);
}

static void quits(void **state)
{
    (void)state;
    world_open(&own, NULL);
    struct client *client = world_client(&own);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    expect_admin(POST("quitquitquit") "\r\n", 200, "\"ending\":true");
    expect_admin(POST("quitquitquit") "\r\n", 200, "\"ending\":true"); /* cuts nothing */
    assert_true(client_is_refused(own.port));
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    clients_close();
    assert_int_equal(process_wait(own.sidecar), 0);
    world_forget(&own);
}

/* The answer leaves although nothing keeps the process any more. */
static void quits_idle(void **state)
{
    (void)state;
    world_open(&own, NULL);
    expect_admin(POST("quitquitquit") "\r\n", 200, "\"ending\":true");
    assert_int_equal(process_wait(own.sidecar), 0);
    world_forget(&own);
}

/* libevhtp would lose the second of two requests: each answer is the last. */
static void no_body_for_head(void **state)
{
    (void)state;
    world_open(&own, NULL);
    struct client *client = client_new(own.admin_port);
    client_say(client, "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const struct response *response = client_response_to_head(client);
    expect_status(response, 200);
    expect_header(response, "Connection", "close");
    char *length = head_field(response->head, "Content-Length");
    assert_non_null(length);
    assert_int_not_equal(strtoul(length, NULL, 10), 0);
    free(length);
    assert_int_equal(client_end(client), ENDING_CLEAN);
    world_close(&own);
}

/* ---- what it bears
 * --------------------------------------------------------------------------------- */

enum {
    CONNECTIONS = 64,      /* its ceiling */
    POUR_MAX = 64 << 20,   /* who may send so much is not stopped at all */
    GROWTH_MAX_KIB = 8192, /* of the sidecar, sanitizers and all */
    FILES = 64,            /* descriptors of the one that has too few */
    PAUSES = 8,            /* of 100 ms each */
    BUSY_MAX_MS = 250,     /* of the processor in all of them; a spin takes 800 */
    LOG_MAX_BYTES = 16 << 10,
};

static struct flood {
    const char *name, *start, *piece;
} floods[] = {
    { "headers without end", "GET /healthz HTTP/1.1\r\n", "X-Header: of no use to anybody\r\n" },
    { "one header without end", "GET /healthz HTTP/1.1\r\nX: ", "of no use to anybody " },
    { "a target without end", "GET /", "of-no-use-to-anybody" },
    { "a body without end",
      "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000000\r\n\r\n",
      "of no use to anybody" },
    { "chunks without end",
      "POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
      "10\r\n0123456789abcdef\r\n" },
};

/* Sends `piece` until the sidecar has closed. */
static void pour(const struct client *client, const char *piece)
{
    struct bytes many = { 0 };
    size_t sent = 0;
    ssize_t n = 0;

    while (many.n < 64 * 1024)
        bytes_print(&many, "%s", piece);
    while (n >= 0 || errno == EAGAIN) {
        size_t at = sent % many.n;
        n = send(client_fd(client), many.at + at, many.n - at, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        if (sent > POUR_MAX)
            fail_msg("it took %zu bytes", sent);
        if (n < 0 && errno == EAGAIN)
            wait_for(client_fd(client), POLLOUT, "room, or the end");
    }
    bytes_free(&many);
}

static void flood_ends(void **state)
{
    const struct flood *story = *state;

    world_open(&own, NULL);
    expect_admin(HEALTHZ, 200, "alive");
    size_t before = process_peak_kib(own.sidecar);
    struct client *client = client_new(own.admin_port);
    client_say(client, story->start);
    pour(client, story->piece);
    client_close(client);
    expect_admin(HEALTHZ, 200, "alive");
    assert_in_range(process_peak_kib(own.sidecar), before, before + GROWTH_MAX_KIB);
    world_close(&own);
}

/* More than 64, each whole: the size of one is not what stops them. */
static void many_headers(void **state)
{
    (void)state;
    world_open(&own, NULL);
    struct client *client = client_new(own.admin_port);
    long long before = now_ms();
    client_say(client, "GET /healthz HTTP/1.1\r\n");
    for (int i = 0; i < 66; i++)
        client_say(client, "X: 1\r\n");
    assert_int_not_equal(client_end(client), ENDING_NONE);
    assert_in_range(now_ms() - before, 0, 8000); /* not because 10 s passed without a byte */
    world_close(&own);
}

static void many_connections(void **state)
{
    struct client *clients[CONNECTIONS];

    (void)state;
    world_open(&own, NULL);
    for (int i = 0; i < CONNECTIONS; i++)
        clients[i] = client_new(own.admin_port);
    struct client *last = client_new(own.admin_port);
    assert_int_not_equal(client_end(last), ENDING_NONE);
    client_say(clients[0], HEALTHZ); /* the others are served as ever */
    expect_status(client_response(clients[0]), 200);
    client_end(clients[0]);
    expect_admin(HEALTHZ, 200, "alive"); /* and one that leaves makes room */
    world_close(&own);
}

/* No descriptor is left, and somebody knocks at the second listener: the sidecar rests between its
 * looks, the log stays quiet, and who is connected is served. */
static void out_of_descriptors(void **state)
{
    static const struct plan few = { .max_files = FILES };

    (void)state;
    world_open(&own, &few);
    struct client *client = world_client(&own);
    client_say(client, GET);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    for (int i = 0; i < FILES; i++)
        world_client(&own);
    process_await_line(own.sidecar, "event=accept_paused");
    client_new(own.admin_port);
    process_await_line(own.sidecar, "event=accept_paused");
    long before = process_cpu_ms(own.sidecar);
    for (int i = 0; i < PAUSES; i++)
        process_await_line(own.sidecar, "event=accept_paused");
    assert_in_range(process_cpu_ms(own.sidecar) - before, 0, BUSY_MAX_MS);
    assert_in_range(strlen(process_log(own.sidecar)), 0, LOG_MAX_BYTES);
    client_say(client, GET);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    clients_close();
    expect_admin(HEALTHZ, 200, "alive");
    world_close(&own);
}

static struct single singles[] = {
    { "an admin connection stays open at the end", admin_stays_open },
    { "/readyz follows token and drain", readiness },
    { "POST /reload", reloads },
    { "POST /drain", announces },
    { "POST /quitquitquit", quits },
    { "POST /quitquitquit without a client", quits_idle },
    { "HEAD has no body", no_body_for_head },
    { "66 headers", many_headers },
    { "65 connections", many_connections },
    { "a knock when no descriptor is left", out_of_descriptors },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, admins, admin_says);
    STORIES_ADD(&stories, floods, flood_ends);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("admin", &stories, NULL, NULL);
}

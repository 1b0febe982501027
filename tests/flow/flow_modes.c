/* --mode report: what the policy denies goes through, marked, and nothing else does; who a request
 * goes as stays as it is. --shadow-manifest: a second opinion that decides nothing. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define OK    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define API   "Host: api.partner.example\r\n"
#define OTHER "Host: other.partner.example\r\n"
#define MARK  "janus-sidecar; details=\"would-deny "

static struct world world;

static const struct plan report = { .policies = "api.partner.example\t/v1/*\n"
                                                "any.partner.example\t*\n",
                                    .options = { "--mode", "report" } };

/* ---- what goes through, and how it is marked
 * ------------------------------------------------------- */

static struct passing {
    const char *name, *target, *headers; /* of the request */
    const char *mark;                    /* what Proxy-Status begins with; NULL: there is none */
    const char *sent;                    /* a line that the origin sees, and one that it does not */
    const char *not_sent;
} passings[] = {
    { "allowed: no mark", "/v1/a", API, NULL, "Host: api.partner.example", "Cookie" },
    { "no rule for the host", "/", OTHER, MARK "no policy names the host other.partner.example;",
      "Host: other.partner.example", "Cookie" },
    { "no rule for the path", "/v2/a", API, MARK, "GET /v2/a HTTP/1.1", "Cookie" },
    { "another reading of the path", "/v1/../v2", API, MARK, "GET /v1/../v2 HTTP/1.1", "Cookie" },
    { "the app token in its realm", "/api/x", "Host: storeacct.vtexcommercestable.com.br\r\n", MARK,
      "VtexIdclientAutCookie: " TOKEN, "Authorization" },
    { "no app token to strangers", "/", OTHER, MARK, "Host: other", TOKEN },
    { "no placeholder to strangers", "/",
      OTHER "Authorization: Bearer " PLACEHOLDER "\r\nVtexIdclientAutCookie: " PLACEHOLDER "\r\n",
      MARK, "Host: other", PLACEHOLDER },
    { "another account's host is a stranger", "/api/x",
      "Host: otheracct.vtexcommercestable.com.br\r\n", MARK, "Host: otheracct", TOKEN },
};

static struct client *asks(const struct world *in, const char *target, const char *headers)
{
    struct bytes request = { 0 };
    struct client *client = world_client(in);

    bytes_print(&request, "GET %s HTTP/1.1\r\n%s\r\n", target, headers);
    client_say(client, request.at);
    bytes_free(&request);
    return client;
}

static void expect_mark(const struct response *response, const char *mark)
{
    char *status = head_field(response->head, "Proxy-Status");

    if (mark ? !status || strncmp(status, mark, strlen(mark)) != 0 : status != NULL)
        fail_msg("Proxy-Status was to be %s, is %s", mark ? mark : "absent", status);
    if (mark)
        assert_int_equal(status[strlen(status) - 1], '"');
    free(status);
}

static void passes(void **state)
{
    const struct passing *story = *state;
    struct client *client = asks(&world, story->target, story->headers);
    struct origin_conn *conn = origin_accept(world.origin);
    const char *head = origin_head(conn);

    if (!strstr(head, story->sent) || strstr(head, story->not_sent))
        fail_msg("the origin got\n%s", head);
    origin_say(conn, OK);
    const struct response *response = client_response(client);
    expect_body(response, "ok");
    expect_mark(response, story->mark);
}

/* ---- what does not
 * ------------------------------------------------------------------------------- */

static struct refused {
    const char *name, *target, *headers;
    unsigned status;
    const char *code, *says;
} refusals[] = {
    { "a malformed escape", "/v1/%zz", API, 400, "BadRequest", "escape" },
    { "a control byte", "/v1/%00", API, 400, "BadRequest", "escape" },
    { "a private address", "http://10.1.2.3/", "Host: 10.1.2.3\r\n", 403, "AddressDenied",
      "10.1.2.3" },
    { "the metadata service", "http://169.254.169.254/latest", "Host: 169.254.169.254\r\n", 403,
      "AddressDenied", "metadata" },
    { "a browser", "/v2/a", API "Origin: https://evil.test\r\n", 403, "CallerRefused", "Browsers" },
    { "a user's token that is not there", "/api/x",
      "Host: storeacct.vtexcommercestable.com.br\r\nX-Janus-Auth: admin\r\n", 401,
      "UserTokenMissing", "token" },
};

static void stays_refused(void **state)
{
    const struct refused *story = *state;
    struct client *client = asks(&world, story->target, story->headers);

    expect_answer(client_response(client), story->status, story->code, story->says);
    origin_untouched(world.origin);
}

/* ---- single ones
 * --------------------------------------------------------------------------------- */

static struct world own;

/* RFC 9209, 2: every intermediary adds itself behind those before it. */
static void beside_the_origins(void **state)
{
    (void)state;
    struct client *client = asks(&world, "/v2/a", API);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nProxy-Status: edge; error=dns_error\r\n"
                     "Content-Length: 2\r\n\r\nok");
    const struct response *response = client_response(client);
    expect_header(response, "Proxy-Status", "edge; error=dns_error");
    assert_int_equal(head_count(response->head, "Proxy-Status"), 2);
    assert_non_null(strstr(response->head, "\r\nProxy-Status: " MARK));
}

static void own_failure_is_marked(void **state)
{
    (void)state;
    struct client *client = asks(&world, "/v2/a", API);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_cut(conn);
    const struct response *response = client_response(client);
    expect_status(response, 502);
    char *status = head_field(response->head, "Proxy-Status");
    assert_non_null(status);
    assert_non_null(strstr(status, "; error="));
    assert_non_null(strstr(status, "; details=\"would-deny "));
    free(status);
}

/* What a client sends stands in the mark: it must not end the string. */
static void mark_is_quoted(void **state)
{
    (void)state;
    struct client *client = asks(&world, "/v2/\"\\;x=", API);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, OK);
    const struct response *response = client_response(client);
    expect_mark(response, MARK);
    assert_non_null(strstr(response->head, "\\\""));
    assert_int_equal(head_count(response->head, "Proxy-Status"), 1);
}

static void logged_and_counted(void **state)
{
    (void)state;
    world_open(&own, &report);
    process_await_line(own.sidecar, "event=mode");
    for (int i = 0; i < 2; i++)
        free(world_exchange(&own, "GET /v2/a HTTP/1.1\r\n" API "\r\n"));
    char *line = process_await(own.sidecar, "verdict=would-deny");
    assert_non_null(strstr(line, "outcome=relayed"));
    assert_non_null(strstr(line, "detail=\"would-deny "));
    free(line);
    process_await_line(own.sidecar, "verdict=would-deny");
    world_readyz(&own, 200, "\"mode\":\"report\",\"would_deny\":2,");
    world_metrics(&own, "janus_sidecar_would_deny_total 2\n");
    world_close(&own);
}

/* A rule that denies stands in the provider's own file, which SIGHUP reads again. */
static void names_the_rule(void **state)
{
    struct folder *providers = folder_new();
    struct plan denying = { .policies = "app.io.vtex.com\t*\n" };
    static const char get[] =
        "GET /acme.shop/v1/storeacct/master/secret HTTP/1.1\r\nHost: app.io.vtex.com\r\n\r\n";
    const char *options[] = { "--mode", "report", "--provider-policies", folder_path(providers) };

    (void)state;
    memcpy(denying.options, options, sizeof(options));
    world_open(&own, &denying);
    free(world_exchange(&own, get));
    folder_write(
        providers, "acme.shop.json",
        "[{\"name\":\"p\",\"statements\":[\n{\"effect\":\"deny\",\"actions\":[\"get\"],"
        "\"resources\":[\"vrn:acme.shop:{{region}}:{{account}}:{{workspace}}:/secret\"]}]}]");
    process_signal(own.sidecar, SIGHUP);
    process_await_line(own.sidecar, "event=reloaded");
    free(world_exchange(&own, get));
    char *line = process_await(own.sidecar, "verdict=would-deny");
    assert_non_null(strstr(line, " rule_line=2 "));
    assert_non_null(strstr(line, "acme.shop.json"));
    free(line);
    world_close(&own);
    folder_free(providers);
}

/* The name leads to an address that nobody allowed: known only when the connection is made. */
static void address_of_a_name(void **state)
{
    static const struct plan closed = { .policies = "api.partner.example\t/v1/*\n",
                                        .closed = true,
                                        .options = { "--mode", "report" } };

    (void)state;
    world_open(&own, &closed);
    struct client *client = asks(&own, "/", OTHER);
    expect_answer(client_response(client), 403, "AddressDenied", "127.0.0.1");
    origin_untouched(own.origin);
    world_close(&own);
}

/* Judged before and after the wait, counted and compared once. */
static void waited_for_a_token(void **state)
{
    static const struct plan late = { .policies = "api.partner.example\t*\n",
                                      .shadow = "*\t*\n",
                                      .token = "",
                                      .options = { "--mode", "report", "--token-wait", "1m",
                                                   "--shadow-manifest", "shadow.json" } };

    (void)state;
    world_open(&own, &late);
    struct client *client = asks(&own, "/x", "Host: storeacct.vtexcommercestable.com.br\r\n");
    process_await_line(own.sidecar, "event=shadow");
    folder_replace(own.folder, "token", TOKEN);
    struct origin_conn *conn = origin_accept(own.origin);
    assert_non_null(strstr(origin_head(conn), "VtexIdclientAutCookie: " TOKEN));
    origin_say(conn, OK);
    expect_mark(client_response(client), MARK);
    world_readyz(&own, 200, "\"would_deny\":1,");
    world_readyz(&own, 200, "\"shadow_differences\":1,");
    world_close(&own);
}

/* ---- --shadow-manifest
 * --------------------------------------------------------------------------- */

static const struct plan shadowed = { .policies = "api.partner.example\t/v1/*\n"
                                                  "any.partner.example\t*\n",
                                      .shadow = "any.partner.example\t*\n"
                                                "api.partner.example\t/v2/*\n",
                                      .options = { "--shadow-manifest", "shadow.json" } };

static const char v1[] = "GET /v1/a HTTP/1.1\r\n" API "\r\n";
static const char v2[] = "GET /v2/a HTTP/1.1\r\n" API "\r\n";
static const char both[] = "GET /x HTTP/1.1\r\nHost: any.partner.example\r\n\r\n";

static void expect_difference(const char *path, const char *verdicts, const char *rule)
{
    char *line = process_await(own.sidecar, "event=shadow");

    if (!strstr(line, path) || !strstr(line, verdicts) || !strstr(line, rule) ||
        !strstr(line, "destination=api.partner.example"))
        fail_msg("%s %s %s was expected: %s", path, verdicts, rule, line);
    free(line);
}

static void differences_only(void **state)
{
    (void)state;
    world_open(&own, &shadowed);
    free(world_exchange(&own, both));
    expect_status(world_refused(&own, "GET / HTTP/1.1\r\n" OTHER "\r\n"), 403); /* both deny */
    free(world_exchange(&own, v1));
    expect_difference("path=/v1/a", "verdict=allow shadow=deny", " rule_line=");
    expect_status(world_refused(&own, v2), 403);
    expect_difference("path=/v2/a", "verdict=deny shadow=allow", " shadow_rule_line=");
    world_readyz(&own, 200, "\"shadow\":{\"rules\":2,\"generation\":1,\"reload\":\"ok\"");
    world_readyz(&own, 200, "\"shadow_differences\":2,");
    world_metrics(&own, "janus_sidecar_shadow_differences_total 2\n");
    world_metrics(&own, "janus_sidecar_policy_rules{policy=\"shadow\"} 2\n");
    world_close(&own);
}

static void shadow_reloads(void **state)
{
    char *text = manifest_text("*\t*\n");

    (void)state;
    world_open(&own, &shadowed);
    folder_replace(own.folder, "shadow.json", "{");
    process_await_line(own.sidecar, "event=reload_failed policy=shadow");
    world_readyz(&own, 200, "\"reload\":\"failed\"");
    free(world_exchange(&own, v1));
    expect_difference("path=/v1/a", "verdict=allow shadow=deny", "");
    folder_replace(own.folder, "shadow.json", text);
    process_await_line(own.sidecar, "event=reloaded policy=shadow");
    free(world_exchange(&own, v1)); /* no difference any more */
    expect_status(world_refused(&own, v2), 403);
    expect_difference("path=/v2/a", "verdict=deny shadow=allow", "");
    free(text);
    world_close(&own);
}

static struct single singles[] = {
    { "beside the origin's Proxy-Status", beside_the_origins },
    { "a failure of ours is marked too", own_failure_is_marked },
    { "the mark is a quoted string", mark_is_quoted },
    { "logged and counted", logged_and_counted },
    { "the log names the rule that denies", names_the_rule },
    { "a name that leads to loopback", address_of_a_name },
    { "a request that waited for a token counts once", waited_for_a_token },
    { "the shadow tells differences only", differences_only },
    { "the shadow is reloaded too", shadow_reloads },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, passings, passes);
    STORIES_ADD(&stories, refusals, stays_refused);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("modes", &stories, &world, &report);
}

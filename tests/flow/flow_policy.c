/* What is denied, and how it is told: the answer's form to the letter, the client's connection
 * afterwards, and an origin that never hears of it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_world.h"

#define API "Host: api.partner.example\r\n"
#define OK  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct world world;

static const struct plan plan = {
    .policies = "api.partner.example\t/v1/*\n"
                "any.partner.example\t*\n"
                "*.wild.example\t/x/*\n"
                "localhost\t*\n"
                "127.0.0.1\t*\n"
                "10.1.2.3\t*\n"
                "169.254.169.254\t*\n"
                "[::1]\t*\n"
                "[::ffff:10.1.2.3]\t*\n"
                "app.io.vtex.com\t*\n"
                "{{account}}.vtexcommercestable.com.br\t/api/catalog/*\n",
};

/* ---- denials
 * --------------------------------------------------------------------------------------- */

static struct denied {
    const char *name, *url;
} denied[] = {
    { "no policy for the host", "http://evil.example/v1/a" },
    { "no policy for the path", "http://api.partner.example/v2/a" },
    { "the star needs its slash", "http://api.partner.example/v1" },
    { "the path's case", "http://api.partner.example/V1/a" },
    { "a host that ends like one", "http://evilapi.partner.example/v1/a" },
    { "a host that begins like one", "http://api.partner.example.evil.test/v1/a" },
    { "a star is not nothing", "http://wild.example/x/a" },
    { "dot-dot leaves the path", "http://api.partner.example/v1/../secret" },
    { "escaped dot-dot", "http://api.partner.example/v1/%2e%2e/secret" },
    { "escaped twice", "http://api.partner.example/v1/%252e%252e/secret" },
    { "escaped slash", "http://api.partner.example/v1/..%2fsecret" },
    { "backslash", "http://api.partner.example/v1/..\\secret" },
    { "parameters of a segment", "http://api.partner.example/v1/..;x/secret" },
    { "the query is no path", "http://api.partner.example/v2?/v1/a" },
    { "another account's host", "http://other.vtexcommercestable.com.br/api/catalog/x" },
    { "another account in the query",
      "http://storeacct.vtexcommercestable.com.br/api/catalog/x?an=other" },
    { "another account on IO", "http://app.io.vtex.com/acme.x/v1/other/master/y" },
    { "another workspace on IO", "http://app.io.vtex.com/acme.x/v1/storeacct/dev/y" },
};

static char *get_of(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    struct bytes request = { 0 };

    bytes_print(&request, "GET %s HTTP/1.1\r\nHost: %.*s\r\n\r\n", url, (int)strcspn(host, "/?"),
                host);
    return request.at;
}

/* A 5xx would be tried again by the real clients, and a denial does not get better. */
static void is_denied(void **state)
{
    const struct denied *story = *state;
    char *request = get_of(story->url);
    const struct response *answer = world_refused(&world, request);

    free(request);
    expect_answer(answer, 403, "OutboundAccessDenied",
                  "Role app:acme.bridge@1.4.0 in storeacct/master cannot perform action GET on "
                  "resource vrn:proxy:aws-us-east-1:storeacct:master:");
    expect_header(answer, "Proxy-Status", "janus-sidecar; error=http_request_denied");
}

/* ---- the form
 * -------------------------------------------------------------------------------------- */

static void whole_answer(void **state)
{
    const struct response *answer =
        world_refused(&world, "POST http://api.partner.example/v2/a?x=secret HTTP/1.1\r\n" API
                              "Content-Length: 2\r\n\r\n{}");
    json_error_t error;
    json_t *body = json_loads(answer->body.at, 0, &error);
    char length[24];

    (void)state;
    assert_non_null(body);
    assert_string_equal(json_string_value(json_object_get(body, "code")), "OutboundAccessDenied");
    assert_string_equal(json_string_value(json_object_get(body, "message")),
                        "Role app:acme.bridge@1.4.0 in storeacct/master cannot perform action POST "
                        "on resource vrn:proxy:aws-us-east-1:storeacct:master:api.partner.example"
                        "/v2/a");
    assert_string_equal(json_string_value(json_object_get(body, "source")), "janus-sidecar");
    assert_int_equal(json_string_length(json_object_get(body, "requestId")), 32);
    const char *help = json_string_value(json_object_get(body, "help"));
    assert_non_null(help);
    assert_non_null(strstr(help, "do not open the path /v2/a"));
    assert_non_null(strstr(help, "{\"name\": \"outbound-access\", \"attrs\": {\"host\": "
                                 "\"api.partner.example\", \"path\": \"/v2/a\"}}"));
    assert_int_equal(json_object_size(body), 5);
    assert_null(strstr(answer->body.at, "secret")); /* of the query */
    json_decref(body);
    snprintf(length, sizeof(length), "%zu", answer->body.n);
    expect_header(answer, "Content-Length", length);
    expect_header(answer, "Content-Type", "application/json");
    assert_int_equal(head_count(answer->head, "Date"), 1);
    expect_header(answer, "Connection", NULL);
}

static void request_id_is_in_the_log(void **state)
{
    const struct response *answer =
        world_refused(&world, "GET http://evil.example/a?x=secret HTTP/1.1\r\n"
                              "Host: evil.example\r\n\r\n");
    json_t *body = json_loads(answer->body.at, 0, NULL);
    char id[48];

    (void)state;
    snprintf(id, sizeof(id), "id=%s", json_string_value(json_object_get(body, "requestId")));
    json_decref(body);
    char *line = process_await(world.sidecar, id);
    assert_non_null(strstr(line, "outcome=outbound_access_denied"));
    assert_non_null(strstr(line, "status=403"));
    assert_non_null(strstr(line, "destination=evil.example"));
    assert_null(strstr(line, "secret"));
    free(line);
}

static void no_way_out_of_the_json(void **state)
{
    const struct response *answer =
        world_refused(&world, "GET /\"\\\xff,\"x\":\" HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    json_t *body = json_loads(answer->body.at, 0, NULL);

    (void)state;
    expect_status(answer, 403);
    assert_non_null(body);
    assert_int_equal(json_object_size(body), 5);
    json_decref(body);
}

static void denied_head(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "HEAD http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n"
                       "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    const struct response *answer = client_response_to_head(client);
    expect_status(answer, 403);
    char *length = head_field(answer->head, "Content-Length");
    assert_non_null(length);
    assert_int_not_equal(strtoul(length, NULL, 10), 0);
    free(length);
    expect_status(client_response(client), 403);
}

/* A method that a log line has no room for is judged, and explained, whole. */
static void long_method(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "BASELINE-CONTROL-AND-MORE-THAN-THAT /v2/a HTTP/1.1\r\n" API "\r\n");
    const struct response *answer = client_response(client);
    expect_answer(answer, 403, "OutboundAccessDenied", "perform action BASELINE-CONTROL");
    assert_non_null(strstr(answer->body.at, "do not open the path /v2/a"));
    char *line = process_await(world.sidecar, "method=BASELINE-CONTROL-AND-MORE-THAN-");
    assert_non_null(strstr(line, " method_cut=1 "));
    free(line);
}

/* What is said of a request is enough to judge it again, and of the query that is the account. */
static void line_of_a_judged_request(void **state)
{
    static const char path[] = "/v2/\xc3\xa9=\\";
    struct bytes request = { 0 };

    (void)state;
    world_refused(&world, "GET /api/catalog/x?an=Other&authToken=secret HTTP/1.1\r\n"
                          "Host: storeacct.vtexcommercestable.com.br\r\n\r\n");
    char *line = process_await(world.sidecar, "path=/api/catalog/x");
    assert_non_null(strstr(line, " path=/api/catalog/x an=other "));
    assert_null(strstr(line, "secret"));
    assert_null(strstr(line, "_cut="));
    free(line);

    bytes_print(&request, "GET %s?an=other HTTP/1.1\r\n" API "\r\n", path);
    world_refused(&world, request.at);
    bytes_free(&request);
    line = process_await(world.sidecar, "path=\"/v2/");
    assert_non_null(strstr(line, " path=\"/v2/\\xc3\\xa9=\\\\\" realm="));
    free(line);
}

static void line_of_a_long_path(void **state)
{
    struct bytes request = { 0 };

    (void)state;
    for (int len = 512; len <= 513; len++) {
        bytes_print(&request, "GET /%0*d HTTP/1.1\r\n" API "\r\n", len - 1, 7);
        world_refused(&world, request.at);
        bytes_free(&request);
        char *line = process_await(world.sidecar, "path=/000");
        assert_int_equal(strstr(line, " path_cut=1 ") != NULL, len > 512);
        assert_int_equal(strcspn(strstr(line, "path=/") + strlen("path="), " "), 512);
        free(line);
    }
}

/* ---- the snippet
 * ------------------------------------------------------------------------------------ */

#define LONG_50 "0123456789/123456789/123456789/123456789/123456789"

static struct snippet {
    const char *name, *path;
    bool offered;
} snippets[] = {
    { "a path", "/v2/a", true },
    { "every other byte of a path", "/v2/a-._~!$&'()+,;=:@b", true },
    { "254 bytes", "/v2/" LONG_50 LONG_50 LONG_50 LONG_50 LONG_50, true },
    { "over 255 bytes", "/v2/ab" LONG_50 LONG_50 LONG_50 LONG_50 LONG_50, true },
    { "a star would open more", "/v2/*", false },
    { "a star within", "/v2/a*b", false },
    { "a quote", "/v2/\"a", true },
    { "a way out of the JSON", "/v2/*\",\"x\":\"", false },
    { "a backslash", "/v2/a\\b", true },
    { "an escape", "/v2/%7Ea", true },
    { "an 8-bit byte", "/v2/\xc3\xa9", true },
    { "braces stand for names", "/v2/{{account}}", false },
};

/* What it offers is a policy for each closed reading of the path; the first is the path as sent. */
static void expect_snippet(const char *json, const char *path)
{
    struct bytes list = { 0 };

    bytes_print(&list, "[%s]", json);
    json_t *policies = json_loads(list.at, JSON_REJECT_DUPLICATES, NULL);
    bytes_free(&list);
    if (!policies)
        fail_msg("no JSON: %s", json);
    const json_t *policy = json_array_get(policies, 0), *attrs = json_object_get(policy, "attrs");
    assert_string_equal(json_string_value(json_object_get(policy, "name")), "outbound-access");
    assert_string_equal(json_string_value(json_object_get(attrs, "host")), "api.partner.example");
    assert_string_equal(json_string_value(json_object_get(attrs, "path")), path);
    assert_int_equal(json_object_size(attrs), 2);
    json_decref(policies);
}

static void snippet_opens_this(void **state)
{
    const struct snippet *story = *state;
    struct bytes request = { 0 };

    bytes_print(&request, "GET %s HTTP/1.1\r\n" API "\r\n", story->path);
    const struct response *answer = world_refused(&world, request.at);
    bytes_free(&request);
    expect_status(answer, 403);
    json_t *body = json_loads(answer->body.at, 0, NULL);
    const char *help = json_string_value(json_object_get(body, "help"));
    assert_non_null(help);
    const char *json = strchr(help, '{');
    if (story->offered && json)
        expect_snippet(json, story->path);
    else if (story->offered || strstr(help, "manifest.json: {"))
        fail_msg("%s", help);
    json_decref(body);
}

/* ---- the connection afterwards
 * --------------------------------------------------------------------- */

static void usable(struct client *client)
{
    client_say(client, "GET http://api.partner.example/v1/a HTTP/1.1\r\n" API "\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

static struct body {
    const char *name, *request, *rest;
    bool kept;
} bodies[] = {
    { "a body with a length",
      "POST /v2/a HTTP/1.1\r\n" API "Content-Length: 40\r\n\r\nGET /v1/evil HTTP/1.1\r\nHost: x",
      "\r\n\r\n12345", true },
    { "a body that comes later", "POST /v2/a HTTP/1.1\r\n" API "Content-Length: 5\r\n\r\n", "hello",
      true },
    { "no body", "POST /v2/a HTTP/1.1\r\n" API "Content-Length: 0\r\n\r\n", "", true },
    { "a chunked body", "POST /v2/a HTTP/1.1\r\n" API "Transfer-Encoding: chunked\r\n\r\n",
      "5\r\nhello\r\n0\r\n\r\n", false },
    { "a body that waits for 100",
      "POST /v2/a HTTP/1.1\r\n" API "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", "",
      false },
    { "a large body", "POST /v2/a HTTP/1.1\r\n" API "Content-Length: 1000000\r\n\r\n",
      "GET /v1/evil HTTP/1.1\r\n" API "\r\n", false },
    { "Connection: close", "GET /v2/a HTTP/1.1\r\n" API "Connection: close\r\n\r\n", "", false },
    { "HTTP/1.0", "GET /v2/a HTTP/1.0\r\n" API "\r\n", "", false },
};

/* Whatever the body holds, it is never run as a request. */
static void body_of_a_denied(void **state)
{
    const struct body *story = *state;
    struct client *client = world_client(&world);

    client_say(client, story->request);
    const struct response *answer = client_response(client);
    expect_status(answer, 403);
    expect_header(answer, "Connection", story->kept ? NULL : "close");
    client_say(client, story->rest);
    if (story->kept)
        usable(client);
    else
        assert_int_equal(client_end(client), ENDING_CLEAN);
    origin_untouched(world.origin);
}

/* Who does not look before all is sent is not reset before it has looked. */
static void large_upload(void **state)
{
    enum { LARGE = 5000000 };
    static char body[LARGE];
    struct client *client = world_client(&world);

    (void)state;
    client_say(client, "POST /v2/a HTTP/1.1\r\n" API "Content-Length: 5000000\r\n\r\n");
    client_send(client, body, sizeof(body));
    const struct response *answer = client_response(client);
    expect_answer(answer, 403, "OutboundAccessDenied", "");
    expect_header(answer, "Connection", "close");
    assert_int_equal(client_end(client), ENDING_CLEAN);
}

/* It was answered in full: that the body never came is not what happened to it. */
static void body_never_comes(void **state)
{
    static const struct plan hasty = { .options = { "--idle-timeout", "300ms" } };
    struct world own;

    (void)state;
    world_open(&own, &hasty);
    struct client *client = world_client(&own);
    client_say(client, "POST /v2/a HTTP/1.1\r\n" API "Content-Length: 5\r\n\r\nhe");
    expect_status(client_response(client), 403);
    assert_int_equal(client_end(client), ENDING_CLEAN);
    char *line = process_await(own.sidecar, "status=403");
    assert_non_null(strstr(line, "outcome=outbound_access_denied"));
    free(line);
    world_close(&own);
}

static void many_denials(void **state)
{
    struct client *client = world_client(&world);

    (void)state;
    for (int i = 0; i < 100; i++)
        client_say(client, "POST /v2/a HTTP/1.1\r\n" API "Content-Length: 3\r\n\r\nabc");
    for (int i = 0; i < 100; i++)
        expect_status(client_response(client), 403);
    usable(client);
}

/* ---- browsers
 * -------------------------------------------------------------------------------------- */

static struct browser {
    const char *name, *header;
} browsers[] = {
    { "Origin", "Origin: https://evil.test\r\n" },
    { "Origin null", "Origin: null\r\n" },
    { "Sec-Fetch-Site", "Sec-Fetch-Site: cross-site\r\n" },
    { "sec-fetch-site in small letters", "sec-fetch-site: same-origin\r\n" },
};

static void browser_is_refused(void **state)
{
    const struct browser *story = *state;
    char request[256];

    snprintf(request, sizeof(request),
             "GET http://api.partner.example/v1/a HTTP/1.1\r\n" API "%s\r\n", story->header);
    expect_answer(world_refused(&world, request), 403, "CallerRefused", "Browsers");
}

static struct single singles[] = {
    { "the whole answer", whole_answer },
    { "the answer's id is in the log", request_id_is_in_the_log },
    { "a path cannot break the JSON", no_way_out_of_the_json },
    { "a long method", long_method },
    { "the line of a judged request", line_of_a_judged_request },
    { "the line of a long path", line_of_a_long_path },
    { "HEAD gets no body", denied_head },
    { "a large upload is sent to its end", large_upload },
    { "a body that never comes", body_never_comes },
    { "100 denials, pipelined, with bodies", many_denials },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, denied, is_denied);
    STORIES_ADD(&stories, snippets, snippet_opens_this);
    STORIES_ADD(&stories, bodies, body_of_a_denied);
    STORIES_ADD(&stories, browsers, browser_is_refused);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("policy", &stories, &world, &plan);
}

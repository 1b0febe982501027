/* GraphQL operations on their way to other apps: read and judged by --provider-schemas before anything is sent,
 * and forwarded byte for byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define PATH    "/acme.shop/v1/storeacct/master/_v/graphql"
#define IO      "Host: app.io.vtex.com\r\n"
#define JSON    "Content-Type: application/json\r\n"
#define USER    "VtexIdclientAutCookie: a-user-token\r\n"
#define POST    "POST " PATH " HTTP/1.1\r\n" IO JSON
#define OPEN    "{\"query\":\"query Shop { open }\"}"
#define PRIVATE "{\"query\":\"{ x: orders }\"}"
/* {"audience":"webstore"} and {"audience":"admin"}, base64url */
#define SHOPPER "eyJhbGciOiJub25lIn0.eyJhdWRpZW5jZSI6IndlYnN0b3JlIn0.x"
#define ADMIN   "eyJhbGciOiJub25lIn0.eyJhdWRpZW5jZSI6ImFkbWluIn0.x"

static const char schema[] =
    "type Query {\n"
    "  open: Int @auth(scope: PUBLIC)\n"
    "  orders: Int @auth(scope: PRIVATE, productCode: \"66\", resourceCode: \"ViewOrders\")\n"
    "}\n";

static struct folder *schemas;
static struct world passing, refusing;

static struct plan plan_with(const char *unknown)
{
    struct plan plan = { .policies = "app.io.vtex.com\t*\n" };
    const char *options[] = { "--provider-schemas", folder_path(schemas), "--graphql-unknown",
                              unknown };

    memcpy(plan.options, options, sizeof(options));
    return plan;
}

/* A request with that body, framed by its length. */
static char *with_body(const char *head, const char *body)
{
    char *request = NULL;

    if (asprintf(&request, "%sContent-Length: %zu\r\n\r\n%s", head, strlen(body), body) < 0)
        abort();
    return request;
}

/* ---- refused before anything is sent ---- */

static struct refused {
    const char *name, *head, *body, *says;
} refused[] = {
    { "private, and no identity", POST, PRIVATE,
      "Query.orders needs productCode 66, resourceCode "
      "ViewOrders; the request has no" },
    { "the hop's authorization is no identity", POST "Authorization: Bearer of-the-hop\r\n",
      PRIVATE, "the request has no VtexIdclientAutCookie" },
    { "a shopper's cookie of the account", POST "Cookie: VtexIdclientAutCookie_storeacct=s\r\n",
      PRIVATE, "the request has no VtexIdclientAutCookie" },
    { "a shopper's token, chosen",
      POST "X-Janus-Auth: store\r\nCookie: VtexIdclientAutCookie_storeacct=s\r\n", PRIVATE,
      "a shopper's token" },
    { "a shopper's token, as it says itself", POST "VtexIdclientAutCookie: " SHOPPER "\r\n",
      PRIVATE, "a shopper's token" },
    { "a shopper's token in the admin's cookie",
      POST "Cookie: VtexIdclientAutCookie=" SHOPPER "\r\n", PRIVATE, "a shopper's token" },
    { "the cookie counts before the header",
      POST USER "Cookie: VtexIdclientAutCookie=" SHOPPER "\r\n", PRIVATE, "a shopper's token" },
    { "an empty identity", POST "VtexIdclientAutCookie:\r\n", PRIVATE, "the request has no" },
    { "an identity that Connection takes off", POST USER "Connection: VtexIdclientAutCookie\r\n",
      PRIVATE, "the request has no" },
    { "the app's own token authorises the hop only", POST, "{\"query\":\"{open orders}\"}",
      "the request has no" },
    { "one of a list", POST, "[{\"query\":\"{open}\"},{\"query\":\"{orders}\"}]",
      "Query.orders needs" },
    { "GET with a body", "GET " PATH "?__graphqlBodyHash=1 HTTP/1.1\r\n" IO JSON, PRIVATE,
      "Query.orders needs" },
    { "without a workspace", "POST /acme.shop/v1/storeacct/_v/graphql HTTP/1.1\r\n" IO JSON,
      PRIVATE, "Query.orders needs" },
};

static void is_refused(void **state)
{
    const struct refused *story = *state;
    char *request = with_body(story->head, story->body);

    expect_answer(world_refused(&passing, request), 403, "GraphQLDenied", story->says);
    free(request);
}

static void refused_get(void **state)
{
    (void)state;
    expect_answer(world_refused(&passing, "GET " PATH "?query=%7Borders%7D HTTP/1.1\r\n" IO "\r\n"),
                  403, "GraphQLDenied", "Query.orders");
}

/* The connection is kept: the next request is judged on its own. */
static void refused_then_passed(void **state)
{
    struct client *client = world_client(&passing);
    char *bad = with_body(POST, PRIVATE), *good = with_body(POST, OPEN);

    (void)state;
    client_say(client, bad);
    expect_status(client_response(client), 403);
    client_say(client, good);
    struct origin_conn *conn = origin_accept(passing.origin);
    origin_head(conn);
    assert_memory_equal(origin_bytes(conn, strlen(OPEN)), OPEN, strlen(OPEN));
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(client), 200);
    free(bad);
    free(good);
}

/* ---- passed, byte for byte ---- */

static struct passed {
    const char *name, *head, *body;
} passed[] = {
    { "public, and no identity", POST, OPEN },
    { "private, and a user's token", POST USER, PRIVATE },
    { "private, and an admin's token in the cookie",
      POST "Cookie: VtexIdclientAutCookie=" ADMIN "\r\n", PRIVATE },
    { "private, and the placeholder as identity", POST "VtexIdclientAutCookie: " PLACEHOLDER "\r\n",
      PRIVATE },
    { "private, and the admin's token chosen",
      POST "X-Janus-Auth: admin\r\nCookie: VtexIdclientAutCookie=a\r\n", PRIVATE },
    { "a field that the schema does not have", POST, "{\"query\":\"{newer}\"}" },
    { "blanks and all", POST, "  { \"query\" :\t\"{ open }\" }\r\n" },
    { "unreadable", POST, "{ open }" },
    { "unreadable for its type", "POST " PATH " HTTP/1.1\r\n" IO "Content-Type: text/plain\r\n",
      PRIVATE },
    { "an app whose schema is not known",
      "POST /acme.other/v1/storeacct/master/_v/graphql HTTP/1.1\r\n" IO JSON, PRIVATE },
    { "another route of the app", "POST /acme.shop/v1/storeacct/master/x HTTP/1.1\r\n" IO JSON,
      PRIVATE },
};

static void goes_on(void **state)
{
    const struct passed *story = *state;
    char *request = with_body(story->head, story->body);
    struct client *client = world_client(&passing);

    client_say(client, request);
    struct origin_conn *conn = origin_accept(passing.origin);
    const char *head = origin_head(conn);
    assert_non_null(strstr(head, "Content-Length: "));
    assert_null(strstr(head, PLACEHOLDER));
    assert_memory_equal(origin_bytes(conn, strlen(story->body)), story->body, strlen(story->body));
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(client), 200);
    free(request);
}

/* In pieces, and chunked: what the origin gets is the same content. */
static void chunked_in_pieces(void **state)
{
    struct client *client = world_client(&passing);
    static const char *const pieces[] = { "3\r\n{\"q\r\n", "8\r\nuery\":\"{\r\n",
                                          "2;x=1\r\nop\r\n4\r\nen}\"\r\n", "1\r\n}\r\n",
                                          "0\r\nTrailer: x\r\n\r\n" };
    size_t n;

    (void)state;
    client_say(client, POST "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        origin_untouched(passing.origin);
        client_say(client, pieces[i]);
    }
    struct origin_conn *conn = origin_accept(passing.origin);
    assert_non_null(strstr(origin_head(conn), "Transfer-Encoding: chunked"));
    const char *content = origin_chunked(conn, &n);
    assert_int_equal(n, strlen("{\"query\":\"{open}\"}"));
    assert_memory_equal(content, "{\"query\":\"{open}\"}", n);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(client), 200);
}

static void chunked_and_empty(void **state)
{
    struct client *client = world_client(&passing);
    size_t n;

    (void)state;
    client_say(client, POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    struct origin_conn *conn = origin_accept(passing.origin);
    origin_head(conn);
    origin_chunked(conn, &n);
    assert_int_equal(n, 0);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(client), 200);
}

static void chunked_and_refused(void **state)
{
    struct client *client = world_client(&passing);

    (void)state;
    client_say(client, POST "Transfer-Encoding: chunked\r\n\r\n14\r\n{\"query\":\"{orders} \"\r\n"
                            "1\r\n}\r\n0\r\n\r\n");
    expect_answer(client_response(client), 403, "GraphQLDenied", "Query.orders");
    origin_untouched(passing.origin);
}

static void broken_chunks(void **state)
{
    struct client *client = world_client(&passing);

    (void)state;
    client_say(client, POST "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"qX");
    expect_answer(client_response(client), 400, "BadRequest", "chunked");
    origin_untouched(passing.origin);
}

/* We wait for the body before anybody else could say it. */
static void expects_continue(void **state)
{
    struct client *client = world_client(&passing);
    char head[512];

    (void)state;
    snprintf(head, sizeof(head), POST "Expect: 100-continue\r\nContent-Length: %zu\r\n\r\n",
             strlen(PRIVATE));
    client_say(client, head);
    expect_status(client_head(client), 100);
    client_say(client, PRIVATE);
    expect_status(client_response(client), 403);
    origin_untouched(passing.origin);
}

/* Longer than is read: it streams on as it comes. */
static void too_long(void **state)
{
    enum { N = 4 * 1024 * 1024, PIECE = 64 * 1024 };
    struct client *client = world_client(&passing);
    static char piece[PIECE];
    size_t sent = 0, received = 0;
    char head[512], taken[16384];

    (void)state;
    memset(piece, 'a', sizeof(piece));
    snprintf(head, sizeof(head), POST "Content-Length: %d\r\n\r\n", N);
    client_say(client, head);
    struct origin_conn *conn = NULL;
    while (received < N) {
        if (sent < N)
            sent += client_offer(client, piece, N - sent < PIECE ? N - sent : PIECE);
        if (!conn && sent > 3 * 1024 * 1024 + 256 * 1024) {
            conn = origin_accept(passing.origin);
            origin_head(conn);
            received += origin_unread(conn);
            if (origin_unread(conn))
                origin_bytes(conn, origin_unread(conn));
        }
        if (conn)
            received += origin_take(conn, taken, sizeof(taken));
    }
    assert_int_equal(received, N);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(client), 200);
}

/* A client that leaves while its operation is read costs the origin nothing. */
static void leaves_while_read(void **state)
{
    struct client *client = world_client(&passing);

    (void)state;
    client_say(client, POST "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n{");
    expect_status(client_head(client), 100); /* it is being read */
    client_close(client);
    free(process_await(passing.sidecar, "outcome=client_gone"));
    origin_untouched(passing.origin);
}

/* ---- --graphql-unknown refuse ---- */

static struct unknown {
    const char *name, *head, *body, *says;
} unknowns[] = {
    { "no JSON", POST, "{ open }", "its body is not JSON" },
    { "persisted", POST, "{\"extensions\":{\"persistedQuery\":{}}}", "persisted" },
    { "text", "POST " PATH " HTTP/1.1\r\n" IO "Content-Type: text/plain\r\n", OPEN,
      "Content-Type" },
    { "encoded", POST "Content-Encoding: gzip\r\n", OPEN, "encoded" },
    { "two content types", POST "Content-Type: text/plain\r\n", OPEN, "Content-Type" },
};

static void unknown_is_refused(void **state)
{
    const struct unknown *story = *state;
    char *request = with_body(story->head, story->body);

    expect_answer(world_refused(&refusing, request), 400, "GraphQLUnreadable", story->says);
    free(request);
}

/* ---- log and metrics ---- */

static void is_told(void **state)
{
    char *request = with_body(POST, "{\"query\":\"query Shop($s: Int) { open a: orders }\"}");

    (void)state;
    expect_status(world_refused(&passing, request), 403);
    char *line = process_await(passing.sidecar, "graphql_name=Shop graphql_fields=open,orders");
    assert_non_null(strstr(line, "graphql=query"));
    assert_non_null(strstr(line, "outcome=graphql_denied"));
    free(line);
    world_metrics(&passing, "janus_sidecar_graphql_operations_total{type=\"query\",name=\"Shop\","
                            "fields=\"open,orders\"} 1\n");
    free(request);
}

/* ---- reload ---- */

static void is_reloaded(void **state)
{
    static const char request[] = "GET " PATH "?query=%7Bopen%7D HTTP/1.1\r\n" IO "\r\n";
    struct folder *kept = schemas;
    struct world own;

    (void)state;
    schemas = folder_new();
    folder_write(schemas, "acme.shop.graphql", schema);
    struct plan plan = plan_with("pass");
    world_open(&own, &plan);
    free(world_exchange(&own, request));
    folder_write(schemas, "acme.shop.graphql",
                 "type Query { open: Int @auth(productCode: \"1\", "
                 "resourceCode: \"New\") }");
    struct client *admin = client_new(own.admin_port);
    client_say(admin, "POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(admin), 200);
    clients_close();
    expect_answer(world_refused(&own, request), 403, "GraphQLDenied", "resourceCode New");
    folder_write(schemas, "acme.shop.graphql", "type Query {");
    client_say(client_new(own.admin_port),
               "POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    free(process_await(own.sidecar, "event=schema"));
    clients_close();
    expect_answer(world_refused(&own, request), 403, "GraphQLDenied", "resourceCode New");
    world_close(&own);
    folder_free(schemas);
    schemas = kept;
}

int main(void)
{
    struct stories *shared = calloc(1, sizeof(*shared)), *strict = calloc(1, sizeof(*strict));
    int failed;

    schemas = folder_new();
    folder_write(schemas, "acme.shop.graphql", schema);
    STORIES_ADD(shared, refused, is_refused);
    stories_add(shared, "GET with its query in the URL", refused_get, NULL);
    stories_add(shared, "refused, and the next one passes", refused_then_passed, NULL);
    STORIES_ADD(shared, passed, goes_on);
    stories_add(shared, "chunked, in pieces", chunked_in_pieces, NULL);
    stories_add(shared, "chunked, and empty", chunked_and_empty, NULL);
    stories_add(shared, "chunked, and refused", chunked_and_refused, NULL);
    stories_add(shared, "broken chunks", broken_chunks, NULL);
    stories_add(shared, "a client that waits for a 100", expects_continue, NULL);
    stories_add(shared, "longer than is read", too_long, NULL);
    stories_add(shared, "a client that leaves", leaves_while_read, NULL);
    stories_add(shared, "log and metrics", is_told, NULL);
    STORIES_ADD(strict, unknowns, unknown_is_refused);
    stories_add(strict, "schemas are read again", is_reloaded, NULL);
    struct plan pass = plan_with("pass"), refuse = plan_with("refuse");
    failed = flow_run("graphql out", shared, &passing, &pass);
    failed += flow_run("graphql unknown", strict, &refusing, &refuse);
    folder_free(schemas);
    free(shared);
    free(strict);
    return failed;
}

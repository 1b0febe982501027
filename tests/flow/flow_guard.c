/* The guard: GraphQL operations that come in are judged by the app's own @auth before the app gets them.
 *
 *   client --- guard --- app (a plain origin, played by the test)
 *                `--- the simulator: VTEX ID and License Manager */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_sim.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

/* Most rows leave most columns empty. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define PATH "/acme/master/_v/graphql"
#define JSON "Host: app.example\r\nContent-Type: application/json\r\n"
#define POST "POST " PATH " HTTP/1.1\r\n" JSON

static const char schema[] =
    "type Query {\n"
    "  open: Int @auth(scope: PUBLIC)\n"
    "  bare: Int\n"
    "  orders: Int @auth(scope: PRIVATE, productCode: \"66\", resourceCode: \"ViewOrder\")\n"
    "  users: Int @auth(scope: PRIVATE, productCode: \"66\", resourceCode: \"view_profiles\")\n"
    "  closed: Int @auth(scope: PRIVATE, productCode: \"66\", resourceCode: \"NobodyMay\")\n"
    "  odd: Int @auth(scope: PRIVATE, productCode: \"6/6\", resourceCode: \"a b?\")\n"
    "  broken: Int @auth(scope: PRIVATE)\n"
    "}\n"
    "type Mutation { set: Int @auth(scope: PRIVATE, productCode: \"66\", resourceCode: "
    "\"ViewOrder\") }\n";

static struct scene {
    struct folder *folder;
    struct sim *sim;
    struct origin *app;
    struct process *sidecar;
    uint16_t port, guard_port, admin_port;
    const char *app_host; /* NULL: 127.0.0.1 */
    bool closed;          /* nothing is allowed by --allow-address */
} scene;

enum { WORDS_MAX = 40 };

static uint16_t port_of(const char *line, const char *key)
{
    const char *found = strstr(line, key);

    assert_non_null(found);
    return (uint16_t)strtoul(strchr(found + strlen(key), ':') + 1, NULL, 10);
}

/* `more` stands in front. */
static void start_sidecar(const char *const *more)
{
    const char *words[WORDS_MAX] = { "run" };
    char app[64], connect_to[64];
    size_t n = 1;

    while (more && *more)
        words[n++] = *more++;
    snprintf(app, sizeof(app), "http://%s:%u", scene.app_host ? scene.app_host : "127.0.0.1",
             origin_port(scene.app));
    snprintf(connect_to, sizeof(connect_to), "::127.0.0.1:%u", sim_port(scene.sim));
    const char *const usual[] = { "--account",
                                  "acme",
                                  "--listen",
                                  "127.0.0.1:0",
                                  "--admin",
                                  "127.0.0.1:0",
                                  "--guard-listen",
                                  "127.0.0.1:0",
                                  "--guard-app",
                                  app,
                                  "--graphql-schema",
                                  folder_name(scene.folder, "schema.graphql"),
                                  "--manifest",
                                  folder_name(scene.folder, "manifest.json"),
                                  "--ca-file",
                                  sim_ca_file(scene.sim),
                                  "--token-file",
                                  sim_token_file(scene.sim),
                                  "--connect-to",
                                  connect_to,
                                  scene.closed ? NULL : "--allow-address",
                                  "127.0.0.0/8",
                                  NULL };
    for (size_t i = 0; usual[i]; i++)
        words[n++] = usual[i];
    struct process_plan plan = { .program = "janus-sidecar",
                                 .work_folder = folder_path(scene.folder),
                                 .options = words };
    scene.sidecar = process_start(&plan);
    char *line = process_await(scene.sidecar, "ready ");
    scene.port = port_of(line, "listen=");
    scene.guard_port = port_of(line, "guard=");
    scene.admin_port = port_of(line, "admin=");
    free(line);
}

static void open_scene(const char *builder, const char *const *more)
{
    char manifest[256];

    scene.folder = folder_new();
    scene.sim = sim_start(NULL);
    scene.app = origin_new_plain();
    folder_write(scene.folder, "schema.graphql", schema);
    snprintf(manifest, sizeof(manifest),
             "{\"vendor\":\"acme\",\"name\":\"shop\",\"version\":\"1.0.0\",\"builders\":{%s},"
             "\"policies\":[]}",
             builder);
    folder_write(scene.folder, "manifest.json", manifest);
    start_sidecar(more);
}

static void close_scene(void)
{
    clients_close();
    sidecar_stop(scene.sidecar);
    process_free(scene.sidecar);
    origin_free(scene.app);
    sim_stop(scene.sim);
    folder_free(scene.folder);
    scene = (struct scene){ NULL };
}

static int open_usual(void **state)
{
    (void)state;
    open_scene("\"graphql\":\"1.x\"", NULL);
    return 0;
}

static int close_usual(void **state)
{
    (void)state;
    close_scene();
    return 0;
}

static int after_each(void **state)
{
    (void)state;
    clients_close();
    origin_settle(scene.app);
    return 0;
}

/* ---- asking ---- */

static char *mint(const char *how)
{
    char target[256];

    snprintf(target, sizeof(target), "/_sim/mint?%s", how);
    json_t *json = sim_ask(scene.sim, "POST", target);
    char *token = strdup(json_string_value(json_object_get(json, "token")));
    json_decref(json);
    return token;
}

static void forget(void)
{
    sim_tell(scene.sim, "/_sim/grants?clear=1");
    sim_tell(scene.sim, "/_sim/override?clear=1");
    json_decref(sim_ask(scene.sim, "GET", "/_sim/stats?clear=1"));
    json_decref(sim_ask(scene.sim, "GET", "/_sim/requests?clear=1"));
}

static long long asked(const char *route)
{
    json_t *json = sim_ask(scene.sim, "GET", "/_sim/stats");
    long long n = json_integer_value(json_object_get(json_object_get(json, "routes"), route));

    json_decref(json);
    return n;
}

/* `%s` in the head is the token. */
static struct client *say(const char *head, const char *token, const char *body)
{
    struct client *client = client_new(scene.guard_port);
    struct bytes request = { 0 };
    const char *place = strstr(head, "%s");

    if (place)
        bytes_print(&request, "%.*s%s%s", (int)(place - head), head, token, place + 2);
    else
        bytes_print(&request, "%s", head);
    if (body)
        bytes_print(&request, "Content-Length: %zu\r\n", strlen(body));
    bytes_print(&request, "\r\n%s", body ? body : "");
    client_say(client, request.at);
    bytes_free(&request);
    return client;
}

/* The app gets it, with that body, and its answer comes back. */
static void passes(struct client *client, const char *body)
{
    struct origin_conn *conn = origin_accept(scene.app);
    const char *length = strstr(origin_head(conn), "Content-Length: ");
    size_t n = length ? strtoul(length + strlen("Content-Length: "), NULL, 10) : 0;

    if (body)
        assert_int_equal(n, strlen(body));
    if (n) {
        const char *bytes = origin_bytes(conn, n);
        assert_true(!body || memcmp(bytes, body, n) == 0);
    }
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\npassed");
    origin_close(conn);
    const struct response *response = client_response(client);
    expect_status(response, 200);
    expect_body(response, "passed");
}

static void is_refused(struct client *client, unsigned status, const char *code, const char *says)
{
    const struct response *response = client_response(client);
    char wanted[64];

    snprintf(wanted, sizeof(wanted), "\"code\":\"%s\"", code);
    expect_status(response, status);
    expect_header(response, "Cache-Control", "no-store");
    if (!strstr(response->body.at, wanted) || !strstr(response->body.at, says))
        fail_msg("%s and \"%s\" were expected:\n%s", wanted, says, response->body.at);
    origin_untouched(scene.app);
}

/* ---- one request ---- */

#define HEADER  POST "VtexIdclientAutCookie: %s\r\n"
#define COOKIE  POST "Cookie: a=b; VtexIdclientAutCookie=%s; c=d\r\n"
#define Q(text) "{\"query\":\"" text "\"}"

enum { ANY = -1 }; /* a kept connection may be tried first */

static struct row {
    const char *name, *head, *body;
    const char *mint; /* NULL: no token */
    const char *tell; /* the simulator */
    const char *code; /* NULL: it passes */
    const char *says;
    long long n_validate, n_granted;
} rows[] = {
    /* nobody is asked */
    { "public", POST, Q("{ open }") },
    { "public, with a token", HEADER, Q("{ open }"), "kind=admin" },
    { "no @auth under 1.x", POST, Q("{ bare }") },
    { "introspection", POST, Q("{ __schema { types { name } } }") },
    { "private, and skipped", POST, Q("{ open orders @skip(if: true) }") },
    { "private, and no token", POST, Q("{ orders }"), NULL, NULL, "UNAUTHENTICATED",
      "was not found" },
    { "an empty cookie", POST "Cookie: VtexIdclientAutCookie=\r\n", Q("{ orders }"), NULL, NULL,
      "UNAUTHENTICATED", "was not found" },
    { "the account's cookie is not looked at", POST "Cookie: VtexIdclientAutCookie_acme=%s\r\n",
      Q("{ orders }"), "kind=admin", NULL, "UNAUTHENTICATED", "was not found" },
    { "Authorization is no identity", POST "Authorization: Bearer %s\r\n", Q("{ orders }"),
      "kind=admin", NULL, "UNAUTHENTICATED", "was not found" },
    { "a cookie of another case is another one", POST "Cookie: vtexidclientautcookie=%s\r\n",
      Q("{ orders }"), "kind=admin", NULL, "UNAUTHENTICATED", "was not found" },
    { "two cookies", POST "Cookie: VtexIdclientAutCookie=a; VtexIdclientAutCookie=%s\r\n",
      Q("{ orders }"), "kind=admin", NULL, "UNAUTHENTICATED", "twice" },
    { "two headers", HEADER "vtexidclientautcookie: b\r\n", Q("{ orders }"), "kind=admin", NULL,
      "UNAUTHENTICATED", "twice" },
    { "an expired token", HEADER, Q("{ orders }"), "kind=admin&life=0", NULL, "UNAUTHENTICATED",
      "expired" },
    { "bytes that no token has", POST "VtexIdclientAutCookie: a\"b\r\n", Q("{ orders }"), NULL,
      NULL, "UNAUTHENTICATED", "" },
    { "a malformed @auth", HEADER, Q("{ broken }"), "kind=admin", NULL, "BAD_USER_INPUT",
      "broken" },
    { "a field that is not there", HEADER, Q("{ open x }"), "kind=admin", NULL, "BAD_USER_INPUT",
      "the schema has no query x" },
    { "a subscription", HEADER, Q("subscription { open }"), "kind=admin", NULL, "BAD_USER_INPUT",
      "subscription" },
    { "not GraphQL", POST, Q("{"), NULL, NULL, "BAD_USER_INPUT", "line 1, column 2" },
    { "not JSON", POST, "open", NULL, NULL, "BAD_USER_INPUT", "JSON" },
    { "persisted", POST, "{\"extensions\":{\"persistedQuery\":{\"sha256Hash\":\"a\"}}}", NULL, NULL,
      "BAD_USER_INPUT", "persisted" },
    { "gzip", POST "Content-Encoding: gzip\r\n", Q("{ open }"), NULL, NULL, "BAD_USER_INPUT",
      "encoded" },
    { "another content type", "POST " PATH " HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n",
      Q("{ open }"), NULL, NULL, "BAD_USER_INPUT", "Content-Type" },
    { "another method", "PUT " PATH " HTTP/1.1\r\n" JSON, Q("{ open }"), NULL, NULL,
      "BAD_USER_INPUT", "method" },

    /* who it is */
    { "granted, by the header", HEADER, Q("{ orders }"), "kind=admin", NULL, NULL, NULL, 1, 1 },
    { "granted, by the cookie", COOKIE, Q("{ orders }"), "kind=admin", NULL, NULL, NULL, 1, 1 },
    { "the cookie counts before the header", COOKIE "VtexIdclientAutCookie: nobody\r\n",
      Q("{ orders }"), "kind=admin", NULL, NULL, NULL, 1, 1 },
    { "an app", HEADER, Q("{ orders }"), "kind=app", NULL, NULL, NULL, 1, 1 },
    { "a mutation", HEADER, Q("mutation { set }"), "kind=admin", NULL, NULL, NULL, 1, 1 },
    { "two fields, one resource", HEADER, Q("{ orders a: orders }"), "kind=admin", NULL, NULL, NULL,
      1, 1 },
    { "two resources", HEADER, Q("{ orders users }"), "kind=admin", NULL, NULL, NULL, 1, 2 },
    { "nobody's token", POST "VtexIdclientAutCookie: nobody\r\n", Q("{ orders }"), NULL, NULL,
      "UNAUTHENTICATED", "names none", 1, 0 },
    { "another account's", HEADER, Q("{ orders }"), "kind=admin&account=other", NULL,
      "UNAUTHENTICATED", "names none", 1, 0 },
    { "a shopper", HEADER, Q("{ orders }"), "kind=store", NULL, "FORBIDDEN", "shoppers", 1, 0 },
    { "not granted", HEADER, Q("{ closed }"), "kind=admin", NULL, "FORBIDDEN",
      "Query.closed needs productCode 66, resourceCode NobodyMay", 1, 1 },
    { "one of two is not granted", HEADER, Q("{ orders closed }"), "kind=admin", NULL, "FORBIDDEN",
      "NobodyMay", 1, 2 },
    { "taken away", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/grants?user=ana@example.com&product=66&resource=ViewOrder&granted=false", "FORBIDDEN",
      "Query.orders", 1, 1 },
    { "granted to somebody else", HEADER, Q("{ closed }"), "kind=admin&user=bob@example.com",
      "/_sim/grants?user=ana@example.com&product=66&resource=NobodyMay&granted=true", "FORBIDDEN",
      "Query.closed", 1, 1 },
    { "granted to that one", HEADER, Q("{ closed }"), "kind=admin&user=bob@example.com",
      "/_sim/grants?user=bob@example.com&product=66&resource=NobodyMay&granted=true", NULL, NULL, 1,
      1 },
    { "codes that would be another path", HEADER, Q("{ odd }"), "kind=admin",
      "/_sim/grants?user=ana@example.com&product=6%252F6&resource=a%2520b%253F&granted=true", NULL,
      NULL, 1, 1 },
    { "a user that would be another path", HEADER, Q("{ orders }"), "kind=admin&user=../x",
      "/_sim/grants?user=..%252Fx&product=66&resource=ViewOrder&granted=false", "FORBIDDEN", "", 1,
      1 },
    { "a user that is dots", HEADER, Q("{ orders }"), "kind=admin&user=..", NULL,
      "INTERNAL_SERVER_ERROR", "makes no path", 1, 0 },

    /* odd answers */
    { "granted is \"no\"", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=license-granted&status=200&body=%22no%22", "INTERNAL_SERVER_ERROR",
      "License Manager: it answered 200 and something that is neither", 1, 1 },
    { "granted is 1", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=license-granted&status=200&body=1", "INTERNAL_SERVER_ERROR", "neither",
      1, 1 },
    { "granted is an object", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=license-granted&status=200&body=%7B%22granted%22:true%7D",
      "INTERNAL_SERVER_ERROR", "neither", 1, 1 },
    { "granted is nothing", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=license-granted&status=200&body=", "INTERNAL_SERVER_ERROR", "neither",
      1, 1 },
    { "granted is a page", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=license-granted&status=200&body=%3Chtml%3Etrue",
      "INTERNAL_SERVER_ERROR", "neither", 1, 1 },
    { "true with another status", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=license-granted&status=203&body=true", "INTERNAL_SERVER_ERROR",
      "neither yes nor no", 1, 1 },
    { "true with blanks", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=license-granted&status=200&body=%20true%0a", NULL, NULL, 1, 1 },
    { "License Manager refuses us", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=license-granted&status=403&body=true", "INTERNAL_SERVER_ERROR",
      "refused the sidecar itself", 1, 1 },
    { "License Manager is down", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=license-granted&status=503&body=true", "INTERNAL_SERVER_ERROR",
      "cannot answer now", 1, 1 },
    { "VTEX ID is down", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=vtexid-validate&status=500&body=x", "INTERNAL_SERVER_ERROR",
      "VTEX ID: it answered that it cannot", 1, 0 },
    { "VTEX ID redirects", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=vtexid-validate&status=302&body=x", "INTERNAL_SERVER_ERROR", "redirect",
      1, 0 },
    { "VTEX ID says nonsense", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=vtexid-validate&status=200&body=true", "INTERNAL_SERVER_ERROR",
      "no JSON object", 1, 0 },
    { "VTEX ID names nobody", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=vtexid-validate&status=200&body=%7B%22authStatus%22:%22Success%22,"
      "%22account%22:%22acme%22%7D",
      "UNAUTHENTICATED", "", 1, 0 },
    { "VTEX ID names a user and no account", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=vtexid-validate&status=200&body=%7B%22authStatus%22:%22Success%22,"
      "%22user%22:%22a%22%7D",
      "UNAUTHENTICATED", "", 1, 0 },
    { "VTEX ID closes", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=vtexid-validate&status=0", "INTERNAL_SERVER_ERROR", "VTEX ID: ", ANY,
      0 },
    { "too slow", HEADER, Q("{ orders }"), "kind=admin",
      "/_sim/override?route=vtexid-validate&ms=20000", "INTERNAL_SERVER_ERROR", "did not answer", 1,
      0 },
};

static unsigned status_of(const char *code)
{
    return strcmp(code, "BAD_USER_INPUT") == 0          ? 400
           : strcmp(code, "INTERNAL_SERVER_ERROR") == 0 ? 503
                                                        : 200;
}

static void one_request(void **state)
{
    const struct row *row = *state;
    char *token = NULL;

    forget();
    if (row->mint)
        token = mint(row->mint);
    if (row->tell)
        sim_tell(scene.sim, row->tell);
    struct client *client = say(row->head, token, row->body);
    if (row->code)
        is_refused(client, status_of(row->code), row->code, row->says);
    else
        passes(client, row->body);
    if (row->n_validate != ANY)
        assert_int_equal(asked("vtexid-validate"), row->n_validate);
    assert_int_equal(asked("license-granted"), row->n_granted);
    if (token && strstr(process_log(scene.sidecar), token))
        fail_msg("the user's token is in the log");
    free(token);
}

/* ---- where tokens go ---- */

static bool holds(json_t *request, const char *part, const char *token)
{
    char *text = json_dumps(part ? json_object_get(request, part) : request, JSON_ENCODE_ANY);
    bool found = strstr(text, token) != NULL;

    free(text);
    return found;
}

static void tokens_stay_apart(void **state)
{
    char *own = sim_token(scene.sim);
    size_t i;
    json_t *request;

    (void)state;
    forget();
    char *token = mint("kind=admin");
    passes(say(COOKIE, token, Q("{ orders }")), NULL);
    json_t *requests = sim_ask(scene.sim, "GET", "/_sim/requests");
    assert_int_equal(json_array_size(requests), 2);
    json_array_foreach(requests, i, request)
    {
        assert_false(holds(request, "target", token));
        assert_false(holds(request, "headers", token));
        assert_int_equal(holds(request, "body", token), i == 0);  /* VTEX ID alone */
        assert_int_equal(holds(request, "headers", own), i == 1); /* License Manager alone */
        assert_false(holds(request, "body", own));
    }
    json_decref(requests);
    assert_null(strstr(process_log(scene.sidecar), own));
    free(token);
    free(own);
}

/* The app sees what the client sent, and nothing of ours. */
static void app_sees_the_request(void **state)
{
    static const char body[] = Q("{ orders }");
    char *own = sim_token(scene.sim), *token = mint("kind=admin");

    (void)state;
    forget();
    struct client *client = say(COOKIE "X-Vtex-Credential: c\r\n", token, body);
    struct origin_conn *conn = origin_accept(scene.app);
    const char *head = origin_head(conn);
    assert_non_null(strstr(head, "POST " PATH " HTTP/1.1\r\nHost: app.example\r\n"));
    assert_non_null(strstr(head, token));
    assert_non_null(strstr(head, "X-Vtex-Credential: c"));
    assert_null(strstr(head, own));
    assert_memory_equal(origin_bytes(conn, strlen(body)), body, strlen(body));
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(client), 200);
    free(token);
    free(own);
}

/* ---- caches ---- */

static void asked_once(void **state)
{
    char *token = mint("kind=admin");

    (void)state;
    forget();
    for (int i = 0; i < 3; i++)
        passes(say(HEADER, token, Q("{ orders }")), NULL);
    for (int i = 0; i < 3; i++)
        is_refused(say(HEADER, token, Q("{ closed }")), 200, "FORBIDDEN", "NobodyMay");
    for (int i = 0; i < 3; i++)
        is_refused(say(POST "VtexIdclientAutCookie: nobody-at-all\r\n", NULL, Q("{ orders }")), 200,
                   "UNAUTHENTICATED", "");
    assert_int_equal(asked("vtexid-validate"), 2);
    assert_int_equal(asked("license-granted"), 2);
    free(token);
}

static void unclear_is_not_kept(void **state)
{
    char *token = mint("kind=admin");

    (void)state;
    forget();
    sim_tell(scene.sim, "/_sim/override?route=vtexid-validate&status=503");
    is_refused(say(HEADER, token, Q("{ orders }")), 503, "INTERNAL_SERVER_ERROR", "VTEX ID");
    sim_tell(scene.sim, "/_sim/override?clear=1");
    sim_tell(scene.sim, "/_sim/override?route=license-granted&status=503");
    is_refused(say(HEADER, token, Q("{ orders }")), 503, "INTERNAL_SERVER_ERROR", "License");
    sim_tell(scene.sim, "/_sim/override?clear=1");
    passes(say(HEADER, token, Q("{ orders }")), NULL);
    free(token);
}

/* All want to know the same: each question is asked once. Some leave while they wait. */
static void single_flight(void **state)
{
    enum { N = 12 };
    struct client *clients[N];
    char *token = mint("kind=admin");

    (void)state;
    forget();
    sim_tell(scene.sim, "/_sim/override?route=vtexid-validate&ms=300");
    for (int i = 0; i < N; i++)
        clients[i] = say(HEADER, token, Q("{ orders users }"));
    for (int i = 0; i < N; i += 3)
        client_close(clients[i]);
    for (int i = 0; i < N; i++) {
        if (i % 3 == 0)
            continue;
        struct origin_conn *conn = origin_accept(scene.app);
        origin_head(conn);
        origin_bytes(conn, strlen(Q("{ orders users }")));
        origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        origin_close(conn);
    }
    for (int i = 0; i < N; i++)
        if (i % 3)
            expect_status(client_response(clients[i]), 200);
    assert_int_equal(asked("vtexid-validate"), 1);
    assert_int_equal(asked("license-granted"), 2);
    free(token);
}

static void single_flight_that_fails(void **state)
{
    enum { N = 6 };
    struct client *clients[N];
    char *token = mint("kind=admin");

    (void)state;
    forget();
    sim_tell(scene.sim, "/_sim/override?route=license-granted&ms=200&status=500");
    for (int i = 0; i < N; i++)
        clients[i] = say(HEADER, token, Q("{ orders }"));
    for (int i = 0; i < N; i++)
        is_refused(clients[i], 503, "INTERNAL_SERVER_ERROR", "License Manager");
    assert_int_equal(asked("license-granted"), 1);
    free(token);
}

/* ---- routes ---- */

static struct path_row {
    const char *name, *target;
    bool guarded;
} paths[] = {
    { "as it is", PATH, true },
    { "the route alone", "/_v/graphql", true },
    { "in capitals", "/acme/master/_V/GraphQL", true },
    { "a slash at the end", PATH "/", true },
    { "an escape", "/acme/master/_v/%67raphql", true },
    { "escaped twice", "/acme/master/_v/%2567raphql", true },
    { "an escaped slash", "/acme/master/_v%2fgraphql", true },
    { "dot segments", "/acme/master/x/../_v/./graphql", true },
    { "double slashes", "/acme/master/_v//graphql", true },
    { "a backslash", "/acme/master/_v\\graphql", true },
    { "parameters", "/acme/master/_v;a=b/graphql;c", true },
    { "an escaped question mark", "/acme/master/_v/graphql%3fx", true },
    { "a broken escape", "/acme/master/%zz", true },
    { "another route", "/acme/master/_v/other", false },
    { "more behind it", "/acme/master/_v/graphql/more", false },
    { "in the query", "/acme?/_v/graphql", false },
    { "a name that ends so", "/acme/x_v/graphql", false },
};

static void by_path(void **state)
{
    const struct path_row *row = *state;
    char head[256];

    forget();
    snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\n" JSON, row->target);
    struct client *client = say(head, NULL, Q("{ orders }"));
    if (row->guarded)
        is_refused(client, 200, "UNAUTHENTICATED", "");
    else
        passes(client, Q("{ orders }"));
}

/* Everything but hop-by-hop headers goes on as it came, a browser's too; what looks like ours is not. */
static void other_routes_are_unchanged(void **state)
{
    static const char head[] = "PATCH /acme/master/x?a=%41&b HTTP/1.1\r\nHost: shop.example\r\n"
                               "Origin: https://shop.example\r\nX-Vtex-Use-Https: true\r\n"
                               "X-Janus-Auth: app\r\nAuthorization: janus-sidecar-placeholder\r\n"
                               "Cookie: VtexIdclientAutCookie=janus-sidecar-placeholder\r\n";

    (void)state;
    struct client *client = say(head, NULL, "body");
    struct origin_conn *conn = origin_accept(scene.app);
    const char *seen = origin_head(conn);
    if (strncmp(seen, head, strlen(head)) != 0)
        fail_msg("the app saw\n%s", seen);
    origin_bytes(conn, 4);
    origin_say(conn, "HTTP/1.1 404 Not Found\r\nX-A: b\r\nContent-Length: 4\r\n\r\nnone");
    const struct response *response = client_response(client);
    expect_status(response, 404);
    expect_header(response, "X-A", "b");
    expect_body(response, "none");
}

static void preflight_passes(void **state)
{
    (void)state;
    passes(say("OPTIONS " PATH " HTTP/1.1\r\nHost: a\r\nOrigin: https://x.example\r\n", NULL, NULL),
           NULL);
}

static void get_with_its_query(void **state)
{
    char *token = mint("kind=admin");

    (void)state;
    forget();
    is_refused(say("GET " PATH "?query=%7Borders%7D HTTP/1.1\r\nHost: a\r\n", NULL, NULL), 200,
               "UNAUTHENTICATED", "");
    client_close(say("GET " PATH "?query=%7Borders%7D HTTP/1.1\r\nHost: a\r\n", NULL, NULL));
    struct client *client = client_new(scene.guard_port);
    struct bytes request = { 0 };
    bytes_print(&request,
                "GET " PATH "?query=%%7Borders%%7D HTTP/1.1\r\nHost: a\r\nVtexIdclientAutCookie: "
                "%s\r\n\r\n",
                token);
    client_say(client, request.at);
    passes(client, NULL);
    bytes_free(&request);
    free(token);
}

static void list_of_operations(void **state)
{
    char *token = mint("kind=admin");
    static const char list[] = "[" Q("{ open }") "," Q("mutation { set }") "," Q("{ closed }") "]";

    (void)state;
    forget();
    struct client *client = say(HEADER, token, list);
    const struct response *response = client_response(client);
    json_t *json = json_loadb(response->body.at, response->body.n, 0, NULL);
    assert_int_equal(json_array_size(json), 3);
    for (size_t i = 0; i < 3; i++) {
        json_t *error = json_array_get(json_object_get(json_array_get(json, i), "errors"), 0);
        assert_string_equal(
            json_string_value(json_object_get(json_object_get(error, "extensions"), "code")),
            "FORBIDDEN");
    }
    json_decref(json);
    origin_untouched(scene.app);
    passes(say(HEADER, token, "[" Q("{ open }") "," Q("mutation { set }") "]"), NULL);
    free(token);
}

/* A body that comes in pieces, and a kept connection with one request after the other. */
static void kept_and_in_pieces(void **state)
{
    struct client *client = client_new(scene.guard_port);
    size_t n;

    (void)state;
    client_say(client, POST "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"qu\r\n");
    client_say(client, "e\r\nery\":\"{open}\"}\r\n0\r\n\r\n");
    struct origin_conn *conn = origin_accept(scene.app);
    origin_head(conn);
    assert_memory_equal(origin_chunked(conn, &n), Q("{open}"), 18);
    assert_int_equal(n, 18);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(client), 200);
    client_say(client, POST "Content-Length: 20\r\n\r\n{\"query\":\"{orders}\"}");
    const struct response *response = client_response(client);
    assert_non_null(strstr(response->body.at, "UNAUTHENTICATED"));
    client_say(client, POST "Content-Length: 18\r\n\r\n{\"query\":\"{open}\"}");
    assert_non_null(strstr(origin_head(conn), "POST"));
    origin_bytes(conn, 18);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(client), 200);
}

/* A WebSocket would carry operations that nobody reads. */
static void no_websocket_past_it(void **state)
{
    (void)state;
    is_refused(say("GET " PATH
                   " HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                   NULL, NULL),
               400, "BAD_USER_INPUT", "no query");
}

static void app_is_down(void **state)
{
    (void)state;
    struct client *client = say("GET /x HTTP/1.1\r\nHost: a\r\n", NULL, NULL);
    struct origin_conn *conn = origin_accept(scene.app);
    origin_head(conn);
    origin_close(conn);
    expect_answer(client_response(client), 502, "OriginProtocol", "closed");
}

static void told(void **state)
{
    struct client *admin = client_new(scene.admin_port);

    (void)state;
    forget();
    is_refused(say(POST, NULL, Q("query Told { orders }")), 200, "UNAUTHENTICATED", "");
    char *line = process_await(scene.sidecar, "graphql_name=Told");
    assert_non_null(strstr(line, "guarded_path=" PATH));
    assert_non_null(strstr(line, "graphql_fields=orders"));
    assert_non_null(strstr(line, "outcome=guard_unauthenticated"));
    free(line);
    client_say(admin, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const char *metrics = client_response(admin)->body.at;
    assert_non_null(strstr(metrics, "name=\"Told\",fields=\"orders\"} 1\n"));
    assert_non_null(strstr(metrics, "\njanus_sidecar_guard_questions_total "));
    assert_non_null(strstr(metrics, "\njanus_sidecar_guard_questions_unclear_total "));
}

static void credentials_stay_out_of_the_log(void **state)
{
    (void)state;
    forget();
    passes(say("GET /reset/authToken=GUARDED/x HTTP/1.1\r\nHost: app.example\r\n", NULL, NULL),
           NULL);
    free(process_await(scene.sidecar, "guarded_path=\"/reset/authToken=***/x\""));
    assert_null(strstr(process_log(scene.sidecar), "GUARDED"));
}

/* ---- scenes of their own ---- */

static void closed_under_2x(void **state)
{
    (void)state;
    open_scene("\"graphql\":\"2.x\"", NULL);
    is_refused(say(POST, NULL, Q("{ bare }")), 400, "BAD_USER_INPUT", "Query.bare is missing");
    passes(say(POST, NULL, Q("{ open }")), NULL);
    close_scene();
}

static void closed_without_a_builder(void **state)
{
    (void)state;
    open_scene("\"node\":\"6.x\"", NULL);
    is_refused(say(POST, NULL, Q("{ bare }")), 400, "BAD_USER_INPUT", "Query.bare is missing");
    close_scene();
}

static void impatient(void **state)
{
    static const char *const words[] = { "--guard-timeout", "200ms", NULL };

    (void)state;
    open_scene("\"graphql\":\"1.x\"", words);
    char *token = mint("kind=admin");
    sim_tell(scene.sim, "/_sim/override?route=license-granted&ms=20000");
    is_refused(say(HEADER, token, Q("{ orders }")), 503, "INTERNAL_SERVER_ERROR",
               "License Manager: The origin did not answer in time");
    passes(say(POST, NULL, Q("{ open }")), NULL); /* nobody waits for License Manager */
    free(token);
    close_scene();
}

/* What is under way when the end comes is ended; SIGTERM waits for the guard's clients too. */
static void drained(void **state)
{
    (void)state;
    open_scene("\"graphql\":\"1.x\"", NULL);
    char *token = mint("kind=admin");
    sim_tell(scene.sim, "/_sim/override?route=vtexid-validate&ms=500");
    struct client *client = say(HEADER, token, Q("{ orders }"));
    while (asked("vtexid-validate") == 0)
        ;
    process_signal(scene.sidecar, SIGTERM);
    passes(client, NULL);
    assert_int_equal(process_wait(scene.sidecar), 0);
    process_free(scene.sidecar);
    free(token);
    start_sidecar(NULL);
    close_scene();
}

/* One waits for VTEX ID, one for the app, and one is idle: at --drain-timeout they are cut, and it says so. */
static void cut_at_the_end(void **state)
{
    static const char *const words[] = { "--drain-timeout", "300ms", "--guard-timeout", "1m",
                                         NULL };

    (void)state;
    open_scene("\"graphql\":\"1.x\"", words);
    char *token = mint("kind=admin");
    sim_tell(scene.sim, "/_sim/override?route=vtexid-validate&ms=50000");
    struct client *asking = say(HEADER, token, Q("{ orders }"));
    while (asked("vtexid-validate") == 0)
        ;
    struct client *waiting = say(POST, NULL, Q("{ open }")), *idle = client_new(scene.guard_port);
    origin_head(origin_accept(scene.app));
    process_signal(scene.sidecar, SIGTERM);
    free(process_await(scene.sidecar, "event=drain_cut"));
    assert_int_equal(process_wait(scene.sidecar), 0);
    assert_null(strstr(process_log(scene.sidecar), "Sanitizer"));
    client_end(asking);
    client_end(waiting);
    client_end(idle);
    clients_close();
    process_free(scene.sidecar);
    free(token);
    sim_tell(scene.sim, "/_sim/override?clear=1");
    start_sidecar(NULL);
    close_scene();
}

static void new_schema(void **state)
{
    (void)state;
    open_scene("\"graphql\":\"1.x\"", NULL);
    passes(say(POST, NULL, Q("{ open }")), NULL);
    folder_write(scene.folder, "schema.graphql",
                 "type Query { open: Int @auth(productCode: \"1\", resourceCode: \"R\") }");
    struct client *admin = client_new(scene.admin_port);
    client_say(admin, "POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(admin), 200);
    is_refused(say(POST, NULL, Q("{ open }")), 200, "UNAUTHENTICATED", "");
    close_scene();
}

/* The app's address is the operator's business: it needs no --allow-address. Nobody else is led there. */
static void reached_as(const char *host)
{
    scene.app_host = host;
    scene.closed = true;
    open_scene("\"graphql\":\"1.x\"", NULL);
    passes(say(POST, NULL, Q("{ open }")), NULL);
    char *token = mint("kind=admin");
    is_refused(say(HEADER, token, Q("{ orders }")), 503, "INTERNAL_SERVER_ERROR", "");
    free(token);
    close_scene();
}

static void app_by_address(void **state)
{
    (void)state;
    reached_as("127.0.0.1");
}

static void app_by_name(void **state)
{
    (void)state;
    reached_as("localhost");
}

/* The guard's socket stays the guard's, and the sidecar's the sidecar's. */
static void handed_over(void **state)
{
    static const char *words[] = { "--handover", "handover", NULL };

    (void)state;
    open_scene("\"graphql\":\"1.x\"", words);
    struct process *first = scene.sidecar;
    uint16_t port = scene.port, guard_port = scene.guard_port;
    struct client *idle = client_new(guard_port);
    start_sidecar(words);
    assert_int_equal(scene.port, port);
    assert_int_equal(scene.guard_port, guard_port);
    free(process_await(first, "event=succeeded"));
    client_close(idle);
    assert_int_equal(process_wait(first), 0);
    process_free(first);
    passes(say(POST, NULL, Q("{ open }")), NULL);
    is_refused(say(POST, NULL, Q("{ orders }")), 200, "UNAUTHENTICATED", "");
    close_scene();
}

/* ---- settings that make no guard ---- */

#define GUARD "--guard-listen", "127.0.0.1:0", "--graphql-schema", "schema.graphql", "--guard-app"

static struct wrong {
    const char *name, *options[8], *says;
} wrongs[] = {
    { "no app",
      { "--guard-listen", "127.0.0.1:0", "--graphql-schema", "schema.graphql" },
      "--guard-app: error: is missing" },
    { "no schema",
      { "--guard-listen", "127.0.0.1:0", "--guard-app", "http://127.0.0.1:1" },
      "--graphql-schema: error: is missing" },
    { "no address",
      { "--graphql-schema", "schema.graphql", "--guard-app", "http://127.0.0.1:1" },
      "--guard-listen: error: is missing" },
    { "an app behind TLS", { GUARD, "https://127.0.0.1:1" }, "--guard-app: error: write http://" },
    { "an app with a path", { GUARD, "http://127.0.0.1:1/x" }, "and nothing else" },
    { "an app with a name in it", { GUARD, "http://a@127.0.0.1:1" }, "and nothing else" },
    { "port 0", { GUARD, "http://127.0.0.1:0" }, "--guard-app: error: its port" },
    { "no host", { GUARD, "http://:1" }, "--guard-app: error: " },
    { "a schema that is not there",
      { "--guard-listen", "127.0.0.1:0", "--graphql-schema", "none", "--guard-app", "http://a:1" },
      "none: error: " },
    { "a schema that is none",
      { "--guard-listen", "127.0.0.1:0", "--graphql-schema", "manifest.json", "--guard-app",
        "http://a:1" },
      "manifest.json:1:2: error: " },
    { "schemas of other apps that are not there",
      { "--provider-schemas", "none" },
      "none: error: No such file" },
};

static void ends_with(const char *command, const char *const *options, int code, const char *says)
{
    const char *words[WORDS_MAX] = { command, "--account", "acme", "--manifest", "manifest.json" };
    struct folder *folder = folder_new();

    memcpy(words + 5, options, 8 * sizeof(*options));
    folder_write(folder, "schema.graphql", schema);
    folder_write(folder, "manifest.json",
                 "{\"vendor\":\"acme\",\"name\":\"shop\",\"version\":\"1.0.0\",\"builders\":{"
                 "\"graphql\":\"1.x\"},\"policies\":[]}");
    struct process_plan plan = { .program = "janus-sidecar",
                                 .work_folder = folder_path(folder),
                                 .options = words };
    struct process *process = process_start(&plan);
    int ended = process_wait(process);
    if (ended != code ||
        (!strstr(process_log(process), says) && !strstr(process_output(process), says)))
        fail_msg("%s ended with %d, \"%s\" was wanted:\n%s%s", command, ended, says,
                 process_log(process), process_output(process));
    process_free(process);
    folder_free(folder);
}

static void does_not_start(void **state)
{
    const struct wrong *row = *state;

    ends_with("run", row->options, 2, row->says);
    ends_with("validate", row->options, 1, row->says);
}

/* Forms that a person may write; the schema's own mistake is still an error, and is said. */
static void is_validated(void **state)
{
    static const char *const apps[] = { "http://127.0.0.1:5050", "http://[::1]:5050/", "HTTP://app",
                                        "http://app.internal:80" };

    (void)state;
    for (size_t i = 0; i < sizeof(apps) / sizeof(apps[0]); i++) {
        const char *const options[8] = { GUARD, apps[i] };
        ends_with("validate", options, 1, "@auth on Query.broken is PRIVATE but has no");
    }
}

int main(void)
{
    struct stories *stories = calloc(1, sizeof(*stories)), *own = calloc(1, sizeof(*own));
    int failed;

    STORIES_ADD(stories, rows, one_request);
    stories_add(stories, "each token goes where it belongs", tokens_stay_apart, NULL);
    stories_add(stories, "the app sees the request as it came", app_sees_the_request, NULL);
    if (!getenv("FLOW_THREADS")) { /* each thread keeps its own answers, and asks for itself */
        stories_add(stories, "what is known is not asked again", asked_once, NULL);
        stories_add(stories, "one question for all", single_flight, NULL);
        stories_add(stories, "one failure for all", single_flight_that_fails, NULL);
    }
    stories_add(stories, "what is unclear is asked again", unclear_is_not_kept, NULL);
    STORIES_ADD(stories, paths, by_path);
    stories_add(stories, "other routes", other_routes_are_unchanged, NULL);
    stories_add(stories, "a preflight", preflight_passes, NULL);
    stories_add(stories, "GET with its query in the URL", get_with_its_query, NULL);
    stories_add(stories, "a list of operations", list_of_operations, NULL);
    stories_add(stories, "a kept connection, a body in pieces", kept_and_in_pieces, NULL);
    stories_add(stories, "a WebSocket", no_websocket_past_it, NULL);
    stories_add(stories, "an app that closes", app_is_down, NULL);
    stories_add(stories, "log and metrics", told, NULL);
    stories_add(stories, "a credential in a path", credentials_stay_out_of_the_log, NULL);
    stories_add(own, "no @auth under 2.x", closed_under_2x, NULL);
    stories_add(own, "no @auth, and no builder named", closed_without_a_builder, NULL);
    stories_add(own, "--guard-timeout", impatient, NULL);
    stories_add(own, "SIGTERM", drained, NULL);
    stories_add(own, "--drain-timeout", cut_at_the_end, NULL);
    stories_add(own, "a new schema", new_schema, NULL);
    stories_add(own, "the app by its address alone", app_by_address, NULL);
    stories_add(own, "the app by its name alone", app_by_name, NULL);
    stories_add(own, "--handover", handed_over, NULL);
    STORIES_ADD(own, wrongs, does_not_start);
    stories_add(own, "validate", is_validated, NULL);
    for (size_t i = 0; i < stories->n; i++)
        stories->tests[i].teardown_func = after_each;
    failed = _cmocka_run_group_tests("guard", stories->tests, stories->n, open_usual, close_usual);
    failed += _cmocka_run_group_tests("guard, scenes", own->tests, own->n, NULL, NULL);
    free(stories);
    free(own);
    return failed;
}

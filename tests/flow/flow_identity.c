/* Who a request goes as: the token in the realm's header, the user's own left alone, nothing of
 * ours to strangers; and a token that changes, is late, or has expired. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define STORE     "Host: storeacct.vtexcommercestable.com.br\r\n"
#define IO        "Host: app.io.vtex.com\r\n"
#define ELSE      "Host: any.partner.example\r\n"
#define GET_STORE "GET /api/x HTTP/1.1\r\n" STORE "\r\n"

static struct world world;

/* ---- what leaves
 * ----------------------------------------------------------------------------------- */

static struct leaves {
    const char *name, *host, *headers, *want;
} leaves[] = {
    { "nothing: the token is added", STORE, "", "VtexIdclientAutCookie: " TOKEN "\r\n" },
    { "nothing on IO", IO, "", "Authorization: Bearer " TOKEN "\r\n" },
    { "nothing elsewhere: nothing is added", ELSE, "", "" },

    { "the placeholder in VtexIdclientAutCookie", STORE,
      "vtexidclientautcookie: " PLACEHOLDER "\r\nAccept: */*\r\n",
      "vtexidclientautcookie: " TOKEN "\r\nAccept: */*\r\n" },
    { "the placeholder in Authorization on IO", IO, "authorization: bearer " PLACEHOLDER "\r\n",
      "authorization: bearer " TOKEN "\r\n" },
    { "the placeholder in Authorization without Bearer", IO, "Authorization: " PLACEHOLDER "\r\n",
      "Authorization: " TOKEN "\r\n" },
    { "the placeholder in the cookie", STORE,
      "Cookie: a=b; VtexIdclientAutCookie=" PLACEHOLDER "; c=d\r\n",
      "Cookie: a=b; VtexIdclientAutCookie=" TOKEN "; c=d\r\n" },
    { "something that begins like the placeholder", STORE,
      "VtexIdclientAutCookie: " PLACEHOLDER "x\r\n",
      "VtexIdclientAutCookie: " PLACEHOLDER "x\r\n" },

    { "the placeholder elsewhere, in VtexIdclientAutCookie", ELSE,
      "VtexIdclientAutCookie: " PLACEHOLDER "\r\nAccept: */*\r\n", "Accept: */*\r\n" },
    { "the placeholder elsewhere, in Authorization", ELSE,
      "Authorization: Bearer " PLACEHOLDER "\r\n", "" },
    { "the placeholder elsewhere, in the cookie", ELSE,
      "Cookie: a=b; VtexIdclientAutCookie=" PLACEHOLDER "\r\n", "Cookie: a=b\r\n" },
    { "the placeholder elsewhere, alone in the cookie", ELSE,
      "Cookie: VtexIdclientAutCookie=" PLACEHOLDER "\r\n", "" },
    { "the placeholder for another account's host", "Host: other.vtexcommercestable.com.br\r\n",
      "VtexIdclientAutCookie: " PLACEHOLDER "\r\n", "" },
    { "nothing for another account's host", "Host: other.vtexcommercestable.com.br\r\n", "", "" },

    { "the user's VtexIdclientAutCookie", STORE, "VtexIdclientAutCookie: user\r\n",
      "VtexIdclientAutCookie: user\r\n" },
    { "the user's cookie", STORE, "Cookie: VtexIdclientAutCookie=user\r\n",
      "Cookie: VtexIdclientAutCookie=user\r\n" },
    { "the shopper's cookie", STORE, "Cookie: VtexIdclientAutCookie_storeacct=user\r\n",
      "Cookie: VtexIdclientAutCookie_storeacct=user\r\n" },
    { "the user's Authorization", IO, "Authorization: Bearer user\r\n",
      "Authorization: Bearer user\r\n" },
    { "an app key", STORE, "X-VTEX-API-AppKey: k\r\nX-VTEX-API-AppToken: t\r\n",
      "X-VTEX-API-AppKey: k\r\nX-VTEX-API-AppToken: t\r\n" },
    { "another cookie is no credential", STORE, "Cookie: a=b\r\n",
      "Cookie: a=b\r\nVtexIdclientAutCookie: " TOKEN "\r\n" },
    { "the user's own elsewhere", ELSE, "Authorization: Basic eDp5\r\n",
      "Authorization: Basic eDp5\r\n" },
    { "Proxy-Authorization goes no further", STORE, "Proxy-Authorization: Basic eDp5\r\n",
      "VtexIdclientAutCookie: " TOKEN "\r\n" },

    { "X-Janus-Auth: none", STORE, "X-Janus-Auth: none\r\n", "" },
    { "X-Janus-Auth: app beats the user's", STORE,
      "X-Janus-Auth: app\r\nVtexIdclientAutCookie: user\r\n",
      "VtexIdclientAutCookie: " TOKEN "\r\n" },
    { "X-Janus-Auth: AUTH_TOKEN on IO", IO, "X-Janus-Auth: AUTH_TOKEN\r\n",
      "Authorization: Bearer " TOKEN "\r\n" },
    { "X-Janus-Auth: app elsewhere", ELSE, "X-Janus-Auth: app\r\n", "" },
    { "X-Janus-Auth: admin", STORE, "X-Janus-Auth: admin\r\nCookie: VtexIdclientAutCookie=user\r\n",
      "Cookie: VtexIdclientAutCookie=user\r\nVtexIdclientAutCookie: user\r\n" },
    { "X-Janus-Auth: STORE_TOKEN", STORE,
      "X-Janus-Auth: STORE_TOKEN\r\nCookie: VtexIdclientAutCookie_storeacct=shopper\r\n",
      "Cookie: VtexIdclientAutCookie_storeacct=shopper\r\nVtexIdclientAutCookie: shopper\r\n" },
    { "X-Janus-Auth: admin on IO: the hop is the app's", IO,
      "X-Janus-Auth: admin\r\nCookie: VtexIdclientAutCookie=user\r\n",
      "Cookie: VtexIdclientAutCookie=user\r\nAuthorization: Bearer " TOKEN
      "\r\nVtexIdclientAutCookie: user\r\n" },
};

static void leaves_as(void **state)
{
    const struct leaves *story = *state;
    struct bytes request = { 0 }, want = { 0 };

    bytes_print(&request, "GET /api/x HTTP/1.1\r\n%s%s\r\n", story->host, story->headers);
    bytes_print(&want, "GET /api/x HTTP/1.1\r\n%s%s\r\n", story->host, story->want);
    char *seen = world_exchange(&world, request.at);
    assert_string_equal(seen, want.at);
    assert_null(strstr(process_log(world.sidecar), TOKEN));
    free(seen);
    bytes_free(&request);
    bytes_free(&want);
}

static struct refused {
    const char *name, *headers;
    unsigned status;
    const char *code;
} refused[] = {
    { "X-Janus-Auth: admin without a cookie", "X-Janus-Auth: admin\r\n", 401, "UserTokenMissing" },
    { "X-Janus-Auth: store with the admin's cookie",
      "X-Janus-Auth: store\r\nCookie: VtexIdclientAutCookie=user\r\n", 401, "UserTokenMissing" },
    { "X-Janus-Auth: admin with the placeholder",
      "X-Janus-Auth: admin\r\nCookie: VtexIdclientAutCookie=" PLACEHOLDER "\r\n", 401,
      "UserTokenMissing" },
    { "X-Janus-Auth: admin, the header is no cookie",
      "X-Janus-Auth: admin\r\nVtexIdclientAutCookie: user\r\n", 401, "UserTokenMissing" },
    { "X-Janus-Auth that is unknown", "X-Janus-Auth: root\r\n", 400, "BadRequest" },
    { "X-Janus-Auth twice", "X-Janus-Auth: app\r\nX-Janus-Auth: none\r\n", 400, "BadRequest" },
    { "Authorization twice", "Authorization: a\r\nAuthorization: b\r\n", 400, "BadRequest" },
    { "VtexIdclientAutCookie twice",
      "VtexIdclientAutCookie: " PLACEHOLDER "\r\nVtexIdclientAutCookie: user\r\n", 400,
      "BadRequest" },
};

static void refused_as(void **state)
{
    const struct refused *story = *state;
    struct bytes request = { 0 };

    bytes_print(&request, "GET /api/x HTTP/1.1\r\n" STORE "%s\r\n", story->headers);
    expect_answer(world_refused(&world, request.at), story->status, story->code, "");
    bytes_free(&request);
}

/* ---- a token that changes
 * -------------------------------------------------------------------------- */

static void goes_as(struct world *in, const char *token)
{
    char *seen = world_exchange(in, GET_STORE);
    char *sent = head_field(seen, "VtexIdclientAutCookie");

    if (!sent || strcmp(sent, token) != 0)
        fail_msg("it went as %s, not as %s", sent ? sent : "nobody", token);
    free(sent);
    free(seen);
}

static void replaced_by_rename(struct world *in)
{
    folder_replace(in->folder, "token", "second-token\n");
}

static void replaced_in_place(struct world *in)
{
    folder_write(in->folder, "token", "second-token\r\n");
}

static void gone_and_back(struct world *in)
{
    unlink(folder_name(in->folder, "token"));
    goes_as(in, TOKEN); /* the last one that was good */
    folder_write(in->folder, "token", "second-token");
}

static struct rotation {
    const char *name;
    void (*replace)(struct world *in);
} rotations[] = {
    { "replaced by a rename", replaced_by_rename },
    { "truncated and written", replaced_in_place },
    { "removed, and written again", gone_and_back },
};

static void rotated(void **state)
{
    const struct rotation *story = *state;
    struct world own;

    world_open(&own, NULL);
    process_await_line(own.sidecar, "event=token generation=1");
    goes_as(&own, TOKEN);
    story->replace(&own);
    process_await_line(own.sidecar, "event=token generation=2");
    goes_as(&own, "second-token");
    assert_null(strstr(process_log(own.sidecar), "second-token"));
    world_close(&own);
}

/* As Kubernetes does it: token -> ..data/token, ..data -> ..1, and ..data is swapped. */
static void symlink_swap(void **state)
{
    static const struct plan plan = { .token = "" };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    const char *data = folder_name(own.folder, "..data"), *next = folder_name(own.folder, "..next");
    const char *names[] = { "..1", "..2" };
    for (int i = 0; i < 2; i++) {
        char inside[16], token[16], line[48];
        assert_int_equal(mkdir(folder_name(own.folder, names[i]), 0700), 0);
        snprintf(inside, sizeof(inside), "%s/token", names[i]);
        snprintf(token, sizeof(token), "mounted-%d", i + 1);
        folder_write(own.folder, inside, token);
        assert_int_equal(symlink(names[i], next), 0);
        assert_int_equal(rename(next, data), 0);
        if (i == 0)
            assert_int_equal(symlink("..data/token", folder_name(own.folder, "token")), 0);
        snprintf(line, sizeof(line), "event=token generation=%d", i + 1);
        process_await_line(own.sidecar, line);
        goes_as(&own, token);
    }
    world_close(&own);
}

static void bad_replacement(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, NULL);
    process_await_line(own.sidecar, "event=token generation=1");
    folder_replace(own.folder, "token", "");
    process_await_line(own.sidecar, "the last token stays in use");
    goes_as(&own, TOKEN);
    folder_replace(own.folder, "token", "two words");
    process_await_line(own.sidecar, "the last token stays in use");
    goes_as(&own, TOKEN);
    world_close(&own);
}

/* A request keeps the token that it began with. */
static void rotated_in_between(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, NULL);
    struct client *client = world_client(&own);
    client_say(client, "POST /api/x HTTP/1.1\r\n" STORE "Content-Length: 5\r\n\r\nhe");
    struct origin_conn *conn = origin_accept(own.origin);
    assert_non_null(strstr(origin_head(conn), "\r\nVtexIdclientAutCookie: " TOKEN "\r\n"));
    folder_replace(own.folder, "token", "second-token");
    process_await_line(own.sidecar, "event=token generation=2");
    client_say(client, "llo");
    assert_string_equal(origin_bytes(conn, 5), "hello");
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(client), 200);
    char *line = process_await(own.sidecar, "outcome=relayed");
    assert_non_null(strstr(line, "token_generation=1"));
    free(line);
    world_close(&own);
}

/* ---- a token that is not there
 * --------------------------------------------------------------------- */

static const struct plan late = { .token = "", .options = { "--token-wait", "300ms" } };

static void expect_unavailable(struct world *in, const char *request)
{
    const struct response *answer = world_refused(in, request);

    expect_answer(answer, 503, "TokenUnavailable", "no live app token");
    expect_header(answer, "Retry-After", "5");
}

static void absent(void **state)
{
    struct world own;
    long long before = now_ms();

    (void)state;
    world_open(&own, &late);
    expect_unavailable(&own, GET_STORE);
    assert_true(now_ms() - before >= 290);
    expect_unavailable(&own, "POST /api/x HTTP/1.1\r\n" STORE "Content-Length: 2\r\n\r\n{}");
    char *seen = world_exchange(&own, "GET /a HTTP/1.1\r\n" ELSE "\r\n"); /* needs none */
    free(seen);
    world_close(&own);
}

static void arrives_while_waiting(void **state)
{
    static const struct plan patient = { .token = "", .options = { "--token-wait", "1m" } };
    struct world own;

    (void)state;
    world_open(&own, &patient);
    struct client *client = world_client(&own), *other = world_client(&own);
    client_say(client, "POST /api/x HTTP/1.1\r\n" STORE "Content-Length: 5\r\n\r\nhe");
    client_say(other, GET_STORE);
    client_say(client, "llo");
    free(world_exchange(&own, "GET /a HTTP/1.1\r\n" ELSE "\r\n")); /* by now both are waiting */
    origin_untouched(own.origin);
    folder_replace(own.folder, "token", "late-token");
    for (int i = 0; i < 2; i++) {
        struct origin_conn *conn = origin_accept(own.origin);
        const char *head = origin_head(conn);
        assert_non_null(strstr(head, "\r\nVtexIdclientAutCookie: late-token\r\n"));
        if (strncmp(head, "POST", 4) == 0)
            assert_string_equal(origin_bytes(conn, 5), "hello");
        origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
    expect_status(client_response(client), 200);
    expect_status(client_response(other), 200);
    world_close(&own);
}

static void leaves_while_waiting(void **state)
{
    static const struct plan patient = { .token = "", .options = { "--token-wait", "1m" } };
    struct world own;

    (void)state;
    world_open(&own, &patient);
    struct client *client = world_client(&own);
    client_say(client, GET_STORE);
    free(world_exchange(&own, "GET /a HTTP/1.1\r\n" ELSE "\r\n"));
    client_close(client);
    process_await_line(own.sidecar, "outcome=client_gone");
    folder_replace(own.folder, "token", "late-token");
    process_await_line(own.sidecar, "event=token generation=1");
    goes_as(&own, "late-token"); /* the one that left is not carried out */
    origin_untouched(own.origin);
    world_close(&own);
}

static void expired(void **state)
{
    char *old = jwt_text("old", time(NULL) - 10), *fresh = jwt_text("fresh", time(NULL) + 600);
    struct plan plan = late;
    struct world own;

    (void)state;
    plan.token = old;
    world_open(&own, &plan);
    expect_unavailable(&own, GET_STORE);
    folder_replace(own.folder, "token", fresh);
    process_await_line(own.sidecar, "event=token generation=2");
    goes_as(&own, fresh);
    folder_replace(own.folder, "token", old); /* somebody puts the old one back */
    process_await_line(own.sidecar, "event=token generation=3");
    expect_unavailable(&own, GET_STORE);
    assert_null(strstr(process_log(own.sidecar), old));
    assert_null(strstr(process_log(own.sidecar), fresh));
    world_close(&own);
    free(old);
    free(fresh);
}

/* It is live when it is read, and no more when it is needed. */
static void expires(void **state)
{
    time_t end = time(NULL) + 2;
    char *token = jwt_text("short", end);
    struct plan plan = late;
    struct world own;

    (void)state;
    plan.token = token;
    world_open(&own, &plan);
    goes_as(&own, token);
    while (time(NULL) < end)
        wait_any(NULL, 0, now_ms() + 50); /* for the clock: the one event that nobody reports */
    expect_unavailable(&own, GET_STORE);
    world_close(&own);
    free(token);
}

/* ---- --inject
 * -------------------------------------------------------------------------------------- */

static struct inject {
    const char *name, *when, *headers, *want;
} injects[] = {
    { "always beats the user's", "always", "VtexIdclientAutCookie: user\r\n",
      "VtexIdclientAutCookie: " TOKEN "\r\n" },
    { "placeholder adds nothing", "placeholder", "", "" },
    { "placeholder replaces it", "placeholder", "VtexIdclientAutCookie: " PLACEHOLDER "\r\n",
      "VtexIdclientAutCookie: " TOKEN "\r\n" },
    { "off removes the placeholder", "off", "VtexIdclientAutCookie: " PLACEHOLDER "\r\n", "" },
    { "off adds nothing", "off", "", "" },
};

static void injected(void **state)
{
    const struct inject *story = *state;
    struct plan plan = { .options = { "--inject", story->when } };
    struct bytes request = { 0 }, want = { 0 };
    struct world own;

    world_open(&own, &plan);
    bytes_print(&request, "GET /api/x HTTP/1.1\r\n" STORE "%s\r\n", story->headers);
    bytes_print(&want, "GET /api/x HTTP/1.1\r\n" STORE "%s\r\n", story->want);
    char *seen = world_exchange(&own, request.at);
    assert_string_equal(seen, want.at);
    free(seen);
    bytes_free(&request);
    bytes_free(&want);
    world_close(&own);
}

static struct single {
    const char *name;
    CMUnitTestFunction run;
} singles[] = {
    { "a symbolic link is swapped", symlink_swap },
    { "a replacement that is no token", bad_replacement },
    { "replaced while a request is under way", rotated_in_between },
    { "no token", absent },
    { "a token arrives while requests wait", arrives_while_waiting },
    { "a client leaves while it waits for a token", leaves_while_waiting },
    { "a token that has expired", expired },
    { "a token that expires", expires },
};

static void run_single(void **state)
{
    const struct single *story = *state;

    story->run(state);
}

static const struct plan plan = {
    .policies = "{{account}}.vtexcommercestable.com.br\t*\n"
                "other.vtexcommercestable.com.br\t*\n"
                "any.partner.example\t*\n"
                "app.io.vtex.com\t*\n",
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, leaves, leaves_as);
    STORIES_ADD(&stories, refused, refused_as);
    STORIES_ADD(&stories, rotations, rotated);
    STORIES_ADD(&stories, injects, injected);
    STORIES_ADD(&stories, singles, run_single);
    return flow_run("identity", &stories, &world, &plan);
}

/* Who a request goes as: the token in the realm's header, the user's own left alone, nothing of
 * ours to strangers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_world.h"

#define STORE "Host: storeacct.vtexcommercestable.com.br\r\n"
#define IO    "Host: app.io.vtex.com\r\n"
#define ELSE  "Host: any.partner.example\r\n"

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
    STORIES_ADD(&stories, injects, injected);
    return flow_run("identity", &stories, &world, &plan);
}

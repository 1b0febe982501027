/* The three ways in, and the control headers: what leaves for the origin, byte for byte, and what
 * is refused before anything leaves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_world.h"

static struct world world;

static const struct plan plan = {
    .policies = "api.partner.example\t/v1/*\n"
                "any.partner.example\t*\n"
                "127.0.0.2\t*\n"
                "{{account}}.vtexcommercestable.com.br\t/api/*\n"
                "app.io.vtex.com\t*\n",
};

/* "@PORT" in a request is the sidecar's own port. The caller frees. */
static char *with_port(const char *request)
{
    struct bytes out = { 0 };
    const char *mark;

    for (; (mark = strstr(request, "@PORT")); request = mark + strlen("@PORT")) {
        bytes_add(&out, request, (size_t)(mark - request));
        bytes_print(&out, "%u", world.port);
    }
    bytes_add(&out, request, strlen(request));
    return out.at;
}

/* ---- what leaves
 * ----------------------------------------------------------------------------------- */

#define TO_API   "Host: api.partner.example\r\n\r\n"
#define TO_ANY   "Host: any.partner.example\r\n\r\n"
#define TO_STORE "Host: storeacct.vtexcommercestable.com.br\r\n"
#define WITH_ID  "VtexIdclientAutCookie: " TOKEN "\r\n\r\n"

static struct leaves {
    const char *name, *request, *want;
} leaves[] = {
    /* absolute-form */
    { "absolute-form http", "GET http://api.partner.example/v1/a HTTP/1.1\r\n" TO_API,
      "GET /v1/a HTTP/1.1\r\n" TO_API },
    { "absolute-form https, in plaintext to us",
      "GET https://api.partner.example/v1/a?b=c HTTP/1.1\r\n" TO_API,
      "GET /v1/a?b=c HTTP/1.1\r\n" TO_API },
    { "absolute-form without a path", "GET http://any.partner.example HTTP/1.1\r\n" TO_ANY,
      "GET / HTTP/1.1\r\n" TO_ANY },
    { "absolute-form without a path, with a query",
      "GET http://any.partner.example?x=1 HTTP/1.1\r\n" TO_ANY, "GET /?x=1 HTTP/1.1\r\n" TO_ANY },
    { "the scheme and the host in capitals",
      "GET HTTP://API.Partner.Example/v1/A HTTP/1.1\r\nHost: Api.Partner.EXAMPLE\r\n\r\n",
      "GET /v1/A HTTP/1.1\r\n" TO_API },
    { "a trailing dot",
      "GET http://api.partner.example./v1/a HTTP/1.1\r\nHost: "
      "api.partner.example.\r\n\r\n",
      "GET /v1/a HTTP/1.1\r\n" TO_API },
    { "port 80 of http is no port",
      "GET http://api.partner.example:80/v1/a HTTP/1.1\r\nHost: api.partner.example:80\r\n\r\n",
      "GET /v1/a HTTP/1.1\r\n" TO_API },
    { "port 443 is not written",
      "GET https://api.partner.example:443/v1/a HTTP/1.1\r\nHost: api.partner.example:443\r\n\r\n",
      "GET /v1/a HTTP/1.1\r\n" TO_API },
    { "another port is",
      "GET https://api.partner.example:8443/v1/a HTTP/1.1\r\n"
      "Host: api.partner.example:8443\r\n\r\n",
      "GET /v1/a HTTP/1.1\r\nHost: api.partner.example:8443\r\n\r\n" },
    { "an address", "GET https://127.0.0.2/x HTTP/1.1\r\nHost: 127.0.0.2\r\n\r\n",
      "GET /x HTTP/1.1\r\nHost: 127.0.0.2\r\n\r\n" },
    { "HTTP/1.0 without Host", "GET http://api.partner.example/v1/a HTTP/1.0\r\n\r\n",
      "GET /v1/a HTTP/1.1\r\n" TO_API },
    { "our own address in the target",
      "GET http://127.0.0.1:@PORT/api/x HTTP/1.1\r\nHost: 127.0.0.1:@PORT\r\n\r\n",
      "GET /api/x HTTP/1.1\r\n" TO_STORE WITH_ID },

    /* origin-form */
    { "Host names another place", "GET /v1/a HTTP/1.1\r\n" TO_API,
      "GET /v1/a HTTP/1.1\r\n" TO_API },
    { "our own address in Host", "GET /api/x HTTP/1.1\r\nHost: 127.0.0.1:@PORT\r\n\r\n",
      "GET /api/x HTTP/1.1\r\n" TO_STORE WITH_ID },
    { "localhost in Host", "GET /api/x?q HTTP/1.1\r\nHost: localhost:@PORT\r\n\r\n",
      "GET /api/x?q HTTP/1.1\r\n" TO_STORE WITH_ID },
    { "an empty query stays", "GET /v1/a? HTTP/1.1\r\n" TO_API, "GET /v1/a? HTTP/1.1\r\n" TO_API },
    { "an IO host", "GET /acme.x/v1/storeacct/master/y HTTP/1.1\r\nHost: app.io.vtex.com\r\n\r\n",
      "GET /acme.x/v1/storeacct/master/y HTTP/1.1\r\nHost: app.io.vtex.com\r\n"
      "Authorization: Bearer " TOKEN "\r\n\r\n" },

    /* the path is nobody's business */
    { "8-bit bytes in the path", "GET /v1/caf\xc3\xa9/\xff\x80 HTTP/1.1\r\n" TO_API,
      "GET /v1/caf\xc3\xa9/\xff\x80 HTTP/1.1\r\n" TO_API },
    { "8-bit bytes in the query", "GET http://any.partner.example/?q=\xe9 HTTP/1.1\r\n" TO_ANY,
      "GET /?q=\xe9 HTTP/1.1\r\n" TO_ANY },
    { "two slashes", "GET //a//b HTTP/1.1\r\n" TO_ANY, "GET //a//b HTTP/1.1\r\n" TO_ANY },
    { "dot segments where all is allowed", "GET /a/./b/../c HTTP/1.1\r\n" TO_ANY,
      "GET /a/./b/../c HTTP/1.1\r\n" TO_ANY },
    { "dot segments within what is allowed", "GET /v1/a/../b HTTP/1.1\r\n" TO_API,
      "GET /v1/a/../b HTTP/1.1\r\n" TO_API },
    { "escapes are left alone", "GET /v1/%7Euser/%2e/%c3%A9 HTTP/1.1\r\n" TO_API,
      "GET /v1/%7Euser/%2e/%c3%A9 HTTP/1.1\r\n" TO_API },
    { "the query is left alone", "GET /v1/?a=../%2e%2e/&b=\"<>{}|\\^` HTTP/1.1\r\n" TO_API,
      "GET /v1/?a=../%2e%2e/&b=\"<>{}|\\^` HTTP/1.1\r\n" TO_API },

    /* control headers */
    { "X-Vtex-Use-Https and X-Vtex-Remote-Port go no further",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Use-Https: true\r\nX-Vtex-Remote-Port: 443\r\n" TO_API,
      "GET /v1/a HTTP/1.1\r\n" TO_API },
    { "X-Vtex-Remote-Port names the port",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Remote-Port: 8443\r\n" TO_API,
      "GET /v1/a HTTP/1.1\r\nHost: api.partner.example:8443\r\n\r\n" },
    { "X-Vtex-Use-Https false is still TLS",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Use-Https: false\r\n" TO_API, "GET /v1/a HTTP/1.1\r\n" TO_API },
    { "X-Vtex-Proxy-To without a path",
      "GET /v1/a HTTP/1.1\r\nHost: app.io.vtex.com\r\n"
      "X-Vtex-Proxy-To: https://api.partner.example\r\n\r\n",
      "GET /v1/a HTTP/1.1\r\n" TO_API },
    { "X-Vtex-Proxy-To with the same path",
      "GET /v1/a?q=1 HTTP/1.1\r\nHost: app.io.vtex.com\r\n"
      "x-vtex-proxy-to: https://api.partner.example/v1/a\r\n\r\n",
      "GET /v1/a?q=1 HTTP/1.1\r\n" TO_API },
    { "X-Vtex-Proxy-To to a port",
      "GET /v1/a HTTP/1.1\r\nHost: app.io.vtex.com\r\n"
      "X-Vtex-Proxy-To: https://api.partner.example:8443\r\n\r\n",
      "GET /v1/a HTTP/1.1\r\nHost: api.partner.example:8443\r\n\r\n" },
    { "X-Vtex-Proxy-To from our own address",
      "GET /v1/a HTTP/1.1\r\nHost: localhost:@PORT\r\n"
      "X-Vtex-Proxy-To: http://api.partner.example\r\n\r\n",
      "GET /v1/a HTTP/1.1\r\n" TO_API },

    /* headers */
    { "headers keep name, order and value",
      "GET /v1/a HTTP/1.1\r\naccept:text/html\r\nX-B:  1 2 \r\nX-A: \r\nx-b: 3\r\n" TO_API,
      "GET /v1/a HTTP/1.1\r\nHost: api.partner.example\r\naccept: text/html\r\nX-B: 1 2\r\n"
      "X-A: \r\nx-b: 3\r\n\r\n" },
    { "what is for one hop stays here",
      "GET /v1/a HTTP/1.1\r\nConnection: keep-alive, X-Private\r\nX-Private: 1\r\n"
      "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\n"
      "Upgrade: websocket\r\nProxy-Authorization: Basic eDp5\r\nTrailer: X\r\n" TO_API,
      "GET /v1/a HTTP/1.1\r\n" TO_API },
    { "nothing is added about us",
      "OPTIONS /v1/a HTTP/1.1\r\nX-Forwarded-For: 1.2.3.4\r\nVia: 1.1 x\r\n" TO_API,
      "OPTIONS /v1/a HTTP/1.1\r\nHost: api.partner.example\r\nX-Forwarded-For: 1.2.3.4\r\n"
      "Via: 1.1 x\r\n\r\n" },
    { "a method of its own", "PURGE /v1/a HTTP/1.1\r\n" TO_API, "PURGE /v1/a HTTP/1.1\r\n" TO_API },
    { "an empty line before the request", "\r\nGET /v1/a HTTP/1.1\r\n" TO_API,
      "GET /v1/a HTTP/1.1\r\n" TO_API },
    { "Content-Length of nothing", "POST /v1/a HTTP/1.1\r\nContent-Length: 0\r\n" TO_API,
      "POST /v1/a HTTP/1.1\r\nHost: api.partner.example\r\nContent-Length: 0\r\n\r\n" },
};

static void leaves_as(void **state)
{
    const struct leaves *story = *state;
    char *request = with_port(story->request);
    char *seen = world_exchange(&world, request);

    assert_string_equal(seen, story->want);
    free(seen);
    free(request);
}

/* ---- what is refused
 * ------------------------------------------------------------------------------- */

static struct refused {
    const char *name, *request;
    unsigned status;
    const char *code, *says;
} refused[] = {
    { "Host contradicts the target", "GET http://api.partner.example/v1/a HTTP/1.1\r\n" TO_ANY, 400,
      "BadRequest", "Host names another place" },
    { "Host contradicts the target's port",
      "GET http://api.partner.example:8443/v1/a HTTP/1.1\r\n" TO_API, 400, "BadRequest",
      "Host names another place" },
    { "two Hosts", "GET /v1/a HTTP/1.1\r\nHost: api.partner.example\r\n" TO_API, 400, "BadRequest",
      "one Host" },
    { "no Host", "GET /v1/a HTTP/1.1\r\n\r\n", 400, "BadRequest", "one Host" },
    { "no Host in HTTP/1.0", "GET /v1/a HTTP/1.0\r\n\r\n", 400, "BadRequest", "no Host" },
    { "an empty Host", "GET /v1/a HTTP/1.1\r\nHost:\r\n\r\n", 400, "BadRequest", "no Host" },
    { "a user in the target", "GET http://me@api.partner.example/v1/a HTTP/1.1\r\n" TO_API, 400,
      "BadRequest", "user" },
    { "another scheme", "GET ftp://api.partner.example/v1/a HTTP/1.1\r\n" TO_API, 400, "BadRequest",
      "neither a path nor" },
    { "a fragment", "GET /v1/a#b HTTP/1.1\r\n" TO_API, 400, "BadRequest", "#" },
    { "a star", "GET * HTTP/1.1\r\n" TO_API, 400, "BadRequest", "neither a path nor" },
    { "an odd IPv4 form", "GET http://0x7f.1/ HTTP/1.1\r\nHost: 0x7f.1\r\n\r\n", 400, "BadRequest",
      "" },
    { "a broken escape", "GET /v1/%zz HTTP/1.1\r\n" TO_API, 400, "BadRequest", "malformed escape" },
    { "an escaped NUL", "GET /v1/%00 HTTP/1.1\r\n" TO_API, 400, "BadRequest", "" },
    { "two blanks in the request line", "GET  /v1/a HTTP/1.1\r\n" TO_API, 400, "BadRequest", "" },
    { "HTTP/2.0", "GET /v1/a HTTP/2.0\r\n" TO_API, 400, "BadRequest", "version" },
    { "a bare LF", "GET /v1/a HTTP/1.1\nHost: api.partner.example\r\n\r\n", 400, "BadRequest",
      "bare LF" },
    { "a folded header", "GET /v1/a HTTP/1.1\r\nX: 1\r\n 2\r\n" TO_API, 400, "BadRequest",
      "folded" },
    { "a blank before the colon", "GET /v1/a HTTP/1.1\r\nX : 1\r\n" TO_API, 400, "BadRequest",
      "header name" },
    { "two lengths", "POST /v1/a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n" TO_API,
      400, "BadRequest", "more than once" },
    { "length and coding",
      "POST /v1/a HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n" TO_API, 400,
      "BadRequest", "contradict" },
    { "a signed length", "POST /v1/a HTTP/1.1\r\nContent-Length: +1\r\n" TO_API, 400, "BadRequest",
      "decimal" },
    { "an unknown coding", "POST /v1/a HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" TO_API,
      501, "NotImplemented", "coding" },
    { "TLS to the plain port", "\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03", 400, "BadRequest",
      "plain HTTP" },

    { "CONNECT",
      "CONNECT api.partner.example:443 HTTP/1.1\r\nHost: api.partner.example:443\r\n\r\n", 405,
      "MethodNotAllowed", "VTEX_IO=true" },
    { "TRACE", "TRACE /v1/a HTTP/1.1\r\n" TO_API, 405, "MethodNotAllowed", "TRACE" },

    { "X-Vtex-Proxy-To with another path",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Proxy-To: https://api.partner.example/v1/b\r\n" TO_API, 400,
      "BadRequest", "path in X-Vtex-Proxy-To differs" },
    { "X-Vtex-Proxy-To with a slash where the path is longer",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Proxy-To: https://api.partner.example/\r\n" TO_API, 400,
      "BadRequest", "path in X-Vtex-Proxy-To differs" },
    { "X-Vtex-Proxy-To twice",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Proxy-To: https://api.partner.example\r\n"
      "X-Vtex-Proxy-To: https://api.partner.example\r\n" TO_API,
      400, "BadRequest", "more than once" },
    { "X-Vtex-Proxy-To without a scheme",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Proxy-To: api.partner.example\r\n" TO_API, 400, "BadRequest",
      "X-Vtex-Proxy-To" },
    { "X-Vtex-Proxy-To that is empty", "GET /v1/a HTTP/1.1\r\nX-Vtex-Proxy-To:\r\n" TO_API, 400,
      "BadRequest", "X-Vtex-Proxy-To" },
    { "X-Vtex-Proxy-To with a user",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Proxy-To: https://x@api.partner.example\r\n" TO_API, 400,
      "BadRequest", "user" },
    { "X-Vtex-Remote-Port that is no number",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Remote-Port: https\r\n" TO_API, 400, "BadRequest",
      "X-Vtex-Remote-Port" },
    { "X-Vtex-Remote-Port above 65535",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Remote-Port: 65536\r\n" TO_API, 400, "BadRequest",
      "X-Vtex-Remote-Port" },
    { "X-Vtex-Remote-Port twice",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Remote-Port: 443\r\nX-Vtex-Remote-Port: 444\r\n" TO_API, 400,
      "BadRequest", "more than once" },
    { "X-Vtex-Use-Https that is neither true nor false",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Use-Https: yes\r\n" TO_API, 400, "BadRequest",
      "X-Vtex-Use-Https" },
    { "X-Vtex-Use-Https twice",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Use-Https: true\r\nX-Vtex-Use-Https: true\r\n" TO_API, 400,
      "BadRequest", "more than once" },

    /* the effective destination is judged, never the first one */
    { "X-Vtex-Proxy-To leads where no policy does",
      "GET /v1/a HTTP/1.1\r\nX-Vtex-Proxy-To: https://evil.partner.example\r\n" TO_API, 403,
      "OutboundAccessDenied", "evil.partner.example/v1/a" },
    { "our own address leads to the default host, judged",
      "GET /files/x HTTP/1.1\r\nHost: 127.0.0.1:@PORT\r\n\r\n", 403, "OutboundAccessDenied",
      "storeacct.vtexcommercestable.com.br/files/x" },
};

static void refused_as(void **state)
{
    const struct refused *story = *state;
    char *request = with_port(story->request);
    const struct response *answer = world_refused(&world, request);

    free(request);
    expect_answer(answer, story->status, story->code, story->says);
}

/* ---- how the bytes come must not matter
 * ------------------------------------------------------------ */

static void byte_by_byte(void **state)
{
    static const char request[] = "GET http://api.partner.example/v1/a HTTP/1.1\r\n" TO_API;
    struct client *client = world_client(&world);

    (void)state;
    for (const char *at = request; *at; at++)
        client_send(client, at, 1);
    struct origin_conn *conn = origin_accept(world.origin);
    assert_string_equal(origin_head(conn), "GET /v1/a HTTP/1.1\r\n" TO_API);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    expect_body(client_response(client), "ok");
}

static void long_target(void **state)
{
    struct bytes request = { 0 };

    (void)state;
    bytes_print(&request, "GET /v1/%016000d HTTP/1.1\r\n" TO_API, 7);
    char *seen = world_exchange(&world, request.at);
    assert_int_equal(strncmp(seen, request.at, 16000), 0);
    free(seen);
    request.n = 0;
    bytes_print(&request, "GET /v1/%017000d HTTP/1.1\r\n" TO_API, 7);
    expect_status(world_refused(&world, request.at), 414);
    bytes_free(&request);
}

static void large_head(void **state)
{
    struct bytes request = { 0 };

    (void)state;
    bytes_print(&request, "GET /v1/a HTTP/1.1\r\nX: %060000d\r\n" TO_API, 7);
    char *seen = world_exchange(&world, request.at);
    char *value = head_field(seen, "X");
    assert_int_equal(strlen(value), 60000);
    free(value);
    free(seen);
    request.n = 0;
    bytes_print(&request, "GET /v1/a HTTP/1.1\r\nX: %066000d\r\n" TO_API, 7);
    expect_status(world_refused(&world, request.at), 431);
    request.n = 0;
    bytes_print(&request, "GET /v1/a HTTP/1.1\r\n");
    for (int i = 0; i < 129; i++)
        bytes_print(&request, "X-%d: 1\r\n", i);
    bytes_print(&request, TO_API);
    expect_status(world_refused(&world, request.at), 431);
    bytes_free(&request);
}

static struct single singles[] = {
    { "a request byte by byte", byte_by_byte },
    { "a target of 16 kB goes, one of 17 kB does not", long_target },
    { "a head of 60 kB goes, one of 66 kB or 129 lines does not", large_head },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, leaves, leaves_as);
    STORIES_ADD(&stories, refused, refused_as);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("ways in", &stories, &world, &plan);
}

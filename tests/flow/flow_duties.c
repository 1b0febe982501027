/* What an intermediary owes beside carrying messages on: Max-Forwards, OPTIONS for a whole server, Via. */
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_world.h"

#define ANY  "Host: any.partner.example\r\n"
#define PART "Host: api.partner.example\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct world world;
static const struct plan with_via = { .options = { "--via", "on" } };

/* ---- what goes on */

static struct sent {
    const char *name, *request;
    const char *line;          /* the request line that the origin sees */
    const char *field, *value; /* and one of its fields; NULL: it is not there */
} sent[] = {
    { "OPTIONS *", "OPTIONS * HTTP/1.1\r\n" ANY "\r\n", "OPTIONS * HTTP/1.1\r\n", "Host",
      "any.partner.example" },
    { "OPTIONS for a URL without a path",
      "OPTIONS http://any.partner.example HTTP/1.1\r\n" ANY "\r\n", "OPTIONS * HTTP/1.1\r\n",
      "Host", "any.partner.example" },
    { "OPTIONS for /", "OPTIONS http://any.partner.example/ HTTP/1.1\r\n" ANY "\r\n",
      "OPTIONS / HTTP/1.1\r\n", "Host", "any.partner.example" },
    { "OPTIONS for a query alone", "OPTIONS http://any.partner.example?q HTTP/1.1\r\n" ANY "\r\n",
      "OPTIONS /?q HTTP/1.1\r\n", "Host", "any.partner.example" },
    { "GET for a URL without a path", "GET http://any.partner.example HTTP/1.1\r\n" ANY "\r\n",
      "GET / HTTP/1.1\r\n", "Host", "any.partner.example" },
    { "OPTIONS * by X-Vtex-Proxy-To",
      "OPTIONS * HTTP/1.1\r\n" PART "X-Vtex-Proxy-To: https://any.partner.example\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\n", "Host", "any.partner.example" },
    { "Max-Forwards is one less", "OPTIONS /a HTTP/1.1\r\n" ANY "Max-Forwards: 10\r\n\r\n",
      "OPTIONS /a HTTP/1.1\r\n", "Max-Forwards", "9" },
    { "with zeros before it", "OPTIONS /a HTTP/1.1\r\n" ANY "Max-Forwards: 001\r\n\r\n",
      "OPTIONS /a HTTP/1.1\r\n", "Max-Forwards", "0" },
    { "a number without end",
      "OPTIONS /a HTTP/1.1\r\n" ANY "Max-Forwards: 99999999999999999999\r\n\r\n",
      "OPTIONS /a HTTP/1.1\r\n", "Max-Forwards", "999999999" },
    { "of another method it is none of our business",
      "GET /a HTTP/1.1\r\n" ANY "Max-Forwards: 0\r\n\r\n", "GET /a HTTP/1.1\r\n", "Max-Forwards",
      "0" },
    { "nobody is named", "GET /a HTTP/1.1\r\n" ANY "\r\n", "GET /a HTTP/1.1\r\n", "Via", NULL },
    { "an earlier Via stays as it is", "GET /a HTTP/1.1\r\n" ANY "Via: 1.0 fred\r\n\r\n",
      "GET /a HTTP/1.1\r\n", "Via", "1.0 fred" },
};

static void sent_as(void **state)
{
    const struct sent *story = *state;
    char *head = world_exchange(&world, story->request);
    char *value = head_field(head, story->field);

    if (strncmp(head, story->line, strlen(story->line)) != 0)
        fail_msg("\"%s\" was expected:\n%s", story->line, head);
    if (!story->value)
        assert_null(value);
    else
        assert_string_equal(value, story->value);
    free(value);
    free(head);
}

/* ---- what we answer */

static struct answered {
    const char *name, *request;
    unsigned status;
    const char *code, *says;
} answered[] = {
    { "no hop is left", "OPTIONS /a HTTP/1.1\r\n" ANY "Max-Forwards: 0\r\n\r\n", 200, "NoHopsLeft",
      "no further" },
    { "no hop is left for *", "OPTIONS * HTTP/1.1\r\n" ANY "Max-Forwards: 00\r\n\r\n", 200,
      "NoHopsLeft", "no further" },
    { "the policy comes first", "OPTIONS /a HTTP/1.1\r\n" PART "Max-Forwards: 0\r\n\r\n", 403,
      "OutboundAccessDenied", "OPTIONS" },
    { "Max-Forwards is a word", "OPTIONS /a HTTP/1.1\r\n" ANY "Max-Forwards: many\r\n\r\n", 400,
      "BadRequest", "Max-Forwards" },
    { "Max-Forwards is negative", "OPTIONS /a HTTP/1.1\r\n" ANY "Max-Forwards: -1\r\n\r\n", 400,
      "BadRequest", "Max-Forwards" },
    { "Max-Forwards is empty", "OPTIONS /a HTTP/1.1\r\n" ANY "Max-Forwards:\r\n\r\n", 400,
      "BadRequest", "Max-Forwards" },
    { "Max-Forwards is there twice",
      "OPTIONS /a HTTP/1.1\r\n" ANY "Max-Forwards: 1\r\nMax-Forwards: 1\r\n\r\n", 400, "BadRequest",
      "Max-Forwards" },
    { "TRACE goes nowhere", "TRACE /a HTTP/1.1\r\n" ANY "Max-Forwards: 5\r\n\r\n", 405,
      "MethodNotAllowed", "TRACE" },
    { "* where only a part of the host is allowed", "OPTIONS * HTTP/1.1\r\n" PART "\r\n", 403,
      "OutboundAccessDenied", "/*" },
    { "* of a host that is not allowed", "OPTIONS * HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403,
      "OutboundAccessDenied", "evil.example" },
    { "* with another method", "GET * HTTP/1.1\r\n" ANY "\r\n", 400, "BadRequest",
      "neither a path nor" },
    { "* with options in small letters", "options * HTTP/1.1\r\n" ANY "\r\n", 400, "BadRequest",
      "neither a path nor" },
    { "* and more", "OPTIONS *x HTTP/1.1\r\n" ANY "\r\n", 400, "BadRequest", "neither a path nor" },
    { "* with a query", "OPTIONS *?q HTTP/1.1\r\n" ANY "\r\n", 400, "BadRequest",
      "neither a path nor" },
};

static void answered_by_us(void **state)
{
    const struct answered *story = *state;
    const struct response *response = world_refused(&world, story->request);

    expect_answer(response, story->status, story->code, story->says);
    if (story->status == 200)
        expect_header(response, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

/* ---- Via, where it is asked for */

static struct via {
    const char *name, *request, *answer, *to_origin, *to_client;
} vias[] = {
    { "both ways", "GET /a HTTP/1.1\r\n" ANY "\r\n", OK, "Via: 1.1 janus-sidecar\r\n",
      "Via: 1.1 janus-sidecar\r\n" },
    { "the version is the received message's", "GET /a HTTP/1.0\r\n" ANY "\r\n",
      "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "Via: 1.0 janus-sidecar\r\n",
      "Via: 1.0 janus-sidecar\r\n" },
};

static void via_is_added(void **state)
{
    const struct via *story = *state;
    struct world own;

    world_open(&own, &with_via);
    struct client *client = world_client(&own);
    client_say(client, story->request);
    struct origin_conn *conn = origin_accept(own.origin);
    assert_non_null(strstr(origin_head(conn), story->to_origin));
    origin_say(conn, story->answer);
    assert_non_null(strstr(client_response(client)->head, story->to_client));
    world_close(&own);
}

/* ---- who asked, where it is asked for */

static struct forwarded {
    const char *name, *form, *headers, *to_origin, *not_sent;
} forwardeds[] = {
    { "nobody asked", "off", "", "Host: ", "orwarded" },
    { "RFC 7239", "standard", "", "Forwarded: for=127.0.0.1;proto=http\r\n", "X-Forwarded" },
    { "behind what the app wrote", "standard", "Forwarded: for=a\r\n",
      "Forwarded: for=a\r\nForwarded: for=127.0.0.1;proto=http\r\n", "X-Forwarded" },
    { "as most write it", "x-forwarded", "",
      "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n", "Forwarded: for" },
    { "as most write it, behind the app's own", "x-forwarded", "X-Forwarded-For: 10.0.0.1\r\n",
      "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 127.0.0.1\r\n", "Forwarded: for" },
};

static void says_who_asked(void **state)
{
    const struct forwarded *story = *state;
    struct plan plan = { .options = { "--forwarded", story->form } };
    char request[256];
    struct world own;

    world_open(&own, &plan);
    snprintf(request, sizeof(request), "GET /a HTTP/1.1\r\n" ANY "%s\r\n", story->headers);
    struct client *client = world_client(&own);
    client_say(client, request);
    struct origin_conn *conn = origin_accept(own.origin);
    const char *head = origin_head(conn);
    if (!strstr(head, story->to_origin) || strstr(head, story->not_sent))
        fail_msg("%s", head);
    origin_say(conn, OK);
    client_response(client);
    world_close(&own);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, sent, sent_as);
    STORIES_ADD(&stories, answered, answered_by_us);
    STORIES_ADD(&stories, vias, via_is_added);
    STORIES_ADD(&stories, forwardeds, says_who_asked);
    return flow_run("duties", &stories, &world, NULL);
}

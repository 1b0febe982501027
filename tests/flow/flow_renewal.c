/* A 401 to our own token: one refresh, and the request once more; what is sent again, what is not, and
 * what never asks. Every row counts what the origin saw. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/flow/kit_renewal.h"
#include "tests/flow/kit_wait.h"

#define IO         "Host: app.io.vtex.com\r\n"
#define ELSE       "Host: any.partner.example\r\n"
#define STORE_POST "POST /api/x HTTP/1.1\r\n" STORE

enum { KEPT = 64 * 1024 };

/* ---- what is sent again
 * ----------------------------------------------------------------------------- */

/* `body` bytes follow the head: as they are, or as chunks of `chunk` bytes. The refusal's connection is
 * whole and kept; `reuses`: it is the one that the request goes over again. */
static struct again {
    const char *name, *head;
    size_t body, chunk;
    bool reuses;
} agains[] = {
    { "GET", GET_STORE, 0, 0, true },
    { "HEAD", "HEAD /api/x HTTP/1.1\r\n" STORE "\r\n", 0, 0, true },
    { "GET with a query and odd bytes",
      "GET /api/%7e//x?a=%20&&b HTTP/1.1\r\n" STORE "X-A: \xc3"
      "\xa9\r\n\r\n",
      0, 0, true },
    { "DELETE", "DELETE /api/x HTTP/1.1\r\n" STORE "\r\n", 0, 0, true },
    { "PUT", "PUT /api/x HTTP/1.1\r\n" STORE "Content-Length: 3000\r\n\r\n", 3000, 0, true },
    { "POST", STORE_POST "Content-Length: 7\r\n\r\n", 7, 0, false },
    { "POST without a body", STORE_POST "Content-Length: 0\r\n\r\n", 0, 0, false },
    { "POST of 20 KiB", STORE_POST "Content-Length: 20480\r\n\r\n", 20480, 0, false },
    { "POST of 64 KiB", STORE_POST "Content-Length: 65536\r\n\r\n", KEPT, 0, false },
    { "chunked", STORE_POST "Transfer-Encoding: chunked\r\n\r\n", 700, 300, false },
    { "chunked, nothing", STORE_POST "Transfer-Encoding: chunked\r\n\r\n", 0, 300, false },
    { "chunked, 64 KiB", STORE_POST "Transfer-Encoding: chunked\r\n\r\n", KEPT, 5000, false },
    { "chunked, 64 KiB in small chunks", STORE_POST "Transfer-Encoding: chunked\r\n\r\n", KEPT, 7,
      false },
    { "IO, Bearer", "GET /a HTTP/1.1\r\n" IO "\r\n", 0, 0, true },
    { "the placeholder in Authorization",
      "GET /a HTTP/1.1\r\n" IO "authorization: bearer " PLACEHOLDER "\r\nX-After: 1\r\n\r\n", 0, 0,
      true },
    { "the placeholder in the header",
      "GET /a HTTP/1.1\r\nvtexidclientautcookie: " PLACEHOLDER "\r\n" STORE "\r\n", 0, 0, true },
    { "the placeholder in the cookie",
      "GET /a HTTP/1.1\r\n" STORE "Cookie: a=b; VtexIdclientAutCookie=" PLACEHOLDER "; c=d\r\n\r\n",
      0, 0, true },
    { "the placeholder in both, with a body",
      STORE_POST "VtexIdclientAutCookie: " PLACEHOLDER
                 "\r\nCookie: VtexIdclientAutCookie=" PLACEHOLDER "\r\nContent-Length: 9\r\n\r\n",
      9, 0, false },
    { "X-Janus-Auth: app, beside a user's cookie",
      "GET /a HTTP/1.1\r\n" STORE "X-Janus-Auth: app\r\nCookie: VtexIdclientAutCookie=user\r\n\r\n",
      0, 0, true },
    { "the hop's token, beside a user's identity",
      "GET /a HTTP/1.1\r\n" IO "Authorization: Bearer " PLACEHOLDER
      "\r\nVtexIdclientAutCookie: user\r\n\r\n",
      0, 0, true },
};

static char pattern(size_t at)
{
    return (char)('a' + (at * 31 + at / 251) % 26);
}

static struct bytes request_of(const char *head, size_t body, size_t chunk)
{
    struct bytes request = { 0 };

    bytes_print(&request, "%s", head);
    for (size_t at = 0, n; at < body; at += n) {
        n = chunk && chunk < body - at ? chunk : body - at;
        if (chunk)
            bytes_print(&request, "%zx\r\n", n);
        for (size_t i = 0; i < n; i++)
            bytes_add(&request, &(char){ pattern(at + i) }, 1);
        if (chunk)
            bytes_print(&request, "\r\n");
    }
    if (chunk)
        bytes_print(&request, "0\r\n\r\n");
    return request;
}

static void expect_pattern(const struct bytes *body, size_t n)
{
    assert_int_equal(body->n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(body->at[i], pattern(i));
}

static const struct response *response_to(struct client *client, const char *request)
{
    return strncmp(request, "HEAD", 4) == 0 ? client_response_to_head(client)
                                            : client_response(client);
}

static void expect_log(struct world *in, const char *a, const char *b)
{
    char *line = process_await(in->sidecar, "outcome=relayed");

    if (!strstr(line, a) || !strstr(line, b))
        fail_msg("%s and %s were to stand in: %s", a, b, line);
    free(line);
}

/* What is said last stays, so that rows may differ in how the token comes. */
static void sent_again(const struct again *story, const char *token, bool announced)
{
    struct bytes request = request_of(story->head, story->body, story->chunk);
    struct world own;

    renewal_open(&own, NULL);
    struct client *client = world_client(&own);
    client_send(client, request.at, request.n);
    struct origin_conn *conn = origin_accept(own.origin);
    const char *head = origin_head(conn);
    char *first = text_copy(head, strlen(head));
    assert_non_null(strstr(first, OLD));
    struct bytes body = body_of(conn, first);
    expect_pattern(&body, story->body);
    if (announced) {
        folder_replace(own.folder, "token", token);
        process_await_line(own.sidecar, "event=token generation=2");
    } else {
        slip(&own, token);
    }
    origin_say(conn, strncmp(first, "HEAD", 4) == 0
                         ? "HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\n"
                         : REFUSAL);
    if (!story->reuses)
        conn = origin_accept(own.origin);
    char *wanted = replaced(first, OLD, token);
    assert_string_equal(origin_head(conn), wanted);
    struct bytes twice = body_of(conn, wanted);
    expect_pattern(&twice, story->body);
    origin_say(conn, strncmp(first, "HEAD", 4) == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
                                                    : OK);
    const struct response *response = response_to(client, story->head);
    expect_status(response, 200);
    expect_header(response, "Proxy-Status", RENEWED);
    expect_log(&own, "token_generation=2", "token_resends=1");
    assert_int_equal(origin_unread(conn), 0);
    expect_connections(&own, story->reuses ? 1 : 2);
    assert_null(strstr(process_log(own.sidecar), token));
    bytes_free(&request);
    bytes_free(&body);
    bytes_free(&twice);
    free(first);
    free(wanted);
    renewal_close(&own);
}

static void found_when_asked(void **state)
{
    sent_again(*state, NEW, false);
}

/* The newer one was there before the refusal came: nobody is asked. */
static void there_already(void **state)
{
    (void)state;
    sent_again(&agains[0], NEW, true);
    sent_again(&agains[5], NEW, true);
}

static void longer_and_shorter(void **state)
{
    static char longest[16 * 1024 + 1];

    (void)state;
    memset(longest, 'L', sizeof(longest) - 1);
    sent_again(&agains[0], "shorter", false);
    sent_again(&agains[8], "shorter", false);
    sent_again(&agains[0], longest, false);
    sent_again(&agains[8], longest, false);
    sent_again(&agains[17], longest, false);
}

/* ---- forms of a refusal
 * ----------------------------------------------------------------------------- */

static struct form {
    const char *name, *refusal;
    void (*leave)(struct origin_conn *conn); /* right behind it; NULL: stays */
    bool reuses;
} forms[] = {
    { "a body with a length", REFUSAL, NULL, true },
    { "no body", "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", NULL, true },
    { "a chunked body",
      "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", NULL, true },
    { "a chunked body without its end",
      "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", NULL, false },
    { "a broken chunked body", "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\nxyz", NULL,
      false },
    { "until the end of the connection", "HTTP/1.1 401 No\r\n\r\nsorry", origin_close, false },
    { "until the end, which does not come", "HTTP/1.1 401 No\r\n\r\nsorry", NULL, false },
    { "a body that comes late", "HTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\n", NULL, false },
    { "bytes behind it", REFUSAL "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL, false },
    { "it wants to close", "HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
      NULL, false },
    { "HTTP/1.0", "HTTP/1.0 401 No\r\nContent-Length: 0\r\n\r\n", NULL, false },
    { "closed right behind it", REFUSAL, origin_close, false },
    { "cut right behind it", REFUSAL, origin_cut, false },
    { "behind a 103", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" REFUSAL, NULL, true },
    { "behind a 100", "HTTP/1.1 100 Continue\r\n\r\n" REFUSAL, NULL, true },
};

static void answered_in_form(const struct form *story, const char *head, bool reuses)
{
    struct bytes request = request_of(head, strstr(head, "POST") ? 7 : 0, 0);
    struct world own;

    renewal_open(&own, NULL);
    struct client *client = world_client(&own);
    client_say(client, request.at);
    struct origin_conn *conn = origin_accept(own.origin), *first = conn;
    head = origin_head(conn);
    char *seen = text_copy(head, strlen(head));
    struct bytes body = body_of(conn, seen);
    slip(&own, NEW);
    origin_say(conn, story->refusal);
    if (story->leave)
        story->leave(conn);
    if (!reuses)
        conn = origin_accept(own.origin);
    if (!story->reuses && !story->leave)
        origin_await_end(first);
    expect_again(conn, seen, &body);
    origin_say(conn, OK);
    if (strstr(story->refusal, "HTTP/1.1 10"))
        client_response(client);
    const struct response *response = client_response(client);
    expect_body(response, "ok");
    expect_header(response, "Proxy-Status", RENEWED);
    expect_connections(&own, reuses ? 1 : 2);
    bytes_free(&request);
    bytes_free(&body);
    free(seen);
    renewal_close(&own);
}

static void form_to_get(void **state)
{
    const struct form *story = *state;

    answered_in_form(story, GET_STORE, story->reuses);
}

/* What may not be repeated never goes over a connection that may be about to close. */
static void form_to_post(void **state)
{
    answered_in_form(*state, STORE_POST "Content-Length: 7\r\n\r\n", false);
}

/* ---- what passes
 * ------------------------------------------------------------------------------------ */

/* A new token is there to be found; `asks`: the next request has it. The client has exactly this answer. */
static struct passing {
    const char *name, *request, *status;
    size_t body;
    bool asks, notes;
} passings[] = {
    { "403", GET_STORE, "403 Forbidden", 0, false, false },
    { "407", GET_STORE, "407 Proxy Authentication Required", 0, false, false },
    { "400", GET_STORE, "400 Bad Request", 0, false, false },
    { "500", GET_STORE, "500 Oops", 0, false, false },
    { "302", GET_STORE, "302 Found", 0, false, false },
    { "the user's own header", "GET /a HTTP/1.1\r\n" STORE "VtexIdclientAutCookie: user\r\n\r\n",
      "401 No", 0, false, false },
    { "the user's own cookie",
      "GET /a HTTP/1.1\r\n" STORE "Cookie: VtexIdclientAutCookie=user\r\n\r\n", "401 No", 0, false,
      false },
    { "the shopper's cookie",
      "GET /a HTTP/1.1\r\n" STORE "Cookie: VtexIdclientAutCookie_storeacct=user\r\n\r\n", "401 No",
      0, false, false },
    { "the user's own Authorization", "GET /a HTTP/1.1\r\n" IO "Authorization: Bearer user\r\n\r\n",
      "401 No", 0, false, false },
    { "an app key", "GET /a HTTP/1.1\r\n" STORE "X-VTEX-API-AppKey: k\r\n\r\n", "401 No", 0, false,
      false },
    { "a foreign host", "GET /a HTTP/1.1\r\n" ELSE "\r\n", "401 No", 0, false, false },
    { "X-Janus-Auth: admin",
      "GET /a HTTP/1.1\r\n" STORE
      "X-Janus-Auth: admin\r\nCookie: VtexIdclientAutCookie=user\r\n\r\n",
      "401 No", 0, false, false },
    { "X-Janus-Auth: store",
      "GET /a HTTP/1.1\r\n" STORE "X-Janus-Auth: store\r\n"
      "Cookie: VtexIdclientAutCookie_storeacct=user\r\n\r\n",
      "401 No", 0, false, false },
    { "X-Janus-Auth: none", "GET /a HTTP/1.1\r\n" STORE "X-Janus-Auth: none\r\n\r\n", "401 No", 0,
      false, false },
    { "401 to a body of 64 KiB and a byte", STORE_POST "Content-Length: 65537\r\n\r\n", "401 No",
      KEPT + 1, true, true },
    { "403 to a body", STORE_POST "Content-Length: 5\r\n\r\n", "403 No", 5, false, false },
};

static void passes(void **state)
{
    const struct passing *story = *state;
    struct bytes request = request_of(story->request, story->body, 0), answer = { 0 };
    struct world own;

    renewal_open(&own, NULL);
    struct client *client = world_client(&own);
    client_send(client, request.at, request.n);
    struct origin_conn *conn = origin_accept(own.origin);
    const char *head = origin_head(conn);
    char *seen = text_copy(head, strlen(head));
    struct bytes body = body_of(conn, seen);
    slip(&own, NEW);
    bytes_print(&answer, "HTTP/1.1 %s\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry",
                story->status);
    origin_say(conn, answer.at);
    const struct response *response = client_response(client);
    expect_status(response, (unsigned)strtoul(story->status, NULL, 10));
    expect_body(response, "sorry");
    expect_header(response, "Proxy-Status", story->notes ? NOT_AGAIN : NULL);
    assert_int_equal(origin_unread(conn), 0);
    goes_as(&own, story->asks ? NEW : OLD);
    expect_connections(&own, 2);
    bytes_free(&request);
    bytes_free(&answer);
    bytes_free(&body);
    free(seen);
    renewal_close(&own);
}

/* Chunked, and too long to be kept: known only when it has come. */
static void long_chunked_passes(void **state)
{
    struct bytes request =
        request_of(STORE_POST "Transfer-Encoding: chunked\r\n\r\n", KEPT + 1, 4000);
    struct world own;

    (void)state;
    renewal_open(&own, NULL);
    struct client *client = world_client(&own);
    client_send(client, request.at, request.n);
    struct origin_conn *conn = origin_accept(own.origin);
    const char *head = origin_head(conn);
    char *seen = text_copy(head, strlen(head));
    struct bytes body = body_of(conn, seen);
    expect_pattern(&body, KEPT + 1);
    slip(&own, NEW);
    origin_say(conn, REFUSAL);
    expect_status(client_response(client), 401);
    client_say(client, GET_STORE); /* the same connections are still good */
    assert_non_null(strstr(origin_head(conn), NEW));
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    expect_connections(&own, 1);
    bytes_free(&request);
    bytes_free(&body);
    free(seen);
    renewal_close(&own);
}

/* ---- nothing new
 * ------------------------------------------------------------------------------------ */

static void change_nothing(struct world *in)
{
    (void)in;
}

static void remove_file(struct world *in)
{
    unlink(folder_name(in->folder, "token"));
}

static void write_nonsense(struct world *in)
{
    slip(in, "two words");
}

static void write_expired(struct world *in)
{
    char *old = jwt_text("old", time(NULL) - 100);

    slip(in, old);
    free(old);
}

static struct fruitless {
    const char *name;
    void (*change)(struct world *in);
    const char *refusal, *want; /* a line of the answer */
} fruitlesses[] = {
    { "the file is the same", change_nothing, REFUSAL, "sorry" },
    { "the file is gone", remove_file, REFUSAL, "sorry" },
    { "the file holds no token", write_nonsense, REFUSAL, "sorry" },
    { "the file holds an expired token", write_expired, REFUSAL, "sorry" },
    { "a chunked refusal", change_nothing,
      "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsorry\r\n0\r\n\r\n", "sorry" },
    { "with headers of its own", change_nothing,
      "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: "
      "0\r\n\r\n",
      "" },
};

static void nothing_new(void **state)
{
    const struct fruitless *story = *state;
    struct world own;

    renewal_open(&own, NULL);
    struct client *client = world_client(&own);
    client_say(client, STORE_POST "Content-Length: 5\r\n\r\nhello");
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    assert_string_equal(origin_bytes(conn, 5), "hello");
    story->change(&own);
    origin_say(conn, story->refusal);
    const struct response *response = client_response(client);
    expect_status(response, 401);
    expect_body(response, story->want);
    expect_header(response, "Proxy-Status", NOT_AGAIN);
    if (strstr(story->refusal, "WWW-Authenticate")) {
        expect_header(response, "WWW-Authenticate", "Bearer");
        assert_int_equal(head_count(response->head, "X-A"), 2);
    }
    client_say(client, GET_STORE); /* the old one is all there is, and both connections are good */
    assert_non_null(strstr(origin_head(conn), OLD));
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    expect_connections(&own, 1);
    renewal_close(&own);
}

/* The second 401 is the answer. */
static void refused_twice(void **state)
{
    struct world own;

    (void)state;
    renewal_open(&own, NULL);
    struct client *client = world_client(&own);
    client_say(client, GET_STORE);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    slip(&own, NEW);
    origin_say(conn, REFUSAL);
    assert_non_null(strstr(origin_head(conn), NEW));
    slip(&own, "and-another-one");
    origin_say(conn, "HTTP/1.1 401 Really\r\nContent-Length: 6\r\n\r\nreally");
    const struct response *response = client_response(client);
    expect_status(response, 401);
    expect_body(response, "really");
    expect_header(response, "Proxy-Status", BOTH);
    expect_log(&own, "status=401", "token_resends=1");
    assert_int_equal(origin_unread(conn), 0);
    expect_connections(&own, 1);
    renewal_close(&own);
}

/* What went again and came to nothing is told as what it is. */
static void fails_the_second_time(void **state)
{
    static const struct plan overlap = { .options = { "--token-overlap", "1m" } };
    struct world own;

    (void)state;
    for (int falls_back = 0; falls_back < 2; falls_back++) {
        renewal_open(&own, falls_back ? &overlap : NULL);
        if (falls_back) {
            slip(&own, NEW);
            folder_replace(own.folder, "token", NEW);
            process_await_line(own.sidecar, "event=token generation=2");
        }
        struct client *client = world_client(&own);
        client_say(client, STORE_POST "Content-Length: 0\r\n\r\n");
        struct origin_conn *conn = origin_accept(own.origin);
        origin_head(conn);
        slip(&own, NEW);
        origin_say(conn, REFUSAL);
        conn = origin_accept(own.origin);
        origin_head(conn);
        origin_close(conn);
        const struct response *response = client_response(client);
        expect_status(response, 502);
        char *note = head_field(response->head, "Proxy-Status");
        assert_non_null(strstr(note, "the app token was refused; sent again with another one"));
        free(note);
        expect_connections(&own, 2);
        renewal_close(&own);
    }
}

/* ---- the token before
 * ------------------------------------------------------------------------------- */

static const struct plan overlapping = { .options = { "--token-overlap", "1m" } };

/* Generation 2 is current, 1 is remembered; the request has been refused with 2. */
static struct origin_conn *newest_refused(struct world *own, struct client **client)
{
    renewal_open(own, &overlapping);
    folder_replace(own->folder, "token", NEW);
    process_await_line(own->sidecar, "event=token generation=2");
    unlink(folder_name(own->folder, "aside/token"));
    rmdir(folder_name(own->folder, "aside"));
    hush(own);
    *client = world_client(own);
    client_say(*client, GET_STORE);
    struct origin_conn *conn = origin_accept(own->origin);
    assert_non_null(strstr(origin_head(conn), "Cookie: " NEW "\r\n"));
    origin_say(conn, REFUSAL);
    assert_non_null(strstr(origin_head(conn), "Cookie: " OLD "\r\n"));
    return conn;
}

static void one_before(void **state)
{
    struct client *client;
    struct world own;
    struct origin_conn *conn = newest_refused(&own, &client);

    (void)state;
    origin_say(conn, OK);
    const struct response *response = client_response(client);
    expect_body(response, "ok");
    expect_header(response, "Proxy-Status", ONE_BEFORE);
    expect_log(&own, "token_generation=1", "token_resends=1");
    client_say(client, GET_STORE); /* the newest stays the one to begin with */
    assert_non_null(strstr(origin_head(conn), NEW));
    origin_say(conn, OK);
    expect_header(client_response(client), "Proxy-Status", NULL);
    expect_connections(&own, 1);
    renewal_close(&own);
}

static void both_refused(void **state)
{
    struct client *client;
    struct world own;
    struct origin_conn *conn = newest_refused(&own, &client);

    (void)state;
    origin_say(conn, REFUSAL);
    const struct response *response = client_response(client);
    expect_status(response, 401);
    expect_header(response, "Proxy-Status", BOTH);
    assert_int_equal(origin_unread(conn), 0);
    expect_connections(&own, 1);
    renewal_close(&own);
}

static void both_refused_and_a_third(void **state)
{
    for (int taken = 0; taken < 2; taken++) {
        struct client *client;
        struct world own;
        struct origin_conn *conn = newest_refused(&own, &client);

        (void)state;
        slip(&own, "the-third");
        origin_say(conn, REFUSAL);
        assert_non_null(strstr(origin_head(conn), "Cookie: the-third\r\n"));
        origin_say(conn, taken ? OK : REFUSAL);
        const struct response *response = client_response(client);
        expect_status(response, taken ? 200 : 401);
        expect_header(response, "Proxy-Status", taken ? RENEWED : BOTH);
        expect_log(&own, "token_generation=3", "token_resends=2");
        assert_int_equal(origin_unread(conn), 0);
        expect_connections(&own, 1);
        renewal_close(&own);
    }
}

/* ---- ceilings
 * --------------------------------------------------------------------------------------- */

/* Placeholders that grow to tokens until the head all but fills the buffer, and then a body. */
static void full_head_and_body(void **state)
{
    static char token[1001];
    struct bytes head = { 0 };
    struct plan plan = { .token = token };

    (void)state;
    memset(token, 'T', sizeof(token) - 1);
    for (int n = 180; n <= 232; n += 4) {
        struct world own;
        world_open(&own, &plan);
        process_await_line(own.sidecar, "event=token generation=1");
        struct client *client = world_client(&own);
        bytes_free(&head);
        bytes_print(&head, STORE_POST "Content-Length: 40000\r\nCookie: a=b");
        for (int i = 0; i < n; i++)
            bytes_print(&head, "; VtexIdclientAutCookie=" PLACEHOLDER);
        bytes_print(&head, "\r\n\r\n");
        struct bytes request = request_of(head.at, 40000, 0);
        client_send(client, request.at, request.n);
        struct pollfd answered = { .fd = client_fd(client), .events = POLLIN };
        if (n < 224 || !wait_any(&answered, 1, now_ms() + STALL_MS)) {
            struct origin_conn *conn = origin_accept(own.origin);
            const char *seen = origin_head(conn);
            char *copy = text_copy(seen, strlen(seen));
            struct bytes body = body_of(conn, copy);
            expect_pattern(&body, 40000);
            origin_say(conn, REFUSAL);
            expect_status(client_response(client), 401);
            bytes_free(&body);
            free(copy);
        } else {
            expect_answer(client_response(client), 431, "HeadTooLarge", "");
        }
        bytes_free(&request);
        world_close(&own);
    }
    bytes_free(&head);
}

static struct single singles[] = {
    { "the newer one was there already", there_already },
    { "longer and shorter tokens", longer_and_shorter },
    { "64 KiB and a byte, chunked", long_chunked_passes },
    { "refused twice", refused_twice },
    { "sent again, and that fails", fails_the_second_time },
    { "the token before is taken", one_before },
    { "the newest and the one before are refused", both_refused },
    { "and then there is a third", both_refused_and_a_third },
    { "a head that all but fills the buffer, and a body", full_head_and_body },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, agains, found_when_asked);
    STORIES_ADD(&stories, forms, form_to_get);
    STORIES_ADD(&stories, forms, form_to_post);
    STORIES_ADD(&stories, passings, passes);
    STORIES_ADD(&stories, fruitlesses, nothing_new);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("renewal", &stories, NULL, NULL);
}

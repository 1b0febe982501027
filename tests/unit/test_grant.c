/* What the guard remembers, what it asks and what it makes of the answers. */
#include "tests/unit/stories.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy/grant_cache.h"
#include "proxy/grant_wire.h"
#include "proxy/token/presented.h"

#define HOST "acme.vtexcommercestable.com.br"

/* ---- the cache ---- */

static struct grant_key key_of(const struct grant_cache *cache, const char *token,
                               const char *product, const char *resource)
{
    return grant_cache_key(cache, text_of(token), text_of(product), text_of(resource));
}

static void is_kept_for_a_time(void **state)
{
    struct grant_cache *cache = grant_cache_new(4);
    struct grant_key key = key_of(cache, "token", NULL, NULL);

    (void)state;
    assert_null(grant_cache_find(cache, &key, 0));
    grant_cache_put(cache, &key, true, TEXT("ana"), 100);
    assert_string_equal(grant_cache_find(cache, &key, 99)->user, "ana");
    assert_null(grant_cache_find(cache, &key, 100));
    assert_null(grant_cache_find(cache, &key, 0)); /* what is over does not come back */
    grant_cache_put(cache, &key, true, TEXT("ana"), 100);
    grant_cache_put(cache, &key, false, TEXT_NONE, 200);
    assert_false(grant_cache_find(cache, &key, 150)->yes); /* the newer one counts */
    assert_string_equal(grant_cache_find(cache, &key, 150)->user, "");
    grant_cache_free(cache);
}

static void is_bounded(void **state)
{
    enum { MAX = 100, MANY = 1000 };
    struct grant_cache *cache = grant_cache_new(MAX);
    struct grant_key first = key_of(cache, "first", NULL, NULL);
    size_t kept = 0;
    char token[32];

    (void)state;
    grant_cache_put(cache, &first, true, TEXT_NONE, 100);
    for (int i = 0; i < MANY; i++) {
        snprintf(token, sizeof(token), "%d", i);
        struct grant_key key = key_of(cache, token, NULL, NULL);
        grant_cache_put(cache, &key, true, TEXT_NONE, 100);
        assert_non_null(grant_cache_find(cache, &first, 0)); /* in use: it stays */
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(token, sizeof(token), "%d", i);
        struct grant_key key = key_of(cache, token, NULL, NULL);
        kept += grant_cache_find(cache, &key, 0) != NULL;
    }
    assert_int_equal(kept, MAX - 1);
    grant_cache_free(cache);
}

static struct apart {
    const char *name, *a[3], *b[3];
} aparts[] = {
    { "tokens", { "a", "1", "2" }, { "b", "1", "2" } },
    { "products", { "a", "1", "2" }, { "a", "3", "2" } },
    { "resources", { "a", "1", "2" }, { "a", "1", "3" } },
    { "whose it is, and what is granted", { "a" }, { "a", "1", "2" } },
    { "where one ends", { "ab", "c", "d" }, { "a", "bc", "d" } },
    { "which is which", { "a", "bc", "" }, { "a", "b", "c" } },
};

static void are_told_apart(void **state)
{
    const struct apart *row = *state;
    struct grant_cache *cache = grant_cache_new(1), *other = grant_cache_new(1);
    struct grant_key a = key_of(cache, row->a[0], row->a[1], row->a[2]);
    struct grant_key b = key_of(cache, row->b[0], row->b[1], row->b[2]);
    struct grant_key again = key_of(cache, row->a[0], row->a[1], row->a[2]);
    struct grant_key elsewhere = key_of(other, row->a[0], row->a[1], row->a[2]);

    assert_false(grant_key_equals(&a, &b));
    assert_true(grant_key_equals(&a, &again));
    assert_false(grant_key_equals(&a, &elsewhere)); /* each process has a secret of its own */
    grant_cache_free(cache);
    grant_cache_free(other);
}

/* ---- questions ---- */

static void validate_is_a_post(void **state)
{
    struct buffer out;

    (void)state;
    grant_write_validate(&out, HOST, TEXT("a.b.c"));
    assert_true(text_eq(buffer_waiting(&out),
                        TEXT("POST /api/vtexid/credential/validate HTTP/1.1\r\nHost: " HOST
                             "\r\nUser-Agent: janus-sidecar\r\nAccept: application/json\r\n"
                             "Accept-Encoding: identity\r\nContent-Type: application/json\r\n"
                             "Content-Length: 17\r\n\r\n{\"token\":\"a.b.c\"}")));
    buffer_fini(&out);
}

static struct question {
    const char *name, *user, *product, *resource, *target; /* NULL: it cannot be asked */
} questions[] = {
    { "plain", "ana@example.com", "66", "ViewOrder",
      "/api/license-manager/pvt/accounts/acme/products/66/logins/ana@example.com/resources/"
      "ViewOrder/"
      "granted" },
    { "slashes", "a/b", "6/6", "../x",
      "/api/license-manager/pvt/accounts/acme/products/6%2F6/logins/a%2Fb/resources/..%2Fx/"
      "granted" },
    { "what ends a path or a line", "a?b#c", "1 2", "x\r\ny",
      "/api/license-manager/pvt/accounts/acme/products/1%202/logins/a%3Fb%23c/resources/x%0D%0Ay/"
      "granted" },
    { "escapes stay what they say", "a%2Fb", "1", "\xc3\xa7",
      "/api/license-manager/pvt/accounts/acme/products/1/logins/a%252Fb/resources/%C3%A7/granted" },
    { "dots in names", "a.b", "1", "Sku.aspx",
      "/api/license-manager/pvt/accounts/acme/products/1/logins/a.b/resources/Sku.aspx/granted" },
    { "a user of dots", "..", "1", "x", NULL },
    { "a code of a dot", "ana", ".", "x", NULL },
    { "an empty code", "ana", "1", "", NULL },
    { "an empty user", "", "1", "x", NULL },
};

static void granted_is_asked(void **state)
{
    const struct question *row = *state;
    struct grant_question question = { "acme", row->user, text_of(row->product),
                                       text_of(row->resource) };
    struct buffer out;
    char *want = NULL;

    assert_int_equal(grant_can_ask(&question), row->target != NULL);
    if (!row->target)
        return;
    grant_write_granted(&out, HOST, &question, TEXT("own"));
    assert_true(asprintf(&want,
                         "GET %s HTTP/1.1\r\nHost: " HOST
                         "\r\nUser-Agent: janus-sidecar\r\nAccept: "
                         "application/json\r\nAccept-Encoding: identity\r\nVtexIdclientAutCookie: "
                         "own\r\n\r\n",
                         row->target) > 0);
    if (!text_eq(buffer_waiting(&out), text_of(want)))
        fail_msg("%s\n%.*s", want, TEXT_ARG(buffer_waiting(&out)));
    free(want);
    buffer_fini(&out);
}

/* ---- answers ---- */

static struct granted {
    const char *name;
    unsigned status;
    const char *body;
    enum grant_reading want;
} granteds[] = {
    { "true", 200, "true", READING_YES },
    { "true with blanks", 200, " \r\n\ttrue\n", READING_YES },
    { "false", 200, "false", READING_NO },
    { "True", 200, "True", READING_UNCLEAR },
    { "\"true\"", 200, "\"true\"", READING_UNCLEAR },
    { "1", 200, "1", READING_UNCLEAR },
    { "null", 200, "null", READING_UNCLEAR },
    { "[true]", 200, "[true]", READING_UNCLEAR },
    { "true and more", 200, "true true", READING_UNCLEAR },
    { "truely", 200, "truely", READING_UNCLEAR },
    { "nothing", 200, "", READING_UNCLEAR },
    { "a page", 200, "<html>", READING_UNCLEAR },
    { "201", 201, "true", READING_UNCLEAR },
    { "204", 204, "", READING_UNCLEAR },
    { "302", 302, "true", READING_UNCLEAR },
    { "401", 401, "true", READING_UNCLEAR },
    { "404", 404, "true", READING_UNCLEAR },
    { "500", 500, "true", READING_UNCLEAR },
};

static void granted_is_read(void **state)
{
    const struct granted *row = *state;
    const char *why = NULL;

    assert_int_equal(grant_read_granted(row->status, text_of(row->body), &why), row->want);
    assert_int_equal(why != NULL, row->want == READING_UNCLEAR);
}

#define GOOD "\"authStatus\":\"Success\",\"account\":\"acme\",\"user\":\"ana\""

static struct validated {
    const char *name;
    unsigned status;
    const char *body;
    enum grant_reading want;
} validateds[] = {
    { "somebody", 200, "{" GOOD "}", READING_YES },
    { "an admin", 200, "{" GOOD ",\"audience\":\"admin\"}", READING_YES },
    { "a shopper", 200, "{" GOOD ",\"audience\":\"webstore\"}", READING_NO_SHOPPERS },
    { "another account", 200, "{\"authStatus\":\"Success\",\"account\":\"other\",\"user\":\"ana\"}",
      READING_NO },
    { "an account of another case", 200,
      "{\"authStatus\":\"Success\",\"account\":\"Acme\",\"user\":\"ana\"}", READING_NO },
    { "no account", 200, "{\"authStatus\":\"Success\",\"user\":\"ana\"}", READING_NO },
    { "no user", 200, "{\"authStatus\":\"Success\",\"account\":\"acme\"}", READING_NO },
    { "an empty user", 200, "{\"authStatus\":\"Success\",\"account\":\"acme\",\"user\":\"\"}",
      READING_NO },
    { "a user that is no string", 200,
      "{\"authStatus\":\"Success\",\"account\":\"acme\",\"user\":[\"ana\"]}", READING_NO },
    { "another status", 200,
      "{\"authStatus\":\"WrongCredentials\",\"account\":\"acme\",\"user\":\"a\"}", READING_NO },
    { "no status", 200, "{\"account\":\"acme\",\"user\":\"ana\"}", READING_UNCLEAR },
    { "an account twice", 200, "{\"account\":\"other\"," GOOD "}", READING_UNCLEAR },
    { "no object", 200, "true", READING_UNCLEAR },
    { "no JSON", 200, "<html>", READING_UNCLEAR },
    { "nothing", 200, "", READING_UNCLEAR },
    { "401", 401, "{\"authStatus\":\"WrongCredentials\"}", READING_NO },
    { "401 with a user", 401, "{" GOOD "}", READING_NO },
    { "403", 403, "{" GOOD "}", READING_UNCLEAR },
    { "429", 429, "{" GOOD "}", READING_UNCLEAR },
    { "503", 503, "{" GOOD "}", READING_UNCLEAR },
};

static void validated_is_read(void **state)
{
    const struct validated *row = *state;
    char user[GRANT_USER_MAX + 1] = "";
    const char *why = NULL;

    assert_int_equal(grant_read_validate(row->status, text_of(row->body), "acme", user, &why),
                     row->want);
    if (row->want == READING_YES)
        assert_string_equal(user, "ana");
    assert_int_equal(why != NULL, row->want == READING_UNCLEAR);
}

static void long_user(void **state)
{
    char body[512], name[GRANT_USER_MAX + 2], user[GRANT_USER_MAX + 1];
    const char *why;

    (void)state;
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    snprintf(body, sizeof(body),
             "{\"authStatus\":\"Success\",\"account\":\"acme\",\"user\":\"%s\"}", name);
    assert_int_equal(grant_read_validate(200, text_of(body), "acme", user, &why), READING_NO);
    snprintf(body, sizeof(body),
             "{\"authStatus\":\"Success\",\"account\":\"acme\",\"user\":\"%s\"}", name + 1);
    assert_int_equal(grant_read_validate(200, text_of(body), "acme", user, &why), READING_YES);
}

/* ---- what a request presents, coming in ---- */

#define HEAD "GET / HTTP/1.1\r\nHost: a\r\n"

static struct presented_row {
    const char *name, *head, *want; /* NULL: none; "?": nobody knows which */
} presenteds[] = {
    { "nothing", HEAD, NULL },
    { "the header", HEAD "vtexidclientautcookie: t\r\n", "t" },
    { "the cookie", HEAD "Cookie: a=b; VtexIdclientAutCookie=t\r\n", "t" },
    { "the cookie before the header",
      HEAD "VtexIdclientAutCookie: h\r\nCookie: VtexIdclientAutCookie=t\r\n", "t" },
    { "an empty cookie", HEAD "VtexIdclientAutCookie: h\r\nCookie: VtexIdclientAutCookie=\r\n",
      "h" },
    { "an empty cookie and a full one",
      HEAD "Cookie: VtexIdclientAutCookie=; VtexIdclientAutCookie=t\r\n", "t" },
    { "the same twice",
      HEAD "Cookie: VtexIdclientAutCookie=t\r\nCookie: VtexIdclientAutCookie=t\r\n", "t" },
    { "two cookies", HEAD "Cookie: VtexIdclientAutCookie=t; VtexIdclientAutCookie=u\r\n", "?" },
    { "two cookies in two lines",
      HEAD "Cookie: VtexIdclientAutCookie=t\r\nCookie: VtexIdclientAutCookie=u\r\n", "?" },
    { "two headers", HEAD "VtexIdclientAutCookie: t\r\nVtexIdclientAutCookie: u\r\n", "?" },
    { "the account's cookie", HEAD "Cookie: VtexIdclientAutCookie_acme=t\r\n", NULL },
    { "another case", HEAD "Cookie: VTEXIDCLIENTAUTCOOKIE=t\r\n", NULL },
    { "a header that goes no further",
      HEAD "Connection: VtexIdclientAutCookie\r\nVtexIdclientAutCookie: t\r\n", NULL },
};

static void is_presented(void **state)
{
    const struct presented_row *row = *state;
    char bytes[512];
    struct head head;
    struct text token;
    const char *why;

    snprintf(bytes, sizeof(bytes), "%s\r\n", row->head);
    assert_int_equal(head_parse_request(text_of(bytes), &head, &why), HEAD_OK);
    if (row->want && *row->want == '?') {
        assert_false(presented_token(&head, &token));
        return;
    }
    assert_true(presented_token(&head, &token));
    assert_int_equal(token.at != NULL, row->want != NULL);
    assert_true(!row->want || text_eq(token, text_of(row->want)));
}

int main(void)
{
    static struct stories stories;

    stories_add(&stories, "an answer is kept for a time", is_kept_for_a_time, NULL);
    stories_add(&stories, "answers are bounded, the latest stay", is_bounded, NULL);
    STORIES_ADD(&stories, aparts, are_told_apart);
    stories_add(&stories, "validate is a POST", validate_is_a_post, NULL);
    STORIES_ADD(&stories, questions, granted_is_asked);
    STORIES_ADD(&stories, granteds, granted_is_read);
    STORIES_ADD(&stories, validateds, validated_is_read);
    stories_add(&stories, "a user's name has a ceiling", long_user, NULL);
    STORIES_ADD(&stories, presenteds, is_presented);
    return stories_run("grant", &stories);
}

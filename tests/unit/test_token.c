#include "tests/unit/stories.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "proxy/limits.h"
#include "proxy/token/token.h"

/* ---- which bytes are a token ---- */

static struct accepted {
    const char *name;
    struct text bytes;
    const char *want;
} accepted[] = {
    { "opaque", TEXT_INIT("abc"), "abc" },
    { "one byte", TEXT_INIT("a"), "a" },
    { "a line end behind", TEXT_INIT("abc\n"), "abc" },
    { "a CRLF behind", TEXT_INIT("abc\r\n"), "abc" },
    { "blanks and line ends around", TEXT_INIT(" \t\r\n\nabc \t\r\n\n"), "abc" },
    { "three parts", TEXT_INIT("a.b.c"), "a.b.c" },
    { "all that a JWT holds", TEXT_INIT("AZaz09-_.=+/~"), "AZaz09-_.=+/~" },
    { "other visible bytes", TEXT_INIT("!#$%&'()*:<>?@[]^`{|}"), "!#$%&'()*:<>?@[]^`{|}" },
};

static void test_accepted(void **state)
{
    const struct accepted *row = *state;
    const char *why = "";
    struct token *token = token_new(row->bytes, &why);

    assert_non_null(token);
    assert_int_equal(token_text(token).len, strlen(row->want));
    assert_memory_equal(token_text(token).at, row->want, strlen(row->want));
    assert_int_equal(token_expires_at(token), 0);
    assert_true(token_is_live(token, (struct moment){ (int64_t)(0) * 1000, 1 }) &&
                token_is_live(token, (struct moment){ (int64_t)((time_t)1 << 40) * 1000, 1 }));
    token_unref(token);
}

static struct refused {
    const char *name;
    struct text bytes;
    const char *why;
} refused[] = {
    { "nothing", TEXT_INIT(""), "no token" },
    { "no bytes at all", { NULL, 0 }, "no token" },
    { "blanks alone", TEXT_INIT(" \r\n\t "), "no token" },
    { "a blank inside", TEXT_INIT("a b"), "a byte" },
    { "a tab inside", TEXT_INIT("a\tb"), "a byte" },
    { "a line end inside", TEXT_INIT("a\nb"), "a byte" },
    { "a header behind", TEXT_INIT("a\r\nX-Evil: b"), "a byte" },
    { "two lines", TEXT_INIT("a\nb\n"), "a byte" },
    { "a NUL inside", TEXT_INIT("a\0b"), "a byte" },
    { "a NUL behind", TEXT_INIT("abc\0"), "a byte" },
    { "a NUL before", TEXT_INIT("\0abc"), "a byte" },
    { "a NUL behind a line end", TEXT_INIT("abc\n\0"), "a byte" },
    { "the front of a JWT", TEXT_INIT("eyJhbGciOiJI"), "cut off" },
    { "a JWT without its signature's dot", TEXT_INIT("eyJh.eyJl"), "cut off" },
    { "a JWT without its signature", TEXT_INIT("eyJh.eyJl."), "cut off" },
    { "a semicolon ends a cookie", TEXT_INIT("a;b"), "a byte" },
    { "a comma", TEXT_INIT("a,b"), "a byte" },
    { "a quote", TEXT_INIT("\"abc\""), "a byte" },
    { "a backslash", TEXT_INIT("a\\b"), "a byte" },
    { "DEL", TEXT_INIT("a\x7f"), "a byte" },
    { "ESC", TEXT_INIT("\x1b[0m"), "a byte" },
    { "bytes of 0x80 and more", TEXT_INIT("caf\xc3\xa9"), "a byte" },
    { "a byte-order mark",
      TEXT_INIT("\xef\xbb\xbf"
                "abc"),
      "a byte" },
    { "with its scheme", TEXT_INIT("Bearer abc"), "a byte" },
    { "JSON", TEXT_INIT("{\"token\":\"abc\"}"), "a byte" },
};

static void test_refused(void **state)
{
    const struct refused *row = *state;
    const char *why = "";

    assert_null(token_new(row->bytes, &why));
    assert_non_null(strstr(why, row->why));
}

static void test_longest(void **state)
{
    static char bytes[LIMIT_TOKEN_BYTES + 3];
    const char *why = "";
    struct token *token;

    (void)state;
    memset(bytes, 'a', sizeof(bytes));
    bytes[LIMIT_TOKEN_BYTES] = '\n'; /* line ends do not count */
    token = token_new((struct text){ bytes, LIMIT_TOKEN_BYTES + 1 }, &why);
    assert_int_equal(token_text(token).len, LIMIT_TOKEN_BYTES);
    token_unref(token);
    bytes[LIMIT_TOKEN_BYTES] = 'a';
    assert_null(token_new((struct text){ bytes, LIMIT_TOKEN_BYTES + 1 }, &why));
    assert_non_null(strstr(why, "16 KiB"));
}

/* Two dots, and as much payload as there is room for: every length of padding. */
static void test_longest_jwt(void **state)
{
    static char bytes[LIMIT_TOKEN_BYTES];
    const char *why = "";

    (void)state;
    for (size_t len = sizeof(bytes) - 8; len <= sizeof(bytes); len++) {
        memset(bytes, 'A', sizeof(bytes));
        bytes[0] = bytes[len - 1] = '.';
        struct token *token = token_new((struct text){ bytes, len }, &why);
        assert_non_null(token);
        assert_int_equal(token_expires_at(token), 0);
        token_unref(token);
    }
}

/* ---- when it expires ---- */

static struct expiry {
    const char *name;
    const char *payload; /* JSON, to become base64url; NULL: `raw` as it is */
    const char *raw;
    time_t expires_at; /* 0: it does not say */
} expiries[] = {
    { "exp", "{\"exp\":1700000000}", NULL, 1700000000 },
    { "exp among others", "{\"sub\":\"a.b\",\"exp\":1700000001,\"iat\":1}", NULL, 1700000001 },
    { "a payload of every padding, 1", "{\"exp\":1700000002,\"a\":\"\"}", NULL, 1700000002 },
    { "a payload of every padding, 2", "{\"exp\":1700000002,\"a\":\"b\"}", NULL, 1700000002 },
    { "a payload of every padding, 3", "{\"exp\":1700000002,\"a\":\"bc\"}", NULL, 1700000002 },
    { "bytes that base64url writes with - and _",
      "{\"exp\":1700000003,\"a\":\"\xc3\xbf\xc3\xbe?>~\"}", NULL, 1700000003 },
    { "a fraction", "{\"exp\":1700000000.9}", NULL, 1700000000 },
    { "an exponent", "{\"exp\":17e8}", NULL, 1700000000 },
    { "beyond 2038", "{\"exp\":4102444800}", NULL, 4102444800 },
    { "long past", "{\"exp\":1}", NULL, 1 },
    { "the last of two", "{\"exp\":1,\"exp\":1700000000}", NULL, 1700000000 },
    { "no exp", "{\"sub\":\"a\"}", NULL, 0 },
    { "exp as text", "{\"exp\":\"1700000000\"}", NULL, 0 },
    { "exp null", "{\"exp\":null}", NULL, 0 },
    { "exp in an object", "{\"a\":{\"exp\":1700000000}}", NULL, 0 },
    { "exp too large for a number", "{\"exp\":99999999999999999999}", NULL, 0 },
    { "a list", "[1700000000]", NULL, 0 },
    { "no JSON", "exp=1700000000", NULL, 0 },
    { "JSON that is cut", "{\"exp\":1700000000", NULL, 0 },
    { "JSON with something behind", "{\"exp\":1700000000}x", NULL, 0 },
    { "not UTF-8", "{\"exp\":1700000000,\"a\":\"\xff\"}", NULL, 0 },
    { "an empty payload", NULL, "e30..sig", 0 },
    { "a payload of one letter", NULL, "e30.e.sig", 0 },
    { "dots alone", NULL, "..", 0 },
    { "one dot", NULL, "e30.eyJleHAiOjE3MDAwMDAwMDB9", 0 },
    { "four parts", NULL, "e30.eyJleHAiOjE3MDAwMDAwMDB9.a.b", 0 },
    { "five parts, as an encrypted one has", NULL, "a.eyJleHAiOjE3MDAwMDAwMDB9.b.c.d", 0 },
    { "no signature is a JWT too", NULL, "e30.eyJleHAiOjE3MDAwMDAwMDB9.", 1700000000 },
    { "broken base64", NULL, "e30.eyJleHAi*jE3MDAwMDAwMDB9.sig", 0 },
    { "broken base64 at the end", NULL, "e30.eyJleHAiOjE3MDAwMDAwMDB9!.sig", 0 },
    { "padding in the middle", NULL, "e30.eyJl=HAiOjE3MDAwMDAwMDB9.sig", 0 },
};

static struct token *jwt_of(const char *payload)
{
    unsigned char encoded[512];
    char bytes[640];
    const char *why = "";
    int n = EVP_EncodeBlock(encoded, (const unsigned char *)payload, (int)strlen(payload));

    for (int i = 0; i < n; i++)
        encoded[i] = encoded[i] == '+' ? '-' : encoded[i] == '/' ? '_' : encoded[i];
    while (n > 0 && encoded[n - 1] == '=')
        n--;
    int len = snprintf(bytes, sizeof(bytes), "eyJhbGciOiJFUzI1NiJ9.%.*s.c2ln", n, encoded);
    return token_new((struct text){ bytes, (size_t)len }, &why);
}

static void test_expiry(void **state)
{
    const struct expiry *row = *state;
    const char *why = "";
    struct token *token = row->payload ? jwt_of(row->payload) : token_new(text_of(row->raw), &why);

    assert_non_null(token);
    assert_int_equal(token_expires_at(token), row->expires_at);
    if (row->expires_at) {
        assert_true(
            token_is_live(token, (struct moment){ (int64_t)(row->expires_at - 1) * 1000, 1 }));
        assert_false(token_is_live(token, (struct moment){ (int64_t)(row->expires_at) * 1000, 1 }));
        assert_false(
            token_is_live(token, (struct moment){ (int64_t)(row->expires_at + 1) * 1000, 1 }));
    } else {
        assert_true(token_is_live(token, (struct moment){ (int64_t)((time_t)1 << 40) * 1000, 1 }));
    }
    token_unref(token);
}

/* An exp that is no time in this era: what says that it expired is never taken for opaque. */
static struct odd {
    const char *name;
    const char *payload;
    bool live;
} odd[] = {
    { "exp 0 has expired", "{\"exp\":0}", false },
    { "exp -0.0 has expired", "{\"exp\":-0.0}", false },
    { "exp before 1970 has expired", "{\"exp\":-5}", false },
    { "exp of half a second has expired", "{\"exp\":0.5}", false },
    { "exp far below any time has expired", "{\"exp\":-1e300}", false },
    { "exp far above any time is live", "{\"exp\":1e300}", true },
    { "the largest integer is live", "{\"exp\":9223372036854775807}", true },
};

static void test_odd(void **state)
{
    const struct odd *row = *state;
    struct token *token = jwt_of(row->payload);

    assert_non_null(token);
    assert_int_equal(token_is_live(token, (struct moment){ (int64_t)(1700000000) * 1000, 1 }),
                     row->live);
    token_unref(token);
}

/* ---- holders ---- */

static void test_holders(void **state)
{
    const char *why;
    struct token *token = token_new(TEXT("abc"), &why), *same = token_new(TEXT("abc\n"), &why);
    struct token *longer = token_new(TEXT("abcd"), &why), *other = token_new(TEXT("abd"), &why);

    (void)state;
    assert_true(token_equals(token, same));
    assert_false(token_equals(token, longer));
    assert_false(token_equals(longer, token));
    assert_false(token_equals(token, other));
    assert_ptr_equal(token_ref(token), token);
    token_unref(token);
    token_set_generation(token, 7);
    assert_int_equal(token_generation(token), 7);
    token_unref(token);
    token_unref(same);
    token_unref(longer);
    token_unref(other);
    token_unref(NULL);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, accepted, test_accepted);
    STORIES_ADD(&stories, refused, test_refused);
    STORIES_ADD(&stories, expiries, test_expiry);
    STORIES_ADD(&stories, odd, test_odd);
    stories_add(&stories, "16 KiB and no more", test_longest, NULL);
    stories_add(&stories, "16 KiB of payload", test_longest_jwt, NULL);
    stories_add(&stories, "holders and equals", test_holders, NULL);
    return stories_run("token", &stories);
}

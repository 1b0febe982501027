#include "tests/unit/stories.h"

#include <stdlib.h>
#include <string.h>

#include "config/text.h"
#include "proxy/token/mask.h"

#define JWT   "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
#define RUN32 "abcdefghijklmnopqrstuvwxyz012345"
#define CAPS  "QWERTYUIOPASDFGHJKLZXCVBNMQWERTY"

static struct masked {
    const char *name, *text, *want;
} masked[] = {
    /* JWTs */
    { "a JWT", JWT, "***" },
    { "a JWT in a sentence", "got " JWT " from there", "got *** from there" },
    { "the front of a JWT", "eyJhbGciOiJ", "***" },
    { "a JWT in quotes", "'" JWT "'", "'***'" },
    { "a JWT in brackets", "(" JWT ")", "(***)" },
    { "a JWT behind an underscore", "x_" JWT, "***" },
    { "a JWT in a path", "/validate/" JWT, "/validate/***" },
    { "plain base64 of JSON, with a slash", "eyJhbGciOi/ab+c==", "***" },
    { "two JWTs", JWT " " JWT, "*** ***" },
    { "a JWT under an account's name", "{\"storeacct\":\"" JWT "\"}", "{\"storeacct\":\"***\"}" },
    /* values with a name */
    { "authToken in a query", "GET /x?authToken=abc&user=b", "GET /x?authToken=***&user=b" },
    { "authToken of one letter", "authToken=a", "authToken=*" },
    { "token with a colon", "token: abc", "token: ***" },
    { "token in JSON", "{\"token\":\"abc\",\"expires\":1}", "{\"token\":\"***\",\"expires\":1}" },
    { "token in spaced JSON", "{ \"token\" : \"a b\" }", "{ \"token\" : \"***\" }" },
    { "token in JSON in a string", "\"{\\\"token\\\":\\\"abc\\\",\\\"n\\\":1}\"",
      "\"{\\\"token\\\":\\\"***\\\",\\\"n\\\":1}\"" },
    { "a quote inside a JSON string", "\"token\":\"a\\\"b\" c", "\"token\":\"***\" c" },
    { "as JavaScript prints it", "{ token: 'abc', b: 1 }", "{ token: '***', b: 1 }" },
    { "an open quote", "token=\"abc", "token=\"***" },
    { "blanks around the sign", "token = abc def", "token = *** def" },
    { "apptoken", "apptoken=abc", "apptoken=***" },
    { "appkey", "appkey=abc", "appkey=***" },
    { "X-VTEX-API-AppToken", "X-VTEX-API-AppToken: abc", "X-VTEX-API-AppToken: ***" },
    { "X-VTEX-API-AppKey", "x-vtex-api-appkey: abc", "x-vtex-api-appkey: ***" },
    { "x-vtex-credential", "x-vtex-credential: abc", "x-vtex-credential: ***" },
    { "password", "PASSWORD=hunter2", "PASSWORD=***" },
    { "a secret", "client_secret=abc", "client_secret=***" },
    { "a secret in camel case", "clientSecret: abc", "clientSecret: ***" },
    { "an access token", "access_token=abc", "access_token=***" },
    { "a refresh token", "\"acct_refresh_token\":\"abc\"", "\"acct_refresh_token\":\"***\"" },
    { "an environment variable", "JANUS_APPTOKEN=abc", "JANUS_APPTOKEN=***" },
    { "an escaped sign", "authToken%3Dabc", "authToken%3D***" },
    { "an option with its value behind", "node x.js --apptoken abc -v",
      "node x.js --apptoken *** -v" },
    { "an option with a sign", "--token=abc", "--token=***" },
    { "Authorization with two words", "Authorization: Basic dTpw\nHost: a",
      "Authorization: ***\nHost: a" },
    { "authorization in JSON", "\"authorization\": \"Basic dTpw\", \"b\": 1",
      "\"authorization\": \"***\", \"b\": 1" },
    { "Proxy-Authorization", "proxy-authorization: abc def", "proxy-authorization: ***" },
    { "Cookie to the end of its line", "Cookie: a=b; c=d\r\nX: y", "Cookie: ***\r\nX: y" },
    { "Set-Cookie", "set-cookie: a=b; Path=/", "set-cookie: ***" },
    { "VtexIdclientAutCookie", "VtexIdclientAutCookie=abc; b=c", "VtexIdclientAutCookie=***; b=c" },
    { "VtexIdclientAutCookie in another case", "vtexidclientautcookie: abc",
      "vtexidclientautcookie: ***" },
    { "VtexIdclientAutCookie_account", "VtexIdclientAutCookie_storeacct=abc",
      "VtexIdclientAutCookie_storeacct=***" },
    { "two of them", "appkey=a apptoken=b", "appkey=* apptoken=*" },
    { "a scheme in a named value", "token: Bearer abc def", "token: *** def" },
    { "a value with a sign", "token=ab=cd==", "token=***" },
    { "a value with a slash", "secret=wJal/K7MD", "secret=***" },
    /* credentials */
    { "Bearer", "sent Bearer abc.def to", "sent Bearer *** to" },
    { "bearer", "bearer abc", "bearer ***" },
    { "user and password in a URL", "http://me:pw@host/x", "http://***@host/x" },
    { "a JWT for a user, and a password", "http://" JWT ":pw@host/x", "http://***@host/x" },
    { "a password with an @", "http://me:p@w@host/x", "http://***@host/x" },
    { "a user alone", "https://me@host", "https://**@host" },
    /* long runs */
    { "32 letters and digits", RUN32, "***" },
    { "a hash", "at d41d8cd98f00b204e9800998ecf8427e.", "at ***" },
    { "32 capitals", "key " CAPS, "key ***" },
    { "a UUID", "123e4567-e89b-12d3-a456-426614174000", "***" },
    { "a run in a query", "https://a.example/x?k=" RUN32, "https://a.example/x?***" },
    { "a run in a URL's path", "https://a.example/" RUN32 "/x", "https://a.example/***/x" },
    { "a label too long for a host", RUN32 ".com", "***" },
    { "a run between slashes that is no path", "ab/" RUN32 "/cd", "ab/***/cd" },
    { "a file's name without a folder", "node_modules_package_1.2.3_abcdefghijkl", "***" },
};

static struct masked readable[] = {
    { "nothing", "", NULL },
    { "a sentence", "it is not known who you are; run vtex login", NULL },
    { "a word that begins like a JWT", "eyJob failed", NULL },
    { "a word with eyJ inside", "a keyJobScheduler died", NULL },
    { "eyJ and too little", "eyJ1234567", NULL },
    { "token without a value", "the token has expired", NULL },
    { "a token of nothing", "token=", NULL },
    { "token at the end of a line", "token:\nnext", NULL },
    { "an empty string", "\"token\":\"\"", NULL },
    { "null", "{\"token\":null}", NULL },
    { "undefined", "token: undefined", NULL },
    { "tokens, many", "tokens: 3", NULL },
    { "a tokenizer", "tokenizer: abc", NULL },
    { "an option that is no secret", "--token-file /run/token", NULL },
    { "a cookie that is spoken of", "the cookie is missing", NULL },
    { "authorization that is spoken of", "authorization failed", NULL },
    { "Bearer at the end", "expected Bearer", NULL },
    { "a path",
      "/usr/lib/node_modules/vtex/node_modules/@oclif/command/lib/command-1.8.16.js:44:25", NULL },
    { "a long name in a path", "(/home/me/some-very-long-package-name-1.2.3-with-more/x.js:1:2)",
      NULL },
    { "a relative path", "./build/abcdefghijklmnopqrstuvwxyz012345.o", NULL },
    { "a path at home", "~/.npm/_logs/2026-01-01T00_00_00_000Z-debug-0-abcdef.log", NULL },
    { "a file URL", "file:///usr/lib/abcdefghijklmnopqrstuvwxyz012345.js", NULL },
    { "a host", "getaddrinfo ENOTFOUND storeacct1.vtexcommercestable.com.br", NULL },
    { "a host in a URL", "https://storeacct1.vtexcommercestable.com.br/api/x", NULL },
    { "a workspace's host", "https://feature-1--storeacct2.myvtex.com:443/", NULL },
    { "an error code", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", NULL },
    { "an error code with capitals", "code: 'ERR_SSL_TLSV1_ALERT_DECRYPT'", NULL },
    { "a long word of letters", "abcdefghijklmnopqrstuvwxyzabcdefghijkl", NULL },
    { "a line of signs", "----------------------------------------", NULL },
    { "31 letters and digits", "abcdefghijklmnopqrstuvwxyz01234", NULL },
    { "31 capitals", "QWERTYUIOPASDFGHJKLZXCVBNMQWERT", NULL },
    { "many digits", "1234567890123456789012345678901234567890", NULL },
    { "a time", "2026-01-01T00:00:00.000Z [error]", NULL },
    { "a mail address", "me@partner.example is not a member", NULL },
    { "an @ in a URL's path", "https://registry.npmjs.org/@vtex/api", NULL },
    { "status and key", "status=403 account=storeacct", NULL },
};

/* A copy of its own size, so that a byte beyond it is noticed. */
static void check(const char *text, const char *want)
{
    size_t len = strlen(text);
    char *bytes = malloc(len ? len : 1);

    assert_non_null(bytes);
    memcpy(bytes, text, len);
    size_t n = mask_secrets(bytes, len);
    assert_true(n <= len);
    if (n != strlen(want) || memcmp(bytes, want, n) != 0)
        fail_msg("%.*s, not %s", (int)n, bytes, want);
    assert_int_equal(mask_secrets(bytes, n), n); /* masked again it is the same */
    assert_memory_equal(bytes, want, n);
    free(bytes);
}

static void test_masked(void **state)
{
    const struct masked *row = *state;

    check(row->text, row->want);
}

static void test_readable(void **state)
{
    const struct masked *row = *state;

    check(row->text, row->text);
}

/* Whatever stands around it, the JWT's parts do not get through. */
static void test_around(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[sizeof(JWT) + 2], behind = (char)(255 - c);
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
            continue; /* then it is a run, and no JWT */
        text[0] = (char)c;
        memcpy(text + 1, JWT, sizeof(JWT) - 1);
        text[sizeof(JWT)] = behind;
        size_t n = mask_secrets(text, sizeof(JWT) + 1);
        assert_null(memmem(text, n, "eyJ", 3));
        assert_null(memmem(text, n, "c2ln", 4));
    }
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, masked, test_masked);
    STORIES_ADD(&stories, readable, test_readable);
    stories_add(&stories, "a JWT with any byte before and behind it", test_around, NULL);
    return stories_run("mask", &stories);
}

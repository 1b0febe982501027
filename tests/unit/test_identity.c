/* Whose credentials a request leaves with: the contract's section 5 as a table. A row is the
 * request's header lines and those that leave, as forward_request() writes them. */
#include "tests/unit/stories.h"

#include <stdio.h>

#include "proxy/forward.h"

/* What stands in the rows:  PH the placeholder, TOKEN the app token, acme our account. */
#define PH    "janus-placeholder"
#define TOKEN "APP.TOKEN.JWT"
#define AUTH  "Authorization: "
#define ID    "VtexIdclientAutCookie: "
#define PAIR  "VtexIdclientAutCookie="
#define STORE "VtexIdclientAutCookie_acme="

struct leaves {
    const char *name;
    enum realm realm;
    enum inject inject;
    const char *lines; /* in; each ends in CRLF */
    const char *want;  /* out, behind Host */
};

struct sent {
    struct buffer out;
    enum outcome outcome;
    struct identity identity;
    struct token_places places;
    const char *why;
};

static void send_lines(enum realm realm, enum inject inject, unsigned minor, const char *lines,
                       struct sent *sent)
{
    static const char *const hosts[] = { "api.example.com", "acme.vtexcommercestable.com.br",
                                         "app.io.vtex.com" };
    struct identity_rules rules = { TEXT(PH), TEXT("VtexIdclientAutCookie_acme"), inject };
    struct destination destination = { .scheme = SCHEME_HTTPS, .port = 443, .path = TEXT("/x") };
    struct framing framing;
    static char bytes[32768];
    struct head head;
    const char *why = "";
    sent->places.n = 0;
    int n = snprintf(bytes, sizeof(bytes), "POST /x HTTP/1.%u\r\nHost: h\r\n%s\r\n", minor, lines);

    assert_int_equal(head_parse_request((struct text){ bytes, (size_t)n }, &head, &why), HEAD_OK);
    assert_int_equal(framing_of_request(&head, &framing, &why), FRAMING_OK);
    destination.host_len =
        (uint16_t)snprintf(destination.host, sizeof(destination.host), "%s", hosts[realm]);
    buffer_init(&sent->out, LIMIT_HEAD_BYTES);
    sent->outcome = identity_choose(&rules, &head, realm, &sent->identity, &sent->why);
    if (sent->outcome == OUTCOME_RELAYED)
        forward_request(&sent->out, &head, &destination, &sent->identity,
                        sent->identity.needs_app_token ? TEXT(TOKEN) : TEXT_NONE, framing,
                        (struct forward_extras){ 0 }, &sent->places);
}

static void assert_left(struct sent *sent, enum realm realm, const char *want)
{
    static const char *const starts[] = {
        "POST /x HTTP/1.1\r\nHost: api.example.com\r\n",
        "POST /x HTTP/1.1\r\nHost: acme.vtexcommercestable.com.br\r\n",
        "POST /x HTTP/1.1\r\nHost: app.io.vtex.com\r\n",
    };
    static char whole[4096], got[4096];
    struct text waiting = buffer_waiting(&sent->out);

    snprintf(whole, sizeof(whole), "%s%s\r\n", starts[realm], want);
    snprintf(got, sizeof(got), TEXT_FMT, TEXT_ARG(waiting));
    buffer_fini(&sent->out);
    assert_string_equal(got, whole);
}

/* Each token in `text` becomes another, longer or shorter. */
static void replace_all(char *text, size_t size, const char *from, const char *to)
{
    char copy[4096];
    size_t n = 0;

    for (const char *at = text; *at;) {
        bool here = strncmp(at, from, strlen(from)) == 0;
        n += (size_t)snprintf(copy + n, sizeof(copy) - n, "%.*s", here ? (int)strlen(to) : 1,
                              here ? to : at);
        at += here ? strlen(from) : 1;
    }
    snprintf(text, size, "%s", copy);
}

/* A request that goes once more, with another token: nothing but the token differs, whatever stands
 * behind the head, and the way back leads to the same bytes. */
static void test_token_replaced(void **state)
{
    static const char *const others[] = { "A", "ANOTHER.AND.A.LONGER.TOKEN", "BPP.TOKEN.JWT" };
    const struct leaves *row = *state;
    char want[4096], got[4096], first[4096];
    struct text token = TEXT(TOKEN);
    struct sent sent;

    send_lines(row->realm, row->inject, 1, row->lines, &sent);
    assert_int_equal(sent.outcome, OUTCOME_RELAYED);
    sent.out.keeps = true;
    buffer_add(&sent.out, TEXT("the body\0 behind it"));
    snprintf(first, sizeof(first), TEXT_FMT, TEXT_ARG(buffer_waiting(&sent.out)));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct text other = text_of(others[i]);
        assert_true(forward_replace_token(&sent.out, &sent.places, token.len, other));
        snprintf(want, sizeof(want), "%s", first);
        replace_all(want, sizeof(want), TOKEN, others[i]);
        snprintf(got, sizeof(got), TEXT_FMT, TEXT_ARG(buffer_waiting(&sent.out)));
        assert_string_equal(got, want);
        token = other;
    }
    buffer_fini(&sent.out);
}

static void test_leaves(void **state)
{
    const struct leaves *row = *state;
    bool has_token = strstr(row->want, TOKEN) != NULL;
    struct sent sent;

    send_lines(row->realm, row->inject, 1, row->lines, &sent);
    assert_int_equal(sent.outcome, OUTCOME_RELAYED);
    assert_int_equal(sent.identity.needs_app_token, has_token);
    assert_true(row->realm != REALM_FOREIGN || !has_token);
    assert_left(&sent, row->realm, row->want);
}

/* ---- nothing carried ---- */

static struct leaves bare[] = {
    { "absent: a bare request to Janus", REALM_JANUS, INJECT_ABSENT, "", ID TOKEN "\r\n" },
    { "absent: a bare request to IO", REALM_IO, INJECT_ABSENT, "", AUTH "Bearer " TOKEN "\r\n" },
    { "absent: a bare request elsewhere", REALM_FOREIGN, INJECT_ABSENT, "", "" },
    { "placeholder: a bare request to Janus", REALM_JANUS, INJECT_PLACEHOLDER, "", "" },
    { "placeholder: a bare request to IO", REALM_IO, INJECT_PLACEHOLDER, "", "" },
    { "placeholder: a bare request elsewhere", REALM_FOREIGN, INJECT_PLACEHOLDER, "", "" },
    { "always: a bare request to Janus", REALM_JANUS, INJECT_ALWAYS, "", ID TOKEN "\r\n" },
    { "always: a bare request to IO", REALM_IO, INJECT_ALWAYS, "", AUTH "Bearer " TOKEN "\r\n" },
    { "always: a bare request elsewhere", REALM_FOREIGN, INJECT_ALWAYS, "", "" },
    { "off: a bare request to Janus", REALM_JANUS, INJECT_OFF, "", "" },
    { "off: a bare request to IO", REALM_IO, INJECT_OFF, "", "" },
    { "off: a bare request elsewhere", REALM_FOREIGN, INJECT_OFF, "", "" },
    { "other cookies are no credential", REALM_JANUS, INJECT_ABSENT, "Cookie: a=1; b=2\r\n",
      "Cookie: a=1; b=2\r\n" ID TOKEN "\r\n" },
    { "a cookie of another account is no credential", REALM_JANUS, INJECT_ABSENT,
      "Cookie: VtexIdclientAutCookie_other=u\r\n",
      "Cookie: VtexIdclientAutCookie_other=u\r\n" ID TOKEN "\r\n" },
    { "cookie names are case-sensitive", REALM_JANUS, INJECT_ABSENT,
      "Cookie: vtexidclientautcookie=u\r\n",
      "Cookie: vtexidclientautcookie=u\r\n" ID TOKEN "\r\n" },
    { "a name in a cookie's value is no credential", REALM_JANUS, INJECT_ABSENT,
      "Cookie: a=VtexIdclientAutCookie=u\r\n",
      "Cookie: a=VtexIdclientAutCookie=u\r\n" ID TOKEN "\r\n" },
    { "an AppToken alone is no credential", REALM_JANUS, INJECT_ABSENT,
      "X-VTEX-API-AppToken: t\r\n", "X-VTEX-API-AppToken: t\r\n" ID TOKEN "\r\n" },
    { "a proxy password is no credential", REALM_JANUS, INJECT_ABSENT,
      "Proxy-Authorization: Basic dTpw\r\n", ID TOKEN "\r\n" },
    { "empty credentials to Janus", REALM_JANUS, INJECT_ABSENT,
      AUTH "\r\n" ID "\r\nCookie: " PAIR "\r\nX-VTEX-API-AppKey:\r\n",
      AUTH "\r\nCookie: " PAIR "\r\nX-VTEX-API-AppKey: \r\n" ID TOKEN "\r\n" },
    { "empty credentials to IO", REALM_IO, INJECT_ABSENT, AUTH "\r\n" ID "\r\n",
      ID "\r\n" AUTH "Bearer " TOKEN "\r\n" },
    { "an empty store cookie", REALM_JANUS, INJECT_ABSENT, "Cookie: " STORE "\r\n",
      "Cookie: " STORE "\r\n" ID TOKEN "\r\n" },
};

/* ---- the placeholder, wherever it stands ---- */

static struct leaves placeholders[] = {
    { "in the Janus header", REALM_JANUS, INJECT_ABSENT, ID PH "\r\n", ID TOKEN "\r\n" },
    { "in the Janus header, as the clients spell it", REALM_JANUS, INJECT_ABSENT,
      "vtexidclientautcookie: " PH "\r\n", "vtexidclientautcookie: " TOKEN "\r\n" },
    { "in the Janus header, mode placeholder", REALM_JANUS, INJECT_PLACEHOLDER, ID PH "\r\n",
      ID TOKEN "\r\n" },
    { "in the Janus header, mode off", REALM_JANUS, INJECT_OFF, ID PH "\r\n", "" },
    { "in the Janus header, elsewhere", REALM_FOREIGN, INJECT_ABSENT, ID PH "\r\n", "" },
    { "in the Janus header, elsewhere, always", REALM_FOREIGN, INJECT_ALWAYS, ID PH "\r\n", "" },
    { "in the Janus header, mode always", REALM_JANUS, INJECT_ALWAYS, ID PH "\r\n",
      ID TOKEN "\r\n" },
    { "Bearer, on IO", REALM_IO, INJECT_ABSENT, AUTH "Bearer " PH "\r\n",
      AUTH "Bearer " TOKEN "\r\n" },
    { "bearer, on IO", REALM_IO, INJECT_ABSENT, AUTH "bearer " PH "\r\n",
      AUTH "bearer " TOKEN "\r\n" },
    { "BEARER and two blanks, on IO", REALM_IO, INJECT_PLACEHOLDER, AUTH "BEARER  " PH "\r\n",
      AUTH "BEARER  " TOKEN "\r\n" },
    { "raw, on IO", REALM_IO, INJECT_ABSENT, "authorization: " PH "\r\n",
      "authorization: " TOKEN "\r\n" },
    { "Bearer, on IO, mode off", REALM_IO, INJECT_OFF, AUTH "Bearer " PH "\r\n", "" },
    { "Bearer, elsewhere", REALM_FOREIGN, INJECT_ABSENT, AUTH "Bearer " PH "\r\n", "" },
    { "raw, elsewhere", REALM_FOREIGN, INJECT_PLACEHOLDER, AUTH PH "\r\n", "" },
    { "@auth: raw on Janus gets the Janus header too", REALM_JANUS, INJECT_ABSENT, AUTH PH "\r\n",
      AUTH TOKEN "\r\n" ID TOKEN "\r\n" },
    { "Bearer on Janus gets the Janus header too", REALM_JANUS, INJECT_ABSENT,
      AUTH "Bearer " PH "\r\n", AUTH "Bearer " TOKEN "\r\n" ID TOKEN "\r\n" },
    { "in the shopper's cookie: taken off, and not counted", REALM_JANUS, INJECT_ABSENT,
      "Cookie: a=1; " STORE PH "; b=2\r\n", "Cookie: a=1; b=2\r\n" ID TOKEN "\r\n" },
    { "in the shopper's cookie, elsewhere", REALM_FOREIGN, INJECT_ABSENT,
      "Cookie: " STORE PH "\r\n", "" },
    { "mode placeholder only replaces", REALM_JANUS, INJECT_PLACEHOLDER, AUTH "Bearer " PH "\r\n",
      AUTH "Bearer " TOKEN "\r\n" },
    { "what Connection names is not carried: header", REALM_JANUS, INJECT_ABSENT,
      "Connection: authorization\r\n" AUTH PH "\r\n", ID TOKEN "\r\n" },
    { "what Connection names is not carried: cookie", REALM_IO, INJECT_ABSENT,
      "Connection: cookie\r\nCookie: " PAIR PH "\r\n", AUTH "Bearer " TOKEN "\r\n" },
    { "@auth: a user's header is not joined by ours", REALM_JANUS, INJECT_ABSENT,
      AUTH PH "\r\n" ID "user\r\n", AUTH TOKEN "\r\n" ID "user\r\n" },
    { "@auth: a user's cookie is not joined by ours", REALM_JANUS, INJECT_ABSENT,
      AUTH PH "\r\nCookie: " PAIR "user\r\n", AUTH TOKEN "\r\nCookie: " PAIR "user\r\n" },
    { "@auth: a shopper's cookie is not joined by ours", REALM_JANUS, INJECT_ABSENT,
      AUTH PH "\r\nCookie: " STORE "user\r\n", AUTH TOKEN "\r\nCookie: " STORE "user\r\n" },
    { "@auth: the Janus header is there once", REALM_JANUS, INJECT_ABSENT,
      AUTH PH "\r\n" ID PH "\r\n", AUTH TOKEN "\r\n" ID TOKEN "\r\n" },
    { "@auth: an empty Janus header is replaced", REALM_JANUS, INJECT_ABSENT,
      ID "\r\n" AUTH PH "\r\n", AUTH TOKEN "\r\n" ID TOKEN "\r\n" },
    { "the Janus header on IO stays the identity", REALM_IO, INJECT_ABSENT, ID PH "\r\n",
      ID TOKEN "\r\n" },
    { "both, on IO", REALM_IO, INJECT_ABSENT, AUTH PH "\r\n" ID PH "\r\n",
      AUTH TOKEN "\r\n" ID TOKEN "\r\n" },
    { "both, elsewhere", REALM_FOREIGN, INJECT_ABSENT, AUTH PH "\r\n" ID PH "\r\n", "" },
    { "a user's Authorization beside it", REALM_IO, INJECT_ABSENT,
      AUTH "Bearer user\r\n" ID PH "\r\n", AUTH "Bearer user\r\n" ID TOKEN "\r\n" },
    { "a third party's Authorization beside it, elsewhere", REALM_FOREIGN, INJECT_ABSENT,
      AUTH "Basic dTpw\r\n" ID PH "\r\n", AUTH "Basic dTpw\r\n" },
    { "in the cookie", REALM_JANUS, INJECT_ABSENT, "Cookie: " PAIR PH "\r\n",
      "Cookie: " PAIR TOKEN "\r\n" },
    { "in the cookie, mode placeholder, on IO", REALM_IO, INJECT_PLACEHOLDER,
      "cookie: " PAIR PH "\r\n", "cookie: " PAIR TOKEN "\r\n" },
    { "in the cookie among others", REALM_JANUS, INJECT_ABSENT,
      "Cookie: a=1; " PAIR PH "; b=\"2, 3\"\r\n", "Cookie: a=1; " PAIR TOKEN "; b=\"2, 3\"\r\n" },
    { "in the last cookie", REALM_JANUS, INJECT_ABSENT, "Cookie: a=1; " PAIR PH "\r\n",
      "Cookie: a=1; " PAIR TOKEN "\r\n" },
    { "in the first cookie, no blank behind", REALM_JANUS, INJECT_ABSENT,
      "Cookie: " PAIR PH ";a=1\r\n", "Cookie: " PAIR TOKEN "; a=1\r\n" },
    { "in the cookie, elsewhere", REALM_FOREIGN, INJECT_ABSENT, "Cookie: " PAIR PH "\r\n", "" },
    { "in the cookie among others, elsewhere", REALM_FOREIGN, INJECT_ABSENT,
      "Cookie: a=1; " PAIR PH "; b=2=3\r\n", "Cookie: a=1; b=2=3\r\n" },
    { "in the first cookie, elsewhere", REALM_FOREIGN, INJECT_ABSENT,
      "Cookie: " PAIR PH "; b=2\r\n", "Cookie: b=2\r\n" },
    { "in the last cookie, elsewhere", REALM_FOREIGN, INJECT_ABSENT, "Cookie: b=2; " PAIR PH "\r\n",
      "Cookie: b=2\r\n" },
    { "in the cookie twice, elsewhere", REALM_FOREIGN, INJECT_ABSENT,
      "Cookie: " PAIR PH "; " PAIR PH "; b\r\n", "Cookie: b\r\n" },
    { "in the second Cookie header, elsewhere", REALM_FOREIGN, INJECT_ABSENT,
      "Cookie: a=1\r\nCookie: " PAIR PH "\r\n", "Cookie: a=1\r\n" },
    { "behind another value of that cookie, elsewhere", REALM_FOREIGN, INJECT_ABSENT,
      "Cookie: " PAIR "user; " PAIR PH "\r\n", "Cookie: " PAIR "user\r\n" },
    { "behind another value of that cookie, in its own header, elsewhere", REALM_FOREIGN,
      INJECT_ABSENT, "Cookie: " PAIR "user\r\nCookie: " PAIR PH "\r\n",
      "Cookie: " PAIR "user\r\n" },
    { "behind an empty one of that cookie, elsewhere", REALM_FOREIGN, INJECT_ABSENT,
      "Cookie: " PAIR "; " PAIR PH "\r\n", "Cookie: " PAIR "\r\n" },
    { "behind another value of that cookie, on Janus", REALM_JANUS, INJECT_ABSENT,
      "Cookie: " PAIR "user; " PAIR PH "\r\n", "Cookie: " PAIR "user; " PAIR TOKEN "\r\n" },
    { "in the cookie, mode off", REALM_JANUS, INJECT_OFF, "Cookie: a=1; " PAIR PH "\r\n",
      "Cookie: a=1\r\n" },
    { "in the cookie and the header", REALM_JANUS, INJECT_ABSENT,
      "Cookie: " PAIR PH "\r\n" ID PH "\r\n", "Cookie: " PAIR TOKEN "\r\n" ID TOKEN "\r\n" },
    { "a part of it is no placeholder", REALM_IO, INJECT_ABSENT, AUTH "Bearer " PH "x\r\n",
      AUTH "Bearer " PH "x\r\n" },
    { "another case is no placeholder", REALM_JANUS, INJECT_ABSENT, ID "JANUS-placeholder\r\n",
      ID "JANUS-placeholder\r\n" },
    { "another scheme is no placeholder", REALM_IO, INJECT_ABSENT, AUTH "Basic " PH "\r\n",
      AUTH "Basic " PH "\r\n" },
    { "Bearer without blank is no placeholder", REALM_IO, INJECT_ABSENT, AUTH "Bearer" PH "\r\n",
      AUTH "Bearer" PH "\r\n" },
    { "in another header it is nobody's business", REALM_JANUS, INJECT_PLACEHOLDER,
      "X-A: " PH "\r\n", "X-A: " PH "\r\n" },
    { "in another cookie it is nobody's business", REALM_FOREIGN, INJECT_ABSENT,
      "Cookie: a=" PH "\r\n", "Cookie: a=" PH "\r\n" },
};

/* ---- a user's own credentials ---- */

static struct leaves own[] = {
    { "the header, to Janus", REALM_JANUS, INJECT_ABSENT, ID "user\r\n", ID "user\r\n" },
    { "the header, to IO", REALM_IO, INJECT_ABSENT, ID "user\r\n", ID "user\r\n" },
    { "the header, elsewhere", REALM_FOREIGN, INJECT_ABSENT, ID "user\r\n", ID "user\r\n" },
    { "the cookie", REALM_JANUS, INJECT_ABSENT, "Cookie: " PAIR "user\r\n",
      "Cookie: " PAIR "user\r\n" },
    { "the store's cookie", REALM_JANUS, INJECT_ABSENT, "Cookie: a=1;" STORE "user\r\n",
      "Cookie: a=1;" STORE "user\r\n" },
    { "the store's cookie in a second header", REALM_JANUS, INJECT_ABSENT,
      "Cookie: a=1\r\nCookie: " STORE "user\r\n", "Cookie: a=1\r\nCookie: " STORE "user\r\n" },
    { "Authorization to Janus", REALM_JANUS, INJECT_ABSENT, AUTH "Bearer user\r\n",
      AUTH "Bearer user\r\n" },
    { "Authorization to IO", REALM_IO, INJECT_ABSENT, AUTH "Bearer user\r\n",
      AUTH "Bearer user\r\n" },
    { "Authorization elsewhere", REALM_FOREIGN, INJECT_ABSENT, AUTH "Bearer user\r\n",
      AUTH "Bearer user\r\n" },
    { "Authorization elsewhere, always", REALM_FOREIGN, INJECT_ALWAYS, AUTH "Basic dTpw\r\n",
      AUTH "Basic dTpw\r\n" },
    { "an AppKey", REALM_JANUS, INJECT_ABSENT, "X-VTEX-API-AppKey: k\r\nX-VTEX-API-AppToken: t\r\n",
      "X-VTEX-API-AppKey: k\r\nX-VTEX-API-AppToken: t\r\n" },
    { "an AppKey, mode placeholder", REALM_JANUS, INJECT_PLACEHOLDER, "x-vtex-api-appkey: k\r\n",
      "x-vtex-api-appkey: k\r\n" },
    { "mode off", REALM_JANUS, INJECT_OFF, AUTH "a\r\n" ID "b\r\nCookie: " PAIR "c\r\n",
      AUTH "a\r\n" ID "b\r\nCookie: " PAIR "c\r\n" },
    { "always puts ours in the place of the header", REALM_JANUS, INJECT_ALWAYS, ID "user\r\n",
      ID TOKEN "\r\n" },
    { "always leaves the Authorization on Janus", REALM_JANUS, INJECT_ALWAYS,
      AUTH "Bearer user\r\n", AUTH "Bearer user\r\n" ID TOKEN "\r\n" },
    { "always leaves the cookie", REALM_JANUS, INJECT_ALWAYS, "Cookie: " PAIR "user\r\n",
      "Cookie: " PAIR "user\r\n" ID TOKEN "\r\n" },
    { "always on IO takes Authorization, not the identity", REALM_IO, INJECT_ALWAYS,
      AUTH "Bearer user\r\n" ID "user\r\n", ID "user\r\n" AUTH "Bearer " TOKEN "\r\n" },
    { "both on IO are never merged", REALM_IO, INJECT_ABSENT, AUTH "Bearer a\r\n" ID "b\r\n",
      AUTH "Bearer a\r\n" ID "b\r\n" },
};

/* ---- X-Janus-Auth ---- */

#define CHOOSE "X-Janus-Auth: "
#define USERS  "Cookie: " PAIR "adm; " STORE "sto\r\n"

static struct leaves chosen[] = {
    { "app, on Janus", REALM_JANUS, INJECT_ABSENT, CHOOSE "app\r\n", ID TOKEN "\r\n" },
    { "APP", REALM_JANUS, INJECT_ABSENT, CHOOSE "APP\r\n", ID TOKEN "\r\n" },
    { "AUTH_TOKEN", REALM_JANUS, INJECT_ABSENT, CHOOSE "AUTH_TOKEN\r\n", ID TOKEN "\r\n" },
    { "app, on IO", REALM_IO, INJECT_PLACEHOLDER, CHOOSE "app\r\n", AUTH "Bearer " TOKEN "\r\n" },
    { "app beats a user's header", REALM_JANUS, INJECT_ABSENT, CHOOSE "app\r\n" ID "user\r\n",
      ID TOKEN "\r\n" },
    { "app with a user's cookies", REALM_JANUS, INJECT_ABSENT, CHOOSE "app\r\n" USERS,
      USERS ID TOKEN "\r\n" },
    { "app beats a user's Authorization on IO", REALM_IO, INJECT_ABSENT,
      CHOOSE "app\r\n" AUTH "Bearer user\r\n" ID "user\r\n",
      ID "user\r\n" AUTH "Bearer " TOKEN "\r\n" },
    { "app with a placeholder is there once", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "app\r\n" ID PH "\r\n", ID TOKEN "\r\n" },
    { "app, elsewhere", REALM_FOREIGN, INJECT_ABSENT, CHOOSE "app\r\n", "" },
    { "app, elsewhere, always", REALM_FOREIGN, INJECT_ALWAYS, CHOOSE "app\r\n" ID PH "\r\n", "" },
    { "none, on Janus", REALM_JANUS, INJECT_ABSENT, CHOOSE "none\r\n", "" },
    { "none, on IO, always", REALM_IO, INJECT_ALWAYS, CHOOSE "None\r\n", "" },
    { "none takes placeholders away", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "none\r\n" AUTH "Bearer " PH "\r\n" ID PH "\r\nCookie: " PAIR PH "; a=1\r\n",
      "Cookie: a=1\r\n" },
    { "none leaves the user's", REALM_JANUS, INJECT_ABSENT, CHOOSE "none\r\n" ID "user\r\n" USERS,
      ID "user\r\n" USERS },
    { "none, elsewhere", REALM_FOREIGN, INJECT_ABSENT, CHOOSE "none\r\n" AUTH "Basic dTpw\r\n",
      AUTH "Basic dTpw\r\n" },
    { "admin, on Janus", REALM_JANUS, INJECT_ABSENT, CHOOSE "admin\r\n" USERS, USERS ID "adm\r\n" },
    { "ADMIN_TOKEN", REALM_JANUS, INJECT_ABSENT, CHOOSE "ADMIN_TOKEN\r\n" USERS,
      USERS ID "adm\r\n" },
    { "admin_token", REALM_JANUS, INJECT_ABSENT, CHOOSE "admin_token\r\n" USERS,
      USERS ID "adm\r\n" },
    { "store, on Janus", REALM_JANUS, INJECT_ABSENT, CHOOSE "store\r\n" USERS, USERS ID "sto\r\n" },
    { "STORE_TOKEN", REALM_JANUS, INJECT_ALWAYS, CHOOSE "STORE_TOKEN\r\n" USERS,
      USERS ID "sto\r\n" },
    { "admin, mode off", REALM_JANUS, INJECT_OFF, CHOOSE "admin\r\n" USERS, USERS ID "adm\r\n" },
    { "admin from the second Cookie header", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "admin\r\nCookie: a=1\r\n" USERS, "Cookie: a=1\r\n" USERS ID "adm\r\n" },
    { "admin takes the place of the header", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "admin\r\n" ID "other\r\n" USERS, USERS ID "adm\r\n" },
    { "admin takes the place of the placeholder", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "admin\r\n" ID PH "\r\n" AUTH PH "\r\n" USERS, USERS ID "adm\r\n" },
    { "store, with the placeholder in the admin's cookie", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "store\r\nCookie: " PAIR PH "; " STORE "sto\r\n",
      "Cookie: " STORE "sto\r\n" ID "sto\r\n" },
    { "admin leaves a third Authorization on Janus", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "admin\r\n" AUTH "Basic dTpw\r\n" USERS, AUTH "Basic dTpw\r\n" USERS ID "adm\r\n" },
    { "admin on IO: the app still authorises the hop", REALM_IO, INJECT_ABSENT,
      CHOOSE "admin\r\n" USERS, USERS AUTH "Bearer " TOKEN "\r\n" ID "adm\r\n" },
    { "store on IO: the placeholder authorises the hop", REALM_IO, INJECT_PLACEHOLDER,
      CHOOSE "store\r\n" AUTH "Bearer " PH "\r\n" USERS,
      AUTH "Bearer " TOKEN "\r\n" USERS ID "sto\r\n" },
    { "admin on IO: the user's Authorization stays", REALM_IO, INJECT_ABSENT,
      CHOOSE "admin\r\n" AUTH "Bearer user\r\n" USERS, AUTH "Bearer user\r\n" USERS ID "adm\r\n" },
    { "admin on IO: an empty Authorization counts as absent", REALM_IO, INJECT_ABSENT,
      CHOOSE "admin\r\n" AUTH "\r\n" USERS, USERS AUTH "Bearer " TOKEN "\r\n" ID "adm\r\n" },
    { "admin on IO, mode placeholder: nothing is added", REALM_IO, INJECT_PLACEHOLDER,
      CHOOSE "admin\r\n" USERS, USERS ID "adm\r\n" },
    { "admin on IO, mode off", REALM_IO, INJECT_OFF, CHOOSE "admin\r\n" AUTH PH "\r\n" USERS,
      USERS ID "adm\r\n" },
    { "admin elsewhere adds nothing", REALM_FOREIGN, INJECT_ABSENT, CHOOSE "admin\r\n" USERS,
      USERS },
};

/* ---- refused ---- */

static struct refused {
    const char *name;
    enum realm realm;
    enum inject inject;
    const char *lines;
    enum outcome want;
} refused[] = {
    { "admin without a cookie", REALM_JANUS, INJECT_ABSENT, CHOOSE "admin\r\n",
      OUTCOME_USER_TOKEN_MISSING },
    { "store without a cookie", REALM_JANUS, INJECT_ABSENT, CHOOSE "store\r\n",
      OUTCOME_USER_TOKEN_MISSING },
    { "admin with the shopper's cookie", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "admin\r\nCookie: " STORE "sto\r\n", OUTCOME_USER_TOKEN_MISSING },
    { "store with the admin's cookie", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "store\r\nCookie: " PAIR "adm\r\n", OUTCOME_USER_TOKEN_MISSING },
    { "store with another account's cookie", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "store\r\nCookie: VtexIdclientAutCookie_other=u\r\n", OUTCOME_USER_TOKEN_MISSING },
    { "store with the account in another case", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "store\r\nCookie: VtexIdclientAutCookie_ACME=u\r\n", OUTCOME_USER_TOKEN_MISSING },
    { "admin with an empty cookie", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "admin\r\nCookie: " PAIR "; a=1\r\n", OUTCOME_USER_TOKEN_MISSING },
    { "admin with the placeholder as cookie", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "admin\r\nCookie: " PAIR PH "\r\n", OUTCOME_USER_TOKEN_MISSING },
    { "store with the placeholder as cookie", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "store\r\nCookie: " STORE PH "\r\n", OUTCOME_USER_TOKEN_MISSING },
    { "admin with a header but no cookie", REALM_JANUS, INJECT_ABSENT,
      CHOOSE "admin\r\n" ID "adm\r\n", OUTCOME_USER_TOKEN_MISSING },
    { "admin without a cookie, elsewhere", REALM_FOREIGN, INJECT_ABSENT, CHOOSE "admin\r\n",
      OUTCOME_USER_TOKEN_MISSING },
    { "admin without a cookie, on IO", REALM_IO, INJECT_ALWAYS, CHOOSE "admin\r\n",
      OUTCOME_USER_TOKEN_MISSING },
    { "admin without a cookie, mode off", REALM_JANUS, INJECT_OFF, CHOOSE "ADMIN_TOKEN\r\n",
      OUTCOME_USER_TOKEN_MISSING },
    { "an unknown choice", REALM_JANUS, INJECT_ABSENT, CHOOSE "root\r\n", OUTCOME_BAD_REQUEST },
    { "an empty choice", REALM_JANUS, INJECT_ABSENT, CHOOSE "\r\n", OUTCOME_BAD_REQUEST },
    { "two choices in one", REALM_JANUS, INJECT_ABSENT, CHOOSE "app, none\r\n",
      OUTCOME_BAD_REQUEST },
    { "two choices", REALM_JANUS, INJECT_ABSENT, CHOOSE "app\r\n" CHOOSE "app\r\n",
      OUTCOME_BAD_REQUEST },
    { "an unknown choice elsewhere", REALM_FOREIGN, INJECT_ABSENT, CHOOSE "apps\r\n",
      OUTCOME_BAD_REQUEST },
    { "two Authorizations", REALM_JANUS, INJECT_ABSENT, AUTH "a\r\n" AUTH "b\r\n",
      OUTCOME_BAD_REQUEST },
    { "two Authorizations, one the placeholder", REALM_IO, INJECT_ABSENT,
      AUTH "a\r\n" AUTH PH "\r\n", OUTCOME_BAD_REQUEST },
    { "two Authorizations elsewhere", REALM_FOREIGN, INJECT_ABSENT, AUTH "a\r\n" AUTH "\r\n",
      OUTCOME_BAD_REQUEST },
    { "two Janus headers", REALM_JANUS, INJECT_ABSENT, ID "a\r\nvtexidclientautcookie: a\r\n",
      OUTCOME_BAD_REQUEST },
    { "two Janus headers, one empty", REALM_JANUS, INJECT_ALWAYS, ID "\r\n" ID "a\r\n",
      OUTCOME_BAD_REQUEST },
    { "app, mode off", REALM_JANUS, INJECT_OFF, CHOOSE "app\r\n", OUTCOME_TOKEN_UNAVAILABLE },
};

static void test_refused(void **state)
{
    const struct refused *row = *state;
    struct sent sent;

    send_lines(row->realm, row->inject, 1, row->lines, &sent);
    assert_int_equal(sent.outcome, row->want);
    assert_int_equal(sent.out.end, 0);
    assert_true(row->want != OUTCOME_BAD_REQUEST || sent.why != NULL);
}

/* ---- what never leaves, and what is written anew; mode off, so that no credential is added ----
 */

static struct plain {
    const char *name;
    unsigned minor;
    const char *lines;
    const char *want;
} plain[] = {
    { "order and spelling are kept", 1, "x-B: 1\r\nX-a:2\r\nX-B:  3 \r\nAccept: */*\r\n",
      "x-B: 1\r\nX-a: 2\r\nX-B: 3\r\nAccept: */*\r\n" },
    { "empty values are kept", 1, "X-A:\r\n", "X-A: \r\n" },
    { "bytes of 0x80 and more are kept", 1, "X-A: caf\xc3\xa9\r\n", "X-A: caf\xc3\xa9\r\n" },
    { "nothing names us", 1, "User-Agent: u\r\n", "User-Agent: u\r\n" },
    { "a Via of the client is its own", 1, "Via: 1.1 a\r\nX-Forwarded-For: 1.2.3.4\r\n",
      "Via: 1.1 a\r\nX-Forwarded-For: 1.2.3.4\r\n" },
    { "control headers", 1,
      "X-Vtex-Use-Https: true\r\nx-vtex-proxy-to: https://a\r\nX-Vtex-Remote-Port: 443\r\n", "" },
    { "other platform headers stay", 1, "x-vtex-segment: s\r\nX-Vtex-Proxy-Too: a\r\n",
      "x-vtex-segment: s\r\nX-Vtex-Proxy-Too: a\r\n" },
    { "X-Janus-Auth", 1, "X-Janus-Auth: none\r\n", "" },
    { "Proxy-Authorization", 1, "proxy-authorization: APP\r\nProxy-Authorization: b\r\n", "" },
    { "hop by hop", 1,
      "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X\r\n"
      "Upgrade: h2c\r\nConnection: upgrade\r\n",
      "" },
    { "what Connection names", 1, "Connection: close, X-A, x-c\r\nX-a: 1\r\nX-B: 2\r\nX-C: 3\r\n",
      "X-B: 2\r\n" },
    { "Connection may name a credential", 1, "Connection: authorization\r\nAuthorization: a\r\n",
      "" },
    { "Connection may name the cookies", 1, "Connection: cookie\r\nCookie: a=1\r\nCookie: b=2\r\n",
      "" },
    { "Connection cannot name Host away", 1, "Connection: host, X-A\r\nX-A: b\r\n", "" },
    { "a length is written anew", 1, "content-length: 0007\r\nX-A: b\r\n",
      "X-A: b\r\nContent-Length: 7\r\n" },
    { "length 0 stays said", 1, "Content-Length: 0\r\n", "Content-Length: 0\r\n" },
    { "Connection cannot name the length away", 1,
      "Connection: content-length\r\nContent-Length: 7\r\n", "Content-Length: 7\r\n" },
    { "chunks", 1, "transfer-encoding:CHUNKED\r\nX-A: b\r\n",
      "X-A: b\r\nTransfer-Encoding: chunked\r\n" },
    { "Connection cannot name the chunks away", 1,
      "Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\n" },
    { "Expect", 1, "Expect: 100-continue\r\nContent-Length: 3\r\n",
      "Expect: 100-continue\r\nContent-Length: 3\r\n" },
    { "Expect of HTTP/1.0 is not meant", 0, "Expect: 100-continue\r\nContent-Length: 3\r\n",
      "Content-Length: 3\r\n" },
    { "HTTP/1.0 leaves as 1.1", 0, "Connection: keep-alive\r\nX-A: b\r\n", "X-A: b\r\n" },
    { "cookies are kept byte for byte", 1, "Cookie: a=1;b = 2 ;;  c; =d;\r\n",
      "Cookie: a=1;b = 2 ;;  c; =d;\r\n" },
    { "an empty Cookie header", 1, "Cookie:\r\n", "Cookie: \r\n" },
};

static void test_plain(void **state)
{
    const struct plain *row = *state;
    struct sent sent;

    send_lines(REALM_JANUS, INJECT_OFF, row->minor, row->lines, &sent);
    assert_int_equal(sent.outcome, OUTCOME_RELAYED);
    assert_left(&sent, REALM_JANUS, row->want);
}

/* ---- the name of it, for the log ---- */

static struct named {
    const char *name;
    enum realm realm;
    enum inject inject;
    const char *lines;
    const char *want;
} named[] = {
    { "a bare request to Janus is the app's", REALM_JANUS, INJECT_ABSENT, "", "app" },
    { "a bare request elsewhere is nobody's", REALM_FOREIGN, INJECT_ABSENT, "", "none" },
    { "a placeholder is the app's", REALM_IO, INJECT_PLACEHOLDER, AUTH PH "\r\n", "app" },
    { "a placeholder elsewhere is nobody's", REALM_FOREIGN, INJECT_ABSENT, AUTH PH "\r\n", "none" },
    { "a user's header is its own", REALM_JANUS, INJECT_ABSENT, ID "u\r\n", "own" },
    { "a user's Authorization elsewhere", REALM_FOREIGN, INJECT_ABSENT, AUTH "u\r\n", "own" },
    { "an AppKey", REALM_JANUS, INJECT_ABSENT, "X-VTEX-API-AppKey: k\r\n", "own" },
    { "a shopper's cookie", REALM_JANUS, INJECT_ABSENT, "Cookie: " STORE "s\r\n", "own" },
    { "admin", REALM_JANUS, INJECT_ABSENT, CHOOSE "admin\r\n" USERS, "admin" },
    { "store, though the app authorises the hop", REALM_IO, INJECT_ABSENT, CHOOSE "store\r\n" USERS,
      "store" },
    { "empty credentials are the app's", REALM_JANUS, INJECT_ABSENT, AUTH "\r\n", "app" },
    { "mode off is nobody's", REALM_JANUS, INJECT_OFF, "", "none" },
};

static void test_named(void **state)
{
    const struct named *row = *state;
    struct sent sent;

    send_lines(row->realm, row->inject, 1, row->lines, &sent);
    assert_string_equal(identity_name(sent.identity.kind), row->want);
    buffer_fini(&sent.out);
}

/* ---- cookie pairs ---- */

static struct cookies {
    const char *name;
    const char *value;
    const char *want; /* name=value, joined by '|' */
} cookies[] = {
    { "nothing", "", "" },
    { "one", "a=1", "a=1" },
    { "two", "a=1; b=2", "a=1|b=2" },
    { "without blank", "a=1;b=2", "a=1|b=2" },
    { "blanks are trimmed", " a = 1 ;\tb=2 ", "a=1|b=2" },
    { "an equals sign in the value", "a=b=c", "a=b=c" },
    { "no equals sign", "a", "a=" },
    { "no name", "=1", "=1" },
    { "empty pairs", ";;a=1;", "=|=|a=1" },
    { "a comma is no separator", "a=1, b=2", "a=1, b=2" },
    { "quotes are part of the value", "a=\"1;2\"", "a=\"1|2\"=" },
};

static void test_cookies(void **state)
{
    const struct cookies *row = *state;
    struct text rest = text_of(row->value), whole, name, value;
    char got[128] = "";
    size_t n = 0, covered = 0;

    while (cookie_next(&rest, &whole, &name, &value)) {
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s" TEXT_FMT "=" TEXT_FMT, n ? "|" : "",
                              TEXT_ARG(name), TEXT_ARG(value));
        covered += whole.len;
    }
    assert_string_equal(got, row->want);
    assert_int_equal(covered, strlen(row->value)); /* no byte is lost between the pairs */
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, bare, test_leaves);
    STORIES_ADD(&stories, bare, test_token_replaced);
    STORIES_ADD(&stories, placeholders, test_leaves);
    STORIES_ADD(&stories, placeholders, test_token_replaced);
    STORIES_ADD(&stories, own, test_leaves);
    STORIES_ADD(&stories, own, test_token_replaced);
    STORIES_ADD(&stories, chosen, test_leaves);
    STORIES_ADD(&stories, chosen, test_token_replaced);
    STORIES_ADD(&stories, refused, test_refused);
    STORIES_ADD(&stories, plain, test_plain);
    STORIES_ADD(&stories, named, test_named);
    STORIES_ADD(&stories, cookies, test_cookies);
    return stories_run("identity", &stories);
}

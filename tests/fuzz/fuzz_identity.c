/* Whose credentials a request leaves with. First byte of the input: realm and mode. The rest is the
 * request's header lines. What must hold of every head that leaves:
 *
 *   the placeholder stands in no place where a credential is looked for
 *   the app token is there only if it was asked for, and never on a foreign host
 *   none of the headers that are for us, or for one hop, is there
 *   Authorization and VtexIdclientAutCookie are there once at most */
#include <stdlib.h>

#include "proxy/forward.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const struct text placeholder = TEXT_INIT("PH");
/* 40 bytes that no input will hold by chance; one that does is not judged. */
static const struct text token = TEXT_INIT("4d8a3f6c-THE-APP-TOKEN-00000000-b7e19c52");

static bool holds(struct text where, struct text what)
{
    return memmem(where.at, where.len, what.at, what.len) != NULL;
}

static void check_cookies(struct text cookies)
{
    /* A second reader of cookies: between semicolons, around the first equals sign. */
    while (cookies.len > 0) {
        const char *end = memchr(cookies.at, ';', cookies.len);
        struct text pair = text_trim(end ? text_span(cookies.at, end) : cookies);
        const char *equals = memchr(pair.at, '=', pair.len);
        if (equals && text_eq(text_trim(text_span(pair.at, equals)), TEXT("VtexIdclientAutCookie")))
            CHECK(!text_eq(text_trim(text_span(equals + 1, pair.at + pair.len)), placeholder));
        cookies = end ? text_span(end + 1, cookies.at + cookies.len) : TEXT_NONE;
    }
}

static void check_authorization(struct text value)
{
    CHECK(!text_eq(value, placeholder));
    if (value.len > 7 && text_eq_nocase((struct text){ value.at, 7 }, TEXT("bearer ")))
        CHECK(!text_eq(text_trim((struct text){ value.at + 7, value.len - 7 }), placeholder));
}

static void check_head(const struct head *head)
{
    static const enum header_id never[] = {
        HEADER_CONNECTION, HEADER_KEEP_ALIVE,  HEADER_PROXY_CONNECTION, HEADER_PROXY_AUTHORIZATION,
        HEADER_TE,         HEADER_TRAILER,     HEADER_UPGRADE,          HEADER_USE_HTTPS,
        HEADER_PROXY_TO,   HEADER_REMOTE_PORT, HEADER_JANUS_AUTH,
    };

    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        CHECK(head->count[never[i]] == 0);
    CHECK(head->count[HEADER_HOST] == 1);
    CHECK(head->count[HEADER_AUTHORIZATION] <= 1 && head->count[HEADER_VTEX_ID] <= 1);
    CHECK(!text_eq(head_value(head, HEADER_VTEX_ID), placeholder));
    check_authorization(head_value(head, HEADER_AUTHORIZATION));
    for (size_t i = 0; i < head->n_headers; i++) {
        if (head->headers[i].id == HEADER_COOKIE)
            check_cookies(head->headers[i].value);
    }
}

static void check_token(const struct head *head, enum realm realm, enum inject inject,
                        const struct identity *identity, struct text bytes)
{
    bool there = holds(bytes, token);

    CHECK(!there || (identity->needs_app_token && realm != REALM_FOREIGN));
    CHECK(!identity->needs_app_token || (realm != REALM_FOREIGN && inject != INJECT_OFF));
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct header *header = &head->headers[i];
        if (holds(header->value, token))
            CHECK(header->id == HEADER_AUTHORIZATION || header->id == HEADER_VTEX_ID ||
                  header->id == HEADER_COOKIE);
    }
    if (identity->kind == IDENTITY_ADMIN || identity->kind == IDENTITY_STORE)
        CHECK(!holds(head_value(head, HEADER_VTEX_ID), token)); /* never ours instead of theirs */
}

static void send_on(const struct head *head, enum realm realm, enum inject inject,
                    const struct identity *identity, struct framing framing)
{
    struct destination destination = {
        .scheme = SCHEME_HTTPS, .port = 443, .host_len = 6, .host = "a.test", .path = TEXT("/")
    };
    struct token_places places = { .n = 0 };
    struct buffer out;
    struct head again;
    const char *why = NULL;

    buffer_init(&out, (size_t)16 * LIMIT_HEAD_BYTES);
    forward_request(&out, head, &destination, identity,
                    identity->needs_app_token ? token : TEXT_NONE, framing,
                    (struct forward_extras){ 0 }, &places);
    CHECK(!out.overflowed);
    enum head_result result = head_parse_request(buffer_waiting(&out), &again, &why);
    CHECK(result == HEAD_OK || (result == HEAD_TOO_LARGE && head->n_headers + 3 >= LIMIT_HEADERS));
    if (result == HEAD_OK) {
        check_head(&again);
        check_token(&again, realm, inject, identity, buffer_waiting(&out));
    }
    buffer_fini(&out);
}

static void judge(const struct head *head, enum realm realm, enum inject inject)
{
    struct identity_rules rules = { placeholder, TEXT("VtexIdclientAutCookie_a"), inject };
    struct framing framing;
    struct identity identity;
    const char *why = NULL;

    if (framing_of_request(head, &framing, &why) != FRAMING_OK)
        return;
    enum outcome outcome = identity_choose(&rules, head, realm, &identity, &why);
    CHECK(identity_name(identity.kind) != NULL);
    if (outcome == OUTCOME_RELAYED)
        send_on(head, realm, inject, &identity, framing);
    else
        CHECK(outcome == OUTCOME_BAD_REQUEST || outcome == OUTCOME_USER_TOKEN_MISSING ||
              outcome == OUTCOME_TOKEN_UNAVAILABLE);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const char start[] = "GET / HTTP/1.1\r\nHost: a.test\r\n";
    struct head_scan scan = { 0 };
    struct head head;
    const char *why = NULL;
    size_t n = sizeof(start) - 1, end;

    if (size == 0 || size > LIMIT_HEAD_BYTES ||
        holds((struct text){ (const char *)data, size }, (struct text){ token.at, 8 }))
        return 0;
    char *bytes = malloc(n + size - 1 + 4);
    CHECK(bytes != NULL);
    memcpy(bytes, start, n);
    memcpy(bytes + n, data + 1, size - 1);
    n += size - 1;
    memcpy(bytes + n, "\r\n\r\n", 4);
    if (head_end(&scan, (struct text){ bytes, n + 4 }, &end, &why) == HEAD_OK &&
        head_parse_request((struct text){ bytes, end }, &head, &why) == HEAD_OK)
        judge(&head, (enum realm)(data[0] % 3), (enum inject)(data[0] / 3 % 4));
    free(bytes);
    return 0;
}

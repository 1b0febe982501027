#include "tests/unit/stories.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/http/framing.h"
#include "proxy/reply.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

/* A reply as a client reads it: by the same strict parser, and by jansson. */
struct read {
    char *bytes; /* heads point into it */
    struct head head;
    struct text body;
    json_t *json;
};

static struct read read_reply(const struct reply *reply)
{
    struct read read = { .bytes = NULL };
    struct head_scan scan = { 0 };
    struct framing framing;
    struct buffer out;
    const char *why = "";
    size_t end = 0;

    buffer_init(&out, 256 * 1024);
    reply_write(reply, &out);
    assert_false(out.overflowed);
    struct text whole = buffer_waiting(&out);
    read.bytes = malloc(whole.len);
    memcpy(read.bytes, whole.at, whole.len);
    whole.at = read.bytes;
    buffer_fini(&out);
    assert_int_equal(head_end(&scan, whole, &end, &why), HEAD_OK);
    assert_int_equal(head_parse_response((struct text){ whole.at, end }, &read.head, &why),
                     HEAD_OK);
    assert_int_equal(framing_of_response(&read.head, reply->to_head, &framing, &why), FRAMING_OK);
    read.body = text_span(whole.at + end, whole.at + whole.len);
    if (reply->to_head) {
        assert_int_equal(read.body.len, 0);
        assert_true(framing.length > 0); /* what GET would have got */
        return read;
    }
    assert_int_equal(framing.kind, FRAMING_LENGTH);
    assert_int_equal(framing.length, read.body.len);
    read.json = json_loadb(read.body.at, read.body.len, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_object(read.json));
    return read;
}

static void read_fini(struct read *read)
{
    json_decref(read->json);
    free(read->bytes);
}

static const char *string_of(const struct read *read, const char *key)
{
    return json_string_value(json_object_get(read->json, key));
}

static struct text header_of(const struct read *read, const char *name)
{
    struct text found = TEXT_NONE;

    for (size_t i = 0; i < read->head.n_headers; i++) {
        if (!text_eq_nocase(read->head.headers[i].name, text_of(name)))
            continue;
        assert_null(found.at); /* once */
        found = read->head.headers[i].value;
    }
    return found;
}

static void assert_header(const struct read *read, const char *name, const char *want)
{
    struct text value = header_of(read, name);

    if (!want) {
        assert_null(value.at);
        return;
    }
    assert_int_equal(value.len, strlen(want));
    assert_memory_equal(value.at, want, value.len);
}

/* ---- every outcome: contract, section 6 ---- */

static struct outcome_story {
    const char *name; /* in the log too */
    enum outcome outcome;
    unsigned status;
    const char *code, *error, *reason;
    bool retry, help;
} outcomes[] = {
    { "bad_request", OUTCOME_BAD_REQUEST, 400, "BadRequest", "http_request_error", "Bad Request",
      false, false },
    { "user_token_missing", OUTCOME_USER_TOKEN_MISSING, 401, "UserTokenMissing",
      "http_request_denied", "Unauthorized", false, true },
    { "outbound_access_denied", OUTCOME_OUTBOUND_DENIED, 403, "OutboundAccessDenied",
      "http_request_denied", "Forbidden", false, false },
    { "address_denied", OUTCOME_ADDRESS_DENIED, 403, "AddressDenied", "destination_ip_prohibited",
      "Forbidden", false, true },
    { "caller_refused", OUTCOME_CALLER_REFUSED, 403, "CallerRefused", "http_request_denied",
      "Forbidden", false, true },
    { "method_not_allowed", OUTCOME_METHOD_NOT_ALLOWED, 405, "MethodNotAllowed",
      "http_request_error", "Method Not Allowed", false, true },
    { "body_too_large", OUTCOME_BODY_TOO_LARGE, 413, "BodyTooLarge", "http_request_error",
      "Content Too Large", false, false },
    { "target_too_long", OUTCOME_TARGET_TOO_LONG, 414, "TargetTooLong", "http_request_error",
      "URI Too Long", false, false },
    { "head_too_large", OUTCOME_HEAD_TOO_LARGE, 431, "HeadTooLarge", "http_request_error",
      "Request Header Fields Too Large", false, false },
    { "not_implemented", OUTCOME_NOT_IMPLEMENTED, 501, "NotImplemented", "http_request_error",
      "Not Implemented", false, false },
    { "dns_error", OUTCOME_DNS, 502, "OriginUnreachable", "dns_error", "Bad Gateway", false,
      false },
    { "connection_refused", OUTCOME_CONNECT_REFUSED, 502, "OriginUnreachable", "connection_refused",
      "Bad Gateway", false, false },
    { "destination_unavailable", OUTCOME_CONNECT_FAILED, 502, "OriginUnreachable",
      "destination_unavailable", "Bad Gateway", false, false },
    { "dns_timeout", OUTCOME_DNS_TIMEOUT, 504, "ProxyTimeout", "dns_timeout", "Gateway Timeout",
      false, false },
    { "tls_timeout", OUTCOME_TLS_TIMEOUT, 504, "ProxyTimeout", "connection_timeout",
      "Gateway Timeout", false, false },
    { "connection_timeout", OUTCOME_CONNECT_TIMEOUT, 504, "ProxyTimeout", "connection_timeout",
      "Gateway Timeout", false, false },
    { "tls_certificate_error", OUTCOME_CERTIFICATE, 502, "OriginCertificate",
      "tls_certificate_error", "Bad Gateway", false, true },
    { "tls_protocol_error", OUTCOME_TLS, 502, "OriginCertificate", "tls_protocol_error",
      "Bad Gateway", false, false },
    { "http_protocol_error", OUTCOME_ORIGIN_PROTOCOL, 502, "OriginProtocol", "http_protocol_error",
      "Bad Gateway", false, false },
    { "connection_terminated", OUTCOME_ORIGIN_CLOSED, 502, "OriginProtocol",
      "http_response_incomplete", "Bad Gateway", false, false },
    { "token_in_response", OUTCOME_TOKEN_IN_RESPONSE, 502, "OriginProtocol", "http_protocol_error",
      "Bad Gateway", false, true },
    { "http_response_timeout", OUTCOME_RESPONSE_TIMEOUT, 504, "ProxyTimeout",
      "http_response_timeout", "Gateway Timeout", false, false },
    { "token_unavailable", OUTCOME_TOKEN_UNAVAILABLE, 503, "TokenUnavailable",
      "proxy_internal_response", "Service Unavailable", true, true },
    { "overloaded", OUTCOME_OVERLOADED, 503, "Overloaded", "connection_limit_reached",
      "Service Unavailable", true, false },
    { "draining", OUTCOME_DRAINING, 503, "Draining", "proxy_internal_response",
      "Service Unavailable", true, false },
};

static void test_outcome(void **state)
{
    const struct outcome_story *row = *state;
    struct reply reply = { .outcome = row->outcome,
                           .request_id = TEXT("id-1"),
                           .date = TEXT(DATE) };
    struct read read = read_reply(&reply);
    char status[80];

    snprintf(status, sizeof(status), "janus-sidecar; error=%s", row->error);
    assert_string_equal(outcome_row(row->outcome)->name, row->name);
    assert_int_equal(read.head.status, row->status);
    assert_int_equal(read.head.reason.len, strlen(row->reason));
    assert_memory_equal(read.head.reason.at, row->reason, strlen(row->reason));
    assert_header(&read, "Content-Type", "application/json");
    assert_header(&read, "Proxy-Status", status);
    assert_header(&read, "Date", DATE);
    assert_header(&read, "Connection", NULL);
    assert_int_equal(header_of(&read, "Retry-After").at != NULL, row->retry);
    assert_int_equal(header_of(&read, "Allow").at != NULL, row->status == 405);
    assert_string_equal(string_of(&read, "code"), row->code);
    assert_string_equal(string_of(&read, "source"), "janus-sidecar");
    assert_string_equal(string_of(&read, "requestId"), "id-1");
    assert_true(strlen(string_of(&read, "message")) > 10);
    assert_int_equal(string_of(&read, "help") != NULL, row->help);
    assert_int_equal(json_object_size(read.json), row->help ? 5 : 4);
    read_fini(&read);
}

static void test_to_head(void **state)
{
    const struct outcome_story *row = *state;
    struct reply reply = { .outcome = row->outcome,
                           .request_id = TEXT("id-1"),
                           .date = TEXT(DATE) };
    struct read get = read_reply(&reply), head;
    struct text length = header_of(&get, "Content-Length");

    reply.to_head = true;
    head = read_reply(&reply);
    assert_true(text_eq(header_of(&head, "Content-Length"), length));
    assert_int_equal(head.head.n_headers, get.head.n_headers);
    read_fini(&get);
    read_fini(&head);
}

/* ---- texts of any bytes ---- */

static struct hostile {
    const char *name;
    struct text bytes;
    const char *want; /* the JSON string's value; bytes of 0x80 and more come as U+0080... */
} hostile[] = {
    { "plain", TEXT_INIT("a sentence."), "a sentence." },
    { "empty", TEXT_INIT(""), "" },
    { "quotes", TEXT_INIT("a \"b\""), "a \"b\"" },
    { "backslashes", TEXT_INIT("\\u0041\\"), "\\u0041\\" },
    { "an end of the object", TEXT_INIT("\"}\r\n{\""), "\"}\r\n{\"" },
    { "line ends", TEXT_INIT("a\r\nX: y\n"), "a\r\nX: y\n" },
    { "controls", TEXT_INIT("\x01\x1b[31m\x7f\t"), "\x01\x1b[31m\x7f\t" },
    { "UTF-8 comes as its bytes", TEXT_INIT("\xc3\xa9"), "\xc3\x83\xc2\xa9" },
    { "broken UTF-8", TEXT_INIT("\xff\xc3"), "\xc3\xbf\xc3\x83" },
    { "a lone surrogate", TEXT_INIT("\xed\xa0\x80"), "\xc3\xad\xc2\xa0\xc2\x80" },
    { "HTML", TEXT_INIT("<script>"), "<script>" },
};

static void test_hostile(void **state)
{
    const struct hostile *row = *state;
    struct reply reply = { .outcome = OUTCOME_OUTBOUND_DENIED,
                           .message = row->bytes,
                           .help = row->bytes,
                           .request_id = row->bytes,
                           .date = TEXT(DATE) };
    struct read read = read_reply(&reply);

    assert_string_equal(string_of(&read, "message"), row->want);
    assert_string_equal(string_of(&read, "help"), row->want);
    assert_string_equal(string_of(&read, "requestId"), row->want);
    for (size_t i = 0; i < read.body.len; i++) /* and no byte of it can reach a terminal */
        assert_true(read.body.at[i] == '\n' || (read.body.at[i] >= 0x20 && read.body.at[i] < 0x7f));
    read_fini(&read);
}

/* Each byte alone; a NUL is legal JSON but no C string, so it is looked for as it is written. */
static void test_every_byte(void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++) {
        char byte = (char)c;
        struct reply reply = { .outcome = OUTCOME_DNS,
                               .message = { &byte, 1 },
                               .request_id = TEXT("i"),
                               .date = TEXT(DATE) };
        struct read read = read_reply(&reply);
        const unsigned char *got = (const unsigned char *)string_of(&read, "message");
        assert_int_equal(c < 0x80 ? got[0] : (got[0] & 3) << 6 | (got[1] & 0x3f), c);
        read_fini(&read);
    }
}

static void test_nul(void **state)
{
    struct buffer out;
    struct reply reply = {
        .outcome = OUTCOME_DNS, .message = TEXT("a\0b"), .request_id = TEXT("i"), .date = TEXT(DATE)
    };

    (void)state;
    buffer_init(&out, 4096);
    reply_write(&reply, &out);
    struct text whole = buffer_waiting(&out);
    assert_non_null(memmem(whole.at, whole.len, "a\\u0000b", 8));
    assert_null(memchr(whole.at, '\0', whole.len));
    buffer_fini(&out);
}

/* ---- the connection ---- */

static struct connection {
    const char *name;
    bool close, keep_alive_1_0;
    const char *want;
} connections[] = {
    { "stays open, and 1.1 knows it", false, false, NULL },
    { "ends", true, false, "close" },
    { "stays open for 1.0", false, true, "keep-alive" },
    { "ends for 1.0", true, true, "close" },
};

static void test_connection(void **state)
{
    const struct connection *row = *state;
    struct reply reply = { .outcome = OUTCOME_DNS,
                           .close = row->close,
                           .keep_alive_1_0 = row->keep_alive_1_0,
                           .request_id = TEXT("i"),
                           .date = TEXT(DATE) };
    struct read read = read_reply(&reply);

    assert_header(&read, "Connection", row->want);
    read_fini(&read);
}

/* ---- the table itself ---- */

static void test_rows(void **state)
{
    (void)state;
    for (int i = 0; i < N_OUTCOMES; i++) {
        const struct outcome_row *row = outcome_row((enum outcome)i);
        assert_non_null(row->name);
        assert_true(row->status == 0 || (row->code && row->error && row->message));
        assert_int_equal(row->status == 503, row->retry_after_s > 0);
        assert_true(row->status < 500 || row->level == LOG_ERROR || i == OUTCOME_DRAINING ||
                    i == OUTCOME_NOT_IMPLEMENTED);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(outcome_row((enum outcome)j)->name, row->name);
    }
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, outcomes, test_outcome);
    STORIES_ADD(&stories, outcomes, test_to_head);
    STORIES_ADD(&stories, hostile, test_hostile);
    STORIES_ADD(&stories, connections, test_connection);
    stories_add(&stories, "every byte in a message", test_every_byte, NULL);
    stories_add(&stories, "a NUL in a message", test_nul, NULL);
    stories_add(&stories, "every outcome has its row", test_rows, NULL);
    return stories_run("reply", &stories);
}

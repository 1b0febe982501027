#include "tests/unit/stories.h"

#include <stdio.h>

#include "proxy/http/framing.h"

static void parse(const char *bytes, bool response, struct head *head)
{
    struct text whole = text_of(bytes);
    const char *why = "";
    enum head_result result =
        response ? head_parse_response(whole, head, &why) : head_parse_request(whole, head, &why);

    assert_string_equal(why, "");
    assert_int_equal(result, HEAD_OK);
}

/* ---- lines that mean the same in both directions ---- */

static struct lines {
    const char *name;
    const char *lines;
    enum framing_result want;
    enum framing_kind kind; /* of FRAMING_OK */
    uint64_t length;
    const char *why; /* otherwise: a part of the sentence */
} both[] = {
    { "a length", "Content-Length: 5\r\n", FRAMING_OK, FRAMING_LENGTH, 5, NULL },
    { "length 0 is no content", "Content-Length: 0\r\n", FRAMING_OK, FRAMING_NONE, 0, NULL },
    { "zeros before it", "Content-Length: 0005\r\n", FRAMING_OK, FRAMING_LENGTH, 5, NULL },
    { "blanks around it", "Content-Length: \t 5 \r\n", FRAMING_OK, FRAMING_LENGTH, 5, NULL },
    { "18 digits", "Content-Length: 999999999999999999\r\n", FRAMING_OK, FRAMING_LENGTH,
      999999999999999999, NULL },
    { "over 4 GiB", "Content-Length: 4294967301\r\n", FRAMING_OK, FRAMING_LENGTH, 4294967301,
      NULL },
    { "chunked", "Transfer-Encoding: chunked\r\n", FRAMING_OK, FRAMING_CHUNKED, 0, NULL },
    { "Chunked", "Transfer-Encoding: Chunked\r\n", FRAMING_OK, FRAMING_CHUNKED, 0, NULL },
    { "CHUNKED", "TRANSFER-ENCODING: CHUNKED\r\n", FRAMING_OK, FRAMING_CHUNKED, 0, NULL },
    { "chunked among blanks", "Transfer-Encoding: \tchunked \t\r\n", FRAMING_OK, FRAMING_CHUNKED, 0,
      NULL },
    { "another name frames nothing", "Content_Length: 5\r\nContent-Length: 6\r\n", FRAMING_OK,
      FRAMING_LENGTH, 6, NULL },
    { "19 digits", "Content-Length: 1000000000000000000\r\n", FRAMING_BAD, 0, 0, "18 digits" },
    { "19 digits of zero", "Content-Length: 0000000000000000000\r\n", FRAMING_BAD, 0, 0,
      "18 digits" },
    { "2^64 + 3", "Content-Length: 18446744073709551619\r\n", FRAMING_BAD, 0, 0, "18 digits" },
    { "100 digits",
      "Content-Length: 0000000000000000000000000000000000000000000000000000000000000000000000000"
      "000000000000000000000000005\r\n",
      FRAMING_BAD, 0, 0, "18 digits" },
    { "nothing", "Content-Length:\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "plus", "Content-Length: +5\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "minus", "Content-Length: -5\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "hexadecimal", "Content-Length: 0x5\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "a point", "Content-Length: 5.0\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "an exponent", "Content-Length: 5e1\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "underscore", "Content-Length: 1_0\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "a blank inside", "Content-Length: 5 5\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "a list of the same", "Content-Length: 5, 5\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "a list of two", "Content-Length: 5,6\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "a comma behind", "Content-Length: 5,\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "a unit", "Content-Length: 5b\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "quoted", "Content-Length: \"5\"\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "a digit of another script", "Content-Length: \xd9\xa5\r\n", FRAMING_BAD, 0, 0, "decimal" },
    { "twice the same", "Content-Length: 5\r\nContent-Length: 5\r\n", FRAMING_BAD, 0, 0,
      "more than once" },
    { "twice, different", "Content-Length: 5\r\ncontent-length: 6\r\n", FRAMING_BAD, 0, 0,
      "more than once" },
    { "twice, the second empty", "Content-Length: 5\r\nContent-Length:\r\n", FRAMING_BAD, 0, 0,
      "more than once" },
    { "length and chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", FRAMING_BAD, 0,
      0, "contradict" },
    { "chunked and length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", FRAMING_BAD, 0,
      0, "contradict" },
    { "chunked and length 0", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", FRAMING_BAD, 0,
      0, "contradict" },
    { "an empty coding and a length", "Transfer-Encoding:\r\nContent-Length: 5\r\n", FRAMING_BAD, 0,
      0, "contradict" },
    { "an unknown coding and a length", "Transfer-Encoding: x\r\nContent-Length: 5\r\n",
      FRAMING_BAD, 0, 0, "contradict" },
    { "chunked in two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      FRAMING_BAD, 0, 0, "more than once" },
    { "gzip and chunked in two lines", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
      FRAMING_BAD, 0, 0, "more than once" },
    { "chunked and identity in two lines",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", FRAMING_BAD, 0, 0,
      "more than once" },
    { "nothing as coding", "Transfer-Encoding:\r\n", FRAMING_BAD, 0, 0, "one chunked" },
    { "a comma as coding", "Transfer-Encoding: ,\r\n", FRAMING_BAD, 0, 0, "one chunked" },
    { "identity", "Transfer-Encoding: identity\r\n", FRAMING_BAD, 0, 0, "one chunked" },
    { "gzip alone", "Transfer-Encoding: gzip\r\n", FRAMING_BAD, 0, 0, "one chunked" },
    { "chunked twice", "Transfer-Encoding: chunked, chunked\r\n", FRAMING_BAD, 0, 0,
      "one chunked" },
    { "chunked is not last", "Transfer-Encoding: chunked, gzip\r\n", FRAMING_BAD, 0, 0,
      "one chunked" },
    { "chunked in the middle", "Transfer-Encoding: gzip, chunked, identity\r\n", FRAMING_BAD, 0, 0,
      "one chunked" },
    { "chunked three times", "Transfer-Encoding: gzip, chunked, chunked\r\n", FRAMING_BAD, 0, 0,
      "one chunked" },
    { "a comma before chunked", "Transfer-Encoding: , chunked\r\n", FRAMING_BAD, 0, 0,
      "one chunked" },
    { "a comma behind chunked", "Transfer-Encoding: chunked,\r\n", FRAMING_BAD, 0, 0,
      "one chunked" },
    { "a parameter", "Transfer-Encoding: chunked;q=1\r\n", FRAMING_BAD, 0, 0, "one chunked" },
    { "a parameter before chunked", "Transfer-Encoding: gzip;q=1, chunked\r\n", FRAMING_BAD, 0, 0,
      "one chunked" },
    { "quoted chunked", "Transfer-Encoding: \"chunked\"\r\n", FRAMING_BAD, 0, 0, "one chunked" },
    { "xchunked", "Transfer-Encoding: xchunked\r\n", FRAMING_BAD, 0, 0, "one chunked" },
    { "chunkedx", "Transfer-Encoding: chunkedx\r\n", FRAMING_BAD, 0, 0, "one chunked" },
    { "chunke", "Transfer-Encoding: chunke\r\n", FRAMING_BAD, 0, 0, "one chunked" },
    { "a blank inside", "Transfer-Encoding: chun ked\r\n", FRAMING_BAD, 0, 0, "one chunked" },
    { "gzip and then chunked", "Transfer-Encoding: gzip, chunked\r\n", FRAMING_UNKNOWN, 0, 0,
      "not supported" },
    { "identity and then chunked", "Transfer-Encoding: identity, chunked\r\n", FRAMING_UNKNOWN, 0,
      0, "not supported" },
    { "two and then chunked", "Transfer-Encoding: gzip,deflate,Chunked\r\n", FRAMING_UNKNOWN, 0, 0,
      "not supported" },
};

static void check(const struct lines *row, enum framing_result result,
                  const struct framing *framing, const char *why)
{
    assert_int_equal(result, row->want);
    if (result == FRAMING_OK) {
        assert_int_equal(framing->kind, row->kind);
        assert_int_equal(framing->length, row->length);
    } else {
        assert_non_null(strstr(why, row->why));
    }
}

static void test_request(void **state)
{
    const struct lines *row = *state;
    struct framing framing;
    struct head head;
    const char *why = "";
    char bytes[512];

    snprintf(bytes, sizeof(bytes), "POST / HTTP/1.1\r\n%s\r\n", row->lines);
    parse(bytes, false, &head);
    enum framing_result result = framing_of_request(&head, &framing, &why);
    check(row, result, &framing, why);
}

static void test_response(void **state)
{
    const struct lines *row = *state;
    struct framing framing;
    struct head head;
    const char *why = "";
    char bytes[512];

    snprintf(bytes, sizeof(bytes), "HTTP/1.1 200 OK\r\n%s\r\n", row->lines);
    parse(bytes, true, &head);
    enum framing_result result = framing_of_response(&head, false, &framing, &why);
    check(row, result, &framing, why);
}

/* ---- requests alone ---- */

static struct whole {
    const char *name;
    const char *bytes;
    bool to_head;
    enum framing_result want;
    enum framing_kind kind;
    uint64_t length;
} requests[] = {
    { "GET without anything", "GET / HTTP/1.1\r\n\r\n", false, FRAMING_OK, FRAMING_NONE, 0 },
    { "POST without anything", "POST / HTTP/1.1\r\n\r\n", false, FRAMING_OK, FRAMING_NONE, 0 },
    { "GET with a length", "GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", false, FRAMING_OK,
      FRAMING_LENGTH, 3 },
    { "HEAD with a length", "HEAD / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", false, FRAMING_OK,
      FRAMING_LENGTH, 3 },
    { "DELETE with chunks", "DELETE / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", false,
      FRAMING_OK, FRAMING_CHUNKED, 0 },
    { "HTTP/1.0 without anything", "POST / HTTP/1.0\r\n\r\n", false, FRAMING_OK, FRAMING_NONE, 0 },
    { "HTTP/1.0 with a length", "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", false, FRAMING_OK,
      FRAMING_LENGTH, 3 },
    { "HTTP/1.0 with chunks", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", false,
      FRAMING_BAD, 0, 0 },
    { "HTTP/1.0 with gzip and chunks",
      "POST / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", false, FRAMING_BAD, 0, 0 },
    { "Upgrade frames nothing", "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
      false, FRAMING_OK, FRAMING_NONE, 0 },
    { "Connection cannot take the length away",
      "POST / HTTP/1.1\r\nConnection: content-length\r\nContent-Length: 3\r\n\r\n", false,
      FRAMING_OK, FRAMING_LENGTH, 3 },
};

static void test_whole_request(void **state)
{
    const struct whole *row = *state;
    struct framing framing;
    const char *why = NULL;
    struct head head;

    parse(row->bytes, false, &head);
    assert_int_equal(framing_of_request(&head, &framing, &why), row->want);
    if (row->want == FRAMING_OK) {
        assert_int_equal(framing.kind, row->kind);
        assert_int_equal(framing.length, row->length);
    }
}

static struct whole responses[] = {
    { "200 without anything", "HTTP/1.1 200 OK\r\n\r\n", false, FRAMING_OK, FRAMING_UNTIL_CLOSE,
      0 },
    { "HTTP/1.0 200 without anything", "HTTP/1.0 200 OK\r\n\r\n", false, FRAMING_OK,
      FRAMING_UNTIL_CLOSE, 0 },
    { "keep-alive gives no length", "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n", false,
      FRAMING_OK, FRAMING_UNTIL_CLOSE, 0 },
    { "HTTP/1.0 with a length", "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\n", false, FRAMING_OK,
      FRAMING_LENGTH, 4 },
    { "HTTP/1.0 with chunks", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false,
      FRAMING_BAD, 0, 0 },
    { "204", "HTTP/1.1 204 No Content\r\n\r\n", false, FRAMING_OK, FRAMING_NONE, 0 },
    { "204 with a length", "HTTP/1.1 204 x\r\nContent-Length: 4\r\n\r\n", false, FRAMING_OK,
      FRAMING_NONE, 4 },
    { "204 with chunks", "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n", false, FRAMING_OK,
      FRAMING_NONE, 0 },
    { "304", "HTTP/1.1 304 x\r\n\r\n", false, FRAMING_OK, FRAMING_NONE, 0 },
    { "304 says how long it would be", "HTTP/1.1 304 x\r\nContent-Length: 40\r\n\r\n", false,
      FRAMING_OK, FRAMING_NONE, 40 },
    { "304 with chunks", "HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n", false, FRAMING_OK,
      FRAMING_NONE, 0 },
    { "205 has what it says", "HTTP/1.1 205 x\r\nContent-Length: 4\r\n\r\n", false, FRAMING_OK,
      FRAMING_LENGTH, 4 },
    { "500 without anything", "HTTP/1.1 500 x\r\n\r\n", false, FRAMING_OK, FRAMING_UNTIL_CLOSE, 0 },
    { "to HEAD without anything", "HTTP/1.1 200 OK\r\n\r\n", true, FRAMING_OK, FRAMING_NONE, 0 },
    { "to HEAD with a length", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true, FRAMING_OK,
      FRAMING_NONE, 9 },
    { "to HEAD with chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true,
      FRAMING_OK, FRAMING_NONE, 0 },
    { "to HEAD, two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\n",
      true, FRAMING_BAD, 0, 0 },
    { "204, a bad length", "HTTP/1.1 204 x\r\nContent-Length: -1\r\n\r\n", false, FRAMING_BAD, 0,
      0 },
    { "304, both", "HTTP/1.1 304 x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      false, FRAMING_BAD, 0, 0 },
    { "to HEAD, an unknown coding", "HTTP/1.1 200 x\r\nTransfer-Encoding: br, chunked\r\n\r\n",
      true, FRAMING_UNKNOWN, 0, 0 },
};

static void test_whole_response(void **state)
{
    const struct whole *row = *state;
    struct framing framing;
    const char *why = NULL;
    struct head head;

    parse(row->bytes, true, &head);
    assert_int_equal(framing_of_response(&head, row->to_head, &framing, &why), row->want);
    if (row->want == FRAMING_OK) {
        assert_int_equal(framing.kind, row->kind);
        assert_int_equal(framing.length, row->length);
    } else {
        assert_non_null(why);
    }
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, both, test_request);
    STORIES_ADD(&stories, both, test_response);
    STORIES_ADD(&stories, requests, test_whole_request);
    STORIES_ADD(&stories, responses, test_whole_response);
    return stories_run("framing", &stories);
}

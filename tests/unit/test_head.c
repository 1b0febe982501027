#include "tests/unit/stories.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy/http/head.h"
#include "proxy/http/names.h"
#include "proxy/http/syntax.h"

#define OPTIONS_8  "x,x,x,x,x,x,x,x"
#define OPTIONS_32 OPTIONS_8 "," OPTIONS_8 "," OPTIONS_8 "," OPTIONS_8

/* ---- where a head ends ---- */

static struct end {
    const char *name;
    struct text bytes;
    enum head_result want;
    size_t start, end; /* of HEAD_OK */
    const char *why;   /* of HEAD_BAD: a part of the sentence */
} ends[] = {
    { "a request", TEXT_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HEAD_OK, 0, 27, NULL },
    { "no header lines", TEXT_INIT("GET / HTTP/1.0\r\n\r\n"), HEAD_OK, 0, 18, NULL },
    { "what follows is left alone", TEXT_INIT("G / H\r\n\r\nbody\n\nGET"), HEAD_OK, 0, 9, NULL },
    { "one empty line before", TEXT_INIT("\r\nG / H\r\n\r\n"), HEAD_OK, 2, 11, NULL },
    { "four empty lines before", TEXT_INIT("\r\n\r\n\r\n\r\nG\r\n\r\n"), HEAD_OK, 8, 13, NULL },
    { "a CR alone inside a line ends nothing", TEXT_INIT("G\r / H\r\n\r\n"), HEAD_OK, 0, 10, NULL },
    { "CR CR LF is no empty line", TEXT_INIT("G\r\n\r\r\n\r\n"), HEAD_OK, 0, 8, NULL },
    { "a status line", TEXT_INIT("HTTP/1.1 200 OK\r\n\r\n"), HEAD_OK, 0, 19, NULL },
    { "nothing yet", TEXT_INIT(""), HEAD_MORE, 0, 0, NULL },
    { "a CR is not yet anything", TEXT_INIT("\r"), HEAD_MORE, 0, 0, NULL },
    { "an empty line is not yet anything", TEXT_INIT("\r\n"), HEAD_MORE, 0, 0, NULL },
    { "half a request line", TEXT_INIT("GET / HT"), HEAD_MORE, 0, 0, NULL },
    { "the empty line is half there", TEXT_INIT("G / H\r\n\r"), HEAD_MORE, 0, 0, NULL },
    { "a head without its empty line", TEXT_INIT("G / H\r\nA: b\r\n"), HEAD_MORE, 0, 0, NULL },
    { "bare LF behind the request line", TEXT_INIT("G / H\n\r\n"), HEAD_BAD, 0, 0, "bare LF" },
    { "bare LF behind a header", TEXT_INIT("G / H\r\nA: b\n\r\n"), HEAD_BAD, 0, 0, "bare LF" },
    { "bare LF as the empty line", TEXT_INIT("G / H\r\n\n"), HEAD_BAD, 0, 0, "bare LF" },
    { "LF at the very beginning", TEXT_INIT("\nG / H\r\n\r\n"), HEAD_BAD, 0, 0, "bare LF" },
    { "bare LF before the start line", TEXT_INIT("\r\n\nG / H\r\n\r\n"), HEAD_BAD, 0, 0,
      "bare LF" },
    { "five empty lines before", TEXT_INIT("\r\n\r\n\r\n\r\n\r\nG\r\n\r\n"), HEAD_BAD, 0, 0,
      "empty lines" },
    { "empty lines without end", TEXT_INIT("\r\n\r\n\r\n\r\n\r\n"), HEAD_BAD, 0, 0, "empty lines" },
    { "a TLS handshake begins", TEXT_INIT("\x16\x03\x01\x02"), HEAD_BAD, 0, 0, "TLS handshake" },
    { "a TLS handshake with LF inside", TEXT_INIT("\x16\x03\x01\x00\x20\x01\x00\x00\n\x03\x03"),
      HEAD_BAD, 0, 0, "TLS handshake" },
    { "a blank first", TEXT_INIT(" GET /"), HEAD_BAD, 0, 0, "token" },
    { "a tab first", TEXT_INIT("\tGET /"), HEAD_BAD, 0, 0, "token" },
    { "a NUL first", TEXT_INIT("\0GET /"), HEAD_BAD, 0, 0, "token" },
    { "a byte of 0x80 first", TEXT_INIT("\x80"), HEAD_BAD, 0, 0, "token" },
    { "a colon first", TEXT_INIT(": a"), HEAD_BAD, 0, 0, "token" },
    { "a blank behind empty lines", TEXT_INIT("\r\n\r\n GET /"), HEAD_BAD, 0, 0, "token" },
};

static void check_end(const struct end *row, enum head_result result, const struct head_scan *scan,
                      size_t end, const char *why)
{
    assert_int_equal(result, row->want);
    if (result == HEAD_OK) {
        assert_int_equal(scan->start, row->start);
        assert_int_equal(end, row->end);
    }
    if (result == HEAD_BAD)
        assert_non_null(strstr(why, row->why));
}

static void test_end_whole(void **state)
{
    const struct end *row = *state;
    struct head_scan scan = { 0 };
    const char *why = NULL;
    size_t end = 0;
    enum head_result result = head_end(&scan, row->bytes, &end, &why);

    check_end(row, result, &scan, end, why);
}

static void test_end_in_bytes(void **state)
{
    const struct end *row = *state;
    enum head_result result = HEAD_MORE;
    struct head_scan scan = { 0 };
    const char *why = NULL;
    size_t end = 0;

    for (size_t n = 0; n <= row->bytes.len && result == HEAD_MORE; n++) {
        char *exact = malloc(n + 1); /* no byte behind is there to be looked at */
        memcpy(exact, row->bytes.at, n);
        result = head_end(&scan, (struct text){ exact, n }, &end, &why);
        free(exact);
    }
    check_end(row, result, &scan, end, why);
}

/* ---- request heads ---- */

static enum head_result read_head(struct text bytes, bool response, struct head *head,
                                  const char **why)
{
    enum head_result result;
    struct head_scan scan = { 0 };
    size_t end = 0;

    result = head_end(&scan, bytes, &end, why);
    if (result != HEAD_OK)
        return result;
    struct text whole = { bytes.at + scan.start, end - scan.start };
    result =
        response ? head_parse_response(whole, head, why) : head_parse_request(whole, head, why);
    if (result == HEAD_OK)
        assert_int_equal(head->length, whole.len);
    return result;
}

static void assert_text(struct text got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.at, want, got.len);
}

static struct request_line {
    const char *name;
    const char *line;
    const char *method, *target;
    unsigned minor;
} request_lines[] = {
    { "GET", "GET / HTTP/1.1", "GET", "/", 1 },
    { "HEAD", "HEAD /a HTTP/1.1", "HEAD", "/a", 1 },
    { "POST", "POST / HTTP/1.1", "POST", "/", 1 },
    { "PUT", "PUT / HTTP/1.1", "PUT", "/", 1 },
    { "DELETE", "DELETE / HTTP/1.1", "DELETE", "/", 1 },
    { "PATCH", "PATCH / HTTP/1.1", "PATCH", "/", 1 },
    { "OPTIONS *", "OPTIONS * HTTP/1.1", "OPTIONS", "*", 1 },
    { "TRACE", "TRACE / HTTP/1.1", "TRACE", "/", 1 },
    { "CONNECT", "CONNECT a.test:443 HTTP/1.1", "CONNECT", "a.test:443", 1 },
    { "PURGE", "PURGE / HTTP/1.1", "PURGE", "/", 1 },
    { "PROPFIND", "PROPFIND / HTTP/1.1", "PROPFIND", "/", 1 },
    { "MKCALENDAR", "MKCALENDAR / HTTP/1.1", "MKCALENDAR", "/", 1 },
    { "M-SEARCH", "M-SEARCH / HTTP/1.1", "M-SEARCH", "/", 1 },
    { "one letter", "X / HTTP/1.1", "X", "/", 1 },
    { "a method of HTTP/2's preface", "PRI * HTTP/1.1", "PRI", "*", 1 },
    { "a long method", "AVERYLONGMETHODOFCAPITALLETTERS / HTTP/1.1",
      "AVERYLONGMETHODOFCAPITALLETTERS", "/", 1 },
    { "16 letters", "ABCDEFGHIJKLMNOP / HTTP/1.1", "ABCDEFGHIJKLMNOP", "/", 1 },
    { "17 letters", "ABCDEFGHIJKLMNOPQ / HTTP/1.1", "ABCDEFGHIJKLMNOPQ", "/", 1 },
    { "lower case is another method", "get / HTTP/1.1", "get", "/", 1 },
    { "mixed case", "Get / HTTP/1.1", "Get", "/", 1 },
    { "every token byte", "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1", "!#$%&'*+-.^_`|~09azAZ", "/", 1 },
    { "HTTP/1.0", "GET / HTTP/1.0", "GET", "/", 0 },
    { "HTTP/1.2 is read as ours", "GET / HTTP/1.2", "GET", "/", 1 },
    { "HTTP/1.9 is read as ours", "GET / HTTP/1.9", "GET", "/", 1 },
    { "absolute form", "GET http://a.test:80/x?y=1 HTTP/1.1", "GET", "http://a.test:80/x?y=1", 1 },
    { "bytes of 0x80 and more in the target", "GET /caf\xc3\xa9 HTTP/1.1", "GET", "/caf\xc3\xa9",
      1 },
    { "quotes, brackets, backslash in the target", "GET /\"<>[]\\^`{|} HTTP/1.1", "GET",
      "/\"<>[]\\^`{|}", 1 },
};

static void test_request_line(void **state)
{
    const struct request_line *row = *state;
    struct head head;
    const char *why = "";
    char bytes[256];
    int n = snprintf(bytes, sizeof(bytes), "%s\r\nHost: a\r\n\r\n", row->line);

    assert_int_equal(read_head((struct text){ bytes, (size_t)n }, false, &head, &why), HEAD_OK);
    assert_text(head.method, row->method);
    assert_text(head.target, row->target);
    assert_int_equal(head.minor, row->minor);
    assert_int_equal(head.n_headers, 1);
}

static struct refused {
    const char *name;
    struct text bytes;
    const char *why;
} refused_request_lines[] = {
    { "no target", TEXT_INIT("GET HTTP/1.1\r\n\r\n"), "request line" },
    { "the method alone", TEXT_INIT("GET\r\n\r\n"), "request line" },
    { "HTTP/0.9", TEXT_INIT("GET /\r\n\r\n"), "request line" },
    { "HTTP/0.9 by name", TEXT_INIT("GET / HTTP/0.9\r\n\r\n"), "version" },
    { "HTTP/1.10", TEXT_INIT("GET / HTTP/1.10\r\n\r\n"), "version" },
    { "HTTP/2.0", TEXT_INIT("GET / HTTP/2.0\r\n\r\n"), "version" },
    { "HTTP/2", TEXT_INIT("GET / HTTP/2\r\n\r\n"), "version" },
    { "the preface of HTTP/2", TEXT_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "version" },
    { "HTTP/11", TEXT_INIT("GET / HTTP/11\r\n\r\n"), "version" },
    { "HTTP/1.", TEXT_INIT("GET / HTTP/1.\r\n\r\n"), "version" },
    { "HTTP/1.x", TEXT_INIT("GET / HTTP/1.x\r\n\r\n"), "version" },
    { "HTTP/01.1", TEXT_INIT("GET / HTTP/01.1\r\n\r\n"), "version" },
    { "HTTP/1,1", TEXT_INIT("GET / HTTP/1,1\r\n\r\n"), "version" },
    { "http/1.1", TEXT_INIT("GET / http/1.1\r\n\r\n"), "version" },
    { "HTTPS/1.1", TEXT_INIT("GET / HTTPS/1.1\r\n\r\n"), "version" },
    { "a blank behind the version", TEXT_INIT("GET / HTTP/1.1 \r\n\r\n"), "version" },
    { "a tab behind the version", TEXT_INIT("GET / HTTP/1.1\t\r\n\r\n"), "version" },
    { "CR CR LF behind the version", TEXT_INIT("GET / HTTP/1.1\r\r\n\r\n"), "version" },
    { "a NUL behind the version", TEXT_INIT("GET / HTTP/1.1\0\r\n\r\n"), "version" },
    { "two blanks before the target", TEXT_INIT("GET  / HTTP/1.1\r\n\r\n"), "blank" },
    { "two blanks behind the target", TEXT_INIT("GET /  HTTP/1.1\r\n\r\n"), "blank" },
    { "a blank in the target", TEXT_INIT("GET /a b HTTP/1.1\r\n\r\n"), "blank" },
    { "an empty target", TEXT_INIT("GET  HTTP/1.1\r\n\r\n"), "empty" },
    { "tabs instead of blanks", TEXT_INIT("GET\t/\tHTTP/1.1\r\n\r\n"), "request line" },
    { "a tab in the target", TEXT_INIT("GET /a\tb HTTP/1.1\r\n\r\n"), "blank" },
    { "a NUL in the target", TEXT_INIT("GET /a\0b HTTP/1.1\r\n\r\n"), "control" },
    { "a CR in the target", TEXT_INIT("GET /a\rb HTTP/1.1\r\n\r\n"), "control" },
    { "DEL in the target", TEXT_INIT("GET /a\x7f HTTP/1.1\r\n\r\n"), "control" },
    { "ESC in the target", TEXT_INIT("GET /a\x1b[0m HTTP/1.1\r\n\r\n"), "control" },
    { "a fragment", TEXT_INIT("GET /a#b HTTP/1.1\r\n\r\n"), "'#'" },
    { "a colon in the method", TEXT_INIT("GE:T / HTTP/1.1\r\n\r\n"), "method" },
    { "a slash in the method", TEXT_INIT("G/T / HTTP/1.1\r\n\r\n"), "method" },
    { "a NUL in the method", TEXT_INIT("GE\0T / HTTP/1.1\r\n\r\n"), "method" },
    { "0x80 in the method", TEXT_INIT("GE\x80T / HTTP/1.1\r\n\r\n"), "method" },
    { "a tab in the method", TEXT_INIT("GE\tT / HTTP/1.1\r\n\r\n"), "method" },
    { "a CR alone as the request line", TEXT_INIT("G\r\r\n\r\n"), "request line" },
    { "a response", TEXT_INIT("HTTP/1.1 200 OK\r\n\r\n"), "method" },
};

static void test_refused_request(void **state)
{
    const struct refused *row = *state;
    struct head head;
    const char *why = "";

    assert_int_equal(read_head(row->bytes, false, &head, &why), HEAD_BAD);
    assert_non_null(strstr(why, row->why));
}

/* ---- header lines, of requests and responses alike ---- */

static struct field {
    const char *name;
    struct text line;
    const char *field, *value;
} fields[] = {
    { "a field", TEXT_INIT("X-A: b"), "X-A", "b" },
    { "no blank behind the colon", TEXT_INIT("X-A:b"), "X-A", "b" },
    { "blanks around the value", TEXT_INIT("X-A: \t b c \t "), "X-A", "b c" },
    { "an empty value", TEXT_INIT("X-A:"), "X-A", "" },
    { "blanks alone", TEXT_INIT("X-A:  \t"), "X-A", "" },
    { "a tab inside", TEXT_INIT("X-A: b\tc"), "X-A", "b\tc" },
    { "a colon inside", TEXT_INIT("X-A: b:c"), "X-A", "b:c" },
    { "a colon first", TEXT_INIT("X-A::"), "X-A", ":" },
    { "bytes of 0x80 and more in the value", TEXT_INIT("X-A: caf\xc3\xa9\xff"), "X-A",
      "caf\xc3\xa9\xff" },
    { "the spelling is kept", TEXT_INIT("x-FORWARDED-for: b"), "x-FORWARDED-for", "b" },
    { "every token byte in the name", TEXT_INIT("!#$%&'*+-.^_`|~09azAZ: b"),
      "!#$%&'*+-.^_`|~09azAZ", "b" },
    { "quotes and commas are nobody's business", TEXT_INIT("X-A: \"b, c\\"), "X-A", "\"b, c\\" },
};

static enum head_result read_with_line(struct text line, bool response, struct head *head,
                                       const char **why)
{
    static char bytes[1024];
    struct text start = response ? TEXT("HTTP/1.1 200 OK\r\n") : TEXT("GET / HTTP/1.1\r\n");
    struct text parts[] = { start, TEXT("Host: a\r\n"), line, TEXT("\r\nX-Last: z\r\n\r\n") };
    size_t n = 0;

    for (size_t i = 0; i < 4; i++) {
        memcpy(bytes + n, parts[i].at, parts[i].len);
        n += parts[i].len;
    }
    return read_head((struct text){ bytes, n }, response, head, why);
}

static void test_field(void **state)
{
    const struct field *row = *state;
    struct head head;
    const char *why = "";

    for (int response = 0; response < 2; response++) {
        assert_int_equal(read_with_line(row->line, response, &head, &why), HEAD_OK);
        assert_int_equal(head.n_headers, 3);
        assert_text(head.headers[1].name, row->field);
        assert_text(head.headers[1].value, row->value);
        assert_text(head.headers[2].name, "X-Last");
    }
}

static struct refused refused_fields[] = {
    { "a folded line", TEXT_INIT("X-A: b\r\n c"), "folded" },
    { "a folded line with a tab", TEXT_INIT("X-A: b\r\n\tc"), "folded" },
    { "a fold of blanks alone", TEXT_INIT("X-A: b\r\n \r\nX-B: c"), "folded" },
    { "a blank before the name", TEXT_INIT(" X-A: b"), "folded" },
    { "a blank before the colon", TEXT_INIT("X-A : b"), "name" },
    { "a tab before the colon", TEXT_INIT("X-A\t: b"), "name" },
    { "a blank before the colon of Content-Length", TEXT_INIT("Content-Length : 5"), "name" },
    { "a blank in the name", TEXT_INIT("X A: b"), "name" },
    { "no name", TEXT_INIT(": b"), "name" },
    { "no colon", TEXT_INIT("X-A"), "colon" },
    { "a second request line", TEXT_INIT("GET /b HTTP/1.1"), "colon" },
    { "a NUL in the name", TEXT_INIT("X\0A: b"), "name" },
    { "a CR in the name", TEXT_INIT("X\rA: b"), "name" },
    { "0x80 in the name", TEXT_INIT("X\x80: b"), "name" },
    { "a long s in the name", TEXT_INIT("ho\xc5\xbft: b"), "name" },
    { "a quote in the name", TEXT_INIT("\"X\": b"), "name" },
    { "a bracket in the name", TEXT_INIT("X[0]: b"), "name" },
    { "a slash in the name", TEXT_INIT("X/A: b"), "name" },
    { "an equals sign in the name", TEXT_INIT("X=A: b"), "name" },
    { "a NUL in the value", TEXT_INIT("X-A: b\0c"), "value" },
    { "a NUL at the end of the value", TEXT_INIT("X-A: b\0"), "value" },
    { "a CR in the value", TEXT_INIT("X-A: b\rX-B: c"), "value" },
    { "CR CR LF", TEXT_INIT("X-A: b\r"), "value" },
    { "DEL in the value", TEXT_INIT("X-A: b\x7f"), "value" },
    { "BEL in the value", TEXT_INIT("X-A: b\a"), "value" },
    { "a vertical tab before the value", TEXT_INIT("X-A:\vb"), "value" },
    { "ESC in the value", TEXT_INIT("X-A: \x1b[31m"), "value" },
    { "a bare LF in the value", TEXT_INIT("X-A: b\nX-B: c"), "bare LF" },
    { "Connection names no token", TEXT_INIT("Connection: close, a b"), "Connection" },
    { "Connection with a parameter", TEXT_INIT("Connection: close;q=1"), "Connection" },
    { "Connection with a quote", TEXT_INIT("Connection: \"close\""), "Connection" },
    { "Connection with 33 options", TEXT_INIT("Connection: " OPTIONS_32 ",a"), "32 options" },
    { "two Connections with 33 options", TEXT_INIT("Connection: " OPTIONS_32 "\r\nConnection: a"),
      "32 options" },
};

static void test_refused_field(void **state)
{
    const struct refused *row = *state;
    struct head head;
    const char *why = "";

    for (int response = 0; response < 2; response++) {
        assert_int_equal(read_with_line(row->bytes, response, &head, &why), HEAD_BAD);
        assert_non_null(strstr(why, row->why));
    }
}

/* ---- every byte, by the grammar's own words ---- */

static bool is_tchar(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c));
}

static void test_every_byte_of_names(void **state)
{
    struct head head;
    const char *why;

    (void)state;
    for (int c = 0; c < 256; c++) {
        char line[] = { 'X', (char)c, 'Y', ':', 'b' };
        bool splits = c == ':'; /* the name is X then, and the value "Y:b" */
        assert_int_equal(read_with_line((struct text){ line, 5 }, false, &head, &why) == HEAD_OK,
                         splits || is_tchar(c));
    }
}

static void test_every_byte_of_values(void **state)
{
    struct head head;
    const char *why;

    (void)state;
    for (int c = 0; c < 256; c++) {
        char line[] = { 'X', ':', 'a', (char)c, 'b' };
        assert_int_equal(read_with_line((struct text){ line, 5 }, false, &head, &why) == HEAD_OK,
                         c == '\t' || (c >= 0x20 && c != 0x7f));
    }
}

static void test_every_byte_of_targets(void **state)
{
    struct head head;
    const char *why;

    (void)state;
    for (int c = 0; c < 256; c++) {
        char bytes[] = "GET /a?b HTTP/1.1\r\n\r\n";
        bytes[6] = (char)c;
        assert_int_equal(read_head((struct text){ bytes, sizeof(bytes) - 1 }, false, &head, &why) ==
                             HEAD_OK,
                         c > 0x20 && c != 0x7f && c != '#');
    }
}

static void test_every_byte_of_methods(void **state)
{
    struct head head;
    const char *why;

    (void)state;
    for (int c = 0; c < 256; c++) {
        char bytes[] = "GxT / HTTP/1.1\r\n\r\n";
        bytes[1] = (char)c;
        assert_int_equal(read_head((struct text){ bytes, sizeof(bytes) - 1 }, false, &head, &why) ==
                             HEAD_OK,
                         is_tchar(c));
    }
}

/* ---- responses ---- */

static struct status_line {
    const char *name;
    const char *line;
    unsigned status;
    const char *reason;
    unsigned minor;
} status_lines[] = {
    { "200 OK", "HTTP/1.1 200 OK", 200, "OK", 1 },
    { "an empty reason", "HTTP/1.1 200 ", 200, "", 1 },
    { "no reason and no blank", "HTTP/1.1 200", 200, "", 1 },
    { "a reason of blanks", "HTTP/1.1 200   ", 200, "  ", 1 },
    { "a reason with obs-text", "HTTP/1.1 404 N\xc3\xa3o achado", 404, "N\xc3\xa3o achado", 1 },
    { "a reason with a tab and a colon", "HTTP/1.1 500 a:\tb", 500, "a:\tb", 1 },
    { "HTTP/1.0", "HTTP/1.0 301 Moved", 301, "Moved", 0 },
    { "HTTP/1.2 is read as ours", "HTTP/1.2 200 OK", 200, "OK", 1 },
    { "100", "HTTP/1.1 100 Continue", 100, "Continue", 1 },
    { "101", "HTTP/1.1 101 Switching Protocols", 101, "Switching Protocols", 1 },
    { "103", "HTTP/1.1 103 Early Hints", 103, "Early Hints", 1 },
    { "204", "HTTP/1.1 204 No Content", 204, "No Content", 1 },
    { "304", "HTTP/1.1 304 Not Modified", 304, "Not Modified", 1 },
    { "429", "HTTP/1.1 429 Too Many Requests", 429, "Too Many Requests", 1 },
    { "599", "HTTP/1.1 599 x", 599, "x", 1 },
};

static void test_status_line(void **state)
{
    static const char *const rest[] = { "",
                                        "Link: </a>\r\n",
                                        "Connection: close\r\n",
                                        "Connection: keep-alive\r\nContent-Length: 7\r\n",
                                        "Content-Length: 0\r\n",
                                        "Transfer-Encoding: chunked\r\n" };
    const struct status_line *row = *state;
    struct head head;
    const char *why = "";
    char bytes[256];

    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
        int n = snprintf(bytes, sizeof(bytes), "%s\r\n%s\r\n", row->line, rest[i]);
        enum head_result result = read_head((struct text){ bytes, (size_t)n }, true, &head, &why);
        if (result != HEAD_OK)
            print_message("with \"%s\": %s\n", rest[i], why);
        assert_int_equal(result, HEAD_OK);
        assert_int_equal(head.status, row->status);
        assert_text(head.reason, row->reason);
        assert_int_equal(head.minor, row->minor);
    }
}

static struct refused refused_status_lines[] = {
    { "a request", TEXT_INIT("GET / HTTP/1.1\r\n\r\n"), "status line" },
    { "the version alone", TEXT_INIT("HTTP/1.1\r\n\r\n"), "status line" },
    { "no status", TEXT_INIT("HTTP/1.1 \r\n\r\n"), "status line" },
    { "ICY", TEXT_INIT("ICY 200 OK\r\n\r\n"), "status line" },
    { "HTTP/2", TEXT_INIT("HTTP/2 200 OK\r\n\r\n"), "status line" },
    { "HTTP/2.0", TEXT_INIT("HTTP/2.0 200 OK\r\n\r\n"), "status line" },
    { "HTTP/0.9", TEXT_INIT("HTTP/0.9 200 OK\r\n\r\n"), "status line" },
    { "HTTP/1.10", TEXT_INIT("HTTP/1.10 200 OK\r\n\r\n"), "status line" },
    { "lower case", TEXT_INIT("http/1.1 200 OK\r\n\r\n"), "status line" },
    { "a tab behind the version", TEXT_INIT("HTTP/1.1\t200 OK\r\n\r\n"), "status line" },
    { "two digits", TEXT_INIT("HTTP/1.1 20 OK\r\n\r\n"), "100 and 599" },
    { "four digits", TEXT_INIT("HTTP/1.1 2000 OK\r\n\r\n"), "three digits" },
    { "two blanks before the status", TEXT_INIT("HTTP/1.1  200 OK\r\n\r\n"), "100 and 599" },
    { "099", TEXT_INIT("HTTP/1.1 099 OK\r\n\r\n"), "100 and 599" },
    { "000", TEXT_INIT("HTTP/1.1 000 OK\r\n\r\n"), "100 and 599" },
    { "600", TEXT_INIT("HTTP/1.1 600 OK\r\n\r\n"), "100 and 599" },
    { "999", TEXT_INIT("HTTP/1.1 999 OK\r\n\r\n"), "100 and 599" },
    { "+20", TEXT_INIT("HTTP/1.1 +20 OK\r\n\r\n"), "100 and 599" },
    { "hexadecimal", TEXT_INIT("HTTP/1.1 0c8 OK\r\n\r\n"), "100 and 599" },
    { "text behind the status", TEXT_INIT("HTTP/1.1 200OK\r\n\r\n"), "three digits" },
    { "a tab behind the status", TEXT_INIT("HTTP/1.1 200\tOK\r\n\r\n"), "three digits" },
    { "a NUL in the reason", TEXT_INIT("HTTP/1.1 200 O\0K\r\n\r\n"), "reason" },
    { "a CR in the reason", TEXT_INIT("HTTP/1.1 200 OK\rX: y\r\n\r\n"), "reason" },
    { "ESC in the reason", TEXT_INIT("HTTP/1.1 200 \x1b[0m\r\n\r\n"), "reason" },
    { "DEL in the reason", TEXT_INIT("HTTP/1.1 200 \x7f\r\n\r\n"), "reason" },
};

static void test_refused_response(void **state)
{
    const struct refused *row = *state;
    struct head head;
    const char *why = "";

    assert_int_equal(read_head(row->bytes, true, &head, &why), HEAD_BAD);
    assert_non_null(strstr(why, row->why));
}

static void test_every_status(void **state)
{
    char bytes[64];
    struct head head;
    const char *why;

    (void)state;
    for (unsigned status = 0; status < 1000; status++) {
        int n = snprintf(bytes, sizeof(bytes), "HTTP/1.1 %03u x\r\nA: b\r\n\r\n", status);
        enum head_result result = read_head((struct text){ bytes, (size_t)n }, true, &head, &why);
        assert_int_equal(result == HEAD_OK, status >= 100 && status <= 599);
        assert_true(result != HEAD_OK || head.status == status);
    }
}

/* ---- Connection ---- */

static struct connection {
    const char *name;
    unsigned minor;
    struct text lines;
    bool keep_alive;
    const char *nominated; /* names of the headers that are, joined by ',' */
} connections[] = {
    { "1.1 stays open", 1, TEXT_INIT(""), true, "" },
    { "1.0 closes", 0, TEXT_INIT(""), false, "" },
    { "1.1 close", 1, TEXT_INIT("Connection: close\r\n"), false, "" },
    { "1.1 Close", 1, TEXT_INIT("Connection: Close\r\n"), false, "" },
    { "1.1 keep-alive", 1, TEXT_INIT("Connection: keep-alive\r\n"), true, "" },
    { "1.0 keep-alive", 0, TEXT_INIT("Connection: Keep-Alive\r\n"), true, "" },
    { "1.0 close", 0, TEXT_INIT("Connection: close\r\n"), false, "" },
    { "close wins over keep-alive", 1, TEXT_INIT("Connection: keep-alive, close\r\n"), false, "" },
    { "1.0: close wins over keep-alive", 0, TEXT_INIT("connection: close,keep-alive\r\n"), false,
      "" },
    { "close in a second line", 1, TEXT_INIT("Connection: a\r\nConnection: close\r\n"), false, "" },
    { "keep-alive in a second line", 0, TEXT_INIT("Connection: a\r\nConnection: keep-alive\r\n"),
      true, "" },
    { "a name that holds close", 1, TEXT_INIT("Connection: x-close\r\n"), true, "" },
    { "a name that begins with close", 1, TEXT_INIT("Connection: closed\r\n"), true, "" },
    { "an empty list", 1, TEXT_INIT("Connection:\r\n"), true, "" },
    { "commas alone", 0, TEXT_INIT("Connection: , ,\r\n"), false, "" },
    { "Proxy-Connection says nothing", 0, TEXT_INIT("Proxy-Connection: keep-alive\r\n"), false,
      "" },
    { "Keep-Alive says nothing", 0, TEXT_INIT("Keep-Alive: timeout=5\r\n"), false, "" },
    { "one is named", 1, TEXT_INIT("Connection: x-a\r\nX-A: b\r\n"), true, "X-A" },
    { "named before and behind", 1, TEXT_INIT("X-A: b\r\nConnection: X-B, X-A\r\nX-B: c\r\n"), true,
      "X-A,X-B" },
    { "every line of that name", 1, TEXT_INIT("X-A: b\r\nConnection: x-a\r\nx-a: c\r\n"), true,
      "X-A,x-a" },
    { "named by the second Connection", 1,
      TEXT_INIT("Connection: close\r\nConnection: x-a\r\nX-A: b\r\n"), false, "X-A" },
    { "names are whole", 1, TEXT_INIT("Connection: x\r\nX-A: b\r\n"), true, "" },
    { "32 are named, more than once", 1, TEXT_INIT("Connection: " OPTIONS_32 "\r\nX: b\r\n"), true,
      "X" },
    { "empty elements are skipped", 1, TEXT_INIT("Connection: ,, x-a ,\r\nX-A: b\r\n"), true,
      "X-A" },
    { "Connection may name itself", 1, TEXT_INIT("Connection: connection\r\n"), true,
      "Connection" },
};

static void test_connection(void **state)
{
    const struct connection *row = *state;
    char bytes[512], nominated[128] = "";
    struct head head;
    const char *why = "";

    for (int response = 0; response < 2; response++) {
        int n = snprintf(bytes, sizeof(bytes),
                         response ? "HTTP/1.%u 200 OK\r\n%sContent-Length: 1\r\n\r\n"
                                  : "GET / HTTP/1.%u\r\n%s\r\n",
                         row->minor, row->lines.at);
        assert_int_equal(read_head((struct text){ bytes, (size_t)n }, response, &head, &why),
                         HEAD_OK);
        assert_int_equal(head.keep_alive, row->keep_alive);
        nominated[0] = '\0';
        for (size_t i = 0, at = 0; i < head.n_headers; i++) {
            if (head.headers[i].nominated)
                at +=
                    (size_t)snprintf(nominated + at, sizeof(nominated) - at,
                                     at ? "," TEXT_FMT : TEXT_FMT, TEXT_ARG(head.headers[i].name));
        }
        assert_string_equal(nominated, row->nominated);
    }
}

/* ---- known names ---- */

static struct known {
    const char *name;
    struct text text;
    enum header_id id;
} knowns[] = {
    { "te", TEXT_INIT("TE"), HEADER_TE },
    { "host", TEXT_INIT("Host"), HEADER_HOST },
    { "date", TEXT_INIT("Date"), HEADER_DATE },
    { "cookie", TEXT_INIT("COOKIE"), HEADER_COOKIE },
    { "expect", TEXT_INIT("Expect"), HEADER_EXPECT },
    { "origin", TEXT_INIT("Origin"), HEADER_ORIGIN },
    { "upgrade", TEXT_INIT("Upgrade"), HEADER_UPGRADE },
    { "trailer", TEXT_INIT("Trailer"), HEADER_TRAILER },
    { "connection", TEXT_INIT("cOnNeCtIoN"), HEADER_CONNECTION },
    { "keep-alive", TEXT_INIT("Keep-Alive"), HEADER_KEEP_ALIVE },
    { "x-janus-auth", TEXT_INIT("X-Janus-Auth"), HEADER_JANUS_AUTH },
    { "authorization", TEXT_INIT("authorization"), HEADER_AUTHORIZATION },
    { "content-length", TEXT_INIT("Content-Length"), HEADER_CONTENT_LENGTH },
    { "sec-fetch-site", TEXT_INIT("Sec-Fetch-Site"), HEADER_SEC_FETCH_SITE },
    { "x-vtex-proxy-to", TEXT_INIT("X-Vtex-Proxy-To"), HEADER_PROXY_TO },
    { "x-vtex-use-https", TEXT_INIT("x-vtex-use-https"), HEADER_USE_HTTPS },
    { "proxy-connection", TEXT_INIT("Proxy-Connection"), HEADER_PROXY_CONNECTION },
    { "x-vtex-api-appkey", TEXT_INIT("X-VTEX-API-AppKey"), HEADER_APP_KEY },
    { "content-encoding", TEXT_INIT("Content-Encoding"), HEADER_CONTENT_ENCODING },
    { "transfer-encoding", TEXT_INIT("Transfer-Encoding"), HEADER_TRANSFER_ENCODING },
    { "x-vtex-remote-port", TEXT_INIT("X-Vtex-Remote-Port"), HEADER_REMOTE_PORT },
    { "proxy-authorization", TEXT_INIT("Proxy-Authorization"), HEADER_PROXY_AUTHORIZATION },
    { "vtexidclientautcookie", TEXT_INIT("VtexIdclientAutCookie"), HEADER_VTEX_ID },
    { "no name", TEXT_INIT(""), HEADER_OTHER },
    { "one letter", TEXT_INIT("T"), HEADER_OTHER },
    { "underscore is not a dash", TEXT_INIT("Content_Length"), HEADER_OTHER },
    { "one letter less", TEXT_INIT("Content-Lengt"), HEADER_OTHER },
    { "one letter more", TEXT_INIT("Content-Lengths"), HEADER_OTHER },
    { "longest and one more", TEXT_INIT("VtexIdclientAutCookie_"), HEADER_OTHER },
    { "very long", TEXT_INIT("VtexIdclientAutCookie_storeacct_and_more"), HEADER_OTHER },
    { "case folding is for letters only", TEXT_INIT("X\rVtex-Proxy-To"), HEADER_OTHER },
    { "the AppToken is opaque", TEXT_INIT("X-VTEX-API-AppToken"), HEADER_OTHER },
};

static void test_known(void **state)
{
    const struct known *row = *state;

    assert_int_equal(header_id_of(row->text), row->id);
}

/* ---- ceilings ---- */

static enum head_result read_many(unsigned n_headers, struct head *head)
{
    size_t size = 64 + n_headers * (size_t)16, n;
    char *bytes = malloc(size);
    enum head_result result;
    const char *why = "";

    n = (size_t)snprintf(bytes, size, "GET / HTTP/1.1\r\n");
    for (unsigned i = 0; i < n_headers; i++)
        n += (size_t)snprintf(bytes + n, size - n, "X-%u: %u\r\n", i, i);
    n += (size_t)snprintf(bytes + n, size - n, "\r\n");
    result = read_head((struct text){ bytes, n }, false, head, &why);
    free(bytes);
    return result;
}

static void test_many_headers(void **state)
{
    static struct head head;

    (void)state;
    assert_int_equal(read_many(LIMIT_HEADERS, &head), HEAD_OK);
    assert_int_equal(head.n_headers, LIMIT_HEADERS);
    assert_int_equal(read_many(LIMIT_HEADERS + 1, &head), HEAD_TOO_LARGE);
    assert_int_equal(read_many(2000, &head), HEAD_TOO_LARGE);
}

static enum head_result read_long_target(size_t len, struct head *head, const char **why)
{
    struct text start = TEXT("GET "), end = TEXT(" HTTP/1.1\r\n\r\n");
    char *bytes = malloc(start.len + len + end.len);
    enum head_result result;

    memcpy(bytes, start.at, start.len);
    memset(bytes + start.len, '/', len);
    memcpy(bytes + start.len + len, end.at, end.len);
    result = read_head((struct text){ bytes, start.len + len + end.len }, false, head, why);
    free(bytes);
    return result;
}

static void test_long_target(void **state)
{
    const char *why = "";
    struct head head;

    (void)state;
    assert_int_equal(read_long_target(LIMIT_TARGET_BYTES, &head, &why), HEAD_OK);
    assert_int_equal(head.target.len, LIMIT_TARGET_BYTES);
    assert_int_equal(read_long_target(LIMIT_TARGET_BYTES + 1, &head, &why), HEAD_TARGET_TOO_LONG);
    assert_non_null(strstr(why, "16 KiB"));
}

/* A head as large as one may be, and the scan looks at each byte once however it arrives. */
static void test_long_value(void **state)
{
    struct text start = TEXT("GET / HTTP/1.1\r\nX-A: "), end = TEXT("\r\n\r\n");
    static char bytes[LIMIT_HEAD_BYTES];
    struct head_scan scan = { 0 };
    size_t at = 0;
    struct head head;
    const char *why;

    (void)state;
    memset(bytes, 'a', sizeof(bytes));
    memcpy(bytes, start.at, start.len);
    memcpy(bytes + sizeof(bytes) - end.len, end.at, end.len);
    for (size_t n = 1000; n < sizeof(bytes); n += 1000) {
        assert_int_equal(head_end(&scan, (struct text){ bytes, n }, &at, &why), HEAD_MORE);
        assert_int_equal(scan.at, n);
    }
    assert_int_equal(head_end(&scan, (struct text){ bytes, sizeof(bytes) }, &at, &why), HEAD_OK);
    assert_int_equal(at, sizeof(bytes));
    assert_int_equal(head_parse_request((struct text){ bytes, at }, &head, &why), HEAD_OK);
    assert_int_equal(head.headers[0].value.len, sizeof(bytes) - start.len - end.len);
}

/* ---- what the readers of a head ask ---- */

static void test_values(void **state)
{
    struct text bytes = TEXT("GET / HTTP/1.1\r\nCookie: a=1\r\nHost: x\r\nCookie: b=2\r\n"
                             "Expect:\r\nConnection: a, b\r\nConnection: c\r\n\r\n");
    struct head head;
    const char *why;

    (void)state;
    assert_int_equal(read_head(bytes, false, &head, &why), HEAD_OK);
    assert_text(head_value(&head, HEADER_HOST), "x");
    assert_text(head_value(&head, HEADER_COOKIE), "a=1");
    assert_int_equal(head.count[HEADER_COOKIE], 2);
    assert_int_equal(head_value(&head, HEADER_EXPECT).len, 0);
    assert_non_null(head_value(&head, HEADER_EXPECT).at);
    assert_null(head_value(&head, HEADER_ORIGIN).at);
    assert_true(head_has_token(&head, HEADER_CONNECTION, TEXT("B")));
    assert_true(head_has_token(&head, HEADER_CONNECTION, TEXT("c")));
    assert_false(head_has_token(&head, HEADER_CONNECTION, TEXT("x")));
    assert_false(head_has_token(&head, HEADER_TE, TEXT("a")));
}

/* The first header's index is 0, which is also what "never seen" leaves behind. */
static void test_first_header(void **state)
{
    struct head head;
    const char *why;

    (void)state;
    assert_int_equal(read_head(TEXT("GET / HTTP/1.1\r\nTE: a\r\n\r\n"), false, &head, &why),
                     HEAD_OK);
    assert_text(head_value(&head, HEADER_TE), "a");
    assert_null(head_value(&head, HEADER_HOST).at);
    assert_false(head_has_token(&head, HEADER_HOST, TEXT("a")));
}

/* Lengths of every legal kind, so that the two parsers have something to agree on. */
static void test_second_opinion(void **state)
{
    static const char *const lengths[] = { "0",
                                           "1",
                                           "00007",
                                           "4294967295",
                                           "4294967296",
                                           "9223372036854775807",
                                           "999999999999999999",
                                           "+5",
                                           "5, 5",
                                           "0x10",
                                           "" };
    char bytes[256];
    struct head head;
    const char *why = "";

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (int response = 0; response < 2; response++) {
            int n = snprintf(bytes, sizeof(bytes), "%s\r\nContent-Length: %s\r\n\r\n",
                             response ? "HTTP/1.1 200 OK" : "POST / HTTP/1.1", lengths[i]);
            assert_int_equal(read_head((struct text){ bytes, (size_t)n }, response, &head, &why),
                             HEAD_OK);
        }
    }
}

/* Values are looked at in words of eight bytes. */
static void test_every_byte_of_a_value(void **state)
{
    char value[24];

    (void)state;
    memset(value, 'v', sizeof(value));
    for (size_t len = 1; len <= sizeof(value); len++) {
        for (size_t at = 0; at < 256 * len; at++) {
            unsigned char byte = (unsigned char)(at % 256);
            value[at / 256] = (char)byte;
            if (syntax_is_field((struct text){ value, len }) != syntax_is((char)byte, BYTE_FIELD))
                fail_msg("%02x at %zu of %zu", byte, at / 256, len);
            value[at / 256] = 'v';
        }
    }
    assert_true(syntax_is_field(TEXT("")));
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, ends, test_end_whole);
    STORIES_ADD(&stories, ends, test_end_in_bytes);
    STORIES_ADD(&stories, request_lines, test_request_line);
    STORIES_ADD(&stories, refused_request_lines, test_refused_request);
    STORIES_ADD(&stories, fields, test_field);
    STORIES_ADD(&stories, refused_fields, test_refused_field);
    stories_add(&stories, "every byte of a value", test_every_byte_of_a_value, NULL);
    STORIES_ADD(&stories, status_lines, test_status_line);
    STORIES_ADD(&stories, refused_status_lines, test_refused_response);
    STORIES_ADD(&stories, connections, test_connection);
    STORIES_ADD(&stories, knowns, test_known);
    stories_add(&stories, "every byte of a name", test_every_byte_of_names, NULL);
    stories_add(&stories, "every byte of a value", test_every_byte_of_values, NULL);
    stories_add(&stories, "every byte of a target", test_every_byte_of_targets, NULL);
    stories_add(&stories, "every byte of a method", test_every_byte_of_methods, NULL);
    stories_add(&stories, "every status from 000 to 999", test_every_status, NULL);
    stories_add(&stories, "128 header lines and no more", test_many_headers, NULL);
    stories_add(&stories, "a target of 16 KiB and no more", test_long_target, NULL);
    stories_add(&stories, "a head of 64 KiB", test_long_value, NULL);
    stories_add(&stories, "values and list elements by id", test_values, NULL);
    stories_add(&stories, "the first header is not the absent one", test_first_header, NULL);
    stories_add(&stories, "lengths that both parsers read", test_second_opinion, NULL);
    return stories_run("head", &stories);
}

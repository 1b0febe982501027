/* The line that an ended exchange leaves in the log, read back. */
#include "tests/unit/stories.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/access_log.h"
#include "proxy/limits.h"
#include "proxy/log.h"

#define HEAD "time=2026-01-31T12:00:00.000Z level=info event=exchange id=1 client=127.0.0.1:5 "
#define GOOD HEAD "method=GET destination=a.test path=/v1 realm=foreign verdict=allow status=200 "
#define TAIL "outcome=relayed bytes_up=0 retries=0\n"
#define URL  "https://a.test/v1"

#define J_HEAD                                                                                     \
    "{\"time\":\"2026-01-31T12:00:00.000Z\",\"level\":\"info\",\"event\":\"exchange\",\"id\":"     \
    "\"1\","
#define J_GOOD                                                                                     \
    J_HEAD "\"method\":\"GET\",\"destination\":\"a.test\",\"path\":\"/v1\",\"verdict\":\"allow\"," \
           "\"status\":200"
#define J_PATH(path)                                                                               \
    J_HEAD "\"method\":\"GET\",\"destination\":\"a.test\",\"path\":\"" path                        \
           "\",\"verdict\":\"allow\",\"status\":200}\n"

static const char *const names[] = {
    [ACCESS_LINE_EXCHANGE] = "exchange", [ACCESS_LINE_UNJUDGED] = "unjudged",
    [ACCESS_LINE_OTHER] = "other",       [ACCESS_LINE_BROKEN] = "broken",
    [ACCESS_LINE_INCOMPLETE] = "cut",    [ACCESS_LINE_END] = "end",
};

/* What a test reads, from memory: exactly these bytes, so that a byte too many is found. */
struct source {
    char *bytes;
    FILE *file;
    struct access_log *log;
};

static void source_open(struct source *source, struct text bytes)
{
    source->bytes = text_dup(bytes);
    source->file = bytes.len ? fmemopen(source->bytes, bytes.len, "r") : fopen("/dev/null", "r");
    assert_non_null(source->file);
    source->log = access_log_new(source->file);
}

static void source_close(struct source *source)
{
    access_log_free(source->log);
    fclose(source->file);
    free(source->bytes);
}

static void expect_line(struct source *source, enum access_line want, struct access_record *out)
{
    enum access_line got = access_log_next(source->log, out);

    if (got != want)
        fail_msg("line %lu is %s, not %s", out->line, names[got], names[want]);
}

/* ---- one line ---- */

static struct row {
    const char *name;
    struct text bytes;
    enum access_line want;
    const char *url;
} rows[] = {
    { "an allowed one", TEXT_INIT(GOOD TAIL), ACCESS_LINE_EXCHANGE, URL },
    { "without a line end", TEXT_INIT(GOOD "retries=0"), ACCESS_LINE_EXCHANGE, URL },
    { "CRLF", TEXT_INIT(GOOD "retries=0\r\n"), ACCESS_LINE_EXCHANGE, URL },
    { "a blank at the end", TEXT_INIT(GOOD "retries=0 \n"), ACCESS_LINE_EXCHANGE, URL },
    { "keys that are not known yet", TEXT_INIT(GOOD "new=1 newer=\"a b\"\n"), ACCESS_LINE_EXCHANGE,
      URL },
    { "an account in the query",
      TEXT_INIT(HEAD "method=GET destination=api.vtex.com path=/a an=storeacct verdict=allow "
                     "status=200\n"),
      ACCESS_LINE_EXCHANGE, "https://api.vtex.com/a?an=storeacct" },
    { "what is no account's name",
      TEXT_INIT(HEAD "method=GET destination=api.vtex.com path=/a an=? verdict=deny status=403\n"),
      ACCESS_LINE_EXCHANGE, "https://api.vtex.com/a?an=%3F" },
    { "a port",
      TEXT_INIT(HEAD "method=PUT destination=[2001:db8::1]:8443 path=/ verdict=deny "
                     "status=403\n"),
      ACCESS_LINE_EXCHANGE, "https://[2001:db8::1]:8443/" },
    { "a plaintext host",
      TEXT_INIT(HEAD "method=GET scheme=http destination=a.test:8080 path=/ verdict=would-deny "
                     "status=200\n"),
      ACCESS_LINE_EXCHANGE, "http://a.test:8080/" },
    { "another order of keys",
      TEXT_INIT(HEAD "verdict=refuse path=/ destination=a.test method=GET status=400\n"),
      ACCESS_LINE_EXCHANGE, "https://a.test/" },
    { "a quoted path",
      TEXT_INIT(HEAD "method=GET destination=a.test path=\"/a=\\\"\\\\\\xE9\\x2f\" verdict=allow "
                     "status=200\n"),
      ACCESS_LINE_EXCHANGE, "https://a.test/a=\"\\\xe9/" },
    { "a path that looks like a line",
      TEXT_INIT(HEAD "method=GET destination=a.test path=\"/ time=1 level=info event=exchange\" "
                     "verdict=allow status=200\n"),
      ACCESS_LINE_EXCHANGE, "https://a.test/ time=1 level=info event=exchange" },

    /* what collectors put before it */
    { "docker logs -t", TEXT_INIT("2026-01-31T12:00:00.123456789Z " GOOD TAIL),
      ACCESS_LINE_EXCHANGE, URL },
    { "journald", TEXT_INIT("Jan 31 12:00:00 host janus-sidecar[12]: " GOOD TAIL),
      ACCESS_LINE_EXCHANGE, URL },
    { "compose", TEXT_INIT("sidecar-1  | " GOOD TAIL), ACCESS_LINE_EXCHANGE, URL },
    { "the container runtime", TEXT_INIT("2026-01-31T12:00:00.1Z stderr F " GOOD TAIL),
      ACCESS_LINE_EXCHANGE, URL },
    { "a TAB", TEXT_INIT("sidecar\t" GOOD TAIL), ACCESS_LINE_EXCHANGE, URL },
    { "a word that ends like ours", TEXT_INIT("xtime=1 " GOOD TAIL), ACCESS_LINE_EXCHANGE, URL },

    { "a 400 before there was a destination",
      TEXT_INIT(HEAD "status=400 outcome=bad_request retries=0\n"), ACCESS_LINE_UNJUDGED, NULL },
    { "CONNECT", TEXT_INIT(HEAD "method=CONNECT status=405\n"), ACCESS_LINE_UNJUDGED, NULL },

    { "an empty line", TEXT_INIT("\n"), ACCESS_LINE_OTHER, NULL },
    { "ready", TEXT_INIT("ready listen=127.0.0.1:8380 admin=127.0.0.1:8381\n"), ACCESS_LINE_OTHER,
      NULL },
    { "another event",
      TEXT_INIT(
          "time=2026-01-31T12:00:00.000Z level=info event=shadow method=GET destination=a.test "
          "path=/ verdict=allow status=200\n"),
      ACCESS_LINE_OTHER, NULL },
    { "an event that begins like ours", TEXT_INIT("time=1 level=info event=exchanges status=1\n"),
      ACCESS_LINE_OTHER, NULL },
    { "JSON around it", TEXT_INIT("{\"log\":\"" GOOD "\"}\n"), ACCESS_LINE_OTHER, NULL },
    { "another program's logfmt", TEXT_INIT("time=1 level=INFO msg=exchange\n"), ACCESS_LINE_OTHER,
      NULL },
    { "ours within another program's message",
      TEXT_INIT("time=1 level=info msg=\"time=2 level=info event=exchange\"\n"), ACCESS_LINE_OTHER,
      NULL },
    { "another order at the beginning", TEXT_INIT("level=info " GOOD TAIL), ACCESS_LINE_EXCHANGE,
      URL },
    { "no level", TEXT_INIT("time=1 event=exchange method=GET status=200\n"), ACCESS_LINE_OTHER,
      NULL },
    { "NUL bytes", TEXT_INIT("\0\0\0\n"), ACCESS_LINE_OTHER, NULL },

    { "JSON", TEXT_INIT(J_GOOD ",\"outcome\":\"relayed\",\"retries\":0}\n"), ACCESS_LINE_EXCHANGE,
      URL },
    { "JSON without a line end", TEXT_INIT(J_GOOD "}"), ACCESS_LINE_EXCHANGE, URL },
    { "JSON with blanks",
      TEXT_INIT(
          "{ \"time\": \"1\", \"level\": \"info\", \"event\": \"exchange\", \"method\": \"GET\", "
          "\"destination\": \"a.test\", \"path\": \"/v1\", \"verdict\": \"allow\", \"status\": 200 "
          "} \n"),
      ACCESS_LINE_EXCHANGE, URL },
    { "JSON behind what a collector puts", TEXT_INIT("sidecar-1  | " J_GOOD "}\n"),
      ACCESS_LINE_EXCHANGE, URL },
    { "JSON from the container runtime", TEXT_INIT("2026-01-31T12:00:00.1Z stderr F " J_GOOD "}\n"),
      ACCESS_LINE_EXCHANGE, URL },
    { "JSON from syslog", TEXT_INIT("Jan 31 12:00:00 host janus-sidecar[12]: " J_GOOD "}\n"),
      ACCESS_LINE_EXCHANGE, URL },
    { "JSON: escapes", TEXT_INIT(J_PATH("/a\\\"\\\\\\u00e9\\u002F\\/")), ACCESS_LINE_EXCHANGE,
      "https://a.test/a\"\\\xe9//" },
    { "JSON: what jq makes of a byte", TEXT_INIT(J_PATH("/\xc3\xa9\xc2\x80")), ACCESS_LINE_EXCHANGE,
      "https://a.test/\xe9\x80" },
    { "JSON: a path that looks like the end and another field",
      TEXT_INIT(J_PATH("/\\\",\\\"verdict\\\":\\\"deny\\\"}")), ACCESS_LINE_EXCHANGE,
      "https://a.test/\",\"verdict\":\"deny\"}" },
    { "JSON: a 400", TEXT_INIT(J_HEAD "\"status\":400,\"outcome\":\"bad_request\"}\n"),
      ACCESS_LINE_UNJUDGED, NULL },
    { "JSON: another event",
      TEXT_INIT("{\"time\":\"1\",\"level\":\"info\",\"event\":\"token\",\"status\":200}\n"),
      ACCESS_LINE_OTHER, NULL },
    { "JSON of another program", TEXT_INIT("{\"time\":\"1\",\"level\":\"info\",\"msg\":\"x\"}\n"),
      ACCESS_LINE_OTHER, NULL },
    { "JSON in another order", TEXT_INIT("{\"level\":\"info\"," J_GOOD "}\n"), ACCESS_LINE_OTHER,
      NULL },
    { "JSON: cut within a value", TEXT_INIT(J_GOOD ",\"outcome\":\"rel"), ACCESS_LINE_INCOMPLETE,
      NULL },
    { "JSON: cut behind a value", TEXT_INIT(J_GOOD), ACCESS_LINE_INCOMPLETE, NULL },
    { "JSON: cut within a number", TEXT_INIT(J_HEAD "\"status\":20"), ACCESS_LINE_INCOMPLETE,
      NULL },
    { "JSON: no room for the status",
      TEXT_INIT(J_HEAD "\"method\":\"GET\",\"destination\":\"a.test\",\"path\":\"/\"}\n"),
      ACCESS_LINE_INCOMPLETE, NULL },
    { "JSON: the path was cut", TEXT_INIT(J_GOOD ",\"path_cut\":1}\n"), ACCESS_LINE_INCOMPLETE,
      NULL },
    { "JSON: something was masked", TEXT_INIT(J_GOOD ",\"path_masked\":1}\n"),
      ACCESS_LINE_INCOMPLETE, NULL },
    { "JSON: two paths", TEXT_INIT(J_GOOD ",\"path\":\"/v2\"}\n"), ACCESS_LINE_BROKEN, NULL },
    { "JSON: something behind the brace", TEXT_INIT(J_GOOD "}x\n"), ACCESS_LINE_BROKEN, NULL },
    { "JSON: two objects", TEXT_INIT(J_GOOD "}" J_GOOD "}\n"), ACCESS_LINE_BROKEN, NULL },
    { "JSON: an object within", TEXT_INIT(J_GOOD ",\"a\":{}}\n"), ACCESS_LINE_BROKEN, NULL },
    { "JSON: a list within", TEXT_INIT(J_GOOD ",\"a\":[1]}\n"), ACCESS_LINE_BROKEN, NULL },
    { "JSON: a word", TEXT_INIT(J_GOOD ",\"a\":true}\n"), ACCESS_LINE_BROKEN, NULL },
    { "JSON: a comma too many", TEXT_INIT(J_GOOD ",}\n"), ACCESS_LINE_BROKEN, NULL },
    { "JSON: a comma too few", TEXT_INIT(J_GOOD "\"a\":1}\n"), ACCESS_LINE_BROKEN, NULL },
    { "JSON: no quotes", TEXT_INIT(J_GOOD ",a:1}\n"), ACCESS_LINE_BROKEN, NULL },
    { "JSON: an escape that is none", TEXT_INIT(J_PATH("/\\q")), ACCESS_LINE_BROKEN, NULL },
    { "JSON: more than a byte", TEXT_INIT(J_PATH("/\\u0100")), ACCESS_LINE_BROKEN, NULL },
    { "JSON: an escape without its digits", TEXT_INIT(J_PATH("/\\u00")), ACCESS_LINE_BROKEN, NULL },
    { "JSON: UTF-8 of more than a byte", TEXT_INIT(J_PATH("/\xc4\x80")), ACCESS_LINE_BROKEN, NULL },
    { "JSON: half of UTF-8", TEXT_INIT(J_PATH("/\xc3")), ACCESS_LINE_BROKEN, NULL },
    { "JSON: a control byte", TEXT_INIT(J_PATH("/\x01")), ACCESS_LINE_BROKEN, NULL },
    { "JSON: a verdict that is none",
      TEXT_INIT(J_HEAD "\"method\":\"GET\",\"destination\":\"a.test\",\"path\":\"/\",\"verdict\":"
                       "\"maybe\",\"status\":200}\n"),
      ACCESS_LINE_BROKEN, NULL },

    { "something in the path was masked", TEXT_INIT(GOOD "path_masked=1\n"), ACCESS_LINE_INCOMPLETE,
      NULL },
    { "the path was cut",
      TEXT_INIT(HEAD "method=GET destination=a.test path=/a path_cut=1 verdict=allow status=200\n"),
      ACCESS_LINE_INCOMPLETE, NULL },
    { "the method was cut",
      TEXT_INIT(HEAD "method=AAAA method_cut=1 destination=a.test path=/a verdict=deny "
                     "status=403\n"),
      ACCESS_LINE_INCOMPLETE, NULL },
    { "no room for the status",
      TEXT_INIT(HEAD "method=GET destination=a.test path=/a verdict=allow rule_file=x\n"),
      ACCESS_LINE_INCOMPLETE, NULL },
    { "the input ends within the path", TEXT_INIT(HEAD "method=GET destination=a.test path=/v1"),
      ACCESS_LINE_INCOMPLETE, NULL },
    { "the input ends within the status",
      TEXT_INIT(HEAD "method=GET destination=a.test path=/a verdict=allow status=20"),
      ACCESS_LINE_INCOMPLETE, NULL },

    { "the input ends within the outcome", TEXT_INIT(GOOD "outcome=address_den"),
      ACCESS_LINE_INCOMPLETE, NULL },
    { "two outcomes", TEXT_INIT(GOOD "outcome=relayed outcome=relayed\n"), ACCESS_LINE_BROKEN,
      NULL },

    { "a key at the end", TEXT_INIT(GOOD "retries\n"), ACCESS_LINE_BROKEN, NULL },
    { "a key without a value", TEXT_INIT(GOOD "retries=\n"), ACCESS_LINE_BROKEN, NULL },
    { "a value without a key", TEXT_INIT(GOOD "=1\n"), ACCESS_LINE_BROKEN, NULL },
    { "a word", TEXT_INIT(GOOD "and more\n"), ACCESS_LINE_BROKEN, NULL },
    { "half a quote", TEXT_INIT(GOOD "detail=\"a\n"), ACCESS_LINE_BROKEN, NULL },
    { "a quote alone", TEXT_INIT(GOOD "detail=\"\n"), ACCESS_LINE_BROKEN, NULL },
    { "a quote within a value", TEXT_INIT(GOOD "detail=a\"b\n"), ACCESS_LINE_BROKEN, NULL },
    { "something behind a quote", TEXT_INIT(GOOD "detail=\"a\"b\n"), ACCESS_LINE_BROKEN, NULL },
    { "a quote that hides the end", TEXT_INIT(GOOD "detail=\"a\\\"\n"), ACCESS_LINE_BROKEN, NULL },
    { "an escape cut to nothing", TEXT_INIT(GOOD "detail=\"a\\"), ACCESS_LINE_BROKEN, NULL },
    { "\\x cut", TEXT_INIT(GOOD "detail=\"\\x"), ACCESS_LINE_BROKEN, NULL },
    { "\\x with one digit", TEXT_INIT(GOOD "detail=\"\\x4\"\n"), ACCESS_LINE_BROKEN, NULL },
    { "\\x without digits", TEXT_INIT(GOOD "detail=\"\\xzz\"\n"), ACCESS_LINE_BROKEN, NULL },
    { "an unknown escape", TEXT_INIT(GOOD "detail=\"\\n\"\n"), ACCESS_LINE_BROKEN, NULL },
    { "a backslash without quotes", TEXT_INIT(GOOD "detail=a\\x41\n"), ACCESS_LINE_BROKEN, NULL },
    { "a TAB between keys", TEXT_INIT(GOOD "retries=0\ta=1\n"), ACCESS_LINE_BROKEN, NULL },
    { "a NUL in a value", TEXT_INIT(GOOD "detail=a\0b\n"), ACCESS_LINE_BROKEN, NULL },
    { "a NUL in quotes", TEXT_INIT(GOOD "detail=\"a\0b\"\n"), ACCESS_LINE_BROKEN, NULL },
    { "a NUL at the end", TEXT_INIT(GOOD "retries=0\0\n"), ACCESS_LINE_BROKEN, NULL },
    { "an 8-bit byte", TEXT_INIT(GOOD "detail=\"\xc3\xa9\"\n"), ACCESS_LINE_BROKEN, NULL },
    { "two paths", TEXT_INIT(GOOD "path=/v2\n"), ACCESS_LINE_BROKEN, NULL },
    { "two verdicts", TEXT_INIT(GOOD "verdict=allow\n"), ACCESS_LINE_BROKEN, NULL },
    { "two events", TEXT_INIT(GOOD "event=exchange\n"), ACCESS_LINE_BROKEN, NULL },
    { "a status that is none",
      TEXT_INIT(HEAD "method=GET destination=a.test path=/ verdict=allow status=2x0\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "a status that is too large",
      TEXT_INIT(HEAD "method=GET destination=a.test path=/ verdict=allow status=1000\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "no verdict", TEXT_INIT(HEAD "method=GET destination=a.test path=/ status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "an unknown verdict",
      TEXT_INIT(HEAD "method=GET destination=a.test path=/ verdict=maybe status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "no method", TEXT_INIT(HEAD "destination=a.test path=/ verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "a method that is none",
      TEXT_INIT(HEAD "method=\"A B\" destination=a.test path=/ verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "no destination", TEXT_INIT(HEAD "method=GET path=/ verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "a destination with a path",
      TEXT_INIT(HEAD "method=GET destination=a.test/b path=/ verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "a destination with a user",
      TEXT_INIT(HEAD "method=GET destination=a.test@b.test path=/ verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "a destination with a NUL",
      TEXT_INIT(HEAD "method=GET destination=\"a\\x00b\" path=/ verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "no path", TEXT_INIT(HEAD "method=GET destination=a.test verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "an empty path",
      TEXT_INIT(HEAD "method=GET destination=a.test path=\"\" verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "a path without a slash",
      TEXT_INIT(HEAD "method=GET destination=a.test path=.evil.test/ verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "a path with a query",
      TEXT_INIT(HEAD "method=GET destination=a.test path=\"/a?an=b\" verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "an account that is none",
      TEXT_INIT(HEAD "method=GET destination=a.test path=/ an=a&an verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "an empty account",
      TEXT_INIT(HEAD "method=GET destination=a.test path=/ an=\"\" verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
    { "an unknown scheme",
      TEXT_INIT(HEAD "method=GET scheme=ftp destination=a.test path=/ verdict=allow status=200\n"),
      ACCESS_LINE_BROKEN, NULL },
};

static void test_row(void **state)
{
    const struct row *row = *state;
    struct access_record record;
    struct source source;

    source_open(&source, row->bytes);
    expect_line(&source, row->want, &record);
    assert_int_equal(record.line, 1);
    if (row->url && !text_eq(record.url, text_of(row->url)))
        fail_msg("%.*s", TEXT_ARG(record.url));
    expect_line(&source, ACCESS_LINE_END, &record);
    expect_line(&source, ACCESS_LINE_END, &record);
    source_close(&source);
}

/* ---- many lines ---- */

static void test_all_of_it(void **state)
{
    struct access_record record;
    struct source source;

    (void)state;
    source_open(&source, TEXT("ready\n" GOOD TAIL "\n" HEAD "\n" GOOD TAIL));
    expect_line(&source, ACCESS_LINE_OTHER, &record);
    expect_line(&source, ACCESS_LINE_EXCHANGE, &record);
    assert_int_equal(record.line, 2);
    assert_int_equal(record.status, 200);
    assert_true(text_eq(record.method, TEXT("GET")));
    assert_true(text_eq(record.verdict, TEXT("allow")));
    assert_true(text_eq(record.outcome, TEXT("relayed")));
    assert_true(text_eq(record.time, TEXT("2026-01-31T12:00:00.000Z")));
    expect_line(&source, ACCESS_LINE_OTHER, &record);
    expect_line(&source, ACCESS_LINE_INCOMPLETE, &record);
    expect_line(&source, ACCESS_LINE_EXCHANGE, &record);
    assert_int_equal(record.line, 5);
    expect_line(&source, ACCESS_LINE_END, &record);
    source_close(&source);
}

static void test_empty(void **state)
{
    struct access_record record;
    struct source source;

    (void)state;
    source_open(&source, TEXT(""));
    expect_line(&source, ACCESS_LINE_END, &record);
    source_close(&source);
}

/* A line of a MiB is one broken line, and the next is as good as ever. */
static void test_long_line(void **state)
{
    enum { FILL = 1024 * 1024 };
    static char bytes[sizeof(GOOD) + FILL + sizeof("\n" GOOD TAIL)];
    struct access_record record;
    struct source source;
    size_t n = 0;

    (void)state;
    n += (size_t)snprintf(bytes, sizeof(bytes), "%s", GOOD "detail=");
    memset(bytes + n, 'a', FILL - 16);
    n += FILL - 16;
    n += (size_t)snprintf(bytes + n, sizeof(bytes) - n, "\n%s", GOOD TAIL);
    source_open(&source, (struct text){ bytes, n });
    expect_line(&source, ACCESS_LINE_BROKEN, &record);
    expect_line(&source, ACCESS_LINE_EXCHANGE, &record);
    assert_int_equal(record.line, 2);
    expect_line(&source, ACCESS_LINE_END, &record);
    source_close(&source);
}

static void test_longest_line(void **state)
{
    enum { ROOM = ACCESS_PREFIX_BYTES + LIMIT_LOG_LINE_BYTES };

    (void)state;
    for (size_t len = ROOM - 1; len <= ROOM + 1; len++) {
        char *bytes = mem_alloc(len + 1, 1);
        struct access_record record;
        struct source source;

        memset(bytes, 'a', len);
        bytes[len] = '\n';
        memcpy(bytes, GOOD "x=", sizeof(GOOD "x=") - 1);
        source_open(&source, (struct text){ bytes, len + 1 });
        expect_line(&source, len > ROOM ? ACCESS_LINE_BROKEN : ACCESS_LINE_EXCHANGE, &record);
        expect_line(&source, ACCESS_LINE_END, &record);
        source_close(&source);
        free(bytes);
    }
}

/* ---- there and back ---- */

/* Written by the log itself. */
static FILE *write_line(struct text path, enum log_format format)
{
    FILE *file = tmpfile();
    struct log *log = log_open(NULL, log_sink_to(fileno(file), true), LOG_INFO, format);

    log_begin(log, LOG_INFO, "exchange");
    log_text(log, "method", TEXT("GET"));
    log_text(log, "destination", TEXT("a.test"));
    log_text(log, "path", path);
    log_text(log, "verdict", TEXT("allow"));
    log_number(log, "status", 200);
    log_end(log);
    log_free(log);
    rewind(file);
    return file;
}

static void comes_back_as(struct text path, enum log_format format)
{
    FILE *file = write_line(path, format);
    struct access_log *log = access_log_new(file);
    struct access_record record;
    struct text start = TEXT("https://a.test");

    assert_int_equal(access_log_next(log, &record), ACCESS_LINE_EXCHANGE);
    assert_true(text_starts(record.url, start));
    assert_int_equal(record.url.len, start.len + path.len);
    assert_memory_equal(record.url.at + start.len, path.at, path.len);
    assert_int_equal(access_log_next(log, &record), ACCESS_LINE_END);
    access_log_free(log);
    fclose(file);
}

static void comes_back(struct text path)
{
    comes_back_as(path, LOG_LOGFMT);
    comes_back_as(path, LOG_JSON);
}

/* Every byte but '?', which begins the query and stands in no path: alone, at the end, and all. */
static void test_every_byte(void **state)
{
    char all[256], one[4] = "/a";
    size_t n = 0;

    (void)state;
    all[n++] = '/';
    for (int c = 1; c < 256; c++) {
        if (c == '?')
            continue;
        one[2] = (char)c;
        comes_back((struct text){ one, 3 });
        all[n++] = (char)c;
    }
    comes_back((struct text){ all, n });
}

/* Longer than a line: its writer cuts, and its reader sees that. */
static void cut_by_its_writer(enum log_format format)
{
    static char path[LIMIT_LOG_LINE_BYTES];

    path[0] = '/';
    memset(path + 1, 'a', sizeof(path) - 1);
    for (size_t len = LIMIT_LOG_LINE_BYTES - 200; len < LIMIT_LOG_LINE_BYTES; len++) {
        FILE *file = write_line((struct text){ path, len }, format);
        struct access_log *log = access_log_new(file);
        struct access_record record;
        enum access_line kind = access_log_next(log, &record);

        if (kind == ACCESS_LINE_EXCHANGE)
            assert_int_equal(record.url.len, strlen("https://a.test") + len);
        else
            assert_true(kind == ACCESS_LINE_INCOMPLETE || kind == ACCESS_LINE_BROKEN);
        access_log_free(log);
        fclose(file);
    }
}

static void test_cut_by_its_writer(void **state)
{
    (void)state;
    cut_by_its_writer(LOG_LOGFMT);
    cut_by_its_writer(LOG_JSON);
}

static struct single singles[] = {
    { "lines are counted, and all are told", test_all_of_it },
    { "nothing at all", test_empty },
    { "a line of a MiB", test_long_line },
    { "the longest line", test_longest_line },
    { "every byte of a path comes back", test_every_byte },
    { "a line that its writer cut", test_cut_by_its_writer },
};

static void run_single(void **state)
{
    const struct single *single = *state;

    single->run(state);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, rows, test_row);
    STORIES_ADD(&stories, singles, run_single);
    return stories_run("access_log", &stories);
}

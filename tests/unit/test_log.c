#include "tests/unit/stories.h"

#include <event2/event.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/limits.h"
#include "proxy/log.h"
#include "proxy/loop.h"

/* Somebody reads what is logged, or does not. */
struct reader {
    int from, to;
    char bytes[512 * 1024];
    size_t n;
};

static struct reader reader;

static void reader_open(bool socket)
{
    int ends[2];

    assert_int_equal(socket ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)
                            : pipe2(ends, O_CLOEXEC),
                     0);
    reader = (struct reader){ .from = ends[0], .to = ends[1] };
    fcntl(reader.from, F_SETFL, O_NONBLOCK);
}

static const char *reader_read(void)
{
    ssize_t n;

    while ((n = read(reader.from, reader.bytes + reader.n, sizeof(reader.bytes) - 1 - reader.n)) >
           0)
        reader.n += (size_t)n;
    reader.bytes[reader.n] = '\0';
    return reader.bytes;
}

static void reader_close(void)
{
    close(reader.from);
    close(reader.to);
}

/* Behind the time: "time=2026-01-31T12:00:00.000Z " */
static const char *behind_time(const char *line)
{
    static const char form[] = "time=dddd-dd-ddTdd:dd:dd.dddZ ";

    for (size_t i = 0; form[i]; i++) {
        if (form[i] == 'd' && i > 4) /* behind "time=" */
            assert_true(line[i] >= '0' && line[i] <= '9');
        else
            assert_int_equal(line[i], form[i]);
    }
    return line + sizeof(form) - 1;
}

/* ---- values ---- */

static struct value {
    const char *name;
    struct text bytes;
    const char *want;
    const char *json; /* NULL: the same in quotes */
} values[] = {
    { "plain", TEXT_INIT("GET"), "GET", NULL },
    { "a path", TEXT_INIT("/a/b?c&d;e,f:g@h'i`j|k{l}[m]"), "/a/b?c&d;e,f:g@h'i`j|k{l}[m]", NULL },
    { "nothing", TEXT_INIT(""), "\"\"", "\"\"" },
    { "no bytes at all", { NULL, 0 }, "\"\"", "\"\"" },
    { "a blank", TEXT_INIT("a b"), "\"a b\"", "\"a b\"" },
    { "an equals sign", TEXT_INIT("a=b"), "\"a=b\"", "\"a=b\"" },
    { "a quote", TEXT_INIT("a\"b"), "\"a\\\"b\"", "\"a\\\"b\"" },
    { "a backslash", TEXT_INIT("a\\b"), "\"a\\\\b\"", "\"a\\\\b\"" },
    { "a line end", TEXT_INIT("a\nlevel=error"), "\"a\\x0alevel=error\"",
      "\"a\\u000alevel=error\"" },
    { "CRLF", TEXT_INIT("a\r\n"), "\"a\\x0d\\x0a\"", "\"a\\u000d\\u000a\"" },
    { "a tab", TEXT_INIT("\t"), "\"\\x09\"", "\"\\u0009\"" },
    { "a NUL", TEXT_INIT("a\0b"), "\"a\\x00b\"", "\"a\\u0000b\"" },
    { "ESC", TEXT_INIT("\x1b[31m"), "\"\\x1b[31m\"", "\"\\u001b[31m\"" },
    { "DEL", TEXT_INIT("\x7f"), "\"\\x7f\"", "\"\\u007f\"" },
    { "UTF-8", TEXT_INIT("caf\xc3\xa9"), "\"caf\\xc3\\xa9\"", "\"caf\\u00c3\\u00a9\"" },
    { "bytes of 0x80 and more", TEXT_INIT("\x80\xff"), "\"\\x80\\xff\"", "\"\\u0080\\u00ff\"" },
    { "the end of a value and another key", TEXT_INIT("a\" level=\"error"),
      "\"a\\\" level=\\\"error\"", "\"a\\\" level=\\\"error\"" },
};

static void test_json(void **state)
{
    const struct value *row = *state;
    struct log *log;
    char want[256];

    reader_open(false);
    log = log_open(NULL, log_sink_to(reader.to, true), LOG_INFO, LOG_JSON);
    log_begin(log, LOG_WARNING, "x");
    log_text(log, "key", row->bytes);
    log_number(log, "n", UINT64_MAX);
    log_end(log);
    const char *line = reader_read();
    snprintf(want, sizeof(want),
             "Z\",\"level\":\"warning\",\"event\":\"x\",\"key\":%s%s%s,\"n\":"
             "18446744073709551615}\n",
             row->json ? "" : "\"", row->json ? row->json : row->want, row->json ? "" : "\"");
    static const char start[] = "{\"time\":\"2";
    assert_memory_equal(line, start, sizeof(start) - 1);
    assert_string_equal(strchr(line, 'Z'), want);
    log_free(log);
    reader_close();
}

static void test_value(void **state)
{
    const struct value *row = *state;
    struct log *log;
    char want[256];

    reader_open(false);
    log = log_new(NULL, reader.to, LOG_INFO);
    log_begin(log, LOG_WARNING, "x");
    log_text(log, "key", row->bytes);
    log_number(log, "n", UINT64_MAX);
    log_end(log);
    snprintf(want, sizeof(want), "level=warning event=x key=%s n=18446744073709551615\n",
             row->want);
    assert_string_equal(behind_time(reader_read()), want);
    log_free(log);
    reader_close();
}

static void expect_quotes(char *value, size_t len, size_t at, int c)
{
    bool plain = c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
    struct log *log = log_new(NULL, reader.to, LOG_INFO);

    memset(value, 'a', len);
    value[at] = (char)c;
    log_begin(log, LOG_INFO, "x");
    log_text(log, "k", (struct text){ value, len });
    log_end(log);
    log_free(log);
    reader.n = 0;
    const char *line = reader_read();
    if ((strstr(line, " k=\"") == NULL) != plain)
        fail_msg("byte %d at %zu of %zu: %s", c, at, len, line);
}

/* Quotes stand where they must and nowhere else: around each byte, and around those that a bound is beside at
 * each place of values of each length. */
static void test_every_place(void **state)
{
    static const unsigned char beside[] = { 0,   0x1f, ' ',  '!', '"', '#',  '<',  '=',
                                            '>', '[',  '\\', ']', '~', 0x7f, 0x80, 0xff };
    enum { LONGEST = 19 };
    char value[LONGEST];

    (void)state;
    reader_open(false);
    for (int c = 0; c < 256; c++)
        expect_quotes(value, 8, 3, c);
    for (size_t len = 1; len <= LONGEST; len++) {
        for (size_t at = 0; at < len; at++) {
            for (size_t i = 0; i < sizeof(beside); i++)
                expect_quotes(value, len, at, beside[i]);
        }
    }
    reader_close();
}

/* ---- levels ---- */

static struct level {
    const char *name;
    enum log_level level, event;
    const char *want;
} levels[] = {
    { "error at error", LOG_ERROR, LOG_ERROR, "level=error event=x message=\"a 1\"\n" },
    { "warning at debug", LOG_DEBUG, LOG_WARNING, "level=warning event=x message=\"a 1\"\n" },
    { "info at info", LOG_INFO, LOG_INFO, "level=info event=x message=\"a 1\"\n" },
    { "debug at debug", LOG_DEBUG, LOG_DEBUG, "level=debug event=x message=\"a 1\"\n" },
    { "debug at info", LOG_INFO, LOG_DEBUG, NULL },
    { "info at warning", LOG_WARNING, LOG_INFO, NULL },
    { "warning at error", LOG_ERROR, LOG_WARNING, NULL },
};

static void test_level(void **state)
{
    const struct level *row = *state;
    struct log *log;

    reader_open(false);
    log = log_new(NULL, reader.to, row->level);
    assert_int_equal(log_wants(log, row->event), row->want != NULL);
    log_message(log, row->event, "x", "a %d", 1);
    if (row->want)
        assert_string_equal(behind_time(reader_read()), row->want);
    else
        assert_string_equal(reader_read(), "");
    log_free(log);
    reader_close();
}

/* ---- lines that are too long ---- */

/* A line is logfmt: key=value with no blank, or with a quote at both ends. */
static void assert_well_formed(const char *line, size_t len)
{
    bool quoted = false;

    assert_true(len <= LIMIT_LOG_LINE_BYTES);
    assert_memory_equal(line, "time=", 5);
    for (size_t i = 0; i < len; i++) {
        assert_true(line[i] >= 0x20 && line[i] < 0x7f);
        if (quoted && line[i] == '\\')
            i++;
        else if (line[i] == '"')
            quoted = !quoted;
    }
    assert_false(quoted);
}

static size_t count_lines(void)
{
    size_t lines = 0;

    for (const char *at = reader_read(), *end; (end = strchr(at, '\n')); at = end + 1) {
        assert_well_formed(at, (size_t)(end - at));
        lines++;
    }
    return lines;
}

static struct long_value {
    const char *name;
    char fill;
    size_t n;
    const char *last; /* what the value must still end in, before the line does */
} long_values[] = {
    { "4000 plain bytes fit", 'a', 4000, "a" },
    { "5000 plain bytes are cut", 'a', 5000, "a\"" },
    { "a million plain bytes are cut", 'a', 1000000, "a\"" },
    { "5000 blanks are cut", ' ', 5000, " \"" },
    { "2000 quotes are cut", '"', 2200, "\\\"\"" },
    { "escapes are cut between two", '\x01', 1500, "\\x01\"" },
    { "backslashes are cut between two", '\\', 3000, "\\\\\"" },
};

static void test_long_value(void **state)
{
    const struct long_value *row = *state;
    char *value = malloc(row->n);
    struct log *log;

    memset(value, row->fill, row->n);
    reader_open(false);
    log = log_new(NULL, reader.to, LOG_INFO);
    log_begin(log, LOG_INFO, "x");
    log_text(log, "key", (struct text){ value, row->n });
    log_end(log);
    assert_int_equal(count_lines(), 1);
    size_t last = strlen(row->last);
    assert_memory_equal(reader.bytes + reader.n - 1 - last, row->last, last);
    log_message(log, LOG_INFO, "y", "the next line is as good as ever");
    assert_int_equal(count_lines(), 2);
    assert_non_null(
        strstr(reader_read(), "event=y message=\"the next line is as good as ever\"\n"));
    log_free(log);
    reader_close();
    free(value);
}

/* Wherever the line is full: in a key, in a value, in a quote. */
static void test_every_cut(void **state)
{
    static char value[LIMIT_LOG_LINE_BYTES];
    struct log *log;
    size_t lines = 0;

    (void)state;
    memset(value, 'a', sizeof(value));
    reader_open(false);
    log = log_new(NULL, reader.to, LOG_INFO);
    for (size_t n = LIMIT_LOG_LINE_BYTES - 120; n < LIMIT_LOG_LINE_BYTES; n++) {
        log_begin(log, LOG_INFO, "x");
        log_text(log, "long", (struct text){ value, n });
        log_text(log, "key", TEXT("a \"b\" \\ \x01"));
        log_number(log, "number", 123456);
        log_text(log, "last", TEXT("z"));
        log_end(log);
        assert_int_equal(count_lines(), ++lines);
    }
    log_free(log);
    reader_close();
}

/* The same, and what is there is still an object. */
static void test_every_cut_of_json(void **state)
{
    static char value[LIMIT_LOG_LINE_BYTES];
    bool whole = false, part = false;

    (void)state;
    memset(value, 'a', sizeof(value));
    for (size_t n = LIMIT_LOG_LINE_BYTES - 160; n < LIMIT_LOG_LINE_BYTES; n++) {
        reader_open(false);
        struct log *log = log_open(NULL, log_sink_to(reader.to, true), LOG_INFO, LOG_JSON);
        log_begin(log, LOG_INFO, "x");
        log_text(log, "long", (struct text){ value, n });
        log_text(log, "key", TEXT("a \"b\" \\ \x01"));
        log_number(log, "number", 123456);
        log_text(log, "last", TEXT("z"));
        log_end(log);
        const char *line = reader_read();
        assert_true(reader.n <= LIMIT_LOG_LINE_BYTES);
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(object))
            fail_msg("%s", line + reader.n - 100);
        whole = whole || json_object_get(object, "last");
        part = part || !json_object_get(object, "number");
        json_decref(object);
        log_free(log);
        reader_close();
    }
    assert_true(whole && part); /* or nothing was cut */
}

/* ---- repeats ---- */

static unsigned count_of(const char *needle)
{
    unsigned n = 0;

    for (const char *at = reader_read(); (at = strstr(at, needle)); at++)
        n++;
    return n;
}

static void test_repeats(void **state)
{
    enum { TIMES = 500 };
    struct log *log;

    (void)state;
    reader_open(false);
    log = log_new(NULL, reader.to, LOG_INFO);
    for (int i = 0; i < TIMES; i++) {
        log_message(log, LOG_WARNING, "again", "and again");
        log_message(log, LOG_WARNING, "numbered", "time %d", i);
    }
    assert_int_equal(count_of("event=again message="), LOG_REPEATS);
    assert_int_equal(count_of("event=numbered"), TIMES);
    assert_int_equal(count_of("event=repeated"), 0);
    log_free(log);
    assert_non_null(strstr(reader_read(),
                           "level=warning event=repeated of=again count=490 message=\"and "
                           "again\"\n"));
    assert_int_equal(count_of("event=repeated"), 1);
    reader_close();
}

/* ---- with a loop ---- */

static void test_at_the_end_of_the_turn(void **state)
{
    struct loop *loop = loop_new();
    struct log *log;

    (void)state;
    reader_open(false);
    log = log_new(loop, reader.to, LOG_INFO);
    log_message(log, LOG_INFO, "x", "a");
    log_message(log, LOG_INFO, "y", "b");
    assert_string_equal(reader_read(), "");
    event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
    assert_int_equal(count_lines(), 2);
    log_message(log, LOG_INFO, "z", "what is left");
    log_free(log);
    assert_int_equal(count_lines(), 3);
    event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
    loop_free(loop);
    reader_close();
}

/* The caller's descriptor stays as it was: others write to it too. */
static void test_flags_of_the_caller(void **state)
{
    struct loop *loop = loop_new();
    struct log *log;

    (void)state;
    reader_open(false);
    log = log_new(loop, reader.to, LOG_INFO);
    assert_false(fcntl(reader.to, F_GETFL) & O_NONBLOCK);
    log_free(log);
    assert_true(fcntl(reader.to, F_GETFD) >= 0);
    loop_free(loop);
    reader_close();
}

static struct blocked {
    const char *name;
    bool socket;
} blockeds[] = {
    { "a reader of a pipe who does not read", false },
    { "a reader of a socket who does not read", true },
};

static unsigned long long dropped_count(void)
{
    const char *line = strstr(reader_read(), "level=warning event=log_lines_dropped count=");

    return line ? strtoull(strchr(line + 40, '=') + 1, NULL, 10) : 0;
}

static void test_blocked(void **state)
{
    enum { LINES = 5000 };
    const struct blocked *row = *state;
    struct loop *loop = loop_new();
    struct log *log;

    reader_open(row->socket);
    log = log_new(loop, reader.to, LOG_INFO);
    for (int i = 0; i < LINES; i++) {
        log_message(log, LOG_INFO, "x",
                    "line %d of a sentence that is about as long as an access line, and that is "
                    "about two hundred bytes, because that is what one of these takes",
                    i);
        event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
    }
    size_t before = count_lines();
    assert_true(before < LINES); /* or nobody was blocked */
    for (int i = 0; i < 20; i++) {
        log_message(log, LOG_INFO, "y", "read again, %d", i);
        event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
        count_lines();
    }
    log_free(log);
    /* each line is there or is counted, and the count has one line of its own */
    assert_true(dropped_count() > 0);
    assert_int_equal(reader.bytes[reader.n - 1], '\n');
    assert_int_equal(count_lines() + dropped_count(), LINES + 20 + 1);
    loop_free(loop);
    reader_close();
}

/* Nothing more is said, and the reader has room again: what waited leaves, and the count. */
static void test_flows_again(void **state)
{
    enum { LINES = 3000 };
    const struct blocked *row = *state;
    struct loop *loop = loop_new();
    struct log *log;

    reader_open(row->socket);
    log = log_new(loop, reader.to, LOG_INFO);
    for (int i = 0; i < LINES; i++) {
        log_message(log, LOG_INFO, "x",
                    "line %d of a sentence that is about one hundred bytes long, "
                    "or perhaps somewhat more than that",
                    i);
        event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
    }
    unsigned long long lost = log_n_dropped(log);
    assert_true(lost > 0);
    for (int i = 0; i < 200 && !dropped_count(); i++)
        event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
    assert_int_equal(dropped_count(), lost);
    assert_int_equal(count_lines() + lost, LINES + 1);
    assert_int_equal(log_n_dropped(log), lost);
    log_free(log);
    loop_free(loop);
    reader_close();
}

static void test_nobody_reads_any_more(void **state)
{
    struct loop *loop = loop_new();
    struct log *log;

    (void)state;
    reader_open(false);
    log = log_new(loop, reader.to, LOG_INFO);
    close(reader.from);
    for (int i = 0; i < 1000; i++) {
        log_message(log, LOG_INFO, "x", "into the void, %d times and again and again", i);
        event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
    }
    log_free(log);
    log_free(NULL);
    loop_free(loop);
    close(reader.to);
}

int main(void)
{
    static struct stories stories;
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    sigaction(SIGPIPE, &ignore, NULL);
    alarm(20); /* a log that blocks is what must not be */
    STORIES_ADD(&stories, values, test_value);
    STORIES_ADD(&stories, levels, test_level);
    STORIES_ADD(&stories, long_values, test_long_value);
    STORIES_ADD(&stories, values, test_json);
    STORIES_ADD(&stories, blockeds, test_blocked);
    STORIES_ADD(&stories, blockeds, test_flows_again);
    stories_add(&stories, "wherever a line of JSON is cut", test_every_cut_of_json, NULL);
    stories_add(&stories, "the same again and again", test_repeats, NULL);
    stories_add(&stories, "each byte at each place", test_every_place, NULL);
    stories_add(&stories, "wherever a line is cut", test_every_cut, NULL);
    stories_add(&stories, "lines leave when the turn ends", test_at_the_end_of_the_turn, NULL);
    stories_add(&stories, "the caller's descriptor is left alone", test_flags_of_the_caller, NULL);
    stories_add(&stories, "a reader who has left", test_nobody_reads_any_more, NULL);
    return stories_run("log", &stories);
}

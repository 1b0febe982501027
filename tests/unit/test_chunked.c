#include "tests/unit/stories.h"

#include <stdlib.h>

#include "config/text.h"
#include "proxy/http/chunked.h"
#include "proxy/limits.h"

static struct coded {
    const char *name;
    struct text bytes;
    enum chunked_state want;
    struct text content;
    size_t left_over; /* bytes behind the end that must stay */
} coded[] = {
    { "one chunk", TEXT_INIT("5\r\nhello\r\n0\r\n\r\n"), CHUNK_DONE, TEXT_INIT("hello"), 0 },
    { "two chunks", TEXT_INIT("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), CHUNK_DONE, TEXT_INIT("abcde"),
      0 },
    { "no content", TEXT_INIT("0\r\n\r\n"), CHUNK_DONE, TEXT_INIT(""), 0 },
    { "hexadecimal, both cases", TEXT_INIT("a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n"),
      CHUNK_DONE, TEXT_INIT("01234567890123456789a"), 0 },
    { "zeros before the size", TEXT_INIT("0003\r\nabc\r\n000\r\n\r\n"), CHUNK_DONE,
      TEXT_INIT("abc"), 0 },
    { "15 digits", TEXT_INIT("000000000000003\r\nabc\r\n0\r\n\r\n"), CHUNK_DONE, TEXT_INIT("abc"),
      0 },
    { "content that looks like chunks", TEXT_INIT("8\r\n\r\n0\r\n\r\n\n\r\n0\r\n\r\n"), CHUNK_DONE,
      TEXT_INIT("\r\n0\r\n\r\n\n"), 0 },
    { "NUL and high bytes", TEXT_INIT("3\r\n\0\xff\n\r\n0\r\n\r\n"), CHUNK_DONE,
      TEXT_INIT("\0\xff\n"), 0 },
    { "an extension", TEXT_INIT("3;a=b\r\nabc\r\n0\r\n\r\n"), CHUNK_DONE, TEXT_INIT("abc"), 0 },
    { "an extension without value", TEXT_INIT("3;a\r\nabc\r\n0;z\r\n\r\n"), CHUNK_DONE,
      TEXT_INIT("abc"), 0 },
    { "blanks around an extension", TEXT_INIT("3 \t; a = b\r\nabc\r\n0\r\n\r\n"), CHUNK_DONE,
      TEXT_INIT("abc"), 0 },
    { "blanks behind the size", TEXT_INIT("3  \r\nabc\r\n0 \r\n\r\n"), CHUNK_DONE, TEXT_INIT("abc"),
      0 },
    { "a quoted extension", TEXT_INIT("3;a=\"b;c\"\r\nabc\r\n0\r\n\r\n"), CHUNK_DONE,
      TEXT_INIT("abc"), 0 },
    { "an escaped quote", TEXT_INIT("3;a=\"b\\\"c\"\r\nabc\r\n0\r\n\r\n"), CHUNK_DONE,
      TEXT_INIT("abc"), 0 },
    { "an escaped backslash ends nothing", TEXT_INIT("3;a=\"b\\\\\"\r\nabc\r\n0\r\n\r\n"),
      CHUNK_DONE, TEXT_INIT("abc"), 0 },
    { "a backslash outside quotes", TEXT_INIT("3;a=\\\r\nabc\r\n0\r\n\r\n"), CHUNK_DONE,
      TEXT_INIT("abc"), 0 },
    { "a trailer", TEXT_INIT("0\r\nA: b\r\n\r\n"), CHUNK_DONE, TEXT_INIT(""), 0 },
    { "two trailers are no request", TEXT_INIT("1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n"), CHUNK_DONE,
      TEXT_INIT("x"), 0 },
    { "a trailer that frames is dropped", TEXT_INIT("0\r\nContent-Length: 5\r\n\r\nhello"),
      CHUNK_DONE, TEXT_INIT(""), 5 },
    { "the next request stays", TEXT_INIT("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"), CHUNK_DONE,
      TEXT_INIT("x"), 18 },
    { "CRLF behind the end stays", TEXT_INIT("0\r\n\r\n\r\n"), CHUNK_DONE, TEXT_INIT(""), 2 },
    { "the next chunked message stays", TEXT_INIT("0\r\n\r\n0\r\n\r\n"), CHUNK_DONE, TEXT_INIT(""),
      5 },
    { "size in progress", TEXT_INIT("1"), CHUNK_SIZE, TEXT_INIT(""), 0 },
    { "content in progress", TEXT_INIT("5\r\nhel"), CHUNK_DATA, TEXT_INIT("hel"), 0 },
    { "content without its CRLF", TEXT_INIT("3\r\nabc"), CHUNK_DATA_CR, TEXT_INIT("abc"), 0 },
    { "the last chunk without the end", TEXT_INIT("0\r\n"), CHUNK_TRAILER, TEXT_INIT(""), 0 },
    { "the end without its LF", TEXT_INIT("0\r\n\r"), CHUNK_LAST_LF, TEXT_INIT(""), 0 },
    { "the largest size that is read", TEXT_INIT("fffffffffffffff\r\nab"), CHUNK_DATA,
      TEXT_INIT("ab"), 0 },
    { "no size", TEXT_INIT("\r\nabc"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "text behind a blank", TEXT_INIT("5 5\r\nhello\r\n0\r\n\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "an extension without size", TEXT_INIT(";a\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "a blank before the size", TEXT_INIT(" 3\r\nabc\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "a sign", TEXT_INIT("+3\r\nabc\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "minus", TEXT_INIT("-1\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "0x3", TEXT_INIT("0x3\r\nabc\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "not hexadecimal", TEXT_INIT("g\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "a byte that folds to a digit", TEXT_INIT("\x10\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "0x80 as size", TEXT_INIT("\x80\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "a comma", TEXT_INIT("3,\r\nabc\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "an underscore", TEXT_INIT("1_0\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "16 digits", TEXT_INIT("0000000000000003\r\nabc\r\n0\r\n\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "2^64 + 3", TEXT_INIT("10000000000000003\r\nabc\r\n0\r\n\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "2^64 - 1", TEXT_INIT("ffffffffffffffff\r\nabc"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "bare LF behind the size", TEXT_INIT("3\nabc\r\n0\r\n\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "bare CR behind the size", TEXT_INIT("3\rabc\r\n0\r\n\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "bare LF behind an extension", TEXT_INIT("3;a\nabc\r\n0\r\n\r\n"), CHUNK_BAD, TEXT_INIT(""),
      0 },
    { "a CR inside an extension", TEXT_INIT("3;a\rb\r\nabc\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "bare LF inside quotes", TEXT_INIT("3;a=\"\nabc\r\n0\r\n\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "CRLF inside quotes", TEXT_INIT("3;a=\"\r\n\"\r\nabc\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "an escaped CR", TEXT_INIT("3;a=\"\\\r\nabc\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "an escaped LF", TEXT_INIT("3;a=\"\\\nabc\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "quotes not closed by an escaped one", TEXT_INIT("3;a=\"\\\"\r\nabc\r\n"), CHUNK_BAD,
      TEXT_INIT(""), 0 },
    { "a NUL in an extension", TEXT_INIT("3;a\0\r\nabc\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "DEL in an extension", TEXT_INIT("3;a\x7f\r\nabc\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "content longer than its size", TEXT_INIT("3\r\nabcd\r\n0\r\n\r\n"), CHUNK_BAD,
      TEXT_INIT("abc"), 0 },
    { "content shorter than its size", TEXT_INIT("4\r\nabc\r\n0\r\n\r\n"), CHUNK_BAD,
      TEXT_INIT("abc\r"), 0 },
    { "bare LF behind content", TEXT_INIT("3\r\nabc\n0\r\n\r\n"), CHUNK_BAD, TEXT_INIT("abc"), 0 },
    { "bare CR behind content", TEXT_INIT("3\r\nabc\r0\r\n\r\n"), CHUNK_BAD, TEXT_INIT("abc"), 0 },
    { "no CRLF behind content", TEXT_INIT("3\r\nabc0\r\n\r\n"), CHUNK_BAD, TEXT_INIT("abc"), 0 },
    { "bare LF as the end", TEXT_INIT("0\r\n\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "CR and something as the end", TEXT_INIT("0\r\n\rx"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "a trailer without a colon", TEXT_INIT("0\r\nGET / HTTP/1.1\r\n\r\n"), CHUNK_BAD,
      TEXT_INIT(""), 0 },
    { "a trailer without a name", TEXT_INIT("0\r\n: b\r\n\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "a blank before the trailer's colon", TEXT_INIT("0\r\nA : b\r\n\r\n"), CHUNK_BAD,
      TEXT_INIT(""), 0 },
    { "a folded trailer", TEXT_INIT("0\r\nA: b\r\n c\r\n\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "a NUL in a trailer", TEXT_INIT("0\r\nA: \0\r\n\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "bare LF behind a trailer", TEXT_INIT("0\r\nA: b\n\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "a CR inside a trailer", TEXT_INIT("0\r\nA: b\rc\r\n\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
    { "a chunk behind the last", TEXT_INIT("0\r\n3\r\nabc\r\n"), CHUNK_BAD, TEXT_INIT(""), 0 },
};

/* Gives the bytes in pieces of `step`, each in memory of its own size. */
static size_t decode_in_steps(struct chunked *chunked, struct text bytes, size_t step,
                              char *content, size_t *n_content)
{
    size_t at = 0;

    *n_content = 0;
    while (at < bytes.len && chunked->state < CHUNK_DONE) {
        size_t len = bytes.len - at < step ? bytes.len - at : step, n, read;
        char *piece = malloc(len);
        memcpy(piece, bytes.at + at, len);
        read = chunked_decode(chunked, piece, len, &n);
        assert_true(read <= len && n <= read);
        assert_true(read == len || chunked->state >= CHUNK_DONE);
        memcpy(content + *n_content, piece, n);
        *n_content += n;
        at += read;
        free(piece);
    }
    return at;
}

static void test_coded(void **state)
{
    const struct coded *row = *state;
    char content[256];

    for (size_t step = row->bytes.len; step >= 1; step--) {
        struct chunked chunked = { 0 };
        size_t n;
        size_t read = decode_in_steps(&chunked, row->bytes, step, content, &n);
        assert_int_equal(chunked.state, row->want);
        assert_int_equal(n, row->content.len);
        assert_memory_equal(content, row->content.at, n);
        if (row->want != CHUNK_BAD)
            assert_int_equal(row->bytes.len - read, row->left_over);
    }
}

/* ---- ceilings ---- */

static enum chunked_state decode_filled(struct text start, char fill, size_t n, struct text end)
{
    char *bytes = malloc(start.len + n + end.len);
    struct chunked chunked = { 0 };
    size_t content;

    memcpy(bytes, start.at, start.len);
    memset(bytes + start.len, fill, n);
    memcpy(bytes + start.len + n, end.at, end.len);
    chunked_decode(&chunked, bytes, start.len + n + end.len, &content);
    free(bytes);
    return (enum chunked_state)chunked.state;
}

static struct filled {
    const char *name;
    struct text start;
    char fill;
    size_t n;
    struct text end;
    enum chunked_state want;
} filled[] = {
    { "an extension of nearly 4 KiB", TEXT_INIT("1;"), 'a', LIMIT_CHUNK_LINE_BYTES - 4,
      TEXT_INIT("\r\nx\r\n0\r\n\r\n"), CHUNK_DONE },
    { "an extension of 4 KiB", TEXT_INIT("1;"), 'a', LIMIT_CHUNK_LINE_BYTES,
      TEXT_INIT("\r\nx\r\n0\r\n\r\n"), CHUNK_BAD },
    { "an extension without end", TEXT_INIT("1;"), 'a', 100000, TEXT_INIT(""), CHUNK_BAD },
    { "blanks without end", TEXT_INIT("1"), ' ', 100000, TEXT_INIT(""), CHUNK_BAD },
    { "quotes without end", TEXT_INIT("1;a=\""), 'a', 100000, TEXT_INIT(""), CHUNK_BAD },
    { "zeros without end", TEXT_INIT(""), '0', 100000, TEXT_INIT(""), CHUNK_BAD },
    { "trailers of nearly 16 KiB", TEXT_INIT("0\r\nA: "), 'a', LIMIT_TRAILER_BYTES - 7,
      TEXT_INIT("\r\n\r\n"), CHUNK_DONE },
    { "trailers of 16 KiB", TEXT_INIT("0\r\nA: "), 'a', LIMIT_TRAILER_BYTES, TEXT_INIT("\r\n\r\n"),
      CHUNK_BAD },
    { "a trailer name without end", TEXT_INIT("0\r\n"), 'a', 100000, TEXT_INIT(""), CHUNK_BAD },
    { "a trailer value without end", TEXT_INIT("0\r\nA:"), ' ', 100000, TEXT_INIT(""), CHUNK_BAD },
};

static void test_filled(void **state)
{
    const struct filled *row = *state;

    assert_int_equal(decode_filled(row->start, row->fill, row->n, row->end), row->want);
}

static void test_many_trailers(void **state)
{
    static char bytes[LIMIT_TRAILER_BYTES + 64];
    struct chunked chunked = { 0 };
    size_t n = 3, content;

    (void)state;
    memcpy(bytes, "0\r\n", 3);
    for (; n + 6 <= sizeof(bytes); n += 6)
        memcpy(bytes + n, "A: b\r\n", 6);
    chunked_decode(&chunked, bytes, n, &content);
    assert_int_equal(chunked.state, CHUNK_BAD);
}

/* The ceiling is one line's: many chunks with extensions are as long as they like. */
static void test_many_extensions(void **state)
{
    struct text chunk = TEXT("1;abcdefgh=\"ijklmnopq\"\r\nx\r\n");
    enum { CHUNKS = 1000 };
    char *bytes = malloc(chunk.len * CHUNKS);
    struct chunked chunked = { 0 };
    size_t content;

    (void)state;
    for (size_t i = 0; i < CHUNKS; i++)
        memcpy(bytes + i * chunk.len, chunk.at, chunk.len);
    assert_int_equal(chunked_decode(&chunked, bytes, chunk.len * CHUNKS, &content),
                     chunk.len * CHUNKS);
    assert_int_equal(content, CHUNKS);
    assert_int_equal(chunked.state, CHUNK_SIZE);
    free(bytes);
}

static void test_ended_stays_ended(void **state)
{
    struct chunked chunked = { .state = CHUNK_DONE };
    char bytes[] = "3\r\nabc\r\n";
    size_t content = 99;

    (void)state;
    assert_int_equal(chunked_decode(&chunked, bytes, 8, &content), 0);
    assert_int_equal(content, 0);
    chunked.state = CHUNK_BAD;
    assert_int_equal(chunked_decode(&chunked, bytes, 8, &content), 0);
    assert_int_equal(chunked.state, CHUNK_BAD);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, coded, test_coded);
    STORIES_ADD(&stories, filled, test_filled);
    stories_add(&stories, "trailers without end", test_many_trailers, NULL);
    stories_add(&stories, "many chunks with extensions", test_many_extensions, NULL);
    stories_add(&stories, "behind the end nothing is read", test_ended_stays_ended, NULL);
    return stories_run("chunked", &stories);
}

#include "tests/unit/stories.h"

#include "proxy/http/held.h"
#include "proxy/http/intake.h"

/* ---- bodies: whole, in pieces, and with content waiting or taken at once ---- */

static struct story {
    const char *name;
    struct framing framing;
    struct text bytes;
    enum body_result want;
    bool done;
    struct text content;
    struct text left_over;
} bodies[] = {
    { "no content",
      { FRAMING_NONE, 0 },
      TEXT_INIT("GET /"),
      BODY_OK,
      true,
      TEXT_INIT(""),
      TEXT_INIT("GET /") },
    { "no content, but a length that it would have",
      { FRAMING_NONE, 9 },
      TEXT_INIT("HTTP/1.1"),
      BODY_OK,
      true,
      TEXT_INIT(""),
      TEXT_INIT("HTTP/1.1") },
    { "a length",
      { FRAMING_LENGTH, 5 },
      TEXT_INIT("hello"),
      BODY_OK,
      true,
      TEXT_INIT("hello"),
      TEXT_INIT("") },
    { "a length, and the next head",
      { FRAMING_LENGTH, 5 },
      TEXT_INIT("helloGET /"),
      BODY_OK,
      true,
      TEXT_INIT("hello"),
      TEXT_INIT("GET /") },
    { "a length of one",
      { FRAMING_LENGTH, 1 },
      TEXT_INIT("hello"),
      BODY_OK,
      true,
      TEXT_INIT("h"),
      TEXT_INIT("ello") },
    { "a length that is not there yet",
      { FRAMING_LENGTH, 6 },
      TEXT_INIT("hello"),
      BODY_OK,
      false,
      TEXT_INIT("hello"),
      TEXT_INIT("") },
    { "a length over 4 GiB",
      { FRAMING_LENGTH, (1ULL << 32) + 3 },
      TEXT_INIT("hello"),
      BODY_OK,
      false,
      TEXT_INIT("hello"),
      TEXT_INIT("") },
    { "until the end",
      { FRAMING_UNTIL_CLOSE, 0 },
      TEXT_INIT("hello"),
      BODY_OK,
      false,
      TEXT_INIT("hello"),
      TEXT_INIT("") },
    { "chunks",
      { FRAMING_CHUNKED, 0 },
      TEXT_INIT("3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"),
      BODY_OK,
      true,
      TEXT_INIT("hello"),
      TEXT_INIT("") },
    { "chunks, and the next head",
      { FRAMING_CHUNKED, 0 },
      TEXT_INIT("1;x\r\nh\r\n4\r\nello\r\n0\r\nA: b\r\n\r\nGET /"),
      BODY_OK,
      true,
      TEXT_INIT("hello"),
      TEXT_INIT("GET /") },
    { "chunks without content",
      { FRAMING_CHUNKED, 0 },
      TEXT_INIT("0\r\n\r\n"),
      BODY_OK,
      true,
      TEXT_INIT(""),
      TEXT_INIT("") },
    { "chunks that have not ended",
      { FRAMING_CHUNKED, 0 },
      TEXT_INIT("5\r\nhello\r\n"),
      BODY_OK,
      false,
      TEXT_INIT("hello"),
      TEXT_INIT("") },
    { "broken chunks",
      { FRAMING_CHUNKED, 0 },
      TEXT_INIT("5\nhello"),
      BODY_BAD,
      false,
      TEXT_INIT(""),
      TEXT_INIT("") },
    { "broken behind good content",
      { FRAMING_CHUNKED, 0 },
      TEXT_INIT("5\r\nhelloX"),
      BODY_BAD,
      false,
      TEXT_INIT("hello"),
      TEXT_INIT("") },
};

struct taken {
    char bytes[256];
    size_t n;
};

static void take_away(struct intake *intake, size_t n, struct taken *taken)
{
    struct text content = intake_content(intake);

    assert_true(n <= content.len);
    if (n)
        memcpy(taken->bytes + taken->n, content.at, n);
    taken->n += n;
    intake_take_content(intake, n);
}

static void receive(struct intake *intake, struct text bytes)
{
    size_t room;
    char *at = intake_room(intake, 128, &room);

    assert_non_null(at);
    assert_true(room >= bytes.len);
    memcpy(at, bytes.at, bytes.len);
    intake_received(intake, bytes.len);
}

/* `every`: content is taken after each piece; otherwise it waits to the end. */
static void run_body(const struct story *row, size_t step, bool every)
{
    struct intake intake = { 0 };
    struct taken taken = { .n = 0 };
    enum body_result result = BODY_OK;
    struct body body;

    body_init(&body, row->framing);
    for (size_t at = 0; at < row->bytes.len && result == BODY_OK; at += step) {
        size_t len = row->bytes.len - at < step ? row->bytes.len - at : step;
        receive(&intake, (struct text){ row->bytes.at + at, len });
        result = body_take(&body, &intake);
        if (every && intake_content(&intake).len > 0)
            take_away(&intake, (intake_content(&intake).len + 1) / 2, &taken);
    }
    take_away(&intake, intake_content(&intake).len, &taken);
    assert_int_equal(result, row->want);
    assert_int_equal(body.done, row->done);
    assert_int_equal(taken.n, row->content.len);
    assert_memory_equal(taken.bytes, row->content.at, taken.n);
    assert_int_equal(body.bytes, row->content.len);
    if (result == BODY_OK) {
        assert_int_equal(intake_raw(&intake).len, row->left_over.len);
        assert_memory_equal(intake_raw(&intake).at, row->left_over.at, row->left_over.len);
    }
    intake_reset(&intake);
}

static void test_body(void **state)
{
    const struct story *row = *state;

    for (size_t step = 1; step <= row->bytes.len; step++) {
        run_body(row, step, false);
        run_body(row, step, true);
    }
}

/* ---- room ---- */

static void test_room(void **state)
{
    struct intake intake = { 0 };
    size_t room = 99;

    (void)state;
    assert_true(intake_is_empty(&intake));
    assert_non_null(intake_room(&intake, 16, &room));
    assert_int_equal(room, 16);
    receive(&intake, TEXT("0123456789"));
    assert_int_equal(intake.size, 128); /* it grows and keeps what it holds */
    assert_memory_equal(intake_raw(&intake).at, "0123456789", 10);
    assert_non_null(intake_room(&intake, 16, &room));
    assert_int_equal(intake.size, 128); /* and never shrinks */
    assert_int_equal(room, 118);
    intake_reset(&intake);
    assert_true(intake_is_empty(&intake));
    intake_reset(&intake);
}

static void test_full(void **state)
{
    struct intake intake = { 0 };
    struct body body;
    size_t room;
    char *at = intake_room(&intake, 8, &room);

    (void)state;
    memcpy(at, "abcdefgh", 8);
    intake_received(&intake, 8);
    assert_null(intake_room(&intake, 8, &room)); /* raw bytes wait */
    assert_int_equal(room, 0);
    body_init(&body, (struct framing){ FRAMING_LENGTH, 100 });
    body_take(&body, &intake);
    assert_null(intake_room(&intake, 8, &room)); /* content waits */
    intake_take_content(&intake, 3);
    assert_non_null(intake_room(&intake, 8, &room));
    assert_int_equal(room, 3);
    assert_memory_equal(intake_content(&intake).at, "defgh", 5);
    intake_take_content(&intake, 5);
    assert_true(intake_is_empty(&intake));
    assert_non_null(intake_room(&intake, 8, &room));
    assert_int_equal(room, 8);
    intake_reset(&intake);
}

/* Content, a gap left by a chunk's size line, and raw bytes: the gap is closed, both are kept. */
static void test_gap(void **state)
{
    struct intake intake = { 0 };
    struct body body;
    size_t room;
    char *at = intake_room(&intake, 16, &room);

    (void)state;
    memcpy(at, "3\r\nabc\r\n0\r\n\r\nGET", 16);
    intake_received(&intake, 16);
    body_init(&body, (struct framing){ FRAMING_CHUNKED, 0 });
    assert_int_equal(body_take(&body, &intake), BODY_OK);
    assert_true(body.done);
    at = intake_room(&intake, 16, &room);
    assert_int_equal(room, 10);
    memcpy(at, " /", 2);
    intake_received(&intake, 2);
    assert_memory_equal(intake_content(&intake).at, "abc", 3);
    assert_int_equal(intake_raw(&intake).len, 5);
    assert_memory_equal(intake_raw(&intake).at, "GET /", 5);
    intake_take_content(&intake, 3);
    intake_take_raw(&intake, 4);
    assert_int_equal(intake_raw(&intake).at[0], '/');
    intake_take_raw(&intake, 1);
    assert_true(intake_is_empty(&intake));
    intake_reset(&intake);
}

/* Behind its end a body leaves all bytes alone, however often it is asked. */
static void test_done_is_done(void **state)
{
    struct intake intake = { 0 };
    struct body body;

    (void)state;
    body_init(&body, (struct framing){ FRAMING_LENGTH, 2 });
    receive(&intake, TEXT("abcd"));
    for (int i = 0; i < 3; i++)
        assert_int_equal(body_take(&body, &intake), BODY_OK);
    assert_int_equal(body.bytes, 2);
    assert_int_equal(intake_raw(&intake).len, 2);
    intake_reset(&intake);
}

static void test_until_close_ends_by_word(void **state)
{
    struct intake intake = { 0 };
    struct body body;

    (void)state;
    body_init(&body, (struct framing){ FRAMING_UNTIL_CLOSE, 0 });
    receive(&intake, TEXT("abc"));
    assert_int_equal(body_take(&body, &intake), BODY_OK);
    assert_false(body.done);
    body.done = true;
    receive(&intake, TEXT("d"));
    assert_int_equal(body_take(&body, &intake), BODY_OK);
    assert_int_equal(intake_content(&intake).len, 3);
    assert_int_equal(intake_raw(&intake).len, 1);
    intake_reset(&intake);
}

/* A long body through a small buffer: what goes in comes out, in order. */
static void test_long_body(void **state)
{
    enum { TOTAL = 100000 };
    struct intake intake = { 0 };
    struct body body;
    unsigned in = 0, out = 0;

    (void)state;
    body_init(&body, (struct framing){ FRAMING_LENGTH, TOTAL });
    for (unsigned turn = 1; out < TOTAL; turn++) {
        size_t room = 0, n = turn * 7919 % 100 + 1;
        char *at = intake_room(&intake, 64, &room);
        for (size_t i = 0; at && i < room && i < n && in < TOTAL; i++) {
            at[i] = (char)(in++ % 251);
            intake_received(&intake, 1);
        }
        assert_int_equal(body_take(&body, &intake), BODY_OK);
        struct text content = intake_content(&intake);
        size_t taken = turn * 104729 % (content.len + 1);
        for (size_t i = 0; i < taken; i++)
            assert_int_equal((unsigned char)content.at[i], out++ % 251);
        intake_take_content(&intake, taken);
    }
    assert_true(body.done);
    assert_int_equal(body.bytes, TOTAL);
    intake_reset(&intake);
}

static void test_held(void **state)
{
    struct intake one = { 0 }, two = { 0 };
    size_t room;

    (void)state;
    held_set_limit(300);
    intake_room(&one, 100, &room);
    intake_room(&two, 100, &room);
    assert_int_equal(held_bytes(), 200);
    assert_false(held_is_full());
    intake_room(&one, 200, &room); /* it grows, although that is all there may be */
    assert_int_equal(held_bytes(), 300);
    assert_true(held_is_full());
    held_set_limit(0);
    assert_false(held_is_full());
    intake_reset(&one);
    intake_reset(&one);
    assert_int_equal(held_bytes(), 100);
    intake_reset(&two);
    assert_int_equal(held_bytes(), 0);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, bodies, test_body);
    stories_add(&stories, "room grows and never shrinks", test_room, NULL);
    stories_add(&stories, "full until content is taken", test_full, NULL);
    stories_add(&stories, "the gap between content and raw bytes", test_gap, NULL);
    stories_add(&stories, "a body that is done", test_done_is_done, NULL);
    stories_add(&stories, "until close ends by word of the caller", test_until_close_ends_by_word,
                NULL);
    stories_add(&stories, "a long body through a small buffer", test_long_body, NULL);
    stories_add(&stories, "what is held is counted", test_held, NULL);
    return stories_run("intake", &stories);
}

#include "tests/unit/stories.h"

#include "proxy/http/buffer.h"
#include "proxy/http/held.h"

static void assert_waiting(const struct buffer *buffer, const char *want)
{
    struct text waiting = buffer_waiting(buffer);

    assert_int_equal(waiting.len, strlen(want));
    assert_memory_equal(waiting.at, want, waiting.len);
}

/* A row is what is done, letter by letter, and what waits afterwards. */
static struct script {
    const char *name;
    size_t max;
    const char *
        does; /* + adds the next ten letters, - takes three away, = takes all, k keeps, < rewinds, f forgets */
    const char *waits;
    bool overflowed;
} scripts[] = {
    { "nothing", 100, "", "", false },
    { "added", 100, "+", "abcdefghij", false },
    { "added twice", 100, "++", "abcdefghijklmnopqrst", false },
    { "sent from the front", 100, "+-", "defghij", false },
    { "sent and added", 100, "+-+", "defghijklmnopqrst", false },
    { "all sent", 100, "+=", "", false },
    { "all sent, then more", 100, "+=+", "klmnopqrst", false },
    { "full to the last byte", 20, "++", "abcdefghijklmnopqrst", false },
    { "one byte too few", 19, "++", "abcdefghij", true },
    { "no room at all", 0, "+", "", true },
    { "overflow stays, though room comes back", 19, "++-=+", "", true },
    { "room of what has left is used", 24, "++--+", "ghijklmnopqrstuvwxyzabcd", false },
    { "room of what has left is not enough", 23, "++--+", "ghijklmnopqrst", true },
    { "creeping forward", 24, "++----+----+----+----+", "wxyzabcdefgh", false },
    { "creeping, never empty", 13, "+---+---+---+---+", "klmn", true },
    { "rewound while waiting", 100, "k++---<", "abcdefghijklmnopqrst", false },
    { "rewound after all was sent", 100, "k++=<", "abcdefghijklmnopqrst", false },
    { "rewound twice", 100, "k++=<-<", "abcdefghijklmnopqrst", false },
    { "kept, rewound and sent again", 100, "k++=<--", "ghijklmnopqrst", false },
    { "kept in the middle of its way", 100, "k++-<", "abcdefghijklmnopqrst", false },
    { "kept, and more comes behind", 100, "k+=+<", "abcdefghijklmnopqrst", false },
    { "what is kept is not overwritten", 25, "k++=+", "", true },
    { "forgotten: what waits stays", 100, "k++-f", "defghijklmnopqrst", false },
    { "forgotten when all has left", 100, "k++=f+", "uvwxyzabcd", false },
    { "forgotten makes room again", 25, "k++=f++", "uvwxyzabcdefghijklmn", false },
};

static void take(struct buffer *buffer, size_t n)
{
    size_t waiting = buffer_waiting(buffer).len;

    buffer_sent(buffer, n < waiting ? n : waiting);
}

static void test_script(void **state)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
                                  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    const struct script *row = *state;
    struct buffer buffer;
    size_t next = 0;

    buffer_init(&buffer, row->max);
    for (const char *at = row->does; *at; at++) {
        if (*at == '+') {
            buffer_add(&buffer, (struct text){ letters + next, 10 });
            next += 10;
        } else if (*at == '<') {
            buffer_rewind(&buffer);
        } else if (*at == 'k') {
            buffer.keeps = true;
        } else if (*at == 'f') {
            buffer_forget(&buffer);
        } else {
            take(&buffer, *at == '-' ? 3 : SIZE_MAX);
        }
        assert_true(buffer.size <= row->max);
        assert_int_equal(held_bytes(), buffer.size);
    }
    assert_int_equal(buffer.overflowed, row->overflowed);
    assert_waiting(&buffer, row->waits);
    buffer_fini(&buffer);
    assert_int_equal(held_bytes(), 0);
}

/* Ten letters, some of them sent, cut to what is kept; then three more. */
static struct cut {
    const char *name;
    size_t sent, kept;
    const char *waits;
} cuts[] = {
    { "cut to nothing", 0, 0, "xyz" },
    { "cut to its front", 0, 4, "abcdxyz" },
    { "cut to all of it", 0, 10, "abcdefghijxyz" },
    { "what is left is cut to nothing", 3, 0, "xyz" },
    { "what is left is cut to its front", 3, 4, "defgxyz" },
    { "nothing is left to cut", 10, 0, "xyz" },
};

static void test_cut(void **state)
{
    const struct cut *row = *state;
    struct buffer buffer;

    buffer_init(&buffer, 13);
    buffer_add(&buffer, TEXT("abcdefghij"));
    buffer_sent(&buffer, row->sent);
    buffer_cut(&buffer, row->kept);
    buffer_add(&buffer, TEXT("xyz"));
    assert_waiting(&buffer, row->waits);
    buffer_fini(&buffer);
}

static struct number {
    const char *name;
    unsigned long long value;
    const char *decimal, *hex;
} numbers[] = {
    { "zero", 0, "0", "0" },
    { "nine", 9, "9", "9" },
    { "ten", 10, "10", "a" },
    { "a chunk", 16384, "16384", "4000" },
    { "all letters", 0xabcdef, "11259375", "abcdef" },
    { "the largest", UINT64_MAX, "18446744073709551615", "ffffffffffffffff" },
};

static void test_number(void **state)
{
    const struct number *row = *state;
    struct buffer buffer;

    buffer_init(&buffer, 64);
    buffer_add_uint(&buffer, row->value);
    assert_waiting(&buffer, row->decimal);
    buffer_sent(&buffer, buffer.end);
    buffer_add_hex(&buffer, row->value);
    assert_waiting(&buffer, row->hex);
    buffer_fini(&buffer);
}

static void test_field(void **state)
{
    struct buffer buffer;

    (void)state;
    buffer_init(&buffer, 64);
    buffer_add_field(&buffer, TEXT("X-A"), TEXT("b"));
    buffer_add_field(&buffer, TEXT("X-B"), TEXT(""));
    assert_waiting(&buffer, "X-A: b\r\nX-B: \r\n");
    buffer_fini(&buffer);
}

/* Of a field that does not fit nothing is added, and nothing comes behind it. */
static void test_overflowing_field(void **state)
{
    struct buffer buffer;

    (void)state;
    buffer_init(&buffer, 8);
    buffer_add_field(&buffer, TEXT("X-A"), TEXT("bcdefgh"));
    buffer_add(&buffer, TEXT("z"));
    assert_true(buffer.overflowed);
    assert_waiting(&buffer, "");
    buffer_fini(&buffer);
}

static void test_growth(void **state)
{
    static char bytes[100];
    struct buffer buffer;

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    buffer_init(&buffer, 5000);
    assert_int_equal(buffer.size, 0); /* nothing is held before there is something to hold */
    for (int i = 0; i < 50; i++) {
        buffer_add(&buffer, (struct text){ bytes, sizeof(bytes) });
        assert_false(buffer.overflowed);
        assert_true(buffer.size <= 5000);
        assert_int_equal(buffer_waiting(&buffer).len, (size_t)(i + 1) * 100);
    }
    buffer_add(&buffer, TEXT(""));
    assert_false(buffer.overflowed);
    buffer_add(&buffer, TEXT("y"));
    assert_true(buffer.overflowed);
    buffer_fini(&buffer);
}

/* As long as what waits fits, no number of small sends makes the buffer overflow. */
static void test_creeping(void **state)
{
    enum { MAX = 2000 };
    static char piece[700];
    struct buffer buffer;
    unsigned char first = 0, last = 0;

    (void)state;
    buffer_init(&buffer, MAX);
    for (size_t turn = 1; turn < 5000; turn++) {
        size_t n = turn * 7919 % sizeof(piece) + 1, waiting = buffer_waiting(&buffer).len;
        if (waiting + n <= MAX) {
            for (size_t i = 0; i < n; i++)
                piece[i] = (char)last++;
            buffer_add(&buffer, (struct text){ piece, n });
        }
        assert_false(buffer.overflowed);
        struct text now = buffer_waiting(&buffer);
        size_t sent = turn * 104729 % (now.len + 1);
        if (sent == now.len && sent > 0)
            sent--; /* never quite empty */
        for (size_t i = 0; i < now.len; i++)
            assert_int_equal((unsigned char)now.at[i], (unsigned char)(first + i));
        buffer_sent(&buffer, sent);
        first = (unsigned char)(first + sent);
    }
    buffer_fini(&buffer);
}

static void test_used_again(void **state)
{
    struct buffer buffer;

    (void)state;
    buffer_init(&buffer, 4);
    buffer_add(&buffer, TEXT("abcde"));
    assert_true(buffer.overflowed);
    buffer_fini(&buffer);
    assert_null(buffer.bytes);
    buffer_add(&buffer, TEXT("abcd"));
    assert_false(buffer.overflowed);
    assert_waiting(&buffer, "abcd");
    buffer_fini(&buffer);
    buffer_fini(&buffer);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, scripts, test_script);
    STORIES_ADD(&stories, cuts, test_cut);
    STORIES_ADD(&stories, numbers, test_number);
    stories_add(&stories, "a field", test_field, NULL);
    stories_add(&stories, "a field that does not fit", test_overflowing_field, NULL);
    stories_add(&stories, "grows to its maximum and no further", test_growth, NULL);
    stories_add(&stories, "creeping forward for a long time", test_creeping, NULL);
    stories_add(&stories, "emptied and used again", test_used_again, NULL);
    return stories_run("buffer", &stories);
}

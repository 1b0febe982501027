#include "tests/unit/stories.h"

#include <stdlib.h>

#include "config/text.h"

static struct number {
    const char *name;
    struct text text;
    unsigned long long max;
    bool ok;
    unsigned long long value;
} numbers[] = {
    { "zero", TEXT_INIT("0"), 10, true, 0 },
    { "leading zeros", TEXT_INIT("007"), 10, true, 7 },
    { "exactly the maximum", TEXT_INIT("65535"), 65535, true, 65535 },
    { "the largest number there is", TEXT_INIT("18446744073709551615"), ~0ULL, true, ~0ULL },
    { "one above the maximum", TEXT_INIT("65536"), 65535, false, 0 },
    { "one above the largest", TEXT_INIT("18446744073709551616"), ~0ULL, false, 0 },
    { "would wrap", TEXT_INIT("99999999999999999999999"), ~0ULL, false, 0 },
    { "nothing", TEXT_INIT(""), 10, false, 0 },
    { "not there", { NULL, 0 }, 10, false, 0 },
    { "a sign", TEXT_INIT("+1"), 10, false, 0 },
    { "a minus", TEXT_INIT("-1"), 10, false, 0 },
    { "a blank before", TEXT_INIT(" 1"), 10, false, 0 },
    { "a blank behind", TEXT_INIT("1 "), 10, false, 0 },
    { "hexadecimal", TEXT_INIT("0x1"), 100, false, 0 },
    { "a NUL inside", TEXT_INIT("1\0002"), 100, false, 0 },
    { "an eight-bit byte", TEXT_INIT("1\xb2"), 100, false, 0 },
};

static void test_number(void **state)
{
    const struct number *row = *state;
    unsigned long long value = 0;

    assert_int_equal(text_to_uint(row->text, row->max, &value), row->ok);
    assert_int_equal(value, row->value);
}

static struct printable {
    const char *name;
    struct text text;
    size_t size;
    const char *want;
} printables[] = {
    { "plain text stays", TEXT_INIT("a/b c~"), 32, "a/b c~" },
    { "a line break", TEXT_INIT("a\nb"), 32, "a\\x0ab" },
    { "a NUL does not end it", TEXT_INIT("a\0b"), 32, "a\\x00b" },
    { "escape sequences of terminals", TEXT_INIT("\x1b[2J"), 32, "\\x1b[2J" },
    { "the backslash, so that nothing can look escaped", TEXT_INIT("\\x41"), 32, "\\x5cx41" },
    { "eight-bit bytes", TEXT_INIT("\xc3\xa9"), 32, "\\xc3\\xa9" },
    { "DEL", TEXT_INIT("\x7f"), 32, "\\x7f" },
    { "cut at the size", TEXT_INIT("abcdef"), 4, "abc" },
    { "no half escape", TEXT_INIT("ab\n"), 5, "ab" },
    { "an escape that just fits", TEXT_INIT("ab\n"), 7, "ab\\x0a" },
    { "room for the NUL only", TEXT_INIT("abc"), 1, "" },
    { "not there", { NULL, 0 }, 8, "" },
};

static void test_printable(void **state)
{
    const struct printable *row = *state;
    char out[32];

    memset(out, '#', sizeof(out));
    assert_ptr_equal(text_printable(row->text, out, row->size), out);
    assert_string_equal(out, row->want);
}

static struct pair {
    const char *name;
    struct text a, b;
    bool eq, nocase, starts, ends;
} pairs[] = {
    { "the same", TEXT_INIT("abc"), TEXT_INIT("abc"), true, true, true, true },
    { "another case", TEXT_INIT("aBc"), TEXT_INIT("AbC"), false, true, false, false },
    { "case is a matter of letters only", TEXT_INIT("[@"), TEXT_INIT("{`"), false, false, false,
      false },
    { "case is a matter of ASCII only", TEXT_INIT("\xc4"), TEXT_INIT("\xe4"), false, false, false,
      false },
    { "a prefix", TEXT_INIT("abc"), TEXT_INIT("ab"), false, false, true, false },
    { "a suffix", TEXT_INIT("abc"), TEXT_INIT("bc"), false, false, false, true },
    { "longer than the whole", TEXT_INIT("ab"), TEXT_INIT("abc"), false, false, false, false },
    { "nothing starts and ends all", TEXT_INIT("abc"), TEXT_INIT(""), false, false, true, true },
    { "not there is like nothing", { NULL, 0 }, TEXT_INIT(""), true, true, true, true },
    { "NUL is a byte like others", TEXT_INIT("a\0b"), TEXT_INIT("a\0c"), false, false, false,
      false },
};

static void test_pair(void **state)
{
    const struct pair *row = *state;

    assert_int_equal(text_eq(row->a, row->b), row->eq);
    assert_int_equal(text_eq_nocase(row->a, row->b), row->nocase);
    assert_int_equal(text_starts(row->a, row->b), row->starts);
    assert_int_equal(text_ends(row->a, row->b), row->ends);
}

static struct trimmed {
    const char *name;
    struct text text, want;
} trims[] = {
    { "blanks and tabs go", TEXT_INIT(" \ta b\t "), TEXT_INIT("a b") },
    { "nothing but blanks", TEXT_INIT(" \t "), TEXT_INIT("") },
    { "line breaks stay", TEXT_INIT("\na\r\n"), TEXT_INIT("\na\r\n") },
    { "no-break space stays", TEXT_INIT("\xc2\xa0"), TEXT_INIT("\xc2\xa0") },
};

static void test_trim(void **state)
{
    const struct trimmed *row = *state;

    assert_true(text_eq(text_trim(row->text), row->want));
}

/* Words of eight bytes are compared at once: each pair of bytes, at the ends and across the seam. */
static void test_every_pair(void **state)
{
    static const size_t lengths[] = { 1, 7, 8, 9, 16, 21 };
    char a[24], b[24];

    (void)state;
    memset(a, 'x', sizeof(a));
    memset(b, 'X', sizeof(b));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t len = lengths[i], places[] = { 0, len / 2, len - 1 };
        for (size_t pair = 0; pair < 3 << 16; pair++) {
            size_t place = places[pair >> 16];
            a[place] = (char)(pair >> 8 & 0xff);
            b[place] = (char)(pair & 0xff);
            bool want = ascii_lower(a[place]) == ascii_lower(b[place]);
            if (text_eq_nocase((struct text){ a, len }, (struct text){ b, len }) != want)
                fail_msg("%02zx and %02zx at %zu of %zu", pair >> 8 & 0xff, pair & 0xff, place,
                         len);
            a[place] = 'x';
            b[place] = 'X';
        }
    }
}

static void test_dup(void **state)
{
    char *copy = text_dup(TEXT("a\0b")), *none = text_dup(TEXT_NONE);

    (void)state;
    assert_memory_equal(copy, "a\0b", 4);
    assert_string_equal(none, "");
    free(copy);
    free(none);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, numbers, test_number);
    STORIES_ADD(&stories, printables, test_printable);
    STORIES_ADD(&stories, pairs, test_pair);
    STORIES_ADD(&stories, trims, test_trim);
    stories_add(&stories, "every pair of bytes, case-blind", test_every_pair, NULL);
    stories_add(&stories, "a copy keeps NULs and ends with one", test_dup, NULL);
    return stories_run("text", &stories);
}

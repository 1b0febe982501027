/* Wildcards: contract section 4, "host and path match separately". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/memory.h"
#include "policy/pattern.h"

/* Counts what the search walks over: this definition is the one that the program uses. */
static size_t walked;

void *memmem(const void *haystack, size_t len, const void *needle, size_t needle_len)
{
    const char *at = haystack;

    for (size_t i = 0; i + needle_len <= len; i++) {
        walked++;
        if (memcmp(at + i, needle, needle_len) == 0)
            return (void *)(uintptr_t)(at + i);
    }
    return NULL;
}

static const struct {
    const char *name;
    enum pattern_kind kind;
    const char *pattern, *subject;
    bool want;
} stories[] = {
    { "literal", PATTERN_PATH, "/a/b", "/a/b", true },
    { "star is everything", PATTERN_PATH, "*", "/a/b", true },
    { "star is nothing too", PATTERN_PATH, "/a/*", "/a/", true },
    { "star crosses slashes", PATTERN_PATH, "/a/*", "/a/b/c", true },
    { "star in the middle", PATTERN_PATH, "/a/*/c", "/a/b/b/c", true },
    { "star at the start", PATTERN_PATH, "*/c", "/a/c", true },
    { "prefix", PATTERN_PATH, "/api*", "/apiary", true },
    { "double star", PATTERN_PATH, "/a/**", "/a/b", true },
    { "pieces in order", PATTERN_PATH, "*a*b*c*", "/xaxbxcx", true },
    { "the tail is at the end, not where it is first", PATTERN_PATH, "/*.xml", "/a.xml.xml", true },
    { "8-bit bytes", PATTERN_PATH, "/*", "/\xc3\xa7", true },
    { "/x/* does not cover /x", PATTERN_PATH, "/x/*", "/x", false },
    { "paths mind the case", PATTERN_PATH, "/a", "/A", false },
    { "paths mind the case with a star", PATTERN_PATH, "/a/*", "/A/b", false },
    { "not anchored at the front", PATTERN_PATH, "/a/*", "/x/a/b", false },
    { "not anchored at the end", PATTERN_PATH, "/*.xml", "/a.xmlx", false },
    { "pieces out of order", PATTERN_PATH, "*a*b*", "/ba", false },
    { "head and tail do not overlap", PATTERN_PATH, "/ab*ba", "/aba", false },
    { "a longer literal", PATTERN_PATH, "/a", "/a/", false },
    { "a question mark is itself", PATTERN_PATH, "/a?", "/ab", false },
    { "a dot is itself", PATTERN_PATH, "/a.b", "/axb", false },
    { "brackets are themselves", PATTERN_PATH, "/[ab]", "/a", false },
    { "empty subject", PATTERN_PATH, "/*", "", false },
    { "host", PATTERN_HOST, "a.test", "a.test", true },
    { "host patterns fold", PATTERN_HOST, "A.Test", "a.test", true },
    { "one label", PATTERN_HOST, "*.test", "a.test", true },
    { "two labels", PATTERN_HOST, "*.test", "a.b.test", true },
    { "part of a label", PATTERN_HOST, "a-*.test", "a-1.test", true },
    { "any host", PATTERN_HOST, "*", "a.test", true },
    { "an empty run", PATTERN_HOST, "*.test", ".test", false },
    { "the bare domain", PATTERN_HOST, "*.test", "test", false },
    { "no boundary", PATTERN_HOST, "*.test", "eviltest", false },
    { "a suffix in the middle", PATTERN_HOST, "*.test", "a.test.evil", false },
    { "an empty run in the middle", PATTERN_HOST, "a*b.test", "ab.test", false },
    { "an empty run at the end", PATTERN_HOST, "a.*", "a.", false },
    { "slash", PATTERN_HOST, "*.test", "evil/a.test", false },
    { "colon", PATTERN_HOST, "*.test", "evil:80.a.test", false },
    { "at", PATTERN_HOST, "*.test", "u@a.test", false },
    { "IPv6", PATTERN_HOST, "*", "2001:db8::1", false },
    { "blank", PATTERN_HOST, "*", "a b", false },
    { "nothing", PATTERN_HOST, "*", "", false },
    { "a literal with a slash", PATTERN_HOST, "a.test", "a.test/", false },
};

static bool matches(enum pattern_kind kind, struct text source, struct text subject)
{
    struct pattern *pattern = pattern_new(kind, source);
    bool result = pattern_matches(pattern, subject);

    pattern_free(pattern);
    return result;
}

static void stories_come_true(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++)
        if (matches(stories[i].kind, text_of(stories[i].pattern), text_of(stories[i].subject)) !=
            stories[i].want)
            fail_msg("%s: %s %s", stories[i].name, stories[i].pattern, stories[i].subject);
}

static void nothing_at_all_matches_a_lone_star(void **state)
{
    (void)state;
    assert_true(matches(PATTERN_PATH, TEXT("*"), TEXT_NONE));
    assert_false(matches(PATTERN_HOST, TEXT("*"), TEXT_NONE));
    assert_false(matches(PATTERN_PATH, TEXT("/"), TEXT_NONE));
}

static void source_and_literal(void **state)
{
    struct pattern *host = pattern_new(PATTERN_HOST, TEXT("A.**.Test"));
    struct pattern *path = pattern_new(PATTERN_PATH, TEXT("/A"));

    (void)state;
    assert_true(text_eq(pattern_source(host), TEXT("a.*.test")));
    assert_false(pattern_is_literal(host));
    assert_true(text_eq(pattern_source(path), TEXT("/A")));
    assert_true(pattern_is_literal(path));
    pattern_free(host);
    pattern_free(path);
    pattern_free(NULL);
}

static void a_hostile_pattern_is_linear(void **state)
{
    enum { SUBJECT = 16 * 1024, STARS = 2000 };
    char *source = mem_alloc(STARS * 2 + 3, 1), *subject = mem_alloc(SUBJECT + 1, 1);

    (void)state;
    for (size_t i = 0; i < STARS; i++)
        memcpy(source + i * 2, "*a", 2);
    memcpy(source + STARS * 2, "b*", 2); /* so that it never matches */
    memset(subject, 'a', SUBJECT);
    walked = 0;
    assert_false(matches(PATTERN_PATH, text_of(source), text_of(subject)));
    assert_in_range(walked, STARS - 1, SUBJECT); /* also: it is our memmem that was asked */
    walked = 0;
    subject[SUBJECT - 1] = 'c';
    assert_false(matches(PATTERN_PATH, TEXT("*b*a*a*a*a*"), text_of(subject)));
    assert_true(walked <= SUBJECT);
    walked = 0;
    source[STARS * 2 + 1] = '\0';
    assert_false(matches(PATTERN_PATH, text_of(source), text_of(subject)));
    assert_int_equal(walked, 0); /* the end is looked at first */
    free(source);
    free(subject);
}

/* ---- properties, with a generator that always begins alike ---- */

static uint32_t dice = 2463534242u;

static uint32_t roll(uint32_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 17;
    dice ^= dice << 5;
    return dice % sides;
}

static struct text random_text(char *out, size_t max, const char *letters)
{
    size_t len = roll((uint32_t)max + 1);

    for (size_t i = 0; i < len; i++)
        out[i] = letters[roll((uint32_t)strlen(letters))];
    return (struct text){ out, len };
}

/* The definition, without any thought for speed. */
static bool slow(enum pattern_kind kind, struct text p, struct text s)
{
    size_t least = kind == PATTERN_HOST ? 1 : 0;

    if (p.len == 0)
        return s.len == 0;
    if (p.at[0] != '*')
        return s.len > 0 && p.at[0] == s.at[0] &&
               slow(kind, (struct text){ p.at + 1, p.len - 1 },
                    (struct text){ s.at + 1, s.len - 1 });
    while (p.len > 1 && p.at[1] == '*')
        p = (struct text){ p.at + 1, p.len - 1 };
    for (size_t take = least; take <= s.len; take++)
        if (slow(kind, (struct text){ p.at + 1, p.len - 1 },
                 (struct text){ s.at + take, s.len - take }))
            return true;
    return false;
}

static void agrees_with_the_definition(void **state)
{
    char p[16], s[16];

    (void)state;
    for (int i = 0; i < 200000; i++) {
        enum pattern_kind kind = roll(2) ? PATTERN_HOST : PATTERN_PATH;
        struct text pattern = random_text(p, 8, "ab.**"), subject = random_text(s, 10, "aab.");

        if (matches(kind, pattern, subject) != slow(kind, pattern, subject))
            fail_msg("kind %d: %.*s and %.*s", kind, TEXT_ARG(pattern), TEXT_ARG(subject));
    }
}

static void a_literal_matches_only_itself(void **state)
{
    char p[16], s[16];

    (void)state;
    for (int i = 0; i < 100000; i++) {
        struct text pattern = random_text(p, 5, "ab./"), subject = random_text(s, 5, "ab./");

        assert_int_equal(matches(PATTERN_PATH, pattern, subject), text_eq(pattern, subject));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_come_true),
        cmocka_unit_test(nothing_at_all_matches_a_lone_star),
        cmocka_unit_test(source_and_literal),
        cmocka_unit_test(a_hostile_pattern_is_linear),
        cmocka_unit_test(agrees_with_the_definition),
        cmocka_unit_test(a_literal_matches_only_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

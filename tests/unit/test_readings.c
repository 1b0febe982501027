/* Every reading: contract section 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/memory.h"
#include "policy/pattern.h"
#include "policy/readings.h"

/* The readings that must be there; the path as sent always is. */
static const struct {
    const char *name, *path, *want[5];
} readings_wanted[] = {
    { "plain", "/api/x-y_z~1,2@3:4!$&'()*+=.txt", { 0 } },
    { "root", "/", { 0 } },
    { "trailing slash", "/a/", { 0 } },
    { "dots that are no segment", "/a/.b/..c/d../...", { 0 } },
    { "8-bit", "/\xc3\xa7\xff", { 0 } },
    { "escape", "/%61", { "/a" } },
    { "escape in small letters", "/%c3%a7", { "/\xc3\xa7" } },
    { "two escapes in one", "/%2561", { "/%61", "/a" } },
    { "not three times", "/%252561", { "/%2561", "/%61" } },
    { "a percent sign that is data", "/100%25", { "/100%" } },
    { "malformed only after decoding", "/%25zz", { "/%zz" } },
    { "dot-dot", "/a/../b", { "/b" } },
    { "dot-dot at the end", "/a/b/..", { "/a/" } },
    { "dot-dot at the end leaves no slash", "/a/b/..", { "/a" } },
    { "encoded dot-dot at the end leaves no slash", "/a/b/%2e%2E", { "/a" } },
    { "dot-dot at the end of the root", "/a/..", { "/" } },
    { "dot at the end leaves no slash", "/a/b/.", { "/a/b" } },
    { "overlong dots", "/a/%c0%ae%C0%AE/b", { "/a/../b", "/b" } },
    { "overlong slash of three bytes", "/a/..%e0%80%afb", { "/a/../b", "/b" } },
    { "overlong dots of four bytes", "/a/%f0%80%80%ae%f0%80%80%ae/b", { "/b" } },
    { "overlong backslash", "/a/..%c1%9cb", { "/a/..\\b", "/b" } },
    { "overlong percent sign", "/a/%c0%a52e%c0%a52e/b", { "/a/%2e%2e/b", "/b" } },
    { "raw overlong dots", "/a/\xc0\xae\xc0\xae/b", { "/b" } },
    { "8-bit that is not overlong", "/\xe0\xa0\x80\xc0\xf0", { 0 } },
    { "dot", "/a/./b", { "/a/b" } },
    { "dot at the end", "/a/.", { "/a/" } },
    { "above the root", "/../../a", { "/a" } },
    { "encoded dot-dot", "/a/%2e%2e/b", { "/a/../b", "/b" } },
    { "half encoded dot-dot", "/a/.%2E/b", { "/b" } },
    { "encoded slash", "/a/..%2fb", { "/a/../b", "/b" } },
    { "everything encoded", "/a%2f%2e%2e%2fb", { "/b" } },
    { "double encoded dot-dot", "/a/%252e%252e/b", { "/a/%2e%2e/b", "/b" } },
    { "one decoding, then a segment", "/a/%2e%252e/b", { "/b" } },
    { "an encoded slash that stays", "/p/a%2fb/%2e%2e/%2e%2e/x", { "/x", "/p/x" } },
    { "backslash", "/a\\b", { "/a/b" } },
    { "backslash dot-dot", "/a\\..\\b", { "/a/../b", "/b" } },
    { "encoded backslash", "/a/..%5cb", { "/a/..\\b", "/b" } },
    { "backslash beside an encoded slash", "/p/a%2fb/..%5c..%5cx", { "/x" } },
    { "double slash", "/a//b", { "/a/b" } },
    { "many slashes", "///a////b//", { "/a/b/" } },
    { "an empty segment under dot-dot", "/a//../b", { "/a/b", "/b" } },
    { "parameters", "/a;v=1/b;c", { "/a/b" } },
    { "parameters behind dot-dot", "/a/..;/b", { "/a/../b", "/b" } },
    { "parameters behind an escape", "/a/%2e%2e%3b/b", { "/b" } },
    { "nothing but parameters", "/a/;x/b", { "/a//b", "/a/b" } },
    { "encoded question mark", "/a%3fb", { "/a?b", "/a" } },
    { "encoded question mark hides an end", "/secret%3f.xml", { "/secret" } },
    { "double encoded question mark", "/a%253fb", { "/a" } },
    { "encoded number sign", "/a%23b", { "/a#b", "/a" } },
    { "dot-dot that a cut lays bare", "/a/..%3fb", { "/" } },
};

static bool has_reading(const struct readings *readings, struct text path)
{
    for (size_t i = 0; i < readings->n; i++)
        if (text_eq(readings->at[i].path, path))
            return true;
    return false;
}

static void wanted_readings_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof readings_wanted / sizeof *readings_wanted; i++) {
        struct readings readings;

        if (readings_of(text_of(readings_wanted[i].path), &readings) != READINGS_OK)
            fail_msg("%s: refused", readings_wanted[i].name);
        assert_true(text_eq(readings.at[0].path, text_of(readings_wanted[i].path)));
        for (size_t j = 0; j < 5 && readings_wanted[i].want[j]; j++)
            if (!has_reading(&readings, text_of(readings_wanted[i].want[j])))
                fail_msg("%s: %s is not read as %s", readings_wanted[i].name,
                         readings_wanted[i].path, readings_wanted[i].want[j]);
        if (!readings_wanted[i].want[0] && readings.n != 1)
            fail_msg("%s: has %zu readings", readings_wanted[i].name, readings.n);
        if ((readings.n == 1) != path_is_plain(text_of(readings_wanted[i].path)))
            fail_msg("%s: plain or not", readings_wanted[i].name);
        readings_fini(&readings);
    }
}

static const struct {
    const char *name;
    struct text path;
    enum readings_result want;
} refused[] = {
    { "empty", { "", 0 }, READINGS_MALFORMED },
    { "not there", { NULL, 0 }, READINGS_MALFORMED },
    { "no slash", { "a", 1 }, READINGS_MALFORMED },
    { "asterisk", { "*", 1 }, READINGS_MALFORMED },
    { "percent at the end", { "/%", 2 }, READINGS_MALFORMED },
    { "one digit", { "/%4", 3 }, READINGS_MALFORMED },
    { "no digits", { "/%zz", 4 }, READINGS_MALFORMED },
    { "second digit bad", { "/%4g", 4 }, READINGS_MALFORMED },
    { "IIS unicode escape", { "/%u002e", 7 }, READINGS_MALFORMED },
    { "a bad escape behind a good one", { "/%41%", 5 }, READINGS_MALFORMED },
    { "NUL", { "/a\0b", 4 }, READINGS_MALFORMED },
    { "control byte", { "/a\nb", 4 }, READINGS_MALFORMED },
    { "DEL", { "/a\x7f", 3 }, READINGS_MALFORMED },
    { "encoded NUL", { "/a%00", 5 }, READINGS_MALFORMED },
    { "encoded NUL behind a plain end", { "/a%00.xml", 9 }, READINGS_MALFORMED },
    { "encoded CR", { "/%0d", 4 }, READINGS_MALFORMED },
    { "encoded DEL", { "/%7f", 4 }, READINGS_MALFORMED },
    { "double encoded NUL", { "/%2500", 6 }, READINGS_MALFORMED },
    { "double encoded LF", { "/%250a", 6 }, READINGS_MALFORMED },
    { "an escape of an escape's digit", { "/%2%300", 7 }, READINGS_MALFORMED },
};

static void bad_paths_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct readings readings;

        if (readings_of(refused[i].path, &readings) != refused[i].want)
            fail_msg("%s: not refused", refused[i].name);
        readings_fini(&readings);
    }
}

static void a_third_encoding_is_data(void **state)
{
    struct readings readings;

    (void)state;
    assert_int_equal(readings_of(TEXT("/%252500"), &readings), READINGS_OK);
    assert_true(has_reading(&readings, TEXT("/%00")));
    readings_fini(&readings);
}

static void paths_have_16_kib_at_most(void **state)
{
    char *path = mem_alloc(PATH_MAX_BYTES + 2, 1);
    struct readings readings;

    (void)state;
    memset(path, '/', PATH_MAX_BYTES + 1);
    assert_int_equal(readings_of((struct text){ path, PATH_MAX_BYTES }, &readings), READINGS_OK);
    assert_true(has_reading(&readings, TEXT("/")));
    readings_fini(&readings);
    assert_int_equal(readings_of((struct text){ path, PATH_MAX_BYTES + 1 }, &readings),
                     READINGS_TOO_LONG);
    readings_fini(&readings);
    free(path);
}

static void the_number_of_readings_is_bounded(void **state)
{
    /* every step matters here, and the order of the steps too */
    static const char twisted[] =
        "/a/;/..\\.%2f;b//..%5c%252e%252e%253b/..%3f/x%2f%2f..%253bc/%5c/../y;"
        "%252f%255c..%3b/.%3fz//%2e%23/..";
    struct readings readings;

    (void)state;
    assert_int_equal(readings_of(text_of(twisted), &readings), READINGS_TOO_MANY);
    assert_int_equal(readings.n, READINGS_MAX);
    readings_fini(&readings);
}

static void odd_paths_of_real_clients_are_not_too_many(void **state)
{
    static const char *const paths[] = {
        "/api/catalog//search/a%20b;c=d/%C3%A7?x",
        "/buckets/a%2Fb%2Fc/files/d%2Fe..json",
        "/x/..%2f..%2fsecret",
        "/a%252Fb/../c;v=1//d",
        "/..;/..;/%2e%2e/x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct readings readings;

        if (readings_of(text_of(paths[i]), &readings) != READINGS_OK)
            fail_msg("%s", paths[i]);
        readings_fini(&readings);
    }
}

static void readings_have_names(void **state)
{
    struct readings readings;
    char name[120], small[8];
    size_t i = 0;

    (void)state;
    assert_int_equal(readings_of(TEXT("/a/%2e%2e/b"), &readings), READINGS_OK);
    assert_string_equal(reading_name(&readings, 0, name, sizeof name), "as sent");
    while (!text_eq(readings.at[i].path, TEXT("/b")))
        i++;
    assert_string_equal(reading_name(&readings, i, name, sizeof name),
                        "decoded, dot segments resolved");
    assert_string_equal(reading_name(&readings, i, small, sizeof small), "decoded");
    readings_fini(&readings);
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

static struct text random_path(char out[64])
{
    static const char *const pieces[] = {
        "a",   "b",   "/",     "/",     "..",  ".",   ";",   "\\",
        "%2f", "%2e", "%252e", "%252f", "%5c", "%25", "%3f", "%3b"
    };
    size_t len = 1, n = roll(9);

    out[0] = '/';
    for (size_t i = 0; i < n; i++) {
        const char *piece = pieces[roll(sizeof pieces / sizeof *pieces)];

        memcpy(out + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return (struct text){ out, len };
}

static void assert_nothing_new(const struct readings *outer, struct text path)
{
    struct readings inner;

    assert_int_equal(readings_of(path, &inner), READINGS_OK);
    for (size_t i = 0; i < inner.n; i++)
        assert_true(has_reading(outer, inner.at[i].path));
    readings_fini(&inner);
}

/* Whatever an origin does next to a reading, the outcome is a reading too. */
static void readings_are_closed(void **state)
{
    char bytes[64];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct readings outer;

        if (readings_of(random_path(bytes), &outer) == READINGS_OK)
            for (size_t j = 0; j < outer.n; j++)
                if (!memchr(outer.at[j].path.at, '%', outer.at[j].path.len))
                    assert_nothing_new(&outer, outer.at[j].path);
        readings_fini(&outer);
    }
}

/* More readings never open more: what all readings match, the path as sent matches. */
static void readings_never_widen(void **state)
{
    static const char *const sources[] = { "/a/*", "/a", "*b", "/*a*", "*", "/a/b/*" };
    char bytes[64];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct pattern *pattern = pattern_new(PATTERN_PATH, text_of(sources[roll(6)]));
        struct text path = random_path(bytes);
        struct readings readings;
        bool all = readings_of(path, &readings) == READINGS_OK;

        for (size_t j = 0; all && j < readings.n; j++)
            all = pattern_matches(pattern, readings.at[j].path);
        if (all)
            assert_true(pattern_matches(pattern, path));
        readings_fini(&readings);
        pattern_free(pattern);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wanted_readings_are_found),
        cmocka_unit_test(bad_paths_are_refused),
        cmocka_unit_test(a_third_encoding_is_data),
        cmocka_unit_test(paths_have_16_kib_at_most),
        cmocka_unit_test(the_number_of_readings_is_bounded),
        cmocka_unit_test(odd_paths_of_real_clients_are_not_too_many),
        cmocka_unit_test(readings_have_names),
        cmocka_unit_test(readings_are_closed),
        cmocka_unit_test(readings_never_widen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

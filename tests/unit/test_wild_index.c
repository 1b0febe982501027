/* Finding wildcards by their ends must find just what trying all of them finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "policy/wild_index.h"

enum { PATTERNS_MAX = 24, FOUND_MAX = 200 };

/* Owners are numbers in an array, as rules are. */
static const int owners[PATTERNS_MAX] = { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                          12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23 };

struct set {
    struct wild_item items[PATTERNS_MAX];
    struct pattern *patterns[PATTERNS_MAX];
    size_t n;
    struct wild_index *index;
};

static void set_add(struct set *set, const char *source)
{
    struct pattern *pattern = pattern_new(PATTERN_PATH, text_of(source));

    set->patterns[set->n] = pattern;
    set->items[set->n] = (struct wild_item){ pattern, &owners[set->n] };
    set->n++;
}

static void set_close(struct set *set, enum affix_side side)
{
    set->index = wild_index_new(side, set->items, set->n);
}

static void set_fini(struct set *set)
{
    wild_index_free(set->index);
    for (size_t i = 0; i < set->n; i++)
        pattern_free(set->patterns[i]);
}

/* " 3 0 1": the owners in the order in which the walk meets them. */
static const char *walked(const struct set *set, const char *subject, char out[FOUND_MAX])
{
    struct wild_walk walk;
    const int *owner;
    size_t used = 0;

    out[0] = '\0';
    wild_walk_init(&walk, set->index, text_of(subject));
    while ((owner = wild_walk_next(&walk)) != NULL)
        used += (size_t)snprintf(out + used, FOUND_MAX - used, " %d", *owner);
    return out;
}

static const struct {
    const char *name, *patterns[8], *subject, *front, *back;
} stories[] = {
    { "nothing is there", { NULL }, "/a", "", "" },
    { "a prefix", { "/a/*", "/b/*" }, "/a/x", " 0", " 0" },
    { "not the text itself without its slash", { "/a/*" }, "/a", "", "" },
    { "the longest end first", { "*", "/a*", "/a/b*" }, "/a/b/c", " 2 1 0", " 2 1 0" },
    { "a shorter end behind a longer that fails",
      { "/a*", "/a/b/x*", "/a/b*z" },
      "/a/b/c",
      " 0",
      " 0" },
    { "equals in the order given",
      { "/a/*/x/*", "/a/*/y/*", "/a/*" },
      "/a/1/x/y/2",
      " 0 1 2",
      " 0 1 2" },
    { "the same pattern twice", { "/a*", "/a*" }, "/a", " 0 1", " 0 1" },
    { "both ends count", { "/a*c", "/a*d", "/b*c" }, "/abc", " 0", " 0" },
    { "ends do not overlap", { "/ab*ba" }, "/aba", "", "" },
    { "tails nest as heads do", { "*", "*c", "*bc", "*abc" }, "/abc", " 3 2 1 0", " 3 2 1 0" },
    { "an empty text", { "*" }, "", " 0", " 0" },
    { "what stands between is looked for",
      { "/*/k1/*", "/*/k2/*", "/*/k3/*", "/*/k4/*", "/*/k5/*" },
      "/x/k4/y",
      " 3",
      " 3" },
    { "pairs are no proof", { "/*aab*", "/*aba*", "/*baa*", "/*bab*" }, "/xabay", " 1", " 1" },
    { "bytes of 0x80 and more sort", { "/\xff*", "/a*", "/\x80*" }, "/\xff-", " 0", " 0" },
};

static void stories_hold(void **state)
{
    char found[FOUND_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++)
        for (int side = AFFIX_FRONT; side <= AFFIX_BACK; side++) {
            const char *want = side == AFFIX_FRONT ? stories[i].front : stories[i].back;
            struct set set = { .n = 0 };

            for (const char *const *at = stories[i].patterns; *at; at++)
                set_add(&set, *at);
            set_close(&set, (enum affix_side)side);
            if (strcmp(walked(&set, stories[i].subject, found), want) != 0)
                fail_msg("%s: found \"%s\", not \"%s\"", stories[i].name, found, want);
            set_fini(&set);
        }
}

static void only_those_before(void **state)
{
    struct set set = { .n = 0 };
    struct wild_walk walk;

    (void)state;
    for (const char *const *at = (const char *const[]){ "/a/b*", "/a/*", "/*", NULL }; *at; at++)
        set_add(&set, *at);
    set_close(&set, AFFIX_FRONT);
    wild_walk_init(&walk, set.index, TEXT("/a/b/c"));
    walk.before = &owners[2];
    assert_ptr_equal(wild_walk_next(&walk), &owners[0]);
    walk.before = &owners[0];
    assert_null(wild_walk_next(&walk));
    set_fini(&set);
}

/* ---- any patterns, any subjects ---- */

static uint32_t dice = 2463534242u;

static uint32_t roll(uint32_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 17;
    dice ^= dice << 5;
    return dice % sides;
}

static void random_text(char out[12], bool wild)
{
    size_t len = roll(9);

    for (size_t i = 0; i < len; i++)
        out[i] = "ab/*"[roll(wild ? 4 : 3)];
    if (wild)
        out[len++] = '*'; /* a literal has no place here */
    out[len] = '\0';
    if (wild && roll(2) && len > 1) { /* somewhere else than at the end */
        size_t at = roll((uint32_t)len);

        out[len - 1] = out[at];
        out[at] = '*';
    }
}

static unsigned by_trying_all(const struct set *set, const char *subject)
{
    unsigned found = 0;

    for (size_t i = 0; i < set->n; i++)
        if (pattern_matches(set->patterns[i], text_of(subject)))
            found |= 1u << i;
    return found;
}

static unsigned by_walking(const struct set *set, const char *subject)
{
    struct wild_walk walk;
    const int *owner;
    unsigned found = 0;

    wild_walk_init(&walk, set->index, text_of(subject));
    while ((owner = wild_walk_next(&walk)) != NULL) {
        assert_false(found & 1u << *owner); /* nobody comes twice */
        found |= 1u << *owner;
    }
    return found;
}

static void finds_what_trying_all_finds(void **state)
{
    enum { SETS = 400, SUBJECTS = 50 };

    (void)state;
    for (int i = 0; i < SETS; i++) {
        struct set set = { .n = 0 };
        char text[12];

        for (uint32_t n = 1 + roll(PATTERNS_MAX); n > 0; n--) {
            random_text(text, true);
            set_add(&set, text);
        }
        set_close(&set, i % 2 ? AFFIX_FRONT : AFFIX_BACK);
        for (int j = 0; j < SUBJECTS; j++) {
            random_text(text, false);
            assert_int_equal(by_walking(&set, text), by_trying_all(&set, text));
        }
        set_fini(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_hold),
        cmocka_unit_test(only_those_before),
        cmocka_unit_test(finds_what_trying_all_finds),
    };

    return cmocka_run_group_tests_name("wild index", tests, NULL, NULL);
}

#include "tests/unit/stories.h"

#include "config/place.h"

static struct spot {
    const char *name;
    struct text text;
    size_t offset;
    unsigned line, column;
} spots[] = {
    { "the first byte", TEXT_INIT("{}"), 0, 1, 1 },
    { "behind the last byte", TEXT_INIT("{}"), 2, 1, 3 },
    { "an empty text", TEXT_INIT(""), 0, 1, 1 },
    { "a line break belongs to its line", TEXT_INIT("a\nb"), 1, 1, 2 },
    { "the line behind it", TEXT_INIT("a\nb"), 2, 2, 1 },
    { "empty lines count", TEXT_INIT("\n\n\nx"), 3, 4, 1 },
    { "CR is a column", TEXT_INIT("a\r\nb"), 3, 2, 1 },
    { "CR alone is no line", TEXT_INIT("a\rb"), 2, 1, 3 },
    { "columns count bytes", TEXT_INIT("\"\xc3\xa9\"x"), 4, 1, 5 },
    { "behind a last line break", TEXT_INIT("{}\n"), 3, 2, 1 },
};

static void test_spot(void **state)
{
    const struct spot *row = *state;
    struct place_index index;
    struct place place;

    place_index_init(&index, "f", row->text);
    place = place_of(&index, row->text.at + row->offset);
    assert_string_equal(place.file, "f");
    assert_int_equal(place.line, row->line);
    assert_int_equal(place.column, row->column);
    place_index_fini(&index);
}

/* What a walk meets, written as "key@offset " or "@offset " for each member. */
static struct walk {
    const char *name;
    struct text text;
    const char *want;
} walks[] = {
    { "an empty object", TEXT_INIT("{}"), "" },
    { "an empty array", TEXT_INIT("[ \n ]"), "" },
    { "two members", TEXT_INIT("{\"a\":1,\"b\":2}"), "a@5 b@11 " },
    { "blanks everywhere", TEXT_INIT(" { \"a\" : 1 , \"b\" :\n2 } "), "a@9 b@19 " },
    { "items", TEXT_INIT("[1,\"x\",true,null]"), "@1 @3 @7 @12 " },
    { "strings are items, not keys", TEXT_INIT("[\"a\",\"b\"]"), "@1 @5 " },
    { "nested values are skipped", TEXT_INIT("{\"a\":{\"x\":[1,{}]},\"b\":[[]]}"), "a@5 b@22 " },
    { "brackets in strings", TEXT_INIT("[\"]\",\"}{\",[\"[\"]]"), "@1 @5 @10 " },
    { "escaped quotes", TEXT_INIT("[\"\\\"]\",\"\\\\\",2]"), "@1 @7 @12 " },
    { "an empty key", TEXT_INIT("{\"\":1}"), "@4 " },
    { "a key twice is met twice", TEXT_INIT("{\"a\":1,\"a\":2}"), "a@5 a@11 " },
    { "a scalar has no members", TEXT_INIT("\"{a}\""), "" },
    /* not JSON: the answers mean nothing, but stay inside the text */
    { "cut in a string", TEXT_INIT("{\"a\":\"b"), "a@5 " },
    { "cut in an escape", TEXT_INIT("{\"a\":\"b\\"), "a@5 " },
    { "cut behind a key", TEXT_INIT("{\"a\""), "@1 " },
    { "cut behind a colon", TEXT_INIT("{\"a\":"), "a@5 " },
    { "cut in a container", TEXT_INIT("{\"a\":[[{"), "a@5 " },
    { "nothing", TEXT_INIT(""), "" },
};

static void test_walk(void **state)
{
    const struct walk *row = *state;
    struct place_walk walk;
    char met[200] = "";

    place_walk_init(&walk, place_root(row->text), row->text.at + row->text.len);
    while (place_walk_next(&walk)) {
        size_t used = strlen(met);

        assert_in_range(walk.value - row->text.at, 0, row->text.len);
        snprintf(met + used, sizeof(met) - used, "%.*s@%td ", (int)walk.key.len,
                 walk.key.at ? walk.key.at : "", walk.value - row->text.at);
    }
    assert_string_equal(met, row->want);
}

static struct key {
    const char *name;
    struct text key;
    const char *means;
    bool want;
} keys[] = {
    { "as written", TEXT_INIT("host"), "host", true },
    { "an escaped letter", TEXT_INIT("h\\u006Fst"), "host", true },
    { "short escapes", TEXT_INIT("a\\n\\/\\\"\\\\"), "a\n/\"\\", true },
    { "two bytes of UTF-8", TEXT_INIT("caf\\u00e9"), "caf\xc3\xa9", true },
    { "three bytes of UTF-8", TEXT_INIT("\\u20ac"), "\xe2\x82\xac", true },
    { "a surrogate pair", TEXT_INIT("\\ud83d\\ude00"), "\xf0\x9f\x98\x80", true },
    { "raw UTF-8", TEXT_INIT("caf\xc3\xa9"), "caf\xc3\xa9", true },
    { "nothing", TEXT_INIT(""), "", true },
    { "another case", TEXT_INIT("Host"), "host", false },
    { "shorter", TEXT_INIT("hos"), "host", false },
    { "longer", TEXT_INIT("hosts"), "host", false },
    { "a NUL does not end it", TEXT_INIT("host\\u0000x"), "host", false },
    { "a backslash is not itself", TEXT_INIT("h\\\\u006fst"), "host", false },
    { "a cut escape", TEXT_INIT("h\\u00"), "host", false },
    { "a backslash alone", TEXT_INIT("\\"), "host", false },
};

static void test_key(void **state)
{
    const struct key *row = *state;

    assert_int_equal(place_key_is(row->key, row->means), row->want);
}

static struct depth {
    const char *name;
    struct text text;
    int at; /* -1: not too deep for three levels */
} depths[] = {
    { "three levels", TEXT_INIT("{\"a\":[[]]}"), -1 },
    { "brackets in strings", TEXT_INIT("[\"[[[[\"]"), -1 },
    { "wide is not deep", TEXT_INIT("[[[]],[[]],[[]],[[]]]"), -1 },
    { "four levels", TEXT_INIT("{\"a\":[[{}]]}"), 7 },
    { "closing too often", TEXT_INIT("]]]][[[["), 7 },
};

static void test_depth(void **state)
{
    const struct depth *row = *state;
    const char *deep = place_too_deep(row->text, 3);

    assert_int_equal(deep ? deep - row->text.at : -1, row->at);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, spots, test_spot);
    STORIES_ADD(&stories, walks, test_walk);
    STORIES_ADD(&stories, keys, test_key);
    STORIES_ADD(&stories, depths, test_depth);
    return stories_run("place", &stories);
}

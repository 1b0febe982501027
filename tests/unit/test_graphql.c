/* The GraphQL parser alone: what it says of what it refuses, and its ceilings. Which documents it accepts,
 * and what tree it sees, is compared with the reference implementation in tests/graphql/. */
#include "tests/unit/stories.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/graphql/parse.h"
#include "policy/graphql/print.h"

static const struct graphql_limits small = { 1000, 60, 40, 5 };

#define TEN(x) x x x x x x x x x x

/* ---- what is said of a mistake ---- */

static struct refused {
    const char *name;
    struct text text;
    enum graphql_failure failure;
    unsigned line, column;
    const char *what;
} refused[] = {
    { "nothing", TEXT_INIT(""), GRAPHQL_SYNTAX, 1, 1, "a definition is expected, not the end" },
    { "a comment only", TEXT_INIT("# a\n# b"), GRAPHQL_SYNTAX, 2, 4, "not the end" },
    { "an unknown keyword", TEXT_INIT("\n  quary {a}"), GRAPHQL_SYNTAX, 2, 3,
      "a definition is expected, not the name \"quary\"" },
    { "an empty selection", TEXT_INIT("{a {\n}}"), GRAPHQL_SYNTAX, 2, 1,
      "a field is expected, not \"}\"" },
    { "a list without an end", TEXT_INIT("{a(x:[1 2"), GRAPHQL_SYNTAX, 1, 10,
      "\"]\" is expected, not the end of the document" },
    { "a missing colon", TEXT_INIT("{a(x 1)}"), GRAPHQL_SYNTAX, 1, 6,
      "\":\" is expected, not the number 1" },
    { "a missing type", TEXT_INIT("type A { b: }"), GRAPHQL_SYNTAX, 1, 13, "a type is expected" },
    { "a missing on", TEXT_INIT("directive @a FIELD"), GRAPHQL_SYNTAX, 1, 14,
      "\"on\" is expected" },
    { "a constant with a variable", TEXT_INIT("type A { b(c: D = $e): F }"), GRAPHQL_SYNTAX, 1, 19,
      "a value without variables is expected" },
    { "an extension of nothing", TEXT_INIT("extend type A"), GRAPHQL_SYNTAX, 1, 14,
      "what the extension adds is expected" },
    { "a described query", TEXT_INIT("\"d\" query {a}"), GRAPHQL_SYNTAX, 1, 5,
      "a type that is described is expected" },
    { "a fragment called on", TEXT_INIT("fragment on on A {b}"), GRAPHQL_SYNTAX, 1, 10,
      "cannot be \"on\"" },
    { "an unknown location", TEXT_INIT("directive @a on FIELD | FILED"), GRAPHQL_SYNTAX, 1, 25,
      "no place where a directive can stand" },
    { "a reserved value", TEXT_INIT("enum A { true }"), GRAPHQL_SYNTAX, 1, 10, "reserved word" },
    { "single quotes", TEXT_INIT("{a(x:'b')}"), GRAPHQL_SYNTAX, 1, 6, "double quotes" },
    { "a character that has no meaning", TEXT_INIT("{a\xc2\xa0}"), GRAPHQL_SYNTAX, 1, 3,
      "\\xc2\\xa0" },
    { "a NUL", TEXT_INIT("{a\0}"), GRAPHQL_SYNTAX, 1, 3, "\\x00" },
    { "a leading zero", TEXT_INIT("{a(x:01)}"), GRAPHQL_SYNTAX, 1, 7, "needless 0" },
    { "a fraction without digits", TEXT_INIT("{a(x:1.)}"), GRAPHQL_SYNTAX, 1, 8, "a digit is" },
    { "a name behind a number", TEXT_INIT("{a(x:1b)}"), GRAPHQL_SYNTAX, 1, 7, "cannot follow" },
    { "two dots", TEXT_INIT("{..a}"), GRAPHQL_SYNTAX, 1, 2, "a spread has three" },
    { "a string without an end", TEXT_INIT("{a(x:\"b\n\")}"), GRAPHQL_SYNTAX, 1, 6,
      "no closing \" on its line" },
    { "a block string without an end", TEXT_INIT("{a\n(x:\"\"\"b\n\"\")}"), GRAPHQL_SYNTAX, 2, 4,
      "no closing \"\"\"" },
    { "an unknown escape", TEXT_INIT("{a(x:\"b\\q\")}"), GRAPHQL_SYNTAX, 1, 8, "\\q is no escape" },
    { "half a surrogate pair", TEXT_INIT("{a(x:\"\\ud83d\")}"), GRAPHQL_SYNTAX, 1, 7,
      "\\u is no escape; behind" },
    { "Latin-1 in a comment", TEXT_INIT("{a} # caf\xe9"), GRAPHQL_NOT_UTF8, 1, 10, "0xe9" },
    { "Latin-1 in a string", TEXT_INIT("{a(x:\"\xe9\")}"), GRAPHQL_NOT_UTF8, 1, 7, "0xe9" },
    { "UTF-16", TEXT_INIT("\xff\xfe{\0a\0}\0"), GRAPHQL_NOT_UTF8, 1, 1, "0xff" },
    { "a byte too long", TEXT_INIT(TEN(TEN("{aaaaaaaa}")) " "), GRAPHQL_TOO_LONG, 1, 1,
      "longer than the 1000 bytes" },
    { "a token too many", TEXT_INIT("schema{" TEN("query:Q query:Q ") "}"), GRAPHQL_TOO_MANY_TOKENS,
      1, 165, "than the 60 tokens" },
    { "a node too many", TEXT_INIT("{" TEN("a a a a ") "}"), GRAPHQL_TOO_MANY_NODES, 1, 80,
      "than the 40 nodes" },
    { "a level too deep", TEXT_INIT("{a{b{c(x:[1 {y:[2]}])}}}"), GRAPHQL_TOO_DEEP, 1, 16,
      "deeper than the 5 levels" },
};

static void test_refused(void **state)
{
    const struct refused *row = *state;
    struct arena arena = { 0 };
    struct graphql_document document;
    struct graphql_error error;

    assert_false(graphql_parse(row->text, &small, &arena, &document, &error));
    if (error.failure != row->failure || error.line != row->line || error.column != row->column ||
        !strstr(error.what, row->what))
        fail_msg("%d at %u:%u: %s", (int)error.failure, error.line, error.column, error.what);
    arena_fini(&arena);
}

/* ---- a tree as it is printed again ---- */

static struct printed {
    const char *name, *text, *want;
} printed[] = {
    { "a bare query gets its keyword", "{a}", "query{a}\n" },
    { "commas, comments and blanks go", "query , Q # c\n { a , b }", "query Q{a b}\n" },
    { "an alias", "{ x : a }", "query{x:a}\n" },
    { "spreads", "{ ... F ... on T { a } ... { b } ...@d{c} }",
      "query{...F ...on T{a} ...{b} ...@d{c}}\n" },
    { "variables", "query ( $a : [ Int ! ] ! = [ 1 , ] @ d ) { a ( x : $a ) }",
      "query($a:[Int!]!=[1]@d){a(x:$a)}\n" },
    { "escapes mean characters", "{a(x:\"\\u00e9\\n\\\"\\/\")}",
      "query{a(x:\"\xc3\xa9\\u000a\\\"/\")}\n" },
    { "a block string is a string", "{a(x:\"\"\"\n  b\n    c\n  \"\"\")}",
      "query{a(x:\"b\\u000a  c\")}\n" },
    { "a type", "\"d\" type A implements & B & C @d { \"e\" f ( g : H = 1 @i ) : [ J ! ] @k }",
      "\"d\" type A implements B&C@d{\"e\" f(g:H=1@i):[J!]@k}\n" },
    { "a union", "union A @b = | C | D", "union A@b=C|D\n" },
    { "an enum", "enum A { B @c \"d\" E }", "enum A{B@c \"d\" E}\n" },
    { "a schema", "schema @a { query : Q , mutation : M }", "schema@a{query:Q mutation:M}\n" },
    { "a directive", "directive @ a ( b : C = D ) repeatable on | FIELD | ENUM",
      "directive @a(b:C=D) repeatable on FIELD|ENUM\n" },
    { "extensions", "extend schema @a extend input A { b : C } extend scalar D @e",
      "extend schema@a\nextend input A{b:C}\nextend scalar D@e\n" },
};

static char *print(struct text text)
{
    struct arena arena = { 0 };
    struct graphql_document document;
    struct graphql_error error;
    char *made = NULL;
    size_t len;
    FILE *out;

    if (!graphql_parse(text, &graphql_request_limits, &arena, &document, &error))
        fail_msg("%u:%u: %s", error.line, error.column, error.what);
    out = open_memstream(&made, &len);
    graphql_print(&document, false, out);
    fclose(out);
    arena_fini(&arena);
    return made;
}

static void test_printed(void **state)
{
    const struct printed *row = *state;
    char *once = print(text_of(row->text)), *twice = print(text_of(once));

    assert_string_equal(once, row->want);
    assert_string_equal(twice, row->want);
    free(once);
    free(twice);
}

/* ---- hostile documents: an answer, soon, without much memory or stack ---- */

static struct hostile {
    const char *name;
    const char *before, *again, *behind; /* `again` is repeated to fill the document */
    size_t bytes;
    enum graphql_failure request, schema; /* under either limits */
} hostile[] = {
    { "10 MiB of blanks", "{a", " ", "}", 10485760, GRAPHQL_TOO_LONG, GRAPHQL_FINE },
    { "3 MiB of blanks", "{a", " ", "}", 3145728, GRAPHQL_FINE, GRAPHQL_FINE },
    { "a comment of 3 MiB", "{a}#", "x", "", 3145728, GRAPHQL_FINE, GRAPHQL_FINE },
    { "comments", "{a}", "#\n", "", 3145728, GRAPHQL_FINE, GRAPHQL_FINE },
    { "a string of 3 MiB", "{a(x:\"", "x", "\")}", 3145728, GRAPHQL_FINE, GRAPHQL_FINE },
    { "a string of escapes", "{a(x:\"", "\\u00e9", "\")}", 3145728, GRAPHQL_FINE, GRAPHQL_FINE },
    { "a string that does not end", "{a(x:\"", "x", "", 3145728, GRAPHQL_SYNTAX, GRAPHQL_SYNTAX },
    { "a block string of lines", "{a(x:\"\"\"", "\n", "\"\"\")}", 3145728, GRAPHQL_FINE,
      GRAPHQL_FINE },
    { "a block string of escaped ends", "{a(x:\"\"\"", "\\\"\"\"", "\"\"\")}", 3145728,
      GRAPHQL_FINE, GRAPHQL_FINE },
    { "a block string that does not end", "{a(x:\"\"\"", "\"\"x", "", 3145728, GRAPHQL_SYNTAX,
      GRAPHQL_SYNTAX },
    { "a name of 3 MiB", "{", "a", "}", 3145728, GRAPHQL_FINE, GRAPHQL_FINE },
    { "a number of 3 MiB", "{a(x:", "1", ")}", 3145728, GRAPHQL_FINE, GRAPHQL_FINE },
    { "a million fields", "{", "a ", "}", 2000000, GRAPHQL_TOO_MANY_NODES, GRAPHQL_FINE },
    { "three million tokens", "{", "a!", "}", 3000000, GRAPHQL_SYNTAX, GRAPHQL_SYNTAX },
    { "a million empty lists", "{a(x:[", "[]", "])}", 2000000, GRAPHQL_TOO_MANY_NODES,
      GRAPHQL_FINE },
    { "a million arguments", "{a(", "x:1,", ")}", 3145728, GRAPHQL_TOO_MANY_NODES,
      GRAPHQL_TOO_MANY_NODES },
    { "a million directives", "{a", "@b", "}", 2000000, GRAPHQL_TOO_MANY_NODES, GRAPHQL_FINE },
    { "a million definitions", "", "{a}", "", 3000000, GRAPHQL_TOO_MANY_NODES,
      GRAPHQL_TOO_MANY_NODES },
    { "a million roots", "schema{", "query:Q ", "}", 3145728, GRAPHQL_TOO_MANY_TOKENS,
      GRAPHQL_FINE },
    { "deep selections", "", "{a", "", 20000, GRAPHQL_TOO_DEEP, GRAPHQL_TOO_DEEP },
    { "deep inline fragments", "", "{...", "", 40000, GRAPHQL_TOO_DEEP, GRAPHQL_TOO_DEEP },
    { "deep lists", "{a(x:", "[", "", 10000, GRAPHQL_TOO_DEEP, GRAPHQL_TOO_DEEP },
    { "deep objects", "{a(x:", "{y:", "", 30000, GRAPHQL_TOO_DEEP, GRAPHQL_TOO_DEEP },
    { "deep lists in a default", "input A{b:C=", "[", "", 10000, GRAPHQL_TOO_DEEP,
      GRAPHQL_TOO_DEEP },
    { "deep types of a variable", "query($a:", "[", "", 10000, GRAPHQL_TOO_DEEP, GRAPHQL_TOO_DEEP },
    { "deep types of a field", "type A{b:", "[", "", 10000, GRAPHQL_TOO_DEEP, GRAPHQL_TOO_DEEP },
    { "deep lists in directives", "type A@b(c:", "[{d:", "", 40000, GRAPHQL_TOO_DEEP,
      GRAPHQL_TOO_DEEP },
    { "braces that only close", "{a", "}", "", 10000, GRAPHQL_SYNTAX, GRAPHQL_SYNTAX },
    { "NULs", "", "\0", "", 0, GRAPHQL_SYNTAX, GRAPHQL_SYNTAX },
};

static struct text fill(const struct hostile *row)
{
    size_t before = strlen(row->before), again = strlen(row->again), behind = strlen(row->behind);
    char *made = mem_alloc(row->bytes + 16, 1);
    size_t n = before;

    memcpy(made, row->before, before);
    while (again > 0 && n + again + behind <= row->bytes) {
        memcpy(made + n, row->again, again);
        n += again;
    }
    memcpy(made + n, row->behind, behind);
    return (struct text){ made, again > 0 ? n + behind : 16 };
}

static void parse_hostile(struct text text, const struct graphql_limits *limits,
                          enum graphql_failure want)
{
    struct arena arena = { 0 };
    struct graphql_document document;
    struct graphql_error error;

    graphql_parse(text, limits, &arena, &document, &error);
    arena_fini(&arena);
    if (error.failure != want)
        fail_msg("%d instead of %d, at %u:%u: %s", (int)error.failure, (int)want, error.line,
                 error.column, error.what);
}

static void test_hostile(void **state)
{
    const struct hostile *row = *state;
    struct text text = fill(row);

    parse_hostile(text, &graphql_request_limits, row->request);
    parse_hostile(text, &graphql_schema_limits, row->schema);
    free((void *)(uintptr_t)text.at);
}

/* ---- ceilings are reached, and not passed ---- */

static void deepest_is_fine(void **state)
{
    struct hostile row = { "", "", "{a", "", 400, 0, 0 };
    struct text text = fill(&row);
    char *made = mem_alloc(text.len + 200, 1);

    (void)state;
    memcpy(made, text.at, text.len);
    memset(made + text.len, '}', 200);
    parse_hostile((struct text){ made, text.len + 200 }, &graphql_request_limits, GRAPHQL_FINE);
    free(made);
    free((void *)(uintptr_t)text.at);
}

static void an_arena_is_used_again(void **state)
{
    struct arena arena = { 0 };
    struct graphql_document document;
    struct graphql_error error;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(graphql_parse(TEXT("{a(x:\"\\n\"){...on T{b}}}"), &graphql_request_limits,
                                  &arena, &document, &error));
        assert_true(text_eq(document.definitions->selections->arguments->value->text, TEXT("\n")));
        assert_true(document.n_tokens == 16 && document.n_nodes == 6);
        arena_clear(&arena);
    }
    arena_fini(&arena);
    arena_fini(&arena);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, refused, test_refused);
    STORIES_ADD(&stories, printed, test_printed);
    STORIES_ADD(&stories, hostile, test_hostile);
    stories_add(&stories, "200 levels are fine", deepest_is_fine, NULL);
    stories_add(&stories, "an arena is used again", an_arena_is_used_again, NULL);
    return stories_run("graphql", &stories);
}

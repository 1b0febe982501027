/* The rules of @auth. A row is a schema, in as many files as it has parts, and what must be said of it. */
#include "tests/unit/stories.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/graphql/auth_check.h"

#define CODES   "productCode: \"66\", resourceCode: \"ViewOrder\""
#define PUBLIC  " @auth(scope: PUBLIC) "
#define PRIVATE " @auth(scope: PRIVATE, " CODES ") "
#define OLD     " @auth(" CODES ") "

/* Each is "FILE:LINE:COLUMN rule", where FILE is a, b, c; all findings, in any order. */
static struct row {
    const char *name;
    const char *files[3];
    const char *both[5];    /* under both builders */
    const char *only_1x[3]; /* and these under one */
    const char *only_2x[3];
} rows[] = {
    /* ---- what is right ---- */
    { "public", .files = { "type Query { a: B" PUBLIC "}" },
      .only_1x = { "a:1:19 auth-scope-under-1x" } },
    { "private", .files = { "type Query { a: B" PRIVATE "}" } },
    { "codes in another order", .files = { "type Query { a: B @auth(resourceCode: \"x\", scope: "
                                           "PRIVATE, productCode: \"1\") }" } },
    { "codes in block strings", .files = { "type Query { a: B @auth(scope: PRIVATE, productCode: "
                                           "\"\"\"1\"\"\", resourceCode: "
                                           "\"\"\"\n  x\n\"\"\") }" } },
    { "other directives beside it",
      .files = { "type Query { a: B @cacheControl(scope: PRIVATE)" PRIVATE "@deprecated }" } },
    { "a type that is no root needs none",
      .files = { "type Query { a: B" PRIVATE "} type B { c: D }" } },
    { "an interface needs none",
      .files = { "interface I { a: B } type Query implements I { a: B" PRIVATE "}" } },
    { "the documented form of 1.x", .files = { "type Query { a: B" OLD "}" },
      .only_1x = { "a:1:19 auth-scope-for-2x" }, .only_2x = { "a:1:19 auth-scope-missing" } },

    /* ---- what is missing ---- */
    { "no directive on a query", .files = { "type Query {\n  a: B\n}" },
      .only_1x = { "a:2:3 auth-public-by-default" }, .only_2x = { "a:2:3 auth-missing" } },
    { "no directive on a mutation",
      .files = { "type Query { a: B" PRIVATE "} type Mutation { \"d\" c: D }" },
      .only_1x = { "a:1:109 auth-public-by-default" }, .only_2x = { "a:1:109 auth-missing" } },
    { "only in a comment", .files = { "type Query { a: B # @auth(scope: PUBLIC)\n}" },
      .only_1x = { "a:1:14 auth-public-by-default" }, .only_2x = { "a:1:14 auth-missing" } },
    { "only in a description", .files = { "type Query { \"@auth(scope: PUBLIC)\" a: B }" },
      .only_1x = { "a:1:37 auth-public-by-default" }, .only_2x = { "a:1:37 auth-missing" } },
    { "neither scope nor codes", .files = { "type Query { a: B @auth }" },
      .both = { "a:1:19 auth-code-missing" }, .only_1x = { "a:1:19 auth-scope-for-2x" },
      .only_2x = { "a:1:19 auth-scope-missing" } },
    { "private without codes", .files = { "type Query { a: B @auth(scope: PRIVATE) }" },
      .both = { "a:1:19 auth-code-missing" } },
    { "private without productCode",
      .files = { "type Query { a: B @auth(scope: PRIVATE, resourceCode: \"x\") }" },
      .both = { "a:1:19 auth-code-missing" } },
    { "private without resourceCode",
      .files = { "type Query { a: B @auth(scope: PRIVATE, productCode: \"x\") }" },
      .both = { "a:1:19 auth-code-missing" } },
    { "private with null for a code",
      .files = { "type Query { a: B @auth(scope: PRIVATE, productCode: null, resourceCode: \"x\") "
                 "}" },
      .both = { "a:1:19 auth-code-missing" } },
    { "null for the scope", .files = { "type Query { a: B @auth(scope: null, " CODES ") }" },
      .only_1x = { "a:1:19 auth-scope-for-2x" }, .only_2x = { "a:1:19 auth-scope-missing" } },

    /* ---- scopes ---- */
    { "a scope that is none", .files = { "type Query { a: B @auth(scope: ADMIN) }" },
      .both = { "a:1:32 auth-scope-unknown" } },
    { "a scope that is none, with codes",
      .files = { "type Query { a: B @auth(scope: ADMIN, " CODES ") }" },
      .both = { "a:1:32 auth-scope-unknown" } },
    { "a scope in lower case", .files = { "type Query { a: B @auth(scope: public) }" },
      .both = { "a:1:32 auth-scope-unknown" } },
    { "a scope of cacheControl", .files = { "type Query { a: B @auth(scope: SEGMENT) }" },
      .both = { "a:1:32 auth-scope-unknown" } },
    { "a scope as a string", .files = { "type Query { a: B @auth(scope: \"PUBLIC\") }" },
      .both = { "a:1:32 auth-scope-type" } },
    { "a scope as a number", .files = { "type Query { a: B @auth(scope: 1) }" },
      .both = { "a:1:32 auth-scope-type" } },
    { "a scope as true", .files = { "type Query { a: B @auth(scope: true) }" },
      .both = { "a:1:32 auth-scope-type" } },
    { "a scope as a list", .files = { "type Query { a: B @auth(scope: [PUBLIC]) }" },
      .both = { "a:1:32 auth-scope-type" } },
    { "a scope as an object", .files = { "type Query { a: B @auth(scope: {is: PUBLIC}) }" },
      .both = { "a:1:32 auth-scope-type" } },

    /* ---- codes ---- */
    { "an empty code",
      .files = { "type Query { a: B @auth(scope: PRIVATE, productCode: \"\", resourceCode: \"x\") "
                 "}" },
      .both = { "a:1:54 auth-code-empty" } },
    { "two empty codes",
      .files = { "type Query { a: B @auth(scope: PRIVATE, productCode: \"\", resourceCode: \" "
                 "\\t\") }" },
      .both = { "a:1:54 auth-code-empty", "a:1:72 auth-code-empty" } },
    { "a code that is a number",
      .files = { "type Query { a: B @auth(scope: PRIVATE, productCode: 66, resourceCode: \"x\") "
                 "}" },
      .both = { "a:1:54 auth-code-type" } },
    { "a code without quotes",
      .files = { "type Query { a: B @auth(scope: PRIVATE, productCode: \"66\", resourceCode: "
                 "ViewOrder) }" },
      .both = { "a:1:74 auth-code-type" } },
    { "a code that is a list",
      .files = { "type Query { a: B @auth(scope: PRIVATE, productCode: [\"66\"], resourceCode: "
                 "\"x\") }" },
      .both = { "a:1:54 auth-code-type" } },
    { "a code that leaves its place in the path",
      .files = { "type Query { a: B @auth(scope: PRIVATE, productCode: \"66/../67\", resourceCode: "
                 "\"x?\") "
                 "}" },
      .both = { "a:1:54 auth-code-odd", "a:1:80 auth-code-odd" } },
    { "a code with dots only",
      .files = { "type Query { a: B @auth(scope: PRIVATE, productCode: \"..\", resourceCode: "
                 "\"x\") }" },
      .both = { "a:1:54 auth-code-odd" } },
    { "public with codes", .files = { "type Query { a: B @auth(scope: PUBLIC, " CODES ") }" },
      .both = { "a:1:19 auth-codes-unused" }, .only_1x = { "a:1:19 auth-scope-under-1x" } },
    { "public with a code of the wrong type",
      .files = { "type Query { a: B @auth(scope: PUBLIC, productCode: 66) }" },
      .both = { "a:1:53 auth-code-type", "a:1:19 auth-codes-unused" } },

    /* ---- arguments ---- */
    { "an unknown argument",
      .files = { "type Query { a: B @auth(scope: PUBLIC, role: \"admin\") }" },
      .both = { "a:1:40 auth-argument-unknown" } },
    { "an argument in other letters",
      .files = { "type Query { a: B @auth(scope: PRIVATE, productcode: \"66\", resourceCode: "
                 "\"x\") }" },
      .both = { "a:1:41 auth-argument-unknown", "a:1:19 auth-code-missing" } },
    { "a scope twice, the same",
      .files = { "type Query { a: B @auth(scope: PUBLIC, scope: PUBLIC) }" },
      .both = { "a:1:40 auth-argument-twice" } },
    { "a scope twice, another",
      .files = { "type Query { a: B @auth(scope: PRIVATE, " CODES ", scope: PUBLIC) }" },
      .both = { "a:1:87 auth-argument-twice" } },
    { "a code twice",
      .files = { "type Query { a: B @auth(scope: PRIVATE, productCode: null, " CODES ") }" },
      .both = { "a:1:60 auth-argument-twice", "a:1:19 auth-code-missing" } },
    { "twice", .files = { "type Query { a: B" PUBLIC PRIVATE "}" },
      .both = { "a:1:41 auth-twice" } },
    { "three times", .files = { "type Query { a: B" PRIVATE PUBLIC PUBLIC "}" },
      .both = { "a:1:88 auth-twice", "a:1:110 auth-twice" } },

    /* ---- spelling ---- */
    { "a capital letter", .files = { "type Query { a: B @Auth(scope: PRIVATE, " CODES ") }" },
      .both = { "a:1:19 auth-spelling" }, .only_1x = { "a:1:14 auth-public-by-default" },
      .only_2x = { "a:1:14 auth-missing" } },
    { "capital letters on an argument", .files = { "type Query { a(x: Int @AUTH): B" PRIVATE "}" },
      .both = { "a:1:23 auth-spelling" } },
    { "a directive of one's own in capital letters",
      .files = { "directive @Auth on FIELD_DEFINITION", "type Query { a: B @Auth" PRIVATE "}" } },
    { "another word", .files = { "type Query { a: B @authorize" PRIVATE "}" } },

    /* ---- places ---- */
    { "on the type", .files = { "type Query" PUBLIC "{ a: B }" }, .both = { "a:1:12 auth-place" },
      .only_1x = { "a:1:35 auth-public-by-default" }, .only_2x = { "a:1:35 auth-missing" } },
    { "on an extension", .files = { "type Query { a: B" PRIVATE "} extend type Query @auth" },
      .both = { "a:1:107 auth-place" } },
    { "on an argument", .files = { "type Query { a(x: Int @auth): B" PRIVATE "}" },
      .both = { "a:1:23 auth-place" } },
    { "on an enum", .files = { "type Query { a: B" PRIVATE "} enum E @auth { F @auth }" },
      .both = { "a:1:96 auth-place", "a:1:106 auth-place" } },
    { "on an input", .files = { "type Query { a: B" PRIVATE "} input E @auth { f: G @auth }" },
      .both = { "a:1:97 auth-place", "a:1:110 auth-place" } },
    { "on a scalar", .files = { "type Query { a: B" PRIVATE "} scalar E @auth" },
      .both = { "a:1:98 auth-place" } },
    { "on a union", .files = { "type Query { a: B" PRIVATE "} union E @auth = F" },
      .both = { "a:1:97 auth-place" } },
    { "on an interface", .files = { "type Query { a: B" PRIVATE "} interface E @auth { f: G }" },
      .both = { "a:1:101 auth-place" } },
    { "on the schema", .files = { "schema @auth { query: Query } type Query { a: B" PRIVATE "}" },
      .both = { "a:1:8 auth-place" } },
    { "on the argument of a directive",
      .files = { "directive @x(y: Int @auth) on FIELD type Query { a: B" PRIVATE "}" },
      .both = { "a:1:21 auth-place" } },
    { "on a field of an interface",
      .files = { "interface E { f: G" PRIVATE "} type Query implements E { f: G" PRIVATE "}" },
      .both = { "a:1:20 auth-interface" } },
    { "on a field of another type",
      .files = { "type Query { a: B" PRIVATE "} type B { c: D" PRIVATE "}" },
      .both = { "a:1:103 auth-nested" } },
    { "a broken one on a field of another type",
      .files = { "type Query { a: B" PRIVATE "} type B { c: D @auth(scope: PRIVATE) }" },
      .both = { "a:1:103 auth-nested", "a:1:103 auth-code-missing" } },
    { "one without scope on a field of another type",
      .files = { "type Query { a: B" PRIVATE "} type B { c: D" OLD "}" },
      .both = { "a:1:103 auth-nested" }, .only_1x = { "a:1:103 auth-scope-for-2x" },
      .only_2x = { "a:1:103 auth-scope-missing" } },
    { "declared by the app",
      .files = { "enum IOAuthScope { PUBLIC PRIVATE } directive @auth(scope: IOAuthScope) on "
                 "FIELD_DEFINITION",
                 "type Query { a: B" PRIVATE "}" },
      .both = { "a:1:1 auth-declared", "a:1:37 auth-declared" } },

    /* ---- several files ---- */
    { "extended in another file",
      .files = { "type Query { a: B" PRIVATE "}", "extend type Query {\n c: D\n}" },
      .only_1x = { "b:2:2 auth-public-by-default" }, .only_2x = { "b:2:2 auth-missing" } },
    { "extended and defined nowhere", .files = { "extend type Mutation { c: D }" },
      .only_1x = { "a:1:24 auth-public-by-default" }, .only_2x = { "a:1:24 auth-missing" } },
    { "the same field in two files",
      .files = { "type Query { a: B" PRIVATE "}", "extend type Query { a: B" PRIVATE "}" },
      .both = { "b:1:21 field-twice" } },
    { "the same field with and without", .files = { "type Query { a: B" PRIVATE "a: B }" },
      .both = { "a:1:87 field-twice" }, .only_1x = { "a:1:87 auth-public-by-default" },
      .only_2x = { "a:1:87 auth-missing" } },
    { "a root defined in two files",
      .files = { "type Query { a: B" PRIVATE "}", "type Query { c: D" PRIVATE "}" },
      .both = { "b:1:6 root-twice" } },
    { "other types may stand in any file",
      .files = { "type B { c: D }", "type Query { a: B" PRIVATE "}", "type D { c: D }" } },

    /* ---- roots ---- */
    { "a root by its usual name",
      .files = { "schema { query: Query } type Query { a: B" PRIVATE "}" } },
    { "a renamed root", .files = { "schema { query: Root } type Root { a: B }" },
      .both = { "a:1:10 root-renamed" }, .only_1x = { "a:1:36 auth-public-by-default" },
      .only_2x = { "a:1:36 auth-missing" } },
    { "a renamed root that is decorated",
      .files = { "schema { query: Root }", "type Root { a: B" PRIVATE "}" },
      .both = { "a:1:10 root-renamed" } },
    { "a root renamed by an extension",
      .files = { "extend schema { mutation: Changes }", "type Query { a: B" PRIVATE "}",
                 "type Changes { c: D }" },
      .both = { "a:1:17 root-renamed" }, .only_1x = { "c:1:16 auth-public-by-default" },
      .only_2x = { "c:1:16 auth-missing" } },
    { "a schema that leaves a root out",
      .files = { "schema { query: Query } type Query { a: B" PRIVATE "} type Mutation { c: D }" },
      .both = { "a:1:118 root-unused" } },
    { "a schema beside a type with the usual name",
      .files = { "schema { query: Root } type Root { a: B" PRIVATE "} type Query { c: D }" },
      .both = { "a:1:10 root-renamed", "a:1:116 root-unused" } },
    { "one type for two roots",
      .files = { "schema { query: Query mutation: Query } type Query { a: B" PRIVATE "}" },
      .both = { "a:1:23 root-renamed" } },
    { "a schema twice",
      .files = { "schema { query: Query } type Query { a: B" PRIVATE "}",
                 "schema { mutation: Mutation } type Mutation { c: D" PRIVATE "}" },
      .both = { "b:1:1 root-twice" } },
    { "a root twice",
      .files = { "schema { query: Query query: Root } type Query { a: B" PRIVATE "}" },
      .both = { "a:1:23 root-twice" } },
    { "a root that nobody defines",
      .files = { "schema { query: Query mutation: Changes } type Query { a: B" PRIVATE "}" },
      .both = { "a:1:23 root-renamed", "a:1:33 root-missing" } },
    { "a root that is an interface", .files = { "interface Query { a: B }" },
      .both = { "a:1:11 root-missing", "a:0:0 no-operations" } },
    { "a subscription", .files = { "type Query { a: B" PRIVATE "} type Subscription { c: D }" },
      .both = { "a:1:109 subscription" } },
    { "a subscription with a broken directive",
      .files = { "type Query { a: B" PRIVATE "} type Subscription { c: D @auth(scope: X) }" },
      .both = { "a:1:109 subscription", "a:1:127 auth-scope-unknown" } },

    /* ---- other documents ---- */
    { "no operations at all", .files = { "type A { b: C }" }, .both = { "a:0:0 no-operations" } },
    { "an empty root", .files = { "type Query" }, .both = { "a:0:0 no-operations" } },
    { "an operation in a schema",
      .files = { "type Query { a: B" PRIVATE "} query Q { a }", "fragment F on B { c }" },
      .both = { "a:1:89 not-a-schema", "b:1:1 not-a-schema" } },
    { "a file that is no GraphQL", .files = { "type Query { a: B }", "type {" },
      .both = { "b:1:6 syntax" } },
};

/* ---- the report as lines ---- */

static char *lines_of(const struct graphql_report *report)
{
    char *lines = NULL;
    size_t len;
    FILE *out = open_memstream(&lines, &len);

    for (size_t i = 0; i < report->diags.n; i++) {
        const char *where = report->diags.items[i].where;

        fprintf(out, "%s%s %s\n", where, strchr(where, ':') ? "" : ":0:0",
                graphql_rule_row(report->rules[i])->name);
    }
    fclose(out);
    return lines;
}

static void link_and_check(struct graphql_schema *schema, enum graphql_builder builder,
                           struct graphql_report *report)
{
    if (report->diags.fatal > 0)
        return;
    graphql_schema_link(schema, report);
    graphql_auth_check(schema, builder, report);
}

static char *check(const struct row *row, enum graphql_builder builder)
{
    static const char *const names[] = { "a", "b", "c" };
    struct graphql_schema schema = { 0 };
    struct graphql_report report = { 0 };
    char *lines;

    for (size_t i = 0; i < 3 && row->files[i]; i++)
        graphql_schema_add(&schema, names[i], text_dup(text_of(row->files[i])),
                           strlen(row->files[i]), &report);
    link_and_check(&schema, builder, &report);
    lines = lines_of(&report);
    graphql_schema_fini(&schema);
    graphql_report_fini(&report);
    return lines;
}

/* Takes the line out of `lines`; false if it is not there. */
static bool take_line(char *lines, const char *want)
{
    size_t len = strlen(want);

    for (char *at = lines; (at = strstr(at, want)); at++) {
        if ((at == lines || at[-1] == '\n') && at[len] == '\n') {
            memmove(at, at + len + 1, strlen(at + len + 1) + 1);
            return true;
        }
    }
    return false;
}

static void take_lines(char *lines, const char *const *wanted, size_t n)
{
    for (size_t i = 0; i < n && wanted[i]; i++) {
        if (!take_line(lines, wanted[i]))
            fail_msg("\"%s\" was expected, and there is:\n%s", wanted[i], lines);
    }
}

static void judge(const struct row *row, enum graphql_builder builder)
{
    char *lines = check(row, builder);

    take_lines(lines, row->both, 5);
    take_lines(lines, builder == GRAPHQL_BUILDER_1X ? row->only_1x : row->only_2x, 3);
    if (lines[0])
        fail_msg("under builder %s, this was not expected:\n%s",
                 builder == GRAPHQL_BUILDER_1X ? "1.x" : "2.x", lines);
    free(lines);
}

static void test_row(void **state)
{
    judge(*state, GRAPHQL_BUILDER_1X);
    judge(*state, GRAPHQL_BUILDER_2X);
}

/* ---- what a guard reads ---- */

static struct {
    const char *name, *directives;
    enum graphql_access access;
    const char *product, *resource;
} accesses[] = {
    { "reads none", "", GRAPHQL_UNDECORATED, NULL, NULL },
    { "reads public", PUBLIC, GRAPHQL_PUBLIC, NULL, NULL },
    { "reads private", PRIVATE, GRAPHQL_PRIVATE, "66", "ViewOrder" },
    { "reads the old form", OLD, GRAPHQL_PRIVATE, "66", "ViewOrder" },
    { "reads escapes", "@auth(productCode: \"\\u0036\\u{36}\", resourceCode: \"a\")",
      GRAPHQL_PRIVATE, "66", "a" },
    { "is closed when unknown", "@auth(scope: ADMIN, " CODES ")", GRAPHQL_BROKEN, NULL, NULL },
    { "is closed when twice", PUBLIC PUBLIC, GRAPHQL_BROKEN, NULL, NULL },
    { "is closed without codes", "@auth", GRAPHQL_BROKEN, NULL, NULL },
    { "is closed with an unknown argument", "@auth(scope: PUBLIC, x: 1)", GRAPHQL_BROKEN, NULL,
      NULL },
    { "is closed when the scope is there twice", "@auth(scope: PUBLIC, scope: PUBLIC)",
      GRAPHQL_BROKEN, NULL, NULL },
};

static void test_access(void **state)
{
    size_t i = (size_t)(*(char **)state - (char *)accesses) / sizeof(accesses[0]);
    struct arena arena = { 0 };
    struct graphql_document document;
    struct graphql_error error;
    struct graphql_auth auth;
    char text[200];

    snprintf(text, sizeof(text), "type Query { a: B %s }", accesses[i].directives);
    assert_true(graphql_parse(text_of(text), &graphql_schema_limits, &arena, &document, &error));
    auth = graphql_auth_of(document.definitions->members, NULL, NULL, NULL);
    assert_int_equal(auth.access, accesses[i].access);
    assert_true(text_eq(auth.product, text_of(accesses[i].product)));
    assert_true(text_eq(auth.resource, text_of(accesses[i].resource)));
    arena_fini(&arena);
}

/* ---- what the document says ---- */

static void rules_are_documented(void **state)
{
    FILE *file = fopen(JANUS_SOURCE_DIR "/docs/graphql.md", "r");
    char *text = NULL, want[300];
    size_t size = 0;

    (void)state;
    assert_non_null(file);
    assert_true(getdelim(&text, &size, '\0', file) > 0);
    fclose(file);
    for (int i = 0; i < N_GRAPHQL_RULES; i++) {
        const struct graphql_rule_row *row = graphql_rule_row(i);

        snprintf(want, sizeof(want), "\n| `%s` | %s | %s | ", row->name,
                 row->level == DIAG_ERROR ? "error" : "warning", row->means);
        if (!strstr(text, want))
            fail_msg("docs/graphql.md has no row for the rule %s", row->name);
    }
    free(text);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, rows, test_row);
    STORIES_ADD(&stories, accesses, test_access);
    stories_add(&stories, "docs/graphql.md has every rule", rules_are_documented, NULL);
    return stories_run("graphql @auth", &stories);
}

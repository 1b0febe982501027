/* graphql check: its options, folders and reports; and the real schemas with verdicts that people agreed on.
 *
 * JANUS_REAL_MANIFESTS names the folder that holds authcases.tsv (schema, builder, expected, why); without it
 * none of those is judged. Where it says "ambiguous", docs/graphql.md says what we decided, and the table below
 * holds us to it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/memory.h"
#include "tests/flow/kit_run.h"
#include "tests/unit/stories.h"

#define PUBLIC "@auth(scope: PUBLIC)"

static void begin(struct run *run)
{
    *run = (struct run){ .folder = folder_new() };
    const char *const folders[] = { "graphql",      "graphql/types", "graphql/node_modules",
                                    "graphql/.git", "empty",         "split",
                                    "broken",       "bare" };

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        assert_int_equal(mkdir(folder_name(run->folder, folders[i]), 0700), 0);
    folder_write(run->folder, "manifest.json", "{\n \"builders\": { \"graphql\": \"2.x\" }\n}\n");
    folder_write(run->folder, "old.json", "{ \"builders\": { \"graphql\": \"1.x\" } }");
    folder_write(run->folder, "zero.json", "{ \"builders\": { \"graphql\": \"0.x\" } }");
    folder_write(run->folder, "none.json", "{ \"builders\": { \"node\": \"7.x\" } }");
    folder_write(run->folder, "future.json", "{ \"builders\": { \"graphql\": \"3.x\" } }");
    folder_write(run->folder, "number.json", "{ \"builders\": { \"graphql\": 2 } }");
    folder_write(run->folder, "graphql/schema.graphql", "type Query { a: B " PUBLIC " }\n");
    folder_write(run->folder, "graphql/types/b.graphql", "type B { c: D }\n");
    folder_write(run->folder, "graphql/types/notes.txt", "type Query {");
    folder_write(run->folder, "graphql/node_modules/x.graphql", "type Query {");
    folder_write(run->folder, "graphql/.git/x.graphql", "type Query {");
    folder_write(run->folder, "split/b.graphql", "extend type Query {\n  b: C\n}\n");
    folder_write(run->folder, "split/a.graphql", "type Query { a: B " PUBLIC " }\n");
    folder_write(run->folder, "broken/a.graphql", "type Query { a: }\n");
    folder_write(run->folder, "no extension", "type Query { a: B " PUBLIC " }\n");
    folder_write(run->folder, "operation.graphql", "{ a }\n");
    assert_int_equal(symlink("..", folder_name(run->folder, "graphql/types/up")), 0);
    assert_int_equal(symlink("schema.graphql", folder_name(run->folder, "graphql/z.graphql")), 0);
    assert_int_equal(symlink("nowhere", folder_name(run->folder, "empty/x.graphql")), 0);
    assert_int_equal(mkfifo(folder_name(run->folder, "pipe.graphql"), 0600), 0);
}

static struct story {
    const char *name, *options;
    int code;
    const char *output, *log; /* parts of them */
} told[] = {
    { "fine", "graphql check graphql", 0,
      "builder 2.x, 2 files, 1 operations: 1 public, 0 private, 0 without @auth", "" },
    { "a file", "graphql check graphql/schema.graphql", 0, "1 files, 1 operations", "" },
    { "two files", "graphql check split/a.graphql split/b.graphql", 1, "2 files, 2 operations",
      "split/b.graphql:2:3: error: Query.b has no @auth" },
    { "an error", "graphql check split", 1, "1 errors, 0 warnings",
      "split/b.graphql:2:3: error: Query.b has no @auth, which builder 2.x wants on every query "
      "and "
      "mutation; add @auth(scope: PUBLIC), or @auth(scope: PRIVATE, productCode: \"...\", "
      "resourceCode: \"...\") [auth-missing]" },
    { "a slash behind a folder", "graphql check split/", 1, "", "split/b.graphql:2:3: error: " },
    { "the same twice", "graphql check split split split/b.graphql", 1,
      "2 files, 2 operations: 1 public, 0 private, 1 without @auth", "[auth-missing]" },
    { "--builder beats the manifest", "graphql check --builder 1.x split", 0,
      "public by default (1): Query.b\nbuilder 2.x would reject (1): Query.b\nbuilder 1.x, 2 files",
      "split/b.graphql:2:3: warning: Query.b has no @auth, so everyone may call it" },
    { "--builder with =", "graphql check split --builder=1.x", 0, "builder 1.x", "" },
    { "--builder needs no manifest", "graphql check --builder 2.x --manifest gone.json graphql", 0,
      "builder 2.x", "" },
    { "the builder of another manifest", "graphql check --manifest old.json split", 0,
      "builder 1.x", "[auth-public-by-default]" },
    { "an older builder", "graphql check --manifest zero.json split", 0, "builder 1.x", "" },
    { "an account is not needed, nor settings", "graphql check --manifest old.json graphql", 0,
      "0 errors", "" },
    { "behind --", "graphql check -- graphql", 0, "2 files", "" },

    { "no builder in the manifest", "graphql check --manifest none.json graphql", 2, "",
      "none.json: error: has no \"graphql\" in its \"builders\"; name the rules with --builder" },
    { "a builder of the future", "graphql check --manifest future.json graphql", 2, "",
      "future.json:1:28: error: the rules of builder 3.x are not known here" },
    { "a builder that is a number", "graphql check --manifest number.json graphql", 2, "",
      "number.json:1:28: error: a builder's version is a string" },
    { "no manifest", "graphql check --manifest gone.json graphql", 2, "",
      "gone.json: error: cannot be opened" },
    { "an unknown builder", "graphql check --builder 3.x graphql", 2, "",
      "--builder: error: must be 1.x or 2.x" },
    { "--builder without a value", "graphql check graphql --builder", 2, "",
      "--builder: error: needs a value" },
    { "an unknown option", "graphql check --account x graphql", 2, "",
      "--account: error: is no option here" },
    { "no path", "graphql check --builder 2.x", 2, "", "needs the schema" },
    { "a link to nowhere", "graphql check empty", 2, "", "empty/x.graphql: error: No such file" },
    { "a folder without *.graphql", "graphql check bare", 2, "", "no *.graphql was found" },
    { "a pipe", "graphql check pipe.graphql", 2, "",
      "pipe.graphql: error: this is not a regular file" },
    { "no GraphQL", "graphql check broken", 2, "1 errors, 0 warnings",
      "broken/a.graphql:1:17: error: a type is expected, not \"}\" [syntax]" },
    { "one of two that is none", "graphql check split broken", 2, "",
      "broken/a.graphql:1:17: error: " },
    { "an operation is no schema", "graphql check graphql operation.graphql", 0, "",
      "operation.graphql:1:1: warning: a query is no part of a schema" },
    { "no command", "graphql", 2, "", "no command is given; known is check" },
    { "another command", "graphql lint", 2, "", "lint is not a command; known is check" },
    { "its help", "graphql check --help", 0, "graphql check [--builder 1.x|2.x] PATH...", "" },
};

static void test_story(void **state)
{
    const struct story *story = *state;
    struct run run;

    begin(&run);
    run_in(&run, story->options, NULL);
    expect_code(&run, story->code);
    expect_in(process_output(run.process), story->output);
    expect_in(process_log(run.process), story->log);
    run_end(&run);
}

/* ---- for machines ---- */

static json_t *parsed(const char *text)
{
    json_error_t error;
    json_t *made = json_loads(text, 0, &error);

    if (!made)
        fail_msg("%s: %s", error.text, text);
    return made;
}

static json_t *read_json(struct folder *folder, const char *name)
{
    json_error_t error;
    json_t *made = json_load_file(folder_name(folder, name), 0, &error);

    if (!made)
        fail_msg("%s: %s", name, error.text);
    return made;
}

static void as_json(void **state)
{
    struct run run;
    json_t *root, *finding, *operation;
    const char *builder, *rule, *file, *level, *access, *field;
    int errors, line, column;

    (void)state;
    begin(&run);
    run_in(&run, "graphql check --json split", NULL);
    expect_code(&run, 1);
    root = parsed(process_output(run.process));
    assert_int_equal(json_unpack(root, "{s:s, s:i, s:[o], s:[o, o]}", "builder", &builder, "errors",
                                 &errors, "findings", &finding, "operations", &operation,
                                 &operation),
                     0);
    assert_string_equal(builder, "2.x");
    assert_int_equal(errors, 1);
    assert_int_equal(json_unpack(finding, "{s:s, s:s, s:s, s:i, s:i}", "rule", &rule, "level",
                                 &level, "file", &file, "line", &line, "column", &column),
                     0);
    assert_string_equal(rule, "auth-missing");
    assert_string_equal(level, "error");
    assert_string_equal(file, "split/b.graphql");
    assert_true(line == 2 && column == 3);
    assert_int_equal(json_unpack(operation, "{s:s, s:s, s:i}", "field", &field, "access", &access,
                                 "line", &line),
                     0);
    assert_string_equal(field, "b");
    assert_string_equal(access, "none");
    json_decref(root);
    run_end(&run);
}

static void as_sarif(void **state)
{
    struct run run;
    json_t *root, *rules;
    const char *version, *id, *uri, *named;
    int index, line, column;

    (void)state;
    begin(&run);
    run_in(&run, "graphql check --sarif out.sarif split", NULL);
    expect_code(&run, 1);
    root = read_json(run.folder, "out.sarif");
    assert_int_equal(
        json_unpack(
            root, "{s:s, s:[{s:{s:{s:o}}, s:[{s:s, s:i, s:[{s:{s:{s:s}, s:{s:i, s:i}}}]}]}]}",
            "version", &version, "runs", "tool", "driver", "rules", &rules, "results", "ruleId",
            &id, "ruleIndex", &index, "locations", "physicalLocation", "artifactLocation", "uri",
            &uri, "region", "startLine", &line, "startColumn", &column),
        0);
    assert_string_equal(version, "2.1.0");
    assert_string_equal(id, "auth-missing");
    assert_int_equal(json_unpack(json_array_get(rules, (size_t)index), "{s:s}", "id", &named), 0);
    assert_string_equal(named, id);
    assert_string_equal(uri, "split/b.graphql");
    assert_true(line == 2 && column == 3);
    json_decref(root);
    run_end(&run);
}

static void sarif_of_what_cannot_be_read(void **state)
{
    struct run run;
    json_t *root;
    int successful;
    const char *level;

    (void)state;
    begin(&run);
    run_in(&run, "graphql check --sarif out.sarif gone", NULL);
    expect_code(&run, 2);
    root = read_json(run.folder, "out.sarif");
    assert_int_equal(json_unpack(root, "{s:[{s:[{s:b, s:[{s:s}]}], s:[]}]}", "runs", "invocations",
                                 "executionSuccessful", &successful, "toolExecutionNotifications",
                                 "level", &level, "results"),
                     0);
    assert_false(successful);
    assert_string_equal(level, "error");
    json_decref(root);
    run_in(&run, "graphql check --sarif split split", NULL);
    expect_code(&run, 2);
    expect_in(process_log(run.process), "--sarif: error: split cannot be written");
    run_end(&run);
}

/* ---- hostile folders and files ---- */

static void too_deep_folders(void **state)
{
    struct run run;
    char path[400];
    int n;

    (void)state;
    begin(&run);
    n = snprintf(path, sizeof(path), "%s/deep", folder_path(run.folder));
    for (int i = 0; i < 40; i++) {
        assert_int_equal(mkdir(path, 0700), 0);
        n += snprintf(path + n, sizeof(path) - (size_t)n, "/d");
    }
    run_in(&run, "graphql check deep", NULL);
    expect_code(&run, 2);
    expect_in(process_log(run.process), "nested deeper than the 32 levels");
    run_end(&run);
}

static void a_large_file(void **state)
{
    struct run run;
    size_t size = 11 * 1024 * 1024;
    char *text = mem_alloc(size, 1);

    (void)state;
    begin(&run);
    memset(text, ' ', size - 1);
    folder_write(run.folder, "large.graphql", text);
    run_in(&run, "graphql check large.graphql", NULL);
    expect_code(&run, 2);
    expect_in(process_log(run.process), "larger than the 10485760 bytes");
    free(text);
    run_end(&run);
}

/* Twenty thousand times the same field: all counted, as many told as findings are kept, and soon. */
static void many_findings(void **state)
{
    enum { MANY = 20000 };
    struct run run;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    fputs("type Query {", out);
    for (int i = 0; i < MANY; i++)
        fputs("a: B\n", out);
    fputs("}", out);
    fclose(out);
    begin(&run);
    folder_write(run.folder, "many.graphql", text);
    run_in(&run, "graphql check many.graphql", NULL);
    expect_code(&run, 1);
    expect_in(process_output(run.process), "20000 operations");
    expect_in(process_output(run.process), "39999 errors");
    expect_in(process_log(run.process), "more findings are not shown");
    free(text);
    run_end(&run);
}

/* ---- the real ones ---- */

static const struct {
    const char *schema, *builder;
    int code;
} decided[] = {
    { "schemas_doc/s14_custom_root.graphql", "1.x", 0 },
    { "schemas_doc/s14_custom_root.graphql", "2.x", 1 },
    { "schemas_doc/s18_public_with_codes.graphql", "1.x", 0 },
};

struct row {
    const char *schema, *builder, *expected, *why;
    char name[200];
};

static int code_of(const struct row *row)
{
    if (strcmp(row->expected, "ambiguous") != 0)
        return strcmp(row->expected, "pass") == 0 ? 0 : 1;
    for (size_t i = 0; i < sizeof(decided) / sizeof(decided[0]); i++) {
        if (strcmp(row->schema, decided[i].schema) == 0 &&
            strcmp(row->builder, decided[i].builder) == 0)
            return decided[i].code;
    }
    fail_msg("%s is ambiguous, and docs/graphql.md does not decide it", row->schema);
    return -1;
}

/* "11 operations public by default: WARN with the list" */
static void expect_count(const struct row *row, const char *output)
{
    char want[64];

    if (strcmp(row->builder, "1.x") != 0 || !strstr(row->why, "operations public by default"))
        return;
    snprintf(want, sizeof(want), "public by default (%lu): ", strtoul(row->why, NULL, 10));
    expect_in(output, want);
}

static void test_row(void **state)
{
    const struct row *row = *state;
    struct run run = { .folder = folder_new() };
    char options[600];

    snprintf(options, sizeof(options), "graphql check --builder %s %s/%s", row->builder,
             getenv("JANUS_REAL_MANIFESTS"), row->schema);
    run_in(&run, options, NULL);
    expect_code(&run, code_of(row));
    expect_count(row, process_output(run.process));
    run_end(&run);
}

static char *read_cases(void)
{
    char *path = NULL, *bytes = NULL;
    size_t size = 0;
    FILE *file;

    if (!getenv("JANUS_REAL_MANIFESTS") ||
        asprintf(&path, "%s/authcases.tsv", getenv("JANUS_REAL_MANIFESTS")) < 0)
        return NULL;
    file = fopen(path, "r");
    free(path);
    if (!file || getdelim(&bytes, &size, '\0', file) < 0)
        return NULL;
    fclose(file);
    return bytes;
}

static struct row rows[STORIES_MAX / 2];

static void add_rows(struct stories *stories, char *bytes)
{
    size_t n = 0;

    strsep(&bytes, "\n"); /* the header */
    for (char *line; n < STORIES_MAX / 2 && (line = strsep(&bytes, "\n")) && *line; n++) {
        struct row *row = &rows[n];

        row->schema = strsep(&line, "\t");
        row->builder = line ? strsep(&line, "\t") : "";
        row->expected = line ? strsep(&line, "\t") : "";
        row->why = line ? strsep(&line, "\t") : "";
        snprintf(row->name, sizeof(row->name), "%s under %s: %s", row->schema, row->builder,
                 row->expected);
        stories_add(stories, row->name, test_row, row);
    }
}

static void no_folder(void **state)
{
    (void)state;
    print_message("JANUS_REAL_MANIFESTS does not name a folder with authcases.tsv\n");
    skip();
}

int main(void)
{
    static struct stories stories;
    char *cases = read_cases();
    int failed;

    STORIES_ADD(&stories, told, test_story);
    stories_add(&stories, "as JSON", as_json, NULL);
    stories_add(&stories, "as SARIF", as_sarif, NULL);
    stories_add(&stories, "SARIF of what cannot be read", sarif_of_what_cannot_be_read, NULL);
    stories_add(&stories, "folders that are too deep", too_deep_folders, NULL);
    stories_add(&stories, "a file that is too large", a_large_file, NULL);
    stories_add(&stories, "twenty thousand times the same field", many_findings, NULL);
    if (cases)
        add_rows(&stories, cases);
    else
        stories_add(&stories, "real schemas", no_folder, NULL);
    failed = stories_run("graphql check", &stories);
    free(cases);
    return failed;
}

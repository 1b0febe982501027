#include "tests/unit/stories.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/manifest.h"
#include "config/memory.h"

/* What cannot be a manifest: one fatal finding, no result. */
static struct refused {
    const char *name;
    struct text text;
    const char *where, *what;
} refused[] = {
    { "an empty file", TEXT_INIT(""), "m:1:1", "empty" },
    { "blanks only", TEXT_INIT(" \n\n"), "m:3:1", "empty" },
    { "a merge conflict", TEXT_INIT("{\n<<<<<<< HEAD\n\"a\": 1\n=======\n}"), "m:2:1",
      "merge conflict" },
    { "a merge conflict between members", TEXT_INIT("{\"a\":1,\n=======\n\"b\":2}"), "m:2:1",
      "merge conflict" },
    { "a trailing comma in an object", TEXT_INIT("{\"a\": 1,\n}"), "m:2:1", "remove the comma" },
    { "a trailing comma in an array", TEXT_INIT("{\"a\": [1,]}"), "m:1:10", "remove the comma" },
    { "a missing comma", TEXT_INIT("{\"a\": \"1\"\n  \"b\": 2}"), "m:2:3", "comma is missing" },
    { "a missing comma before a long key",
      TEXT_INIT("{\"a\": {}\n  \"a-key-that-is-longer-than-the-parser-shows\": 2}"), "m:2:3",
      "comma is missing" },
    { "a comment", TEXT_INIT("{ // hosts\n}"), "m:1:3", "no comments" },
    { "single quotes", TEXT_INIT("{'a': 1}"), "m:1:2", "double quotes" },
    { "not closed", TEXT_INIT("{\"a\": [1"), "m:1:9", "too early" },
    { "two values", TEXT_INIT("{}\n{}"), "m:2:1", "behind the end" },
    { "a line break in a string", TEXT_INIT("{\"a\": \"x\ny\"}"),
      "m:1:", "not closed on its line" },
    { "UTF-16", TEXT_INIT("\xff\xfe{\0}\0"), "m:1:", "UTF-16" },
    { "Latin-1", TEXT_INIT("{\"a\": \"caf\xe9\"}"), "m:1:", "UTF-8" },
    { "half a surrogate pair", TEXT_INIT("{\"a\": \"\\ud800\"}"), "m:1:", "not valid JSON" },
    { "a raw NUL", TEXT_INIT("{\"a\": \0}"), "m:1:", "not valid JSON" },
    { "a NUL in a key", TEXT_INIT("{\"a\\u0000\": 1}"), "m:1:", "not valid JSON" },
    { "handlebars", TEXT_INIT("{{vendor}}"), "m:1:2", "not valid JSON" },
    { "an array", TEXT_INIT(" []"), "m:1:2", "one JSON object" },
    { "a string", TEXT_INIT("\"{}\""), "m:1:1", "one JSON object" },
    { "null", TEXT_INIT("null"), "m:1:1", "one JSON object" },
    { "policies is an object", TEXT_INIT("{\n \"policies\": {}}"), "m:2:14", "must be an array" },
    { "policies is null", TEXT_INIT("{\"policies\": null}"), "m:1:14", "must be an array" },
    { "the last policies counts", TEXT_INIT("{\"policies\": [], \"policies\": 1}"), "m:1:30",
      "must be an array" },
};

static const struct diag *find(const struct diags *diags, const char *where, const char *what)
{
    for (size_t i = 0; i < diags->n; i++)
        if (text_starts(text_of(diags->items[i].where), text_of(where)) &&
            strstr(diags->items[i].what, what))
            return &diags->items[i];
    diags_print(diags, stderr);
    return NULL;
}

static void test_refused(void **state)
{
    const struct refused *row = *state;
    struct diags diags = { 0 };

    assert_null(manifest_parse("m", row->text, &diags));
    assert_int_equal(diags.fatal, 1);
    assert_int_equal(diags.errors, 1);
    assert_non_null(find(&diags, row->where, row->what));
    diags_fini(&diags);
}

/* What is wrong in a part: an error finding, that part is left out, the others stay. */
static struct partial {
    const char *name;
    const char *text;
    const char *where, *what;
    size_t policies; /* that are left */
} partial[] = {
    { "a policy is a string", "{\"policies\": [\"outbound-access\", {\"name\": \"x\"}]}", "m:1:15",
      "policies[0] opens nothing: it must be an object", 1 },
    { "a policy is null", "{\"policies\": [null]}", "m:1:15", "must be an object", 0 },
    { "no name", "{\"policies\": [{\"name\": \"x\"},\n {\"attrs\": {}}]}", "m:2:2",
      "policies[1] opens nothing: its \"name\" is missing", 1 },
    { "name is a number", "{\"policies\": [{\"name\": 1}]}", "m:1:24", "\"name\" must be a string",
      0 },
    { "an empty name", "{\"policies\": [{\"name\": \"\"}]}", "m:1:24", "its \"name\" is empty", 0 },
    { "the last name counts", "{\"policies\": [{\"name\": \"x\", \"name\": 1}]}", "m:1:37",
      "\"name\" must be a string", 0 },
    { "the host stands beside attrs",
      "{\"policies\": [{\"name\": \"outbound-access\", \"host\": \"a\", \"path\": \"*\"}]}",
      "m:1:15", "\"host\" and \"path\" belong into \"attrs\"", 0 },
    { "attrs is a string", "{\"policies\": [{\"name\": \"x\", \"attrs\": \"h\"}]}", "m:1:38",
      "\"attrs\" must be an object", 0 },
    { "attrs is null", "{\"policies\": [{\"name\": \"x\", \"attrs\": null}]}", "m:1:38",
      "\"attrs\" must be an object", 0 },
    { "attrs is an array", "{\"policies\": [{\"name\": \"x\", \"attrs\": []}]}", "m:1:38",
      "\"attrs\" must be an object", 0 },
    { "host is an array", "{\"policies\": [{\"name\": \"x\", \"attrs\": {\"host\": [\"a\"]}}]}",
      "m:1:47", "attrs.host must be a string", 0 },
    { "host is null", "{\"policies\": [{\"name\": \"x\", \"attrs\": {\"host\": null}}]}", "m:1:47",
      "attrs.host must be a string", 0 },
    { "path is a number",
      "{\"policies\": [{\"name\": \"x\", \"attrs\": {\"host\": \"a\", \"path\": 1}}]}", "m:1:60",
      "attrs.path must be a string", 0 },
    { "path is null never means any path",
      "{\"policies\": [{\"name\": \"x\", \"attrs\": {\"host\": \"a\", \"path\": null}}]}", "m:1:60",
      "attrs.path must be a string", 0 },
    { "the second mistake is found, too",
      "{\"policies\": [{\"name\": \"x\", \"attrs\": {\"host\": 1, \"path\": 1}}]}", "m:1:58",
      "attrs.path must be a string", 0 },
    { "vendor is a number", "{\"vendor\": 1}", "m:1:12", "\"vendor\" must be a string", 0 },
    { "name is empty", "{\"name\": \"\"}", "m:1:10", "\"name\" must be a string", 0 },
    { "version with a line break", "{\"version\": \"1\\n\"}", "m:1:13",
      "\"version\" must be a string", 0 },
    { "vendor with a NUL", "{\"vendor\": \"a\\u0000b\"}", "m:1:12", "\"vendor\" must be a string",
      0 },
    { "dependencies is an array", "{\"dependencies\": []}", "m:1:18", "must be an object", 0 },
    { "a version that is no string", "{\"dependencies\": {\"a.b\": 1}}", "m:1:19",
      "dependency \"a.b\" is left out", 0 },
};

static void test_partial(void **state)
{
    const struct partial *row = *state;
    struct diags diags = { 0 };
    struct manifest *manifest = manifest_parse("m", text_of(row->text), &diags);
    const struct diag *diag = find(&diags, row->where, row->what);

    assert_non_null(manifest);
    assert_int_equal(diags.fatal, 0);
    assert_non_null(diag);
    assert_int_equal(diag->level, DIAG_ERROR);
    assert_int_equal(manifest->n_policies, row->policies);
    manifest_free(manifest);
    diags_fini(&diags);
}

static struct warned {
    const char *name;
    const char *text;
    const char *where, *what;
} warned[] = {
    { "a byte order mark", "\xEF\xBB\xBF{}", "m:1:1", "byte order mark" },
    { "policies twice", "{\"policies\": [],\n\"policies\": []}", "m:2:1",
      "\"policies\" stands here" },
    { "a policy's name twice", "{\"policies\": [{\"name\": \"x\", \"name\": \"y\"}]}", "m:1:29",
      "\"name\" stands here" },
    { "host twice",
      "{\"policies\": [{\"name\": \"x\", \"attrs\": {\"host\": \"a\", \"host\": \"b\"}}]}",
      "m:1:52", "\"host\" stands here" },
    { "the same key in another writing",
      "{\"policies\": [{\"name\": \"x\", \"attrs\": {\"host\": \"a\", \"h\\u006fst\": \"b\"}}]}",
      "m:1:52", "\"host\" stands here" },
    { "a dependency twice",
      "{\"dependencies\": {\"a.b\": \"1.x\", \"a.b\": \"2.x\", \"c.d\": \"0.x\"}}", "m:1:33",
      "stands here a second time" },
    { "a dependency twice, the second one last",
      "{\"dependencies\": {\"a.b\": \"1.x\", \"c.d\": \"0.x\", \"a.b\": \"2.x\"}}", "m:1:47",
      "stands here a second time" },
    { "a method is not part of a policy",
      "{\"policies\": [{\"name\": \"outbound-access\", \"attrs\": {\"host\": \"a\", \"method\": "
      "\"GET\"}}]}",
      "m:1:66", "\"method\" is not part of" },
    { "keys have a case",
      "{\"policies\": [{\"name\": \"outbound-access\", \"attrs\": {\"host\": \"a\", \"Path\": "
      "\"/x\"}}]}",
      "m:1:66", "\"Path\" is not part of" },
};

static void test_warned(void **state)
{
    const struct warned *row = *state;
    struct diags diags = { 0 };
    struct manifest *manifest = manifest_parse("m", text_of(row->text), &diags);

    assert_non_null(manifest);
    assert_int_equal(diags.errors, 0);
    assert_int_equal(diags.warnings, 1);
    assert_non_null(find(&diags, row->where, row->what));
    manifest_free(manifest);
    diags_fini(&diags);
}

static struct silent {
    const char *name;
    const char *text;
    size_t policies, dependencies;
} silent[] = {
    { "nothing in it", "{}", 0, 0 },
    { "no policies", "{\"policies\": []}", 0, 0 },
    { "keys that we do not know",
      "{\"$schema\": 1, \"settingsSchema\": {\"name\": 1}, \"x\": null}", 0, 0 },
    { "a licence key has no attrs", "{\"policies\": [{\"name\": \"ADMIN_DS\"}]}", 1, 0 },
    { "other kinds have attrs of their own",
      "{\"policies\": [{\"name\": \"vbase\", \"attrs\": {\"bucket\": \"b\"}}]}", 1, 0 },
    { "a policy's other keys", "{\"policies\": [{\"name\": \"x\", \"reason\": 1}]}", 1, 0 },
    { "a huge number somewhere", "{\"x\": 123456789012345678901234567890}", 0, 0 },
    { "dependencies", "{\"dependencies\": {\"a.b\": \"1.x\", \"c.d\": \"0.x\"}}", 0, 2 },
    { "a dependency with an escape",
      "{\"dependencies\": {\"caf\\u00e9.\\ud83d\\ude00\": \"1.x\", \"c.d\": \"0.x\"}}", 0, 2 },
};

static void test_silent(void **state)
{
    const struct silent *row = *state;
    struct diags diags = { 0 };
    struct manifest *manifest = manifest_parse("m", text_of(row->text), &diags);

    assert_non_null(manifest);
    assert_int_equal(diags.n, 0);
    assert_int_equal(manifest->n_policies, row->policies);
    assert_int_equal(manifest->n_dependencies, row->dependencies);
    manifest_free(manifest);
    diags_fini(&diags);
}

static void test_rows(void **state)
{
    static const char text[] =
        "{\n"
        " \"vendor\": \"acme\", \"name\": \"bridge\", \"version\": \"1.4.0\",\n"
        " \"dependencies\": {\n  \"vtex.messages\": \"1.x\" },\n"
        " \"policies\": [ 7,\n"
        "  { \"name\": \"outbound-access\",\n"
        "    \"attrs\": { \"path\": \"/a\\u0000b/*\",\n"
        "               \"host\": \"{{account}}.x\" } } ]\n}\n";
    struct diags diags = { 0 };
    struct manifest *manifest = manifest_parse("m.json", text_of(text), &diags);
    const struct manifest_policy *policy = &manifest->policies[0];

    (void)state;
    assert_int_equal(diags.errors, 1);
    assert_string_equal(manifest->file, "m.json");
    assert_string_equal(manifest->app_id, "acme.bridge@1.4.0");
    assert_string_equal(manifest->partial_id, "acme.bridge");
    assert_int_equal(manifest->n_policies, 1);
    assert_int_equal(policy->index, 1);
    assert_true(text_eq(policy->name, TEXT("outbound-access")));
    assert_true(text_eq(policy->host, TEXT("{{account}}.x")));
    assert_true(text_eq(policy->path, TEXT("/a\0b/*")));
    assert_int_equal(policy->place.line, 6);
    assert_int_equal(policy->place.column, 3);
    assert_int_equal(policy->path_place.line, 7);
    assert_int_equal(policy->path_place.column, 24);
    assert_int_equal(policy->host_place.line, 8);
    assert_ptr_equal(policy->place.file, manifest->file);
    assert_true(text_eq(manifest->dependencies[0].app, TEXT("vtex.messages")));
    assert_true(text_eq(manifest->dependencies[0].range, TEXT("1.x")));
    assert_int_equal(manifest->dependencies[0].place.line, 4);
    manifest_free(manifest);
    diags_fini(&diags);
}

static void test_missing_parts(void **state)
{
    static const char text[] = "{\"vendor\": \"acme\", \"name\": \"b\", \"policies\": "
                               "[{\"name\": \"outbound-access\", \"attrs\": {}}]}";
    struct diags diags = { 0 };
    struct manifest *manifest = manifest_parse("m", text_of(text), &diags);

    (void)state;
    assert_null(manifest->app_id);
    assert_string_equal(manifest->partial_id, "acme.b");
    assert_null(manifest->version.at);
    assert_null(manifest->policies[0].host.at);
    assert_null(manifest->policies[0].path.at);
    assert_int_equal(manifest->policies[0].host_place.column, manifest->policies[0].place.column);
    manifest_free(manifest);
    diags_fini(&diags);
}

static char *policies_of(size_t n)
{
    static const char item[] = "{\"name\":\"x\"},\n";
    char *text = mem_alloc(n * (sizeof(item) - 1) + 32, 1), *at = text;

    at = stpcpy(at, "{\"policies\":[");
    for (size_t i = 0; i < n; i++)
        at = stpcpy(at, item);
    memcpy(n > 0 ? at - 2 : at, "]}", sizeof("]}"));
    return text;
}

static void test_most_policies(void **state)
{
    char *most = policies_of(MANIFEST_MAX_POLICIES), *more = policies_of(MANIFEST_MAX_POLICIES + 1);
    struct diags diags = { 0 };
    struct manifest *manifest = manifest_parse("m", text_of(most), &diags);

    (void)state;
    assert_int_equal(diags.n, 0);
    assert_int_equal(manifest->n_policies, MANIFEST_MAX_POLICIES);
    assert_int_equal(manifest->policies[MANIFEST_MAX_POLICIES - 1].place.line,
                     MANIFEST_MAX_POLICIES);
    assert_null(manifest_parse("m", text_of(more), &diags));
    assert_non_null(find(&diags, "m:1:13", "100001 policies"));
    manifest_free(manifest);
    diags_fini(&diags);
    free(most);
    free(more);
}

static char brackets[2 * MANIFEST_MAX_DEPTH + 1]; /* 64 opening, 64 closing */

/* An object that holds `n` - 1 arrays in one another. */
static struct manifest *parse_nested(size_t n, struct diags *diags)
{
    char text[2 * MANIFEST_MAX_DEPTH + 16];
    int len = snprintf(text, sizeof(text), "{\"x\":%.*s%.*s}", (int)n - 1, brackets, (int)n - 1,
                       brackets + MANIFEST_MAX_DEPTH);

    return manifest_parse("m", (struct text){ text, (size_t)len }, diags);
}

static void test_depth(void **state)
{
    struct diags diags = { 0 };
    struct manifest *manifest;

    (void)state;
    memset(brackets, '[', MANIFEST_MAX_DEPTH);
    memset(brackets + MANIFEST_MAX_DEPTH, ']', MANIFEST_MAX_DEPTH);
    manifest = parse_nested(MANIFEST_MAX_DEPTH, &diags);
    assert_non_null(manifest);
    manifest_free(manifest);
    assert_null(parse_nested(MANIFEST_MAX_DEPTH + 1, &diags));
    assert_non_null(find(&diags, "m:1:69", "nested deeper"));
    diags_fini(&diags);
}

static void test_size(void **state)
{
    char *text = mem_alloc(MANIFEST_MAX_BYTES + 2, 1);
    struct diags diags = { 0 };
    struct manifest *manifest;

    (void)state;
    memset(text, ' ', MANIFEST_MAX_BYTES + 1);
    memcpy(text, "{}", 2);
    manifest = manifest_parse("m", (struct text){ text, MANIFEST_MAX_BYTES }, &diags);
    assert_non_null(manifest);
    manifest_free(manifest);
    assert_null(manifest_parse("m", (struct text){ text, MANIFEST_MAX_BYTES + 1 }, &diags));
    assert_non_null(find(&diags, "m", "larger than"));
    diags_fini(&diags);
    free(text);
}

static void test_files(void **state)
{
    char directory[] = "/tmp/test_manifest_XXXXXX", path[64];
    struct diags diags = { 0 };

    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_null(manifest_load(directory, &diags));
    assert_non_null(find(&diags, directory, "a directory"));
    snprintf(path, sizeof(path), "%s/m.json", directory);
    assert_null(manifest_load(path, &diags));
    assert_non_null(find(&diags, path, "No such file"));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(manifest_load(path, &diags));
    assert_non_null(find(&diags, path, "not a regular file"));
    unlink(path);
    assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    assert_int_equal(truncate(path, MANIFEST_MAX_BYTES + 1), 0);
    assert_null(manifest_load(path, &diags));
    assert_non_null(find(&diags, path, "larger than"));
    assert_int_equal(truncate(path, 0), 0);
    assert_null(manifest_load(path, &diags));
    assert_non_null(find(&diags, path, "empty"));
    assert_int_equal(diags.fatal, 5);
    unlink(path);
    assert_null(manifest_load_for("--shadow-manifest", path, &diags));
    assert_non_null(find(&diags, path, "with --shadow-manifest FILE"));
    rmdir(directory);
    diags_fini(&diags);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, refused, test_refused);
    STORIES_ADD(&stories, partial, test_partial);
    STORIES_ADD(&stories, warned, test_warned);
    STORIES_ADD(&stories, silent, test_silent);
    stories_add(&stories, "rows, texts and places", test_rows, NULL);
    stories_add(&stories, "what is missing stays missing", test_missing_parts, NULL);
    stories_add(&stories, "100,000 policies and no more", test_most_policies, NULL);
    stories_add(&stories, "64 levels and no more", test_depth, NULL);
    stories_add(&stories, "10 MiB and no more", test_size, NULL);
    stories_add(&stories, "a directory, a FIFO, a huge file, an empty one", test_files, NULL);
    return stories_run("manifest", &stories);
}

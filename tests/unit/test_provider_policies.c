/* policies.json of providers: what is read, what spoils a file, and which files of a folder count. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/manifest.h"
#include "config/provider.h"
#include "policy/policy.h"
#include "tests/unit/stories.h"

#define VRN             "vrn:vtex.x:{{region}}:{{account}}:{{workspace}}:/f"
#define STATEMENT(body) "[{\"name\":\"p\",\"statements\":[{" body "}]}]"
#define RESOURCE(vrn)                                                                              \
    STATEMENT("\"effect\":\"deny\",\"actions\":[\"get\"],\"resources\":[\"" vrn "\"]")

static struct story {
    const char *name, *json, *where; /* of the first error; NULL: the file is good */
} stories[] = {
    { "no policy", "[]", NULL },
    { "an allow",
      STATEMENT("\"effect\":\"allow\",\"actions\":[\"get\"],\"resources\":[\"" VRN "\"]"), NULL },
    { "effect in capitals",
      STATEMENT("\"effect\":\"Allow\",\"actions\":[\"GET\"],\"resources\":[\"" VRN "\"]"), NULL },
    { "the old single resource",
      STATEMENT("\"effect\":\"deny\",\"actions\":[\"*\"],\"resource\":\"" VRN "\""), NULL },
    { "a description in the statement",
      STATEMENT("\"description\":\"d\",\"effect\":\"deny\",\"actions\":[\"*\"],\"resource\":\"" VRN
                "\""),
      NULL },
    { "a policy without statements", "[{\"name\":\"outbound-access\",\"attrs\":{\"host\":\"h\"}}]",
      NULL },
    { "no statement in the list", "[{\"name\":\"p\",\"statements\":[]}]", NULL },
    { "every field is a star", RESOURCE("vrn:*:*:*:*:*"), NULL },
    { "a template for a star", RESOURCE("vrn:vtex.x:{{*}}:{{ * }}:{{*}}:/f"), NULL },
    { "colons in the path", RESOURCE("vrn:vtex.x:*:*:*:/a:b"), NULL },

    { "nothing in the file", "", "x.json:1:1" },
    { "no JSON", "[{]", "x.json:1:3" },
    { "an object", "{}", "x.json:1:1" },
    { "a policy that is no object", "[1]", "x.json:1:2" },
    { "a policy without a name", "[{\"statements\":[]}]", "x.json:1:2" },
    { "statements that are no list", "[{\"name\":\"p\",\"statements\":{}}]", "x.json:1:27" },
    { "a statement that is no object", "[{\"name\":\"p\",\"statements\":[1]}]", "x.json:1:28" },
    { "no effect", STATEMENT("\"actions\":[\"get\"],\"resources\":[\"" VRN "\"]"), "x.json:1:28" },
    { "an effect of another kind",
      STATEMENT("\"effect\":\"audit\",\"actions\":[\"get\"],\"resources\":[\"" VRN "\"]"),
      "x.json:1:38" },
    { "no actions", STATEMENT("\"effect\":\"deny\",\"resources\":[\"" VRN "\"]"), "x.json:1:28" },
    { "an empty list of actions",
      STATEMENT("\"effect\":\"deny\",\"actions\":[],\"resources\":[\"" VRN "\"]"), "x.json:1:55" },
    { "an action that is no string",
      STATEMENT("\"effect\":\"deny\",\"actions\":[1],\"resources\":[\"" VRN "\"]"), "x.json:1:56" },
    { "actions that are no list",
      STATEMENT("\"effect\":\"deny\",\"actions\":\"get\",\"resources\":[\"" VRN "\"]"),
      "x.json:1:55" },
    { "no resources", STATEMENT("\"effect\":\"deny\",\"actions\":[\"get\"]"), "x.json:1:28" },
    { "an empty list of resources",
      STATEMENT("\"effect\":\"deny\",\"actions\":[\"get\"],\"resources\":[]"), "x.json:1:75" },
    { "resource and resources",
      STATEMENT("\"effect\":\"deny\",\"actions\":[\"get\"],\"resource\":\"" VRN
                "\",\"resources\":[\"" VRN "\"]"),
      "x.json:1:74" },
    { "a condition that nobody here knows",
      STATEMENT("\"condition\":{},\"effect\":\"allow\",\"actions\":[\"get\"],\"resources\":[\"" VRN
                "\"]"),
      "x.json:1:29" },
    { "no VRN", RESOURCE("/f"), "x.json:1:76" },
    { "too few fields", RESOURCE("vrn:vtex.x:*:*:/f"), "x.json:1:76" },
    { "an empty field", RESOURCE("vrn:vtex.x::*:*:/f"), "x.json:1:76" },
    { "an empty path", RESOURCE("vrn:vtex.x:*:*:*:"), "x.json:1:76" },
    { "a path without a slash", RESOURCE("vrn:vtex.x:*:*:*:f"), "x.json:1:76" },
    { "a template of nobody", RESOURCE("vrn:vtex.x:*:*:*:/{{id}}"), "x.json:1:76" },
    { "a broken template", RESOURCE("vrn:vtex.x:*:${account}:*:/f"), "x.json:1:76" },
    { "a slash in the account", RESOURCE("vrn:vtex.x:*:a/b:*:/f"), "x.json:1:76" },
    { "an escape in the path", RESOURCE("vrn:vtex.x:*:*:*:/a%2fb"), "x.json:1:76" },
    { "dots in the path", RESOURCE("vrn:vtex.x:*:*:*:/a/../b"), "x.json:1:76" },
    { "two slashes in the path", RESOURCE("vrn:vtex.x:*:*:*://b"), "x.json:1:76" },
    { "a parameter in the path", RESOURCE("vrn:vtex.x:*:*:*:/a;b"), "x.json:1:76" },
    { "a query in the path", RESOURCE("vrn:vtex.x:*:*:*:/a?b"), "x.json:1:76" },
    { "a blank in the path", RESOURCE("vrn:vtex.x:*:*:*:/a b"), "x.json:1:76" },
    { "a route's parameter", RESOURCE("vrn:vtex.x:*:*:*:/a/:id"), "x.json:1:76" },
    { "a wildcard over other apps", RESOURCE("vrn:acme.*:*:*:*:/a"), "x.json:1:76" },
    { "a NUL in the path", RESOURCE("vrn:vtex.x:*:*:*:/a\\u0000"), "x.json:1:76" },
    { "a bad statement behind a good one",
      "[{\"name\":\"p\",\"statements\":[{\"effect\":\"allow\",\"actions\":[\"get\"],\"resources\":["
      "\"" VRN "\"]}]},{\"name\":\"q\",\"statements\":[{}]}]",
      "x.json:1:160" },
};

static char account[] = "acme", workspace[] = "dev1", region[] = "aws-us-east-1";

/* `rows` is what stands in "policies". */
static struct policy *compile_rows(const char *rows, struct providers *providers,
                                   struct diags *diags)
{
    struct settings settings = {
        .account = account, .workspace = workspace, .region = region, .policy_kinds = POLICY_APP
    };
    struct manifest *manifest;
    struct policy *policy;
    char *json = NULL;

    assert_true(asprintf(&json,
                         "{\"vendor\":\"v\",\"name\":\"a\",\"version\":\"1.0.0\","
                         "\"policies\":[%s]}",
                         rows) > 0);
    manifest = manifest_parse("manifest.json", text_of(json), diags);
    policy = policy_compile(manifest, providers, &settings, diags);
    manifest_free(manifest);
    free(json);
    return policy;
}

static struct policy *compile_with(struct providers *providers, struct diags *diags)
{
    return compile_rows("", providers, diags);
}

static void story_is_read(void **state)
{
    const struct story *story = *state;
    struct diags diags = { 0 };
    struct provider *provider = provider_parse("vtex.x", "x.json", text_of(story->json), &diags);
    struct providers providers = { &provider, 1 };

    policy_unref(compile_with(&providers, &diags));
    assert_int_equal(provider->broken, story->where != NULL);
    assert_int_equal(diags.errors > 0, story->where != NULL);
    assert_int_equal(diags.fatal, 0);
    for (size_t i = 0; story->where && i < diags.n; i++)
        if (diags.items[i].level == DIAG_ERROR) {
            assert_string_equal(diags.items[i].where, story->where);
            break;
        }
    provider_free(provider);
    diags_fini(&diags);
}

/* ---- folders ---- */

static char *write_file(const char *dir, const char *name, const char *bytes)
{
    char *path = NULL;
    FILE *out;

    assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
    if (!bytes) {
        assert_int_equal(mkdir(path, 0700), 0);
        return path;
    }
    out = fopen(path, "w");
    assert_non_null(out);
    fputs(bytes, out);
    fclose(out);
    return path;
}

/* A name that ends in '/' is a folder. In the order in which they can be made. */
static const char *const tree[][2] = {
    { "vtex.x.json", "[]" },
    { "vtex.folder", NULL },
    { "vtex.folder/policies.json", "[]" },
    { "vtex.twice.json", "[]" },
    { "vtex.twice", NULL },
    { "vtex.twice/policies.json", "[]" },
    { "vtex.hollow", NULL },
    { "vtex.dir.json", NULL },
    { "vtex-apps__store.json", "[]" },
    { "policies.json", "[{}]" },
    { "a.b.c.json", "[]" },
    { ".x.json", "[]" },
    { "vtex.x.json.bak", "nonsense" },
    { "README.md", "nonsense" },
};

/* For whoever watches them: those that are read, and no other. */
static void the_same_files_are_listed(const char *dir)
{
    static const char *const names[] = { "vtex.folder/policies.json", "vtex.hollow/policies.json",
                                         "vtex.twice.json", "vtex.twice/policies.json",
                                         "vtex.x.json" };
    struct provider_files files;

    assert_true(provider_files_list(dir, &files));
    assert_int_equal(files.n, 5);
    for (size_t i = 0; i < files.n; i++)
        assert_string_equal(files.items[i] + strlen(dir) + 1, names[i]);
    provider_files_fini(&files);
    assert_false(provider_files_list("/nowhere/at/all", &files));
    provider_files_fini(&files);
}

static void the_right_files_are_read(void **state)
{
    enum { N = sizeof tree / sizeof *tree };
    char dir[] = "/tmp/providers-XXXXXX", *paths[N];
    struct diags diags = { 0 };
    struct providers *providers;

    (void)state;
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < N; i++)
        paths[i] = write_file(dir, tree[i][0], tree[i][1]);
    providers = providers_load(dir, &diags);
    assert_int_equal(providers->n, 4);
    assert_non_null(providers_find(providers, TEXT("vtex.x")));
    assert_non_null(providers_find(providers, TEXT("VTEX.X")));
    assert_false(providers_find(providers, TEXT("vtex.folder"))->broken);
    assert_true(providers_find(providers, TEXT("vtex.twice"))->broken);
    assert_true(providers_find(providers, TEXT("vtex.hollow"))->broken);
    assert_null(providers_find(providers, TEXT("vtex")));
    assert_null(providers_find(providers, TEXT("vtex.xx")));
    assert_int_equal(diags.errors, 2);
    assert_int_equal(diags.fatal, 0);
    assert_int_equal(diags.warnings, 4); /* .json, but no app's: they are named */
    providers_free(providers);
    diags_fini(&diags);
    the_same_files_are_listed(dir);
    for (size_t i = N; i-- > 0; free(paths[i]))
        assert_int_equal(remove(paths[i]), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void a_missing_folder_is_fatal(void **state)
{
    struct diags diags = { 0 };
    struct providers *providers = providers_load("/nowhere/at/all", &diags);

    (void)state;
    assert_int_equal(providers->n, 0);
    assert_int_equal(diags.fatal, 1);
    providers_free(providers);
    diags_fini(&diags);
}

static void no_folder_is_no_provider(void **state)
{
    struct diags diags = { 0 };
    struct providers *providers = providers_load(NULL, &diags);

    (void)state;
    assert_int_equal(providers->n, 0);
    assert_int_equal(diags.n, 0);
    providers_free(providers);
}

/* ---- the collection of real files, where it is there ---- */

/* The app whose resources the file names, or "vtex.x". */
static void app_of_file(const char *path, char out[120])
{
    FILE *in = fopen(path, "r");
    char *text = NULL, *at;
    size_t size = 0;

    assert_non_null(in);
    snprintf(out, 120, "vtex.x");
    if (getdelim(&text, &size, '\0', in) > 0 && (at = strstr(text, "vrn:")))
        snprintf(out, 120, "%.*s", (int)strcspn(at + 4, ":"), at + 4);
    free(text);
    fclose(in);
}

/* Read as the file of the app that it names: each is whole, opens something, and says nothing but that a
 * policy without statements opens nothing. */
static void real_file_is_read(const char *path)
{
    static const char outbound[] = "\"statements\"";
    struct diags diags = { 0 };
    struct provider *provider;
    struct providers providers = { &provider, 1 };
    struct policy *policy;
    char app[120], *rows = NULL;
    size_t size, n_open = 0;
    FILE *out = open_memstream(&rows, &size);

    app_of_file(path, app);
    provider = provider_read(app, path, &diags);
    for (size_t i = 0; i < provider->n_policies; i++) {
        fprintf(out, "%s{\"name\":\"%s:%.*s\"}", i ? "," : "", app,
                TEXT_ARG(provider->policies[i].name));
        n_open += provider->policies[i].n_statements > 0;
    }
    fclose(out);
    policy = compile_rows(rows, &providers, &diags);
    if (strstr(path, "supplier-provider-example")) { /* an empty file */
        assert_true(provider->broken);
    } else {
        if (provider->broken || diags.errors || n_open == 0)
            fail_msg("%s: %s", path, diags.n ? diags.items[0].what : "it opens nothing");
        assert_int_equal(policy_n_rules(policy), n_open);
        for (size_t i = 0; i < diags.n; i++)
            assert_non_null(strstr(diags.items[i].what, outbound));
    }
    policy_unref(policy);
    provider_free(provider);
    diags_fini(&diags);
    free(rows);
}

/* service.json is none of these files: read as one by mistake, it closes its app and opens nothing. */
static void service_file_is_refused(const char *path)
{
    struct diags diags = { 0 };
    struct provider *provider = provider_read("vtex.x", path, &diags);

    if (!provider->broken || diags.errors != 1)
        fail_msg("%s is taken for a policies.json", path);
    provider_free(provider);
    diags_fini(&diags);
}

static void each_file(const char *folder, void (*check)(const char *path), size_t at_least)
{
    size_t n = 0;
    char *path = NULL;
    const struct dirent *entry;
    DIR *dir;

    assert_true(asprintf(&path, "%s/%s", getenv("JANUS_REAL_MANIFESTS"), folder) > 0);
    dir = opendir(path);
    free(path);
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        if (!strstr(entry->d_name, ".json"))
            continue;
        assert_true(
            asprintf(&path, "%s/%s/%s", getenv("JANUS_REAL_MANIFESTS"), folder, entry->d_name) > 0);
        check(path);
        free(path);
        n++;
    }
    closedir(dir);
    assert_true(n >= at_least);
}

static void real_files_are_read(void **state)
{
    (void)state;
    if (!getenv("JANUS_REAL_MANIFESTS"))
        skip();
    each_file("policies", real_file_is_read, 20);
    each_file("services", service_file_is_refused, 20);
}

int main(void)
{
    struct stories all = { .n = 0 };

    STORIES_ADD(&all, stories, story_is_read);
    stories_add(&all, "the right files are read", the_right_files_are_read, NULL);
    stories_add(&all, "a missing folder is fatal", a_missing_folder_is_fatal, NULL);
    stories_add(&all, "no folder, no provider", no_folder_is_no_provider, NULL);
    stories_add(&all, "real files are read", real_files_are_read, NULL);
    return stories_run("provider policies", &all);
}

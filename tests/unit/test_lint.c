/* Policies that work, but hardly as meant. */
#include "tests/unit/policy_fixture.h"

#include "policy/lint.h"
#include "tests/unit/stories.h"

struct finding {
    const char *name, *rows, *want; /* NULL: nothing is found */
};

static struct finding findings[] = {
    { "nothing to say", "a.test\t/x|a.test\t/y|*.b.test\t/x/*|b.test\t/x/*", NULL },
    { "the same again", "a.test\t/x|a.test\t/x", "repeats the one at line 1" },
    { "the same in other letters", "a.test\t/x|A.Test.\tx", "repeats the one" },
    { "the same in other case of the path is another", "a.test\t/x|a.test\t/X", NULL },
    { "a literal below a wildcard path", "a.test\t/x/y|a.test\t/x/*", "is covered by" },
    { "a wildcard below a wildcard path", "a.test\t/x/*/z|a.test\t/x/*", "is covered by" },
    { "wildcards that only meet", "a.test\t/x/*|a.test\t*/y", NULL },
    { "the directory itself is not covered", "a.test\t/x|a.test\t/x/*", NULL },
    { "a literal host below a wildcard one", "a.w.test\t/x|*.w.test\t/x", "is covered by" },
    { "the name above the wildcard is not", "w.test\t/x|*.w.test\t/x", NULL },
    { "a wildcard host below a wildcard one", "*.a.w.test\t/x|*.w.test\t/*", "is covered by" },
    { "wildcard hosts that only meet", "a*.w.test\t/x|*b.w.test\t/x", NULL },
    { "host and path must both be covered", "a.w.test\t/y|*.w.test\t/x", NULL },
    { "a template that is filled in", "{{account}}.v.test\t/x|acme.v.test\t/*", "is covered by" },
    { "no port covers any", "a.test\t/x|a.test:8443\t/x", "is covered by" },
    { "a port does not cover another", "a.test:9443\t/x|a.test:8443\t/x", NULL },
    { "an address is covered by \"*\"", "192.0.32.8\t/x|*\t/x", "is covered by" },
    { "every host of a top-level domain", "*.com\t/x", "strangers can register" },
    { "every host of com.br", "*.com.br\t/x", "strangers can register" },
    { "half a name", "*shop.com\t/x", NULL },
    { "under one name", "*.example.com\t/x", NULL },
    { "a private address", "10.0.0.1\t/x", "never matches: 10.0.0.1 is a private address" },
    { "localhost", "localhost\t/x", "never matches: localhost is a loopback" },
    { "a public address", "192.0.32.8\t/x", NULL },
    { "another account on IO", "app.io.vtex.com\t/v.a/v0/other/dev1/x", "names another account" },
    { "another workspace on IO", "app.io.vtex.com\t/v.a/v0/acme/master/*", "another workspace" },
    { "ours on IO", "app.io.vtex.com\t/v.a/v0/acme/dev1/*", NULL },
    { "any account on IO", "app.io.vtex.com\t/v.a/v0/*", NULL },
    { "a part of an account on IO", "app.io.vtex.com\t/v.a/v0/ac*", NULL },
    { "an escape that is none", "a.test\t/a%zz/*", "never matches: its path holds a '%'" },
    { "an escape that a star may finish", "a.test\t/a%*", NULL },
    { "an escape that the path cuts off", "a.test\t/*%a", "never matches" },
};

/* The compiler's own warnings are none of ours. */
static void finds(void **state)
{
    const struct finding *story = *state;
    struct settings settings = settings_of(true);
    struct diags compiled = { 0 }, diags = { 0 };
    struct policy *policy = compile(story->rows, &settings, &compiled);

    assert_int_equal(compiled.errors, 0);
    policy_lint(policy, &diags);
    assert_int_equal(diags.errors, 0);
    assert_int_equal(diags.n, story->want ? 1 : 0);
    if (story->want && !strstr(diags.items[0].what, story->want))
        fail_msg("\"%s\" is not in \"%s\"", story->want, diags.items[0].what);
    if (story->want)
        assert_non_null(strstr(diags.items[0].where, "manifest.json:1:"));
    policy_unref(policy);
    diags_fini(&compiled);
    diags_fini(&diags);
}

/* A key opens its resources on stable, which an outbound-access policy may do over again. */
static void keys_count_too(void **state)
{
    static const char json[] =
        "{\"policies\":[{\"name\":\"ADMIN_DS\"},\n{\"name\":\"outbound-access\",\"attrs\":{"
        "\"host\":\"{{account}}.vtexcommercestable.com.br\",\"path\":\"/api/oms/*\"}}]}";
    struct settings settings = settings_of(true);
    struct diags compiled = { 0 }, diags = { 0 };
    struct policy *policy = compile_json(json, &settings, &compiled);

    (void)state;
    policy_lint(policy, &diags);
    assert_int_equal(diags.n, 2);
    assert_non_null(strstr(diags.items[0].what, "\"ADMIN_DS\" opens every path"));
    assert_non_null(strstr(diags.items[1].what, "is covered by the one at line 1 (ADMIN_DS"));
    assert_non_null(strstr(diags.items[1].where, "manifest.json:2:"));
    policy_unref(policy);
    diags_fini(&compiled);
    diags_fini(&diags);
}

/* Every rule on one host, none covered: the worst case ends, and says so. */
static void very_many_are_not_all_compared(void **state)
{
    struct settings settings = settings_of(true);
    struct diags compiled = { 0 }, diags = { 0 };
    char *json = NULL;
    size_t size;
    FILE *out = open_memstream(&json, &size);
    struct policy *policy;

    (void)state;
    fputs("{\"policies\":[", out);
    for (int i = 0; i < 20000; i++)
        fprintf(
            out,
            "%s{\"name\":\"outbound-access\",\"attrs\":{\"host\":\"a.test\",\"path\":\"/%d/*\"}}",
            i ? "," : "", i % 19999);
    fputs("]}", out);
    fclose(out);
    policy = compile_json(json, &settings, &compiled);
    policy_lint(policy, &diags);
    assert_int_equal(diags.n, 2);
    assert_non_null(strstr(diags.items[0].what, "repeats"));
    assert_non_null(strstr(diags.items[1].what, "not all were compared"));
    policy_unref(policy);
    diags_fini(&compiled);
    diags_fini(&diags);
    free(json);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, findings, finds);
    stories_add(&stories, "keys count too", keys_count_too, NULL);
    stories_add(&stories, "very many are not all compared", very_many_are_not_all_compared, NULL);
    return stories_run("lint", &stories);
}

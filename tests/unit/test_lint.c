/* Policies that work, but hardly as meant. */
#include "tests/unit/app_fixture.h"

#include "policy/lint.h"
#include "policy/lint_parts.h"
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
    { "half a name", "*shop.com\t/x", "strangers can register" },
    { "half a name of com.br", "*shop.com.br\t/x", "strangers can register" },
    { "a name with any end", "shop.*\t/x", "strangers can register" },
    { "a name with any end, half a label", "api.shop*\t/x", "strangers can register" },
    { "any name in between", "*.shop.*\t/x", "strangers can register" },
    { "under a short name", "*.ups.com\t/x", NULL },
    { "under a name of one letter", "*.x.io\t/x", NULL },
    { "under one name of com.br", "*.shop.com.br\t/x", NULL },
    { "half a label under one name", "api*.shop.com\t/x", NULL },
    { "half a label, the name behind it", "*api.shop.com\t/x", NULL },
    { "under one name", "*.example.com\t/x", NULL },
    { "a name without a dot", "my-bucket\t/x", "has no dot" },
    { "an IPv6 address has none", "[2606:2800:220:1::1]\t/x", NULL },
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

/* ---- all kinds ---- */

#define KEY(name)        "{\"name\":\"" name "\"}"
#define BUCKET(key, one) "{\"name\":\"" key "\",\"attrs\":{\"bucket\":\"" one "\"}}"
#define OUT(host, path)                                                                            \
    "{\"name\":\"outbound-access\",\"attrs\":{\"host\":\"" host "\",\"path\":\"" path "\"}}"
#define STABLE "{{account}}.vtexcommercestable.com.br"
#define BETA   "{{account}}.vtexcommercebeta.com.br"
#define IO     "app.io.vtex.com"
#define S(effect, actions, route)                                                                  \
    "{\"effect\":\"" effect "\",\"actions\":[" actions                                             \
    "],\"resources\":[\"vrn:vtex.x:*:*:*:" route "\"]}"
#define P(name, statements) "{\"name\":\"" name "\",\"statements\":[" statements "]}"

struct kinds {
    const char *name, *policies, *dependencies, *provider;
    size_t n;         /* findings */
    const char *want; /* in one of them; NULL: none */
};

static struct kinds kinds[] = {
    { "different keys", KEY("Sku.aspx") "," KEY("Marca.aspx"), "", NULL, 0, NULL },
    { "a key twice", KEY("Sku.aspx") "," KEY("Sku.aspx"), "", NULL, 1,
      "\"Sku.aspx\" repeats the policy at line 1" },
    { "a key three times", KEY("Sku.aspx") "," KEY("Sku.aspx") "," KEY("Sku.aspx"), "", NULL, 2,
      "repeats" },
    { "a key that is not known, twice", KEY("OMSViewer") "," KEY("OMSViewer"), "", NULL, 1,
      "repeats" },
    { "two keys for one resource", KEY("ProdutoForm.aspx") "," KEY("ManterFormularioProdutoSku"),
      "", NULL, 1, "key opens nothing here beside the one at line 1 (ProdutoForm.aspx" },
    { "a key below ADMIN_DS", KEY("Sku.aspx") "," KEY("ADMIN_DS"), "", NULL, 2,
      "key opens nothing here beside the one at line 1 (ADMIN_DS" },
    { "a key of which ADMIN_DS covers stable only", KEY("ListOrders") "," KEY("ADMIN_DS"), "", NULL,
      1, "opens every path" },
    { "a key below outbound-access on both hosts",
      KEY("ListOrders") "," OUT(STABLE, "/api/oms/*") "," OUT(BETA, "/api/*"), "", NULL, 1,
      "key opens nothing here beside" },
    { "a key and the same by outbound-access",
      KEY("Sku.aspx") "," OUT(STABLE, "/api/catalog_system/pvt/sku/*"), "", NULL, 1,
      "policy is covered by" },
    { "a template is one segment, a star is any run",
      KEY("GetOrderForm") "," OUT(STABLE, "/api/checkout/pub/orderForm/*"), "", NULL, 0, NULL },
    { "a literal that the template covers",
      KEY("GetOrderForm") "," OUT(STABLE, "/api/checkout/pub/orderForm/x"), "", NULL, 1,
      "is covered by the one at line 1 (GetOrderForm" },
    { "one bucket, and another",
      BUCKET("vbase-read-write", "a") "," BUCKET("vbase-read-write", "b"), "", NULL, 0, NULL },
    { "one bucket twice", BUCKET("vbase-read-write", "a") "," BUCKET("vbase-read-write", "a"), "",
      NULL, 1, "repeats" },
    { "all buckets, and one", KEY("vbase-read-write") "," BUCKET("vbase-read-write", "a"), "", NULL,
      1, "key opens nothing here beside" },
    { "one bucket, and all", BUCKET("vbase-read-write", "a") "," KEY("vbase-read-write"), "", NULL,
      1, "key opens nothing here beside" },
    { "reading below writing", KEY("vbase-read-only") "," KEY("vbase-read-write"), "", NULL, 1,
      "key opens nothing here beside the one at line 1 (vbase-read-write" },
    { "other attributes tell rows apart",
      "{\"name\":\"m\",\"attrs\":{\"entity\":\"A\"}},{\"name\":\"m\",\"attrs\":{\"entity\":\"B\"}}",
      "", NULL, 0, NULL },

    { "one role of each app", KEY("vtex.x:p") "," KEY("vtex.y:p"), "", NULL, 0, NULL },
    { "a role twice", KEY("vtex.x:p") "," KEY("vtex.x:p"), "", NULL, 1, "repeats" },
    { "a role twice, with a file", KEY("vtex.x:p") "," KEY("vtex.x:p"), "",
      "[" P("p", S("allow", "\"get\"", "/a")) "]", 1, "repeats" },
    { "two roles of an app without a file", KEY("vtex.x:p") "," KEY("vtex.x:q"), "", NULL, 1,
      "can tell them apart" },
    { "two roles of an app with a file", KEY("vtex.x:p") "," KEY("vtex.x:q"), "",
      "[" P("p", S("allow", "\"get\"", "/a")) "," P("q", S("allow", "\"get\"", "/b")) "]", 0,
      NULL },
    { "a role and a dependency", KEY("vtex.x:p"), "\"vtex.x\":\"1.x\"", NULL, 0, NULL },
    { "a role below outbound-access", KEY("vtex.x:p") "," OUT(IO, "/vtex.x/*"), "", NULL, 1,
      "opens nothing beside the one at line 1 (outbound-access" },
    { "outbound-access to another app", KEY("vtex.x:p") "," OUT(IO, "/vtex.y/*"), "", NULL, 0,
      NULL },
    { "outbound-access to one version", KEY("vtex.x:p") "," OUT(IO, "/vtex.x/v1/*"), "", NULL, 0,
      NULL },
    { "outbound-access below a role",
      KEY("vtex.x:p") "," OUT(IO, "/vtex.x/v1/{{account}}/{{workspace}}/a*"), "", NULL, 1,
      "policy is covered by the one at line 1 (vtex.x:p" },
    { "outbound-access below a dependency", OUT(IO, "/vtex.x/v1/{{account}}/{{workspace}}/a"),
      "\"vtex.x\":\"1.x\"", NULL, 1, "policy is covered by the one at line 1 (vtex.x," },
    { "outbound-access beside a dependency in another version",
      OUT(IO, "/vtex.x/v2/{{account}}/{{workspace}}/a"), "\"vtex.x\":\"1.x\"", NULL, 0, NULL },
    { "outbound-access beside a role for one method",
      KEY("vtex.x:p") "," OUT(IO, "/vtex.x/v1/{{account}}/{{workspace}}/a"), "",
      "[" P("p", S("allow", "\"get\"", "/a")) "]", 0, NULL },
    { "a statement below another", KEY("vtex.x:p"), "",
      "[" P("p", S("allow", "\"get\"", "/a/b") "," S("allow", "\"*\"", "/a/*")) "]", 1,
      "this opens nothing beside the one at line 1" },
    { "a statement for another method", KEY("vtex.x:p"), "",
      "[" P("p", S("allow", "\"get\"", "/a/b") "," S("allow", "\"post\"", "/a/*")) "]", 0, NULL },
    { "a role below another", KEY("vtex.x:p") "," KEY("vtex.x:q"), "",
      "[" P("p", S("allow", "\"get\"", "/a")) "," P("q", S("allow", "\"get\",\"post\"", "*")) "]",
      1, "this opens nothing beside the one at line 1 (vtex.x:q" },
    { "a statement below outbound-access", KEY("vtex.x:p") "," OUT(IO, "/*"), "",
      "[" P("p", S("allow", "\"get\"", "/a")) "]", 1,
      "this opens nothing beside the one at manifest.json:1" },

    { "all that is opened is closed", KEY("vtex.x:p"), "",
      "[" P("p", S("allow", "\"get\"", "/a/b")) "," P("q", S("deny", "\"*\"", "/A/*")) "]", 1,
      "never matches: \"vtex.x:q\" closes all" },
    { "one method of two is closed", KEY("vtex.x:p"), "",
      "[" P("p", S("allow", "\"get\",\"post\"", "/a")) "," P("q", S("deny", "\"get\"", "/a")) "]",
      0, NULL },
    { "one route of many is closed", KEY("vtex.x:p"), "",
      "[" P("p", S("allow", "\"get\"", "/*")) "," P("q", S("deny", "\"*\"", "/a")) "]", 0, NULL },
    { "outbound-access to a closed route", OUT(IO, "/vtex.x/v1/{{account}}/{{workspace}}/a"), "",
      "[" P("q", S("deny", "\"*\"", "/a")) "]", 1, "never matches" },
    { "outbound-access to a broken app", OUT(IO, "/vtex.x/v1/{{account}}/{{workspace}}/a"), "",
      "nonsense", 1, "never matches: \"vtex.x\" closes all" },
    { "outbound-access to an app of which a route is closed", OUT(IO, "/vtex.x/*"), "",
      "[" P("q", S("deny", "\"*\"", "/a")) "]", 0, NULL },
};

static struct manifest *manifest_with(const char *policies)
{
    struct diags ignored = { 0 };
    struct manifest *manifest;
    char *json = NULL;

    assert_true(asprintf(&json, "{\"policies\":[%s]}", policies) > 0);
    manifest = manifest_parse("manifest.json", text_of(json), &ignored);
    diags_fini(&ignored);
    free(json);
    return manifest;
}

static void finds_in_all_kinds(void **state)
{
    const struct kinds *story = *state;
    struct settings settings = settings_of(true);
    struct diags compiled = { 0 }, diags = { 0 };
    struct policy *policy =
        compile_app(story->policies, story->dependencies, story->provider, &settings, &compiled);
    struct manifest *manifest = manifest_with(story->policies);
    bool found = !story->want;

    policy_lint(policy, &diags);
    policy_lint_rows(manifest, settings.policy_kinds, &diags);
    for (size_t i = 0; i < diags.n; i++)
        found = found || strstr(diags.items[i].what, story->want);
    if (!found || diags.n != story->n)
        fail_msg("%zu findings; the first: %s %s", diags.n, diags.n ? diags.items[0].where : "-",
                 diags.n ? diags.items[0].what : "-");
    assert_int_equal(diags.errors, 0);
    manifest_free(manifest);
    policy_unref(policy);
    diags_fini(&compiled);
    diags_fini(&diags);
}

static void kinds_that_are_off_repeat_nothing(void **state)
{
    struct manifest *manifest = manifest_with(KEY("Sku.aspx") "," KEY("Sku.aspx"));
    struct diags diags = { 0 };

    (void)state;
    policy_lint_rows(manifest, POLICY_OUTBOUND_ACCESS | POLICY_APP, &diags);
    assert_int_equal(diags.n, 0);
    manifest_free(manifest);
}

/* What lint says of a pair holds for requests: whatever the inner one opens, the outer one opens. */
static void a_covered_rule_opens_nothing_more(void **state)
{
    static const char *const rows[] = {
        KEY("Sku.aspx"),
        KEY("ADMIN_DS"),
        KEY("GetOrderForm"),
        KEY("vtex.x:p"),
        KEY("vtex.x:q"),
        OUT(STABLE, "/api/*"),
        OUT(STABLE, "*/sku/*"),
        OUT("*." IO, "*"),
        OUT(IO, "/vtex.x/*"),
        OUT(IO, "/vtex.x/v1/acme/dev1/a*"),
        OUT("*", "/api/catalog_system/*"),
        OUT(STABLE ":443", "*"),
        OUT(STABLE, "/api/checkout/pub/orderForm/*"),
        KEY("vtex.y:p"),
    };
    static const char *const targets[] = {
        "https://acme.vtexcommercestable.com.br/api/catalog_system/pvt/sku/1",
        "https://acme.vtexcommercestable.com.br:8443/api/catalog_system/pvt/sku/1",
        "https://acme.vtexcommercestable.com.br/x",
        "https://acme.vtexcommercestable.com.br/api/checkout/pub/orderForm/1",
        "https://acme.vtexcommercestable.com.br/api/checkout/pub/orderForm/1/items",
        "https://acme.vtexcommercestable.com.br/api/checkout/pub/orderForm/",
        "https://acme.vtexcommercebeta.com.br/api/checkout/pub/orderForm/1",
        APP("/a"),
        APP("/ab"),
        APP("/b"),
        APP(""),
        "https://app.io.vtex.com/vtex.x/v2/acme/dev1/a",
        "https://app.io.vtex.com/vtex.y/v1/acme/dev1/a",
        "https://x.app.io.vtex.com/",
        "https://x.test/api/catalog_system/",
    };
    static const char provider[] =
        "[" P("p", S("allow", "\"get\"", "/a")) "," P("q", S("allow", "\"*\"", "/a*")) "]";
    enum { ROWS = sizeof rows / sizeof *rows };
    struct settings settings = settings_of(false);
    size_t n_covered = 0;

    (void)state;
    for (size_t i = 0; i < (size_t)ROWS * ROWS; i++) {
        const char *one = rows[i / ROWS], *two = rows[i % ROWS];
        struct diags ignored = { 0 }, diags = { 0 };
        char both[400];
        struct policy *pair, *first, *second;
        bool covered, first_does = true, second_does = true;

        snprintf(both, sizeof both, "%s,%s", one, two);
        pair = compile_app(both, "", provider, &settings, &ignored);
        first = compile_app(one, "", provider, &settings, &ignored);
        second = compile_app(two, "", provider, &settings, &ignored);
        lint_overlaps(pair, &diags);
        covered = diags.n > 0;
        n_covered += covered && one != two;
        for (size_t t = 0; covered && t < sizeof targets / sizeof *targets; t++) {
            bool by_pair = judge_as(pair, "GET", targets[t]).kind == VERDICT_ALLOW;

            first_does =
                first_does && by_pair == (judge_as(first, "GET", targets[t]).kind == VERDICT_ALLOW);
            second_does = second_does &&
                          by_pair == (judge_as(second, "GET", targets[t]).kind == VERDICT_ALLOW);
        }
        if (!first_does && !second_does)
            fail_msg("neither of %s makes the other needless", both);
        policy_unref(pair);
        policy_unref(first);
        policy_unref(second);
        diags_fini(&ignored);
        diags_fini(&diags);
    }
    assert_true(n_covered > 20);
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
    STORIES_ADD(&stories, kinds, finds_in_all_kinds);
    stories_add(&stories, "kinds that are off repeat nothing", kinds_that_are_off_repeat_nothing,
                NULL);
    stories_add(&stories, "a covered rule opens nothing more", a_covered_rule_opens_nothing_more,
                NULL);
    stories_add(&stories, "keys count too", keys_count_too, NULL);
    stories_add(&stories, "very many are not all compared", very_many_are_not_all_compared, NULL);
    return stories_run("lint", &stories);
}

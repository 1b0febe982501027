/* What is learned from traffic: what is proposed, and what never is. */
#include "tests/unit/policy_fixture.h"

#include "policy/learn.h"
#include "policy/learn_parts.h"
#include "tests/unit/stories.h"

/* ---- what looks like an id ---- */

static struct segment {
    const char *name, *text;
    bool id;
} segments[] = {
    { "a number", "7", true },
    { "a number with zeros", "0042", true },
    { "a UUID", "6f1d2c3e-4b5a-4c6d-8e7f-9a0b1c2d3e4f", true },
    { "a hash", "da39a3ee5e6b4b0d", true },
    { "an order of VTEX", "v502559llux-01", true },
    { "a number behind a word", "product-123", true },
    { "a file with a number", "12345.json", true },
    { "an e-mail address", "joe@example.com", true },
    { "an e-mail address, escaped", "joe%40example.com", true },
    { "an e-mail address, escaped twice", "joe%2540example.com", true },
    { "a date", "2024-01-15", true },
    { "a long token", "aGVsbG8gd29ybGQ2Nx", true },
    { "a route", "orders", false },
    { "a route with an underscore", "catalog_system", false },
    { "nothing", "", false },
    { "a version", "v1", false },
    { "a long version", "v2024", false },
    { "a version with a dot", "v1.1", false },
    { "two digits in a word", "base64", false },
    { "a digit in a long word", "vtex.b2b-organizations", false },
    { "oauth2", "oauth2", false },
    { "an environment", "s3", false },
    { "hex without a digit", "deadbeef", false },
    { "a blank, escaped", "two%20words", false },
    { "a file", "index.html", false },
    { "a locale", "pt-BR", false },
};

static void looks_like_an_id(void **state)
{
    const struct segment *story = *state;

    assert_int_equal(fold_is_id(text_of(story->text)), story->id);
}

/* ---- traffic in, policies out ---- */

struct lesson_of {
    struct settings settings;
    struct diags diags;
    struct manifest *manifest;
    struct providers none, *providers;
    struct learn *learn;
    const struct lesson *lesson;
};

static struct destination_rules rules = { .default_host = "acme.vtexcommercestable.com.br" };

/* "[+|?|-]METHOD URL": allowed, would be denied, denied. */
static void note(struct learn *learn, const char *line)
{
    enum learn_seen seen = *line == '+'   ? LEARN_ALLOWED
                           : *line == '?' ? LEARN_WOULD_DENY
                                          : LEARN_DENIED;
    const char *blank = strchr(line, ' '), *why = NULL;
    struct destination_request request = { .method = text_span(line + 1, blank),
                                           .target = text_of(blank + 1) };
    struct destination where;

    if (destination_of(&rules, &request, &where, &why) != DESTINATION_OK)
        fail_msg("%s: %s", line, why);
    assert_true(learn_note(learn, request.method, &where, seen));
}

static void begin(struct lesson_of *of, const char *manifest, const struct learn_options *options)
{
    of->settings = settings_of(true);
    of->diags = (struct diags){ 0 };
    of->none = (struct providers){ 0 };
    of->manifest = manifest ? manifest_parse("manifest.json", text_of(manifest), &of->diags) : NULL;
    of->learn = learn_new(of->manifest, of->providers ? of->providers : &of->none, &of->settings,
                          options, &of->diags);
}

static void end(struct lesson_of *of)
{
    learn_free(of->learn);
    manifest_free(of->manifest);
    diags_fini(&of->diags);
}

/* One a line: "name", or "host path"; '!' before those for denied requests. */
static char *shown(const struct lesson *lesson)
{
    char *out = NULL;
    size_t size;
    FILE *stream = open_memstream(&out, &size);

    for (size_t i = 0; i < lesson->n_learned; i++) {
        const struct learned *one = &lesson->learned[i];

        fprintf(stream, "%s%s%s%s\n", one->for_denied ? "!" : "", one->host ? one->host : one->name,
                one->host ? " " : "", one->host ? one->path : "");
    }
    fclose(stream);
    return out;
}

static const struct learn_options usual = { .fold = LEARN_FOLD };

#define H      "https://api.test"
#define JANUS  "https://acme.vtexcommercestable.com.br"
#define PORTAL "https://portal.vtexcommercestable.com.br"
#define APP    "https://app.io.vtex.com"

static struct story {
    const char *name;
    const char *traffic[8];
    const char *want;
    size_t left;
} stories[] = {
    { "one request, one path", { "+GET " H "/v1/a" }, "api.test /v1/a\n", 0 },
    { "the query is no part of it", { "+GET " H "/v1/a?token=x" }, "api.test /v1/a\n", 0 },
    { "methods share a policy", { "+GET " H "/a", "+POST " H "/a" }, "api.test /a\n", 0 },
    { "two ids stay", { "+GET " H "/o/1", "+GET " H "/o/2" }, "api.test /o/1\napi.test /o/2\n", 0 },
    { "the same id three times stays",
      { "+GET " H "/o/1", "+PUT " H "/o/1", "+GET " H "/o/1?x" },
      "api.test /o/1\n",
      0 },
    { "three ids fold",
      { "+GET " H "/o/1", "+GET " H "/o/2", "+GET " H "/o/3" },
      "api.test /o/*\n",
      0 },
    { "three words stay",
      { "+GET " H "/api/oms", "+GET " H "/api/checkout", "+GET " H "/api/catalog_system" },
      "api.test /api/catalog_system\napi.test /api/checkout\napi.test /api/oms\n",
      0 },
    { "versions stay",
      { "+GET " H "/v1/a", "+GET " H "/v2/a", "+GET " H "/v3/a" },
      "api.test /v1/a\napi.test /v2/a\napi.test /v3/a\n",
      0 },
    { "ids in the middle fold, what is behind them stays",
      { "+GET " H "/o/1/items", "+GET " H "/o/2/items", "+GET " H "/o/3/items" },
      "api.test /o/*/items\n",
      0 },
    { "ids in the middle count together, whatever stands behind",
      { "+GET " H "/o/1/a", "+GET " H "/o/2/b", "+GET " H "/o/3/c" },
      "api.test /o/*/a\napi.test /o/*/b\napi.test /o/*/c\n",
      0 },
    { "ids at the end are counted apart",
      { "+GET " H "/o/1", "+GET " H "/o/2", "+GET " H "/o/3/items" },
      "api.test /o/1\napi.test /o/2\napi.test /o/3/items\n",
      0 },
    { "twice in a path",
      { "+GET " H "/a/1/b/7", "+GET " H "/a/2/b/8", "+GET " H "/a/3/b/9" },
      "api.test /a/*/b/*\n",
      0 },
    { "what a fold covers needs no more",
      { "+GET " H "/o/1", "+GET " H "/o/2", "+GET " H "/o/3", "+GET " H "/o/feed",
        "+GET " H "/o/4/x" },
      "api.test /o/*\n",
      0 },
    { "a word that a fold in the middle covers",
      { "+GET " H "/o/1/x", "+GET " H "/o/2/x", "+GET " H "/o/3/x", "+GET " H "/o/all/x" },
      "api.test /o/*/x\n",
      0 },
    { "ids under other words do not count together",
      { "+GET " H "/a/1", "+GET " H "/b/2", "+GET " H "/c/3" },
      "api.test /a/1\napi.test /b/2\napi.test /c/3\n",
      0 },
    { "nor those of other hosts",
      { "+GET https://a.test/1", "+GET https://b.test/2", "+GET https://c.test/3" },
      "a.test /1\nb.test /2\nc.test /3\n",
      0 },
    { "hosts are never folded",
      { "+GET https://a1.x.test/a", "+GET https://a2.x.test/a", "+GET https://a3.x.test/a",
        "+GET https://a4.x.test/a" },
      "a1.x.test /a\na2.x.test /a\na3.x.test /a\na4.x.test /a\n",
      0 },
    { "escaped e-mail addresses fold with their readings",
      { "+GET " H "/u/a%40x.y", "+GET " H "/u/b%40x.y", "+GET " H "/u/c%40x.y" },
      "api.test /u/*\n",
      0 },
    { "every reading of a path", { "+GET " H "/a%2Fb" }, "api.test /a/b\napi.test /a%2Fb\n", 0 },
    { "readings count for nothing",
      { "+GET " H "/u/a%40x.y", "+GET " H "/u/b%40x.y" },
      "api.test /u/a%40x.y\napi.test /u/a@x.y\napi.test /u/b%40x.y\napi.test /u/b@x.y\n",
      0 },
    { "dot segments", { "+GET " H "/a/../b" }, "api.test /a/../b\napi.test /b\n", 0 },
    { "our own host is a template",
      { "+GET https://acme.myvtex.com/x" },
      "{{account}}.myvtex.com /x\n",
      0 },
    { "so is that of the workspace",
      { "+GET https://dev1--acme.myvtex.com/x" },
      "{{workspace}}--{{account}}.myvtex.com /x\n",
      0 },
    { "portal. stays portal.",
      { "+GET " PORTAL "/api/x?an=acme" },
      "portal.vtexcommercestable.com.br /api/x\n",
      0 },
    { "a key where one opens it",
      { "+GET " JANUS "/api/catalog_system/pvt/sku/1" },
      "Sku.aspx\n",
      0 },
    { "a key by way of portal.",
      { "+GET " PORTAL "/api/oms/pvt/orders?an=acme" },
      "ListOrders\n",
      0 },
    { "portal. without an account: no key",
      { "+GET " PORTAL "/api/oms/pvt/orders" },
      "portal.vtexcommercestable.com.br /api/oms/pvt/orders\n",
      0 },
    { "of two keys for the same, one",
      { "+GET " JANUS "/api/catalog_system/pvt/products/1" },
      "ProdutoForm.aspx\n",
      0 },
    { "of two keys, the one for just this",
      { "+POST " JANUS "/api/oms/pvt/orders/1-01/cancel" },
      "CancelaPedidos\n",
      0 },
    { "of two keys, the one for all of it",
      { "+POST " JANUS "/api/oms/pvt/orders/1-01/cancel",
        "+GET " JANUS "/api/oms/pvt/orders/1-01" },
      "AcessaTodosPedidos\n",
      0 },
    { "ADMIN_DS is never proposed",
      { "+GET " JANUS "/api/other/x" },
      "{{account}}.vtexcommercestable.com.br /api/other/x\n",
      0 },
    { "a key does not open below",
      { "+GET " JANUS "/api/oms/pvt/orders", "+GET " JANUS "/api/oms" },
      "ListOrders\n{{account}}.vtexcommercestable.com.br /api/oms\n",
      0 },
    { "an app's route, exactly",
      { "+POST " APP "/vtex.x/v1/acme/dev1/a" },
      "app.io.vtex.com /vtex.x/v1/{{account}}/{{workspace}}/a\n",
      0 },
    { "apps are never folded",
      { "+GET " APP "/v.app100/v1/acme/dev1/a", "+GET " APP "/v.app200/v1/acme/dev1/a",
        "+GET " APP "/v.app300/v1/acme/dev1/a" },
      "app.io.vtex.com /v.app100/v1/{{account}}/{{workspace}}/a\n"
      "app.io.vtex.com /v.app200/v1/{{account}}/{{workspace}}/a\n"
      "app.io.vtex.com /v.app300/v1/{{account}}/{{workspace}}/a\n",
      0 },
    { "what would be denied counts like what was allowed",
      { "+GET " H "/o/1", "?GET " H "/o/2", "?GET " H "/o/3" },
      "api.test /o/*\n",
      0 },
    { "what was denied stands apart",
      { "+GET " H "/a", "-GET " H "/b" },
      "api.test /a\n!api.test /b\n",
      0 },
    { "what was denied folds nothing that passed",
      { "+GET " H "/o/1", "+GET " H "/o/2", "-GET " H "/o/3" },
      "api.test /o/1\napi.test /o/2\n!api.test /o/3\n",
      0 },
    { "a denied request that a fold covers needs nothing",
      { "+GET " H "/o/1", "+GET " H "/o/2", "+GET " H "/o/3", "-GET " H "/o/4" },
      "api.test /o/*\n",
      0 },
    { "denied once, allowed once: it passed",
      { "+GET " H "/a", "-GET " H "/a" },
      "api.test /a\n",
      0 },

    { "another account is no lesson", { "-GET " PORTAL "/api/x?an=other" }, "", 1 },
    { "nor when it would be denied", { "?GET " PORTAL "/api/x?an=other" }, "", 1 },
    { "another account in the path", { "-GET " APP "/vtex.x/v1/other/dev1/a" }, "", 1 },
    { "another workspace", { "?GET " APP "/vtex.x/v1/acme/master/a" }, "", 1 },
    { "a private address", { "?GET https://10.0.0.1/a" }, "", 1 },
    { "localhost", { "-GET https://localhost/a" }, "", 1 },
    { "metadata", { "+GET http://169.254.169.254/latest" }, "", 1 },
    { "a malformed escape", { "-GET " H "/a%zz" }, "", 1 },
    { "a star in a path", { "+GET " H "/a*b" }, "", 1 },
    { "a star alone is no way to everything", { "+GET " H "/*" }, "", 1 },
    { "a star behind an escape", { "+GET " H "/a%2ab" }, "", 1 },
    { "a brace", { "+GET " H "/{{account}}" }, "", 1 },
    { "bytes that are not UTF-8", { "+GET " H "/caf\xe9" }, "", 1 },
    { "a hidden query", { "+GET " H "/a%3Fb" }, "", 1 },
    { "a star in an id that folds",
      { "+GET " H "/o/1", "+GET " H "/o/2", "+GET " H "/o/3", "+GET " H "/o/4*" },
      "api.test /o/*\n",
      0 },
    { "UTF-8 passes", { "+GET " H "/caf\xc3\xa9" }, "api.test /caf\xc3\xa9\n", 0 },
    { "nothing", { NULL }, "", 0 },
};

static void learns(void **state)
{
    const struct story *story = *state;
    struct lesson_of of = { 0 };
    char *got;

    begin(&of, NULL, &usual);
    for (size_t i = 0; i < 8 && story->traffic[i]; i++)
        note(of.learn, story->traffic[i]);
    of.lesson = learn_conclude(of.learn);
    got = shown(of.lesson);
    assert_string_equal(got, story->want);
    assert_int_equal(of.lesson->n_left, story->left);
    free(got);
    end(&of);
}

/* ---- options ---- */

static void fold_is_a_choice(void **state)
{
    static const struct learn_options one = { .fold = 1 }, four = { .fold = 4 },
                                      words = { .fold = 3, .fold_words = 3 };
    static const struct {
        const struct learn_options *options;
        const char *what, *want;
    } rows[] = {
        { &one, "1 2", "api.test /o/*\n" },
        { &four, "1 2 3", "api.test /o/1\napi.test /o/2\napi.test /o/3\n" },
        { &words, "red green blue", "api.test /o/*\n" },
        { &words, "red green", "api.test /o/green\napi.test /o/red\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *copy = text_dup(text_of(rows[i].what)), *rest = copy, *word, line[100], *got;
        struct lesson_of of = { 0 };

        begin(&of, NULL, rows[i].options);
        while ((word = strsep(&rest, " "))) {
            snprintf(line, sizeof(line), "+GET " H "/o/%s", word);
            note(of.learn, line);
        }
        of.lesson = learn_conclude(of.learn);
        got = shown(of.lesson);
        assert_string_equal(got, rows[i].want);
        free(got);
        free(copy);
        end(&of);
    }
}

static void evidence_counts(void **state)
{
    struct lesson_of of = { 0 };
    const struct learned *one;

    (void)state;
    begin(&of, NULL, &usual);
    for (int i = 0; i < 12; i++) {
        char line[100];

        snprintf(line, sizeof(line), "%cGET " H "/o/%d", i % 3 ? '+' : '?', i % 4);
        note(of.learn, line);
    }
    of.lesson = learn_conclude(of.learn);
    assert_int_equal(of.lesson->n_learned, 1);
    one = &of.lesson->learned[0];
    assert_int_equal(one->evidence.requests[LEARN_ALLOWED], 8);
    assert_int_equal(one->evidence.requests[LEARN_WOULD_DENY], 4);
    assert_int_equal(one->evidence.requests[LEARN_DENIED], 0);
    assert_int_equal(one->evidence.paths, 4);
    assert_int_equal(one->n_values, 1);
    assert_int_equal(one->values[0], 4);
    assert_true(text_eq(one->evidence.first.path, TEXT("/o/0")));
    end(&of);
}

static void many_words_are_a_hint(void **state)
{
    struct lesson_of of = { 0 };

    (void)state;
    begin(&of, NULL, &usual);
    for (int i = 0; i < LEARN_WORDS_HINT; i++) {
        char line[100];

        snprintf(line, sizeof(line), "+GET " H "/s/%c%c", 'a' + i / 26, 'a' + i % 26);
        note(of.learn, line);
    }
    of.lesson = learn_conclude(of.learn);
    assert_int_equal(of.lesson->n_learned, LEARN_WORDS_HINT);
    assert_int_equal(of.lesson->n_words, 1);
    assert_string_equal(of.lesson->words[0].path, "/s/*");
    end(&of);
}

static void no_more_than_the_ceiling(void **state)
{
    struct lesson_of of = { 0 };
    struct destination where = { .port = 443, .host_len = 6, .host = "a.test" };
    char path[32];

    (void)state;
    begin(&of, NULL, &usual);
    for (unsigned i = 0; i <= LEARN_REQUESTS_MAX; i++) {
        where.path = (struct text){ path, (size_t)snprintf(path, sizeof(path), "/%u", i) };
        assert_int_equal(learn_note(of.learn, TEXT("GET"), &where, LEARN_ALLOWED),
                         i < LEARN_REQUESTS_MAX);
    }
    where.path = TEXT("/7");
    assert_true(learn_note(of.learn, TEXT("GET"), &where, LEARN_ALLOWED)); /* a known one */
    end(&of);
}

/* ---- today's policies ---- */

#define OUT(host, path)                                                                            \
    "{\"name\":\"outbound-access\",\"attrs\":{\"host\":\"" host "\",\"path\":\"" path "\"}}"

static const char today[] =
    "{\"vendor\":\"v\",\"name\":\"a\",\"version\":\"1.0.0\",\"policies\":[" OUT("*", "*") ",\n" OUT(
        "api.test",
        "/o/*") ",\n" OUT("never.test",
                          "/x") ",\n"
                                "{\"name\":\"Sku.aspx\"},\n{\"name\":\"ListOrders\"},\n{\"name\":"
                                "\"colossus-fire-event\"},\n"
                                "{\"name\":\"v.y:z\"},\n" OUT("https://bad.test", "/") ",\n" OUT(
                                    "img.test", "/*") "],\n\"dependencies\":{\"vtex.x\":\"1.x\","
                                                      "\n\"vtex.z\":\"1.x\"}}";

static const char *const traffic[] = {
    "+GET " H "/o/1",
    "+GET " H "/o/2/x",
    "+GET " JANUS "/api/catalog_system/pvt/sku/1",
    "+GET " H "/else",
    "+GET https://img.test/1",
    "+GET https://img.test/2",
    "+GET https://img.test/3",
    "+GET " APP "/vtex.x/v1/acme/dev1/a",
};

static void learn_beside_today(struct lesson_of *of, const struct learn_options *options)
{
    begin(of, today, options);
    for (size_t i = 0; i < sizeof(traffic) / sizeof(traffic[0]); i++)
        note(of->learn, traffic[i]);
    of->lesson = learn_conclude(of->learn);
}

static void expect_fates(const struct lesson *lesson, const enum learn_fate *want)
{
    static const char *const names[] = { "kept", "replaced", "unused", "mute" };

    assert_int_equal(lesson->n_today, 11);
    for (size_t i = 0; i < lesson->n_today; i++)
        if (lesson->today[i].fate != want[i])
            fail_msg("row %zu is %s, not %s", i, names[lesson->today[i].fate], names[want[i]]);
}

static void today_is_kept_replaced_or_unused(void **state)
{
    static const enum learn_fate want[] = {
        LEARN_REPLACED, LEARN_KEPT, LEARN_UNUSED, LEARN_KEPT, LEARN_UNUSED, LEARN_MUTE,
        LEARN_UNUSED,   LEARN_MUTE, LEARN_KEPT,   LEARN_KEPT, LEARN_UNUSED,
    };
    struct lesson_of of = { 0 };
    char *got;

    (void)state;
    learn_beside_today(&of, &usual);
    expect_fates(of.lesson, want);
    assert_int_equal(of.lesson->today[1].evidence.requests[LEARN_ALLOWED], 2);
    assert_int_equal(of.lesson->today[2].place.line, 3);
    got = shown(of.lesson);
    assert_string_equal(got, "api.test /else\n");
    free(got);
    end(&of);
}

static void fresh_asks_for_all_anew(void **state)
{
    static const struct learn_options fresh = { .fold = 3, .fresh = true };
    static const enum learn_fate want[] = {
        LEARN_REPLACED, LEARN_REPLACED, LEARN_UNUSED,   LEARN_REPLACED, LEARN_UNUSED, LEARN_MUTE,
        LEARN_UNUSED,   LEARN_MUTE,     LEARN_REPLACED, LEARN_REPLACED, LEARN_UNUSED,
    };
    struct lesson_of of = { 0 };
    char *got;

    (void)state;
    learn_beside_today(&of, &fresh);
    expect_fates(of.lesson, want);
    got = shown(of.lesson);
    assert_string_equal(got, "Sku.aspx\napi.test /else\napi.test /o/1\napi.test /o/2/x\n"
                             "app.io.vtex.com /vtex.x/v1/{{account}}/{{workspace}}/a\n"
                             "img.test /*\n");
    free(got);
    end(&of);
}

/* ---- policies of apps ---- */

static void roles_where_the_file_is_known(void **state)
{
    static const char file[] =
        "[{\"name\":\"read\",\"statements\":[{\"effect\":\"allow\",\"actions\":[\"get\"],"
        "\"resources\":[\"vrn:vtex.x:{{region}}:{{account}}:{{workspace}}:/a/*\"]},"
        "{\"effect\":\"deny\",\"actions\":[\"get\"],\"resources\":"
        "[\"vrn:vtex.x:{{region}}:{{account}}:{{workspace}}:/a/secret\"]}]},"
        "{\"name\":\"all\",\"statements\":[{\"effect\":\"allow\",\"actions\":[\"get\",\"post\"],"
        "\"resources\":[\"vrn:vtex.x:{{region}}:{{account}}:{{workspace}}:/a/*\","
        "\"vrn:vtex.x:{{region}}:{{account}}:{{workspace}}:/b\"]}]}]";
    static const struct {
        const char *traffic[3], *want;
        size_t left;
    } rows[] = {
        { { "+GET " APP "/vtex.x/v1/acme/dev1/a/1" }, "vtex.x:read\n", 0 },
        { { "+GET " APP "/vtex.x/v1/acme/dev1/a/1", "+POST " APP "/vtex.x/v1/acme/dev1/a/1" },
          "vtex.x:all\n",
          0 },
        { { "+GET " APP "/vtex.x/v1/acme/dev1/c" },
          "app.io.vtex.com /vtex.x/v1/{{account}}/{{workspace}}/c\n",
          0 },
        { { "-GET " APP "/vtex.x/v1/acme/dev1/a/secret" }, "", 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct diags diags = { 0 };
        struct provider *one = provider_parse("vtex.x", "vtex.x.json", text_of(file), &diags);
        struct providers providers = { .items = &one, .n = 1 };
        struct lesson_of of = { .providers = &providers };
        char *got;

        begin(&of, "{}", &usual);
        for (size_t j = 0; j < 3 && rows[i].traffic[j]; j++)
            note(of.learn, rows[i].traffic[j]);
        of.lesson = learn_conclude(of.learn);
        got = shown(of.lesson);
        assert_string_equal(got, rows[i].want);
        assert_int_equal(of.lesson->n_left, rows[i].left);
        free(got);
        end(&of);
        provider_free(one);
        diags_fini(&diags);
    }
}

/* ---- any traffic ---- */

static uint32_t dice = 88172645u;

static uint32_t roll(uint32_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 17;
    dice ^= dice << 5;
    return dice % sides;
}

static const char *any_segment(void)
{
    static const char *const list[] = {
        "a",      "b",  "orders", "1",         "2",     "3",      "44",    "x%20y",
        "%2e%2e", "..", "",       "a%2Fb",     "j%40k", "m%40n",  "a;b=1", "a*",
        "{{x}}",  "v1", "v2",     "c\xc3\xa9", "c\xe9", "%25%32", "7*",    "1%2F2"
    };

    return list[roll(sizeof(list) / sizeof(list[0]))];
}

static void any_line(char *line, size_t size, const char *host)
{
    size_t used = (size_t)snprintf(line, size, "%cGET https://%s", "+?-"[roll(3)], host);

    for (uint32_t n = 1 + roll(4); n > 0; n--)
        used += (size_t)snprintf(line + used, size - used, "/%s", any_segment());
}

static void destination_of_line(const char *line, struct destination *where)
{
    struct destination_request request = { .method = TEXT("GET"),
                                           .target = text_of(strchr(line, ' ') + 1) };
    const char *why;

    assert_int_equal(destination_of(&rules, &request, where, &why), DESTINATION_OK);
}

/* What was learned, pasted into a manifest. */
static struct policy *pasted(const struct lesson *lesson, const struct settings *settings,
                             struct diags *diags)
{
    char *rows = NULL;
    size_t size;
    FILE *out = open_memstream(&rows, &size);
    struct policy *policy;

    for (size_t i = 0; i < lesson->n_learned; i++) {
        const struct learned *one = &lesson->learned[i];

        assert_non_null(one->host);
        assert_null(strchr(one->host, '*'));
        fprintf(out, "%s%s\t%s", i ? "|" : "", one->host, one->path);
    }
    fclose(out);
    policy = compile(rows, settings, diags);
    free(rows);
    return policy;
}

static bool is_left(const struct lesson *lesson, const struct destination *where)
{
    for (size_t i = 0; i < lesson->n_left; i++)
        if (text_eq(lesson->left[i].request.path, where->path) &&
            text_eq(lesson->left[i].request.host, (struct text){ where->host, where->host_len }))
            return true;
    return false;
}

/* All that was seen passes or is named, and nothing else on other hosts. */
static void any_traffic(void **state)
{
    enum { ROUNDS = 300, LINES = 24, LINE = 160 };
    static const char *const hosts[] = { "a.test", "b.test", "acme.myvtex.com" };
    static const char *const others[] = { "c.test", "x.a.test", "a.test.evil", "other.myvtex.com" };
    size_t n_passed = 0, n_left = 0;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct lesson_of of = { 0 };
        char lines[LINES][LINE], other[LINE];
        struct destination where;
        struct policy *policy;

        begin(&of, NULL, &usual);
        for (int i = 0; i < LINES; i++) {
            any_line(lines[i], LINE, hosts[roll(3)]);
            note(of.learn, lines[i]);
        }
        of.lesson = learn_conclude(of.learn);
        policy = pasted(of.lesson, &of.settings, &of.diags);
        for (int i = 0; i < LINES; i++) {
            bool passes;

            destination_of_line(lines[i], &where);
            passes = policy_judge(policy, TEXT("GET"), &where).kind == VERDICT_ALLOW;
            if (passes == is_left(of.lesson, &where))
                fail_msg("%s passes: %d", lines[i], passes);
            n_passed += passes;
            n_left += !passes;
            any_line(other, LINE, others[roll(4)]);
            destination_of_line(other, &where);
            assert_int_not_equal(policy_judge(policy, TEXT("GET"), &where).kind, VERDICT_ALLOW);
        }
        policy_unref(policy);
        end(&of);
    }
    assert_true(n_passed > 1000);
    assert_true(n_left > 100);
}

static void order_does_not_matter(void **state)
{
    enum { LINES = 60, LINE = 160 };
    static char lines[LINES][LINE];
    char *first = NULL;

    (void)state;
    for (int i = 0; i < LINES; i++)
        any_line(lines[i], LINE, roll(2) ? "a.test" : "b.test");
    for (int round = 0; round < 10; round++) {
        struct lesson_of of = { 0 };
        char *got;

        begin(&of, NULL, &usual);
        for (int i = 0; i < LINES; i++)
            note(of.learn, lines[(i * 7 + round * 13) % LINES]);
        of.lesson = learn_conclude(of.learn);
        got = shown(of.lesson);
        if (first)
            assert_string_equal(got, first);
        else
            first = text_dup(text_of(got));
        free(got);
        end(&of);
    }
    free(first);
}

int main(void)
{
    static struct stories all;

    STORIES_ADD(&all, segments, looks_like_an_id);
    STORIES_ADD(&all, stories, learns);
    stories_add(&all, "--fold and --fold-words", fold_is_a_choice, NULL);
    stories_add(&all, "evidence counts requests, paths and values", evidence_counts, NULL);
    stories_add(&all, "no more requests than the ceiling", no_more_than_the_ceiling, NULL);
    stories_add(&all, "many words are a hint", many_words_are_a_hint, NULL);
    stories_add(&all, "today's policies are kept, replaced, or unused",
                today_is_kept_replaced_or_unused, NULL);
    stories_add(&all, "--fresh asks for all anew", fresh_asks_for_all_anew, NULL);
    stories_add(&all, "policies of apps whose file is known", roles_where_the_file_is_known, NULL);
    stories_add(&all, "any traffic: all of it passes or is named", any_traffic, NULL);
    stories_add(&all, "the order of requests does not matter", order_does_not_matter, NULL);
    return stories_run("learn", &all);
}

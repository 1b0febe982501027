/* What an explanation says, and that its snippet does what it promises: pasted into the manifest,
 * exactly that request passes. */
#include "tests/unit/policy_fixture.h"

#include "policy/explain.h"
#include "tests/unit/stories.h"

/* ---- one denial, explained ---- */

static const char rows[] = "api.example.com\t/v1/*|api.example.com\t/v2/rates|"
                           "*.cdn.example.com\t/public/*|pay.test:8443\t/charge|"
                           "{{account}}.vtexcommercestable.com.br\t/api/oms/*|x.test\t/a/b/c";

struct denial {
    const char *name, *target;
    enum explain_field failing;
    const char *near_host, *near_path; /* NULL: do not look */
    const char *snippet;               /* NULL: there is none */
};

#define POLICY(host, path)                                                                         \
    "{\"name\": \"outbound-access\", \"attrs\": {\"host\": \"" host "\", \"path\": \"" path "\"}}"

static struct denial denials[] = {
    { "path: the rule with most segments in common", "https://api.example.com/v2/rate",
      EXPLAIN_PATH, "api.example.com", "/v2/rates", POLICY("api.example.com", "/v2/rate") },
    { "path: another one", "https://api.example.com/v1", EXPLAIN_PATH, "api.example.com", "/v1/*",
      POLICY("api.example.com", "/v1") },
    { "path: below a wildcard host", "https://a.cdn.example.com/private", EXPLAIN_PATH,
      "*.cdn.example.com", "/public/*", POLICY("a.cdn.example.com", "/private") },
    { "host: a sibling", "https://www.example.com/v1/a", EXPLAIN_HOST, "api.example.com", "/v1/*",
      POLICY("www.example.com", "/v1/a") },
    { "host: misspelt", "https://y.test/a/b/c", EXPLAIN_HOST, "x.test", "/a/b/c",
      POLICY("y.test", "/a/b/c") },
    { "host: the port that the policy names", "https://pay.test/charge", EXPLAIN_HOST,
      "pay.test:8443", "/charge", POLICY("pay.test", "/charge") },
    { "host: our own is written as a template", "https://acme.myvtex.com/x", EXPLAIN_HOST, NULL,
      NULL, POLICY("{{account}}.myvtex.com", "/x") },
    { "host: so is that of a workspace", "https://dev1--acme.myvtex.com/x", EXPLAIN_HOST, NULL,
      NULL, POLICY("{{workspace}}--{{account}}.myvtex.com", "/x") },
    { "host: another account's is not", "https://other.myvtex.com/x", EXPLAIN_HOST, NULL, NULL,
      POLICY("other.myvtex.com", "/x") },
    { "host: an IPv6 address stands in brackets", "https://[2606:4700::1]/x", EXPLAIN_HOST, NULL,
      NULL, POLICY("[2606:4700::1]", "/x") },
    { "the query is no part of it", "https://q.test/x?token=secret", EXPLAIN_HOST, NULL, NULL,
      POLICY("q.test", "/x") },
    { "reading: only the one that is closed", "https://api.example.com/v1/%2e%2e/admin",
      EXPLAIN_READING, "api.example.com", NULL, POLICY("api.example.com", "/admin") },
    { "every reading gets a policy", "https://q.test/a%41", EXPLAIN_HOST, NULL, NULL,
      POLICY("q.test", "/a%41") ", " POLICY("q.test", "/aA") },
    { "quotes are escaped", "https://q.test/a\"b", EXPLAIN_HOST, NULL, NULL,
      POLICY("q.test", "/a\\\"b") },
    { "letters beyond ASCII are escaped", "https://q.test/caf\xc3\xa9", EXPLAIN_HOST, NULL, NULL,
      POLICY("q.test", "/caf\\u00E9") },
    { "bytes that are not UTF-8 cannot stand in JSON", "https://q.test/caf\xe9", EXPLAIN_HOST, NULL,
      NULL, NULL },
    { "nor do those behind an escape", "https://q.test/caf%e9", EXPLAIN_HOST, NULL, NULL, NULL },
    { "a star would be a wildcard", "https://q.test/a*b", EXPLAIN_HOST, NULL, NULL, NULL },
    { "a star behind an escape too", "https://q.test/a%2ab", EXPLAIN_HOST, NULL, NULL, NULL },
    { "a brace would be a template", "https://q.test/{{account}}", EXPLAIN_HOST, NULL, NULL, NULL },
    { "a query that an escape hides", "https://q.test/a%3Fb", EXPLAIN_HOST, NULL, NULL, NULL },
    { "a whole URL in the path", "https://q.test/r/http://a/", EXPLAIN_HOST, NULL, NULL, NULL },
    { "blanks at the end", "https://q.test/a%20", EXPLAIN_HOST, NULL, NULL, NULL },
    { "a malformed escape", "https://q.test/a%zz", EXPLAIN_PATH, NULL, NULL, NULL },
    { "another account", "https://acme.vtexcommercestable.com.br/api/oms/x?an=other",
      EXPLAIN_ACCOUNT, "{{account}}.vtexcommercestable.com.br", "/api/oms/*", NULL },
    { "an address", "https://10.0.0.1/", EXPLAIN_ADDRESS, NULL, NULL, NULL },
};

static void expect_rule(const struct denial *story, const struct explanation *got)
{
    if (!story->near_host)
        return;
    assert_false(got->decided);
    assert_true(text_eq(got->rule.host, text_of(story->near_host)));
    if (story->near_path)
        assert_true(text_eq(got->rule.path, text_of(story->near_path)));
    assert_string_equal(got->rule.place.file, "manifest.json");
    assert_int_equal(got->rule.place.line, 1);
}

static void explains_denial(void **state)
{
    const struct denial *story = *state;
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile(rows, &settings, &diags);
    struct destination where;
    struct explanation got;

    assert_int_not_equal(judge(policy, story->target, &where).kind, VERDICT_ALLOW);
    explain_request(policy, TEXT("GET"), &where, &got);
    assert_string_equal(explain_field_name(got.failing), explain_field_name(story->failing));
    expect_rule(story, &got);
    if (story->snippet) {
        assert_non_null(got.snippet);
        assert_string_equal(got.snippet, story->snippet);
    } else {
        assert_null(got.snippet);
        assert_non_null(got.no_snippet);
    }
    explain_fini(&got);
    policy_unref(policy);
    diags_fini(&diags);
}

static void what_is_allowed_needs_nothing(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile(rows, &settings, &diags);
    struct destination where;
    struct explanation got;

    (void)state;
    judge(policy, "https://api.example.com/v1/a", &where);
    explain_request(policy, TEXT("GET"), &where, &got);
    assert_int_equal(got.failing, EXPLAIN_NOTHING);
    assert_true(got.decided);
    assert_true(text_eq(got.rule.path, TEXT("/v1/*")));
    assert_null(got.snippet);
    assert_null(got.no_snippet);
    explain_fini(&got);
    policy_unref(policy);
    diags_fini(&diags);
}

static void without_rules_none_is_near(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile("", &settings, &diags);
    struct destination where;
    struct explanation got;
    char line[1024];

    (void)state;
    judge(policy, "https://a.test/x", &where);
    explain_request(policy, TEXT("GET"), &where, &got);
    assert_int_equal(got.rule.place.line, 0);
    explain_line(policy, &got, &where, line, sizeof line);
    assert_null(strstr(line, "Nearest"));
    assert_non_null(strstr(line, POLICY("a.test", "/x")));
    explain_fini(&got);
    policy_unref(policy);
    diags_fini(&diags);
}

/* Whatever the room, the line ends in it, and a snippet stands there whole or not at all. */
static void a_line_never_holds_half_a_snippet(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile(rows, &settings, &diags);
    struct destination where;
    struct explanation got;

    (void)state;
    judge(policy, "https://api.example.com/v2/rate", &where);
    explain_request(policy, TEXT("GET"), &where, &got);
    for (size_t size = 1; size < 700; size++) {
        char *line = malloc(size);
        size_t len = explain_line(policy, &got, &where, line, size);

        assert_int_equal(len, strlen(line));
        assert_true(len < size);
        assert_null(strchr(line, '\n'));
        if (strstr(line, "To open it"))
            assert_non_null(strstr(line, got.snippet));
        free(line);
    }
    explain_fini(&got);
    policy_unref(policy);
    diags_fini(&diags);
}

/* ---- rules of a provider ---- */

static struct policy *with_provider(struct diags *diags)
{
    static const char json[] =
        "{\"policies\":[{\"name\":\"vtex.x:read\"}],\"dependencies\":{\"vtex.x\":\"1.x\"}}";
    static const char file[] =
        "[{\"name\":\"read\",\"statements\":[{\"effect\":\"allow\",\"actions\":[\"get\"],"
        "\"resources\":[\"vrn:vtex.x:{{region}}:{{account}}:{{workspace}}:/a/*\"]},"
        "{\"effect\":\"deny\",\"actions\":[\"get\"],\"resources\":"
        "[\"vrn:vtex.x:{{region}}:{{account}}:{{workspace}}:/a/secret\"]}]}]";
    struct settings settings = settings_of(true);
    struct provider *one = provider_parse("vtex.x", "vtex.x.json", text_of(file), diags);
    struct providers providers = { .items = &one, .n = 1 };
    struct manifest *manifest = manifest_parse("manifest.json", text_of(json), diags);
    struct policy *policy = policy_compile(manifest, &providers, &settings, diags);

    provider_free(one);
    manifest_free(manifest);
    return policy;
}

static void explain_route(const char *method, const char *target, enum explain_field failing,
                          bool decided, bool snippet)
{
    struct diags diags = { 0 };
    struct policy *policy = with_provider(&diags);
    struct destination where;
    struct explanation got;

    if (diags.n > 0)
        fail_msg("%s", diags.items[0].what);
    judge(policy, target, &where);
    explain_request(policy, text_of(method), &where, &got);
    assert_string_equal(explain_field_name(got.failing), explain_field_name(failing));
    assert_int_equal(got.decided, decided);
    assert_true(got.rule.place.line > 0);
    assert_true((got.snippet != NULL) == snippet);
    explain_fini(&got);
    policy_unref(policy);
    diags_fini(&diags);
}

static void routes_of_apps_are_explained(void **state)
{
    (void)state;
    explain_route("GET", "https://app.io.vtex.com/vtex.x/v1/acme/dev1/a/b", EXPLAIN_NOTHING, true,
                  false);
    explain_route("POST", "https://app.io.vtex.com/vtex.x/v1/acme/dev1/a/b", EXPLAIN_METHOD, false,
                  true);
    explain_route("GET", "https://app.io.vtex.com/vtex.x/v1/acme/dev1/a/secret", EXPLAIN_RULE, true,
                  false);
    explain_route("GET", "https://app.io.vtex.com/vtex.x/v1/acme/dev1/b", EXPLAIN_PATH, false,
                  true);
}

/* ---- pasted ---- */

static uint32_t dice = 88172645u;

static uint32_t roll(uint32_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 17;
    dice ^= dice << 5;
    return dice % sides;
}

static const char *any(const char *const *list, uint32_t n)
{
    return list[roll(n)];
}

#define ANY(list) any(list, sizeof(list) / sizeof *(list))

static const char *const hosts[] = {
    "a.test",
    "api.a.test",
    "x.w.test",
    "w.test",
    "shop.example.com.br",
    "192.0.32.8",
    "acme.myvtex.com",
    "portal.vtexcommercestable.com.br",
    "acme.vtexcommercestable.com.br",
    "xn--bcher-kva.test",
    "[2606:4700::1]",
    "under_score.test",
};
static const char *const pieces[] = {
    "v1",  "v2",          "orders", "/",   "/",     "/",    ".",  "..",  "a",
    "%20", "%41",         "%2e",    "%2F", "%252e", ";p=1", "//", "\\",  "\"",
    "'",   "caf\xc3\xa9", "%C3%A9", "$",   "&",     "+",    "~",  "<b>", "\xf0\x9f\x98\x80",
};
static const char *const rule_hosts[] = {
    "a.test", "*.a.test", "*.w.test", "*.com.br", "{{account}}.myvtex.com", "api.a.test:8443"
};
static const char *const rule_paths[] = {
    "/v1/*", "/v2", "/orders*", "*/a", "/v1/../v2", "/*.xml"
};

static char *random_rows(void)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    for (uint32_t n = roll(6); n > 0; n--)
        fprintf(out, "%s\t%s%s", ANY(rule_hosts), ANY(rule_paths), n > 1 ? "|" : "");
    fclose(out);
    return text;
}

struct request {
    char host[80], path[200];
};

static void random_request(struct request *out)
{
    size_t used = 1;

    snprintf(out->host, sizeof out->host, "%s", ANY(hosts));
    snprintf(out->path, sizeof out->path, "/");
    for (uint32_t n = roll(7); n > 0; n--)
        used += (size_t)snprintf(out->path + used, sizeof out->path - used, "%s", ANY(pieces));
}

static struct verdict judge_at(const struct policy *policy, const char *host, const char *path,
                               struct destination *where, char target[400])
{
    snprintf(target, 400, "https://%s%s", host, path);
    return judge(policy, target, where);
}

static struct policy *pasted(const char *json, const char *snippet)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    char *text = NULL;
    size_t size, len = strlen(json) - strlen("]}");
    FILE *out = open_memstream(&text, &size);
    struct policy *policy;

    fprintf(out, "%.*s%s%s]}", (int)len, json, json[len - 1] == '[' ? "" : ",", snippet);
    fclose(out);
    policy = compile_json(text, &settings, &diags);
    if (diags.errors)
        fail_msg("%s: %s", text, diags.items[0].what);
    diags_fini(&diags);
    free(text);
    return policy;
}

/* Requests beside the one that was opened: what was denied stays so. */
static void neighbours_stay(const struct policy *before, const struct policy *after,
                            const struct request *request)
{
    static const struct {
        const char *host, *path;
    } around[] = { { "", "x" }, { "", "/" }, { "", "/x" }, { "evil-", "" }, { "www.", "" } };

    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        char host[100], path[220], target[400];
        struct destination where;

        if (around[i].host[0] && (request->host[0] == '[' || request->host[0] == '1'))
            continue;
        snprintf(host, sizeof host, "%s%s", around[i].host, request->host);
        snprintf(path, sizeof path, "%s%s", request->path, around[i].path);
        if (around[i].path[0] == '/' && request->path[strlen(request->path) - 1] == '/')
            continue; /* "/a//" has "/a/" among its readings, and itself: that is not beside it */
        if (judge_at(before, host, path, &where, target).kind == VERDICT_DENY &&
            judge_at(after, host, path, &where, target).kind == VERDICT_ALLOW)
            fail_msg("https://%s%s opened https://%s%s too", request->host, request->path, host,
                     path);
    }
}

/* 1 when a denial was pasted away, -1 when no policy can express it, 0 when there was none. */
static int paste_one(const char *json, const struct policy *policy, const struct request *request)
{
    struct destination where;
    struct explanation got;
    char target[400];
    int result = 0;

    if (judge_at(policy, request->host, request->path, &where, target).kind != VERDICT_DENY)
        return 0;
    explain_request(policy, TEXT("GET"), &where, &got);
    if (got.snippet) {
        struct policy *after = pasted(json, got.snippet);

        if (policy_judge(after, TEXT("GET"), &where).kind != VERDICT_ALLOW)
            fail_msg("%s is not opened by %s", target, got.snippet);
        neighbours_stay(policy, after, request);
        policy_unref(after);
        result = 1;
    } else {
        assert_non_null(got.no_snippet);
        result = -1;
    }
    explain_fini(&got);
    return result;
}

static void a_pasted_snippet_opens_exactly_the_request(void **state)
{
    struct settings settings = settings_of(true);
    int opened = 0, not_expressible = 0;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        char *text = random_rows(), *json = manifest_of(text);
        struct diags diags = { 0 };
        struct policy *policy = compile_json(json, &settings, &diags);
        struct request request;
        int result;

        random_request(&request);
        result = paste_one(json, policy, &request);
        opened += result > 0;
        not_expressible += result < 0;
        policy_unref(policy);
        diags_fini(&diags);
        free(json);
        free(text);
    }
    assert_true(opened >= 1000);
    assert_true(not_expressible < opened / 4);
}

/* ---- many rules ---- */

static void a_hundred_thousand_rules_are_searched_once(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    char *json = NULL;
    size_t size;
    FILE *out = open_memstream(&json, &size);
    struct policy *policy;
    struct destination where;
    struct explanation got;

    (void)state;
    fputs("{\"policies\":[", out);
    for (int i = 0; i < 100000; i++)
        fprintf(out, "%s" POLICY("h%d.test", "/p"), i ? "," : "", i);
    fputs("]}", out);
    fclose(out);
    policy = compile_json(json, &settings, &diags);
    judge(policy, "https://h99999.test/q", &where);
    explain_request(policy, TEXT("GET"), &where, &got);
    assert_true(text_eq(got.rule.host, TEXT("h99999.test")));
    explain_fini(&got);
    policy_unref(policy);
    diags_fini(&diags);
    free(json);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, denials, explains_denial);
    stories_add(&stories, "what is allowed needs nothing", what_is_allowed_needs_nothing, NULL);
    stories_add(&stories, "without rules none is near", without_rules_none_is_near, NULL);
    stories_add(&stories, "a line never holds half a snippet", a_line_never_holds_half_a_snippet,
                NULL);
    stories_add(&stories, "routes of apps are explained", routes_of_apps_are_explained, NULL);
    stories_add(&stories, "a pasted snippet opens exactly the request",
                a_pasted_snippet_opens_exactly_the_request, NULL);
    stories_add(&stories, "100,000 rules are searched once",
                a_hundred_thousand_rules_are_searched_once, NULL);
    return stories_run("explain", &stories);
}

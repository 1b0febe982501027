/* {vendor}.{app}:{policy}, dependencies, and what a provider closes. */
#include "tests/unit/app_fixture.h"
#include "tests/unit/stories.h"

#define STATEMENT(effect, actions, resource)                                                       \
    "{\"effect\":\"" effect "\",\"actions\":[" actions "],\"resources\":[\"" resource "\"]}"
#define FILE_OF(name, statements) "[{\"name\":\"" name "\",\"statements\":[" statements "]}]"
#define OWN(path)                 "vrn:vtex.x:{{region}}:{{account}}:{{workspace}}:" path
#define POLICY                    "{\"name\":\"vtex.x:p\"}"
#define OUTBOUND                                                                                   \
    "{\"name\":\"outbound-access\",\"attrs\":{\"host\":\"app.io.vtex.com\",\"path\":\"/*\"}}"
#define GRAPHQL FILE_OF("p", STATEMENT("allow", "\"post\",\"GET\"", OWN("/_v/graphql")))
#define CLOSED  FILE_OF("other", STATEMENT("deny", "\"*\"", OWN("/_v/secret/*")))

static struct story {
    const char *name, *policies, *dependencies, *provider, *method, *target;
    enum verdict_reason want;
} stories[] = {
    { "no file: the whole app", POLICY, "", NULL, "PATCH", APP("/any/route"), REASON_RULE },
    { "no file: its root", POLICY, "", NULL, "GET", APP(""), REASON_RULE },
    { "no file: any major", POLICY, "", NULL, "GET",
      "https://app.io.vtex.com/vtex.x/v12/acme/dev1/y", REASON_RULE },
    { "a statement", POLICY, "", GRAPHQL, "POST", APP("/_v/graphql"), REASON_RULE },
    { "a statement, the query aside", POLICY, "", GRAPHQL, "GET", APP("/_v/graphql?q=1"),
      REASON_RULE },
    { "the old single resource", POLICY, "",
      "[{\"name\":\"p\",\"statements\":[{\"effect\":\"allow\",\"actions\":[\"get\"],\"resource\":\""
      "vrn:vtex.x:{{region}}:{{account}}:*:/_v/private/*\"}]}]",
      "GET", APP("/_v/private/a/b"), REASON_RULE },
    { "{{*}} is a star", POLICY, "",
      FILE_OF("p", STATEMENT("allow", "\"get\"", "vrn:vtex.x:{{*}}:{{*}}:{{*}}:/f")), "GET",
      APP("/f"), REASON_RULE },
    { "every action", POLICY, "", FILE_OF("p", STATEMENT("allow", "\"*\"", OWN("/f"))), "DELETE",
      APP("/f"), REASON_RULE },
    { "a dependency", "", "\"vtex.x\":\"1.x\"", NULL, "GET", APP("/f"), REASON_RULE },
    { "a dependency with a caret", "", "\"vtex.x\":\"^1.4.0\"", NULL, "GET", APP("/f"),
      REASON_RULE },
    { "a dependency in any version", "", "\"vtex.x\":\"*\"", NULL, "GET", APP("/f"), REASON_RULE },
    { "outbound-access beside a file", OUTBOUND, "", CLOSED, "GET", APP("/_v/open"), REASON_RULE },

    { "nothing is declared", "", "", NULL, "GET", APP("/f"), REASON_NO_RULE_HOST },
    { "another app", POLICY, "", NULL, "GET", "https://app.io.vtex.com/vtex.y" OURS "/f",
      REASON_NO_RULE_PATH },
    { "an app that only begins so", POLICY, "", NULL, "GET",
      "https://app.io.vtex.com/vtex.xx" OURS "/f", REASON_NO_RULE_PATH },
    { "an app in another case", POLICY, "", NULL, "GET", "https://app.io.vtex.com/VTEX.x" OURS "/f",
      REASON_NO_RULE_PATH },
    { "another account", POLICY, "", NULL, "GET", "https://app.io.vtex.com/vtex.x/v1/other/dev1/f",
      REASON_OTHER_ACCOUNT },
    { "another workspace", POLICY, "", NULL, "GET",
      "https://app.io.vtex.com/vtex.x/v1/acme/master/f", REASON_OTHER_WORKSPACE },
    { "no workspace", POLICY, "", NULL, "GET", "https://app.io.vtex.com/vtex.x/v1/acme",
      REASON_NO_RULE_PATH },
    { "no version", POLICY, "", NULL, "GET", "https://app.io.vtex.com/vtex.x/acme/dev1/f",
      REASON_NO_RULE_PATH },
    { "a version that hides segments", POLICY, "", NULL, "GET",
      "https://app.io.vtex.com/vtex.x/vv1/x/acme/dev1/f", REASON_NO_RULE_PATH },
    { "a version with zeros", POLICY, "", NULL, "GET",
      "https://app.io.vtex.com/vtex.x/v01/acme/dev1/f", REASON_NO_RULE_PATH },
    { "another host", POLICY, "", NULL, "GET", "https://infra.io.vtex.com/vtex.x" OURS "/f",
      REASON_NO_RULE_HOST },
    { "dots into another app", POLICY, "", NULL, "GET", APP("/../../../../vtex.y" OURS "/f"),
      REASON_READING },
    { "escaped dots into another app", POLICY, "", NULL, "GET",
      APP("/%2e%2e/%2e%2e/%2e%2e/%2e%2e/vtex.y" OURS "/f"), REASON_READING },
    { "an empty segment", POLICY, "", NULL, "GET", "https://app.io.vtex.com//vtex.x" OURS "/f",
      REASON_NO_RULE_PATH },
    { "statement: another route", POLICY, "", GRAPHQL, "GET", APP("/_v/other"),
      REASON_NO_RULE_PATH },
    { "statement: below the route", POLICY, "", GRAPHQL, "GET", APP("/_v/graphql/x"),
      REASON_NO_RULE_PATH },
    { "statement: the route's case", POLICY, "", GRAPHQL, "GET", APP("/_V/graphql"),
      REASON_NO_RULE_PATH },
    { "statement: another method", POLICY, "", GRAPHQL, "DELETE", APP("/_v/graphql"),
      REASON_NO_RULE_METHOD },
    { "statement: HEAD is not GET", POLICY, "", GRAPHQL, "HEAD", APP("/_v/graphql"),
      REASON_NO_RULE_METHOD },
    { "statement: a method in lower case", POLICY, "", GRAPHQL, "get", APP("/_v/graphql"),
      REASON_NO_RULE_METHOD },
    { "a file without that policy", "{\"name\":\"vtex.x:q\"}", "", GRAPHQL, "GET",
      APP("/_v/graphql"), REASON_NO_RULE_HOST },
    { "the policy's case counts", "{\"name\":\"vtex.x:P\"}", "", GRAPHQL, "GET", APP("/_v/graphql"),
      REASON_NO_RULE_HOST },
    { "no name of a policy", "{\"name\":\"vtex.x:\"}", "", NULL, "GET", APP("/f"),
      REASON_NO_RULE_HOST },
    { "no name of an app", "{\"name\":\"x:p\"}", "", NULL, "GET",
      "https://app.io.vtex.com/x" OURS "/f", REASON_NO_RULE_HOST },
    { "a star is no app", "{\"name\":\"vtex.*:p\"}", "", NULL, "GET", APP("/f"),
      REASON_NO_RULE_HOST },
    { "a resource of another app", POLICY, "",
      FILE_OF("p", STATEMENT("allow", "\"get\"", "vrn:vtex.y:*:*:*:/f")), "GET",
      "https://app.io.vtex.com/vtex.y" OURS "/f", REASON_NO_RULE_HOST },
    { "a resource of another account", POLICY, "",
      FILE_OF("p", STATEMENT("allow", "\"get\"", "vrn:vtex.x:*:other:*:/f")), "GET", APP("/f"),
      REASON_NO_RULE_HOST },
    { "a resource of another region", POLICY, "",
      FILE_OF("p", STATEMENT("allow", "\"get\"", "vrn:vtex.x:us-east-2:*:*:/f")), "GET", APP("/f"),
      REASON_NO_RULE_HOST },
    { "an action that is no method", POLICY, "",
      FILE_OF("p", STATEMENT("allow", "\"read\"", OWN("/f"))), "GET", APP("/f"),
      REASON_NO_RULE_HOST },
    { "a dependency in another major", "", "\"vtex.x\":\"2.x\"", NULL, "GET", APP("/f"),
      REASON_NO_RULE_PATH },
    { "a dependency whose policies are known", "", "\"vtex.x\":\"1.x\"", GRAPHQL, "GET",
      APP("/_v/graphql"), REASON_NO_RULE_HOST },

    { "denied beats the same policy", POLICY, "",
      FILE_OF("p",
              STATEMENT("allow", "\"*\"", OWN("/*")) "," STATEMENT("deny", "\"get\"", OWN("/f"))),
      "GET", APP("/f"), REASON_DENIED_BY_RULE },
    { "denied beats it before the allow", POLICY, "",
      FILE_OF("p",
              STATEMENT("deny", "\"get\"", OWN("/f")) "," STATEMENT("allow", "\"*\"", OWN("/*"))),
      "GET", APP("/f"), REASON_DENIED_BY_RULE },
    { "denied for one method only", POLICY, "",
      FILE_OF("p",
              STATEMENT("allow", "\"*\"", OWN("/*")) "," STATEMENT("deny", "\"get\"", OWN("/f"))),
      "POST", APP("/f"), REASON_RULE },
    { "GET denied is HEAD denied", POLICY, "",
      FILE_OF("p",
              STATEMENT("allow", "\"*\"", OWN("/*")) "," STATEMENT("deny", "\"get\"", OWN("/f"))),
      "HEAD", APP("/f"), REASON_DENIED_BY_RULE },
    { "denied by a policy that nobody named", OUTBOUND, "", CLOSED, "GET", APP("/_v/secret/x"),
      REASON_DENIED_BY_RULE },
    { "denied in any major", OUTBOUND, "", CLOSED, "GET",
      "https://app.io.vtex.com/vtex.x/v7/acme/dev1/_v/secret/x", REASON_DENIED_BY_RULE },
    { "denied in capitals", OUTBOUND, "", CLOSED, "GET",
      "https://APP.io.vtex.com/VTEX.X/V1/ACME/DEV1/_V/SECRET/x", REASON_DENIED_BY_RULE },
    { "denied without what stands behind", OUTBOUND, "", CLOSED, "GET", APP("/_v/secret"),
      REASON_DENIED_BY_RULE },
    { "denied with a version in the name", OUTBOUND, "", CLOSED, "GET",
      "https://app.io.vtex.com/vtex.x@1.2.3/acme/dev1/_v/secret/x", REASON_DENIED_BY_RULE },
    { "denied without a workspace", OUTBOUND, "", CLOSED, "GET",
      "https://app.io.vtex.com/vtex.x/1/_v/secret/x", REASON_DENIED_BY_RULE },
    { "denied by an action that is no method", OUTBOUND, "",
      FILE_OF("o", STATEMENT("deny", "\"read\"", OWN("/f"))), "GET", APP("/f"),
      REASON_DENIED_BY_RULE },
    { "denied with a method in lower case", OUTBOUND, "",
      FILE_OF("o", STATEMENT("deny", "\"Post\"", OWN("/f"))), "post", APP("/f"),
      REASON_DENIED_BY_RULE },
    { "denied under the short name", OUTBOUND, "",
      FILE_OF("o", STATEMENT("deny", "\"*\"", "vrn:x:*:*:*:/f")), "GET", APP("/f"),
      REASON_DENIED_BY_RULE },
    { "denied for another app by its name", OUTBOUND, "",
      FILE_OF("o", STATEMENT("deny", "\"*\"", "vrn:vtex.y:*:*:*:/f")), "GET",
      "https://app.io.vtex.com/vtex.y" OURS "/f", REASON_DENIED_BY_RULE },
    { "denied to another account", OUTBOUND, "",
      FILE_OF("o", STATEMENT("deny", "\"*\"", "vrn:vtex.x:*:other:*:/f")), "GET", APP("/f"),
      REASON_RULE },
    { "a neighbour of what is denied", OUTBOUND, "", CLOSED, "GET", APP("/_v/secrets"),
      REASON_RULE },
    { "broken file: the policy", POLICY, "", "[{\"name\":\"p\",\"statements\":[{}]}]", "GET",
      APP("/f"), REASON_DENIED_BY_RULE },
    { "broken file: outbound-access", OUTBOUND, "", "nonsense", "GET", APP("/f"),
      REASON_DENIED_BY_RULE },
    { "broken file: the dependency", "", "\"vtex.x\":\"1.x\"", "{}", "GET", APP("/f"),
      REASON_DENIED_BY_RULE },
    { "broken file: other apps stay open", OUTBOUND, "", "nonsense", "GET",
      "https://app.io.vtex.com/vtex.y" OURS "/f", REASON_RULE },
};

static void story_is_judged(void **state)
{
    const struct story *story = *state;
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy =
        compile_app(story->policies, story->dependencies, story->provider, &settings, &diags);
    struct verdict verdict = judge_as(policy, story->method, story->target);

    assert_int_equal(verdict.reason, story->want);
    assert_int_equal(verdict.kind == VERDICT_ALLOW, story->want == REASON_RULE);
    if (story->want == REASON_DENIED_BY_RULE)
        assert_string_equal(verdict.rule.file, "vtex.x.json");
    policy_unref(policy);
    diags_fini(&diags);
}

static void only_the_kind_opens_but_denials_count(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy;

    (void)state;
    settings.policy_kinds = POLICY_OUTBOUND_ACCESS;
    policy = compile_app(POLICY, "\"vtex.z\":\"1.x\"", GRAPHQL, &settings, &diags);
    assert_int_equal(policy_n_rules(policy), 0);
    policy_unref(policy);
    policy = compile_app(OUTBOUND, "", CLOSED, &settings, &diags);
    assert_int_equal(judge_as(policy, "GET", APP("/_v/secret/x")).reason, REASON_DENIED_BY_RULE);
    policy_unref(policy);
    diags_fini(&diags);
}

static void many_apps_are_found(void **state)
{
    enum { APPS = 20000 };
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy;
    char *rows = NULL, target[120];
    size_t size;
    FILE *out = open_memstream(&rows, &size);

    (void)state;
    for (int i = 0; i < APPS; i++)
        fprintf(out, "%s{\"name\":\"vtex.x%d:p\"}", i ? "," : "", i);
    fclose(out);
    policy = compile_app(rows, "", NULL, &settings, &diags);
    assert_int_equal(policy_n_rules(policy), APPS);
    for (int i = 0; i < APPS; i += 97) {
        snprintf(target, sizeof target, "https://app.io.vtex.com/vtex.x%d" OURS "/f", i);
        assert_int_equal(judge_as(policy, "GET", target).kind, VERDICT_ALLOW);
        snprintf(target, sizeof target, "https://app.io.vtex.com/vtex.y%d" OURS "/f", i);
        assert_int_equal(judge_as(policy, "GET", target).kind, VERDICT_DENY);
    }
    policy_unref(policy);
    diags_fini(&diags);
    free(rows);
}

/* ---- properties ---- */

static uint32_t dice = 2463534242u;

static uint32_t roll(uint32_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 17;
    dice ^= dice << 5;
    return dice % sides;
}

/* Writes `path` another way; what an origin reads stays the same. */
static void respell(const char *path, char *out, size_t size)
{
    static const char *const between[] = { "/", "//", "/./", "/x/../", ";p=1/", "%2F", "%252f" };
    size_t used = 0;

    for (const char *at = path; *at && used + 16 < size; at++) {
        uint32_t trick = roll(12);

        if (*at == '/' && at > path && roll(4) == 0)
            used += (size_t)snprintf(out + used, size - used, "%s",
                                     between[roll(sizeof between / sizeof *between)]);
        else if (trick == 0 && *at != '/')
            used += (size_t)snprintf(out + used, size - used, "%%%02x", (unsigned char)*at);
        else if (trick == 1 && *at != '/')
            used += (size_t)snprintf(out + used, size - used, "%%25%02X", (unsigned char)*at);
        else
            out[used++] = *at;
    }
    out[used] = '\0';
    if (roll(4) == 0)
        snprintf(out + used, size - used, "%s", roll(2) ? "/" : "?x=1");
}

static void a_denial_outlives_every_spelling(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile_app(OUTBOUND "," POLICY, "", CLOSED, &settings, &diags);

    (void)state;
    for (int i = 0; i < 3000; i++) {
        char path[600], target[700];

        respell("/vtex.x/v1/acme/dev1/_v/secret/x", path, sizeof path);
        snprintf(target, sizeof target, "https://app.io.vtex.com%s", path);
        if (judge_as(policy, "GET", target).kind == VERDICT_ALLOW)
            fail_msg("%s is open", target);
    }
    policy_unref(policy);
    diags_fini(&diags);
}

static void an_allow_more_never_closes(void **state)
{
    static const char *const rows[] = { POLICY,
                                        OUTBOUND,
                                        "{\"name\":\"ADMIN_DS\"}",
                                        "{\"name\":\"Sku.aspx\"}",
                                        "{\"name\":\"vtex.y:p\"}",
                                        "{\"name\":\"vbase-read-only\"}" };
    enum { ROWS = sizeof rows / sizeof *rows };
    struct settings settings = settings_of(true);

    (void)state;
    for (size_t less = 0; less < (1U << ROWS); less++) {
        struct diags diags = { 0 };
        struct policy *before, *after;
        char left[1024] = "", right[1024];
        size_t extra = roll(ROWS);

        for (size_t i = 0; i < ROWS; i++)
            if (less & (1U << i))
                snprintf(left + strlen(left), sizeof left - strlen(left), "%s%s", *left ? "," : "",
                         rows[i]);
        snprintf(right, sizeof right, "%s%s%.900s", rows[extra], *left ? "," : "", left);
        before = compile_app(left, "", GRAPHQL, &settings, &diags);
        after = compile_app(right, "", GRAPHQL, &settings, &diags);
        for (size_t i = 0; i < sizeof stories / sizeof *stories; i++)
            if (judge_as(before, stories[i].method, stories[i].target).kind == VERDICT_ALLOW)
                assert_int_equal(judge_as(after, stories[i].method, stories[i].target).kind,
                                 VERDICT_ALLOW);
        policy_unref(before);
        policy_unref(after);
        diags_fini(&diags);
    }
}

int main(void)
{
    struct stories all = { .n = 0 };

    STORIES_ADD(&all, stories, story_is_judged);
    stories_add(&all, "only the kind opens, but denials count",
                only_the_kind_opens_but_denials_count, NULL);
    stories_add(&all, "many apps are found", many_apps_are_found, NULL);
    stories_add(&all, "a denial outlives every spelling", a_denial_outlives_every_spelling, NULL);
    stories_add(&all, "an allow more never closes", an_allow_more_never_closes, NULL);
    return stories_run("app policies", &all);
}

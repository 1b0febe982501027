/* First line: a method, a blank and a request target; the rest: the policies.json of vtex.x. Both
 * are read, and the request is judged under a manifest that opens all it can. What must hold:
 *
 *   a file that is broken opens nothing of its app
 *   what a rule denies stays denied in capitals, and with a '/' behind
 *   without the file, nothing is denied by a rule
 *   the same request gets the same verdict, and the sentence holds no control byte */
#include <stdlib.h>

#include "config/manifest.h"
#include "policy/lint.h"
#include "policy/policy.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char manifest_json[] =
    "{\"vendor\":\"v\",\"name\":\"a\",\"version\":\"1.0.0\",\"dependencies\":{\"vtex.x\":\"1.x\"},"
    "\"policies\":[{\"name\":\"vtex.x:p\"},{\"name\":\"vbase-read-only\"},{\"name\":\"outbound-"
    "access\",\"attrs\":{\"host\":\"app.io.vtex.com\",\"path\":\"/*\"}}]}";

static struct policy *compile(struct providers *providers)
{
    static char account[] = "acme", workspace[] = "dev1", region[] = "aws-us-east-1";
    struct settings settings = { .account = account,
                                 .workspace = workspace,
                                 .region = region,
                                 .policy_kinds =
                                     POLICY_OUTBOUND_ACCESS | POLICY_LICENSE | POLICY_APP,
                                 .janus_alias = true };
    struct diags diags = { 0 };
    struct manifest *manifest = manifest_parse("manifest.json", text_of(manifest_json), &diags);
    struct policy *policy = policy_compile(manifest, providers, &settings, &diags);

    manifest_free(manifest);
    diags_fini(&diags);
    return policy;
}

static struct verdict judge(const struct policy *policy, struct text method,
                            const struct destination *where)
{
    struct verdict verdict = policy_judge(policy, method, where);
    struct verdict again = policy_judge(policy, method, where);
    char out[400];

    CHECK(verdict.kind == again.kind && verdict.reason == again.reason &&
          verdict.rule.line == again.rule.line && verdict.rule.column == again.rule.column);
    CHECK(verdict_sentence(policy, &verdict, where, out, sizeof out) == strlen(out));
    for (size_t i = 0; out[i]; i++)
        CHECK(out[i] >= 0x20 && out[i] < 0x7f);
    return verdict;
}

/* Escapes mean the same in capitals, so the path does too, but for the case of its letters. */
static void check_denied(const struct policy *policy, struct text method,
                         const struct destination *where)
{
    char path[4096];
    struct destination other = *where;

    if (where->path.len + 1 > sizeof path)
        return;
    for (size_t i = 0; i < where->path.len; i++) {
        char c = where->path.at[i];

        path[i] = (char)(c >= 'a' && c <= 'z' ? c & ~0x20 : c);
    }
    path[where->path.len] = '/';
    other.path = (struct text){ path, where->path.len };
    CHECK(policy_judge(policy, method, &other).kind != VERDICT_ALLOW);
    other.path.len++;
    CHECK(policy_judge(policy, method, &other).kind != VERDICT_ALLOW);
}

static void judge_all(struct provider *provider, struct text method,
                      const struct destination *where)
{
    struct providers with = { &provider, 1 }, without = { NULL, 0 };
    struct policy *open = compile(&without), *policy = compile(&with);
    struct verdict verdict = judge(policy, method, where);
    struct diags found = { 0 };

    policy_lint(policy, &found);
    CHECK(found.errors == 0);
    diags_fini(&found);
    CHECK(judge(open, method, where).reason != REASON_DENIED_BY_RULE);
    if (verdict.reason == REASON_DENIED_BY_RULE)
        check_denied(policy, method, where);
    if (provider->broken && text_starts(where->path, TEXT("/vtex.x/")))
        CHECK(verdict.kind != VERDICT_ALLOW ||
              !text_eq(text_of(where->host), TEXT("app.io.vtex.com")));
    policy_unref(policy);
    policy_unref(open);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct text all = { (const char *)data, size };
    const char *end = size ? memchr(all.at, '\n', size) : NULL;
    const char *blank = end ? memchr(all.at, ' ', (size_t)(end - all.at)) : NULL;
    struct destination_rules rules = { .default_host = "app.io.vtex.com" };
    struct destination_request request;
    struct diags diags = { 0 };
    struct provider *provider;
    struct destination where;
    const char *why;

    if (!blank)
        return 0;
    request = (struct destination_request){ .method = text_span(all.at, blank),
                                            .target = text_span(blank + 1, end) };
    provider = provider_parse("vtex.x", "vtex.x.json", text_span(end + 1, all.at + size), &diags);
    if (destination_of(&rules, &request, &where, &why) == DESTINATION_OK)
        judge_all(provider, request.method, &where);
    provider_free(provider);
    diags_fini(&diags);
    return 0;
}

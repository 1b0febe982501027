/* First line: a request target; the rest: a manifest. Reads it, compiles it, judges the request,
 * and says why. What must hold:
 *
 *   an allowed path is allowed by a rule for each of its readings
 *   a manifest without a single rule allows nothing
 *   the same request gets the same verdict, and the sentence holds no control byte */
#include <stdio.h>
#include <stdlib.h>

#include "config/manifest.h"
#include "policy/lint.h"
#include "policy/policy.h"
#include "policy/readings.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check_sentence(const struct policy *policy, const struct verdict *verdict,
                           const struct destination *where)
{
    char out[300];
    size_t len = verdict_sentence(policy, verdict, where, out, sizeof out);

    CHECK(len > 0 && len == strlen(out));
    len += policy_vrn(policy, where, out, sizeof out);
    for (size_t i = 0; out[i]; i++)
        CHECK(out[i] >= 0x20 && out[i] < 0x7f);
}

static void check_allowed(const struct policy *policy, const struct destination *where)
{
    struct readings readings;

    CHECK(policy_n_rules(policy) > 0);
    CHECK(readings_of(where->path, &readings) == READINGS_OK);
    for (size_t i = 0; i < readings.n; i++) {
        struct destination read = *where;
        struct verdict verdict;

        /* a reading with a new escape in it has readings of its own, which nobody asked for */
        read.path = readings.at[i].path;
        if (memchr(read.path.at, '%', read.path.len))
            continue;
        verdict = policy_judge(policy, TEXT("GET"), &read);
        CHECK(verdict.kind == VERDICT_ALLOW);
    }
    readings_fini(&readings);
}

static void judge(const struct policy *policy, struct text target)
{
    struct destination_rules rules = { .default_host = "acme.vtexcommercestable.com.br" };
    struct destination_request request = { .method = TEXT("GET"), .target = target };
    struct destination where;
    struct verdict first, second;
    const char *why;

    if (destination_of(&rules, &request, &where, &why) != DESTINATION_OK)
        return;
    first = policy_judge(policy, request.method, &where);
    second = policy_judge(policy, request.method, &where);
    CHECK(first.kind == second.kind && first.reason == second.reason &&
          first.rule.line == second.rule.line);
    check_sentence(policy, &first, &where);
    if (first.kind == VERDICT_ALLOW)
        check_allowed(policy, &where);
}

/* Warnings only, and the same of the same. */
static void lint(const struct manifest *manifest, const struct policy *policy)
{
    struct diags diags = { 0 };
    size_t n;

    policy_lint(policy, &diags);
    policy_lint_rows(manifest, POLICY_LICENSE | POLICY_APP, &diags);
    n = diags.n;
    policy_lint(policy, &diags);
    CHECK(diags.errors == 0 && diags.n >= n);
    diags_drop_repeats(&diags, n);
    CHECK(diags.n == n);
    diags_fini(&diags);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static char account[] = "acme", workspace[] = "dev1", region[] = "aws-us-east-1";
    struct settings settings = { .account = account,
                                 .workspace = workspace,
                                 .region = region,
                                 .policy_kinds =
                                     POLICY_OUTBOUND_ACCESS | POLICY_LICENSE | POLICY_APP,
                                 .janus_alias = true };
    struct text all = { (const char *)data, size };
    const char *end = size ? memchr(all.at, '\n', size) : NULL;
    struct diags diags = { 0 };
    struct manifest *manifest;

    if (!end)
        return 0;
    manifest = manifest_parse("manifest.json", text_span(end + 1, all.at + size), &diags);
    if (manifest) {
        struct policy *policy = policy_new(manifest, &settings, &diags);

        lint(manifest, policy);
        manifest_free(manifest);
        judge(policy, text_span(all.at, end));
        policy_unref(policy);
    }
    diags_fini(&diags);
    return 0;
}

/* tests/unit/app_fixture.h - a manifest, the file of one provider, and a request with a method. */
#ifndef APP_FIXTURE_H
#define APP_FIXTURE_H

#include "tests/unit/policy_fixture.h"

#define OURS       "/v1/acme/dev1"
#define APP(route) "https://app.io.vtex.com/vtex.x" OURS route

/* `policies` and `dependencies` are what stands between the brackets; `provider` is the policies.json
 * of vtex.x, or NULL. */
static inline struct policy *compile_app(const char *policies, const char *dependencies,
                                         const char *provider, const struct settings *settings,
                                         struct diags *diags)
{
    struct providers providers = { 0 };
    struct provider *one =
        provider ? provider_parse("vtex.x", "vtex.x.json", text_of(provider), diags) : NULL;
    struct manifest *manifest;
    struct policy *policy;
    char *json = NULL;

    assert_true(
        asprintf(&json,
                 "{\"vendor\":\"v\",\"name\":\"a\",\"version\":\"1.0.0\",\"dependencies\":{%s},"
                 "\"policies\":[%s]}",
                 dependencies, policies) > 0);
    manifest = manifest_parse("manifest.json", text_of(json), diags);
    assert_non_null(manifest);
    if (one) {
        providers.items = &one;
        providers.n = 1;
    }
    policy = policy_compile(manifest, &providers, settings, diags);
    provider_free(one);
    manifest_free(manifest);
    free(json);
    return policy;
}

static inline struct verdict judge_as(const struct policy *policy, const char *method,
                                      const char *target)
{
    struct destination_rules rules = { .default_host = "acme.vtexcommercestable.com.br" };
    struct destination_request request = { .method = text_of(method), .target = text_of(target) };
    struct destination where;
    const char *why = NULL;
    struct verdict verdict;
    char sentence[600];

    if (destination_of(&rules, &request, &where, &why) != DESTINATION_OK)
        fail_msg("%s: %s", target, why);
    verdict = policy_judge(policy, request.method, &where);
    assert_true(verdict_sentence(policy, &verdict, &where, sentence, sizeof sentence) > 0);
    return verdict;
}

#endif

/* tests/unit/policy_fixture.h - policies from a line of text, for the tests of floor 1. */
#ifndef POLICY_FIXTURE_H
#define POLICY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/memory.h"
#include "policy/policy.h"

static char account[] = "acme", workspace[] = "dev1", region[] = "aws-us-east-1";

static inline struct settings settings_of(bool alias)
{
    return (struct settings){
        .account = account,
        .workspace = workspace,
        .region = region,
        .policy_kinds = POLICY_OUTBOUND_ACCESS | POLICY_LICENSE | POLICY_APP,
        .janus_alias = alias,
    };
}

/* `rows` is "host TAB path|host TAB path"; without a TAB the policy has no path. */
static inline char *manifest_of(const char *rows)
{
    char *copy = text_dup(text_of(rows)), *rest = copy, *row, *json = NULL;
    const char *comma = "";
    size_t size;
    FILE *out = open_memstream(&json, &size);

    fputs("{\"vendor\":\"v\",\"name\":\"a\",\"version\":\"1.0.0\",\"policies\":[", out);
    for (; (row = strsep(&rest, "|")) && *row; comma = ",") {
        char *host = strsep(&row, "\t"), *path = row;

        fprintf(out, "%s{\"name\":\"outbound-access\",\"attrs\":{\"host\":\"%s\"", comma, host);
        if (path)
            fprintf(out, ",\"path\":\"%s\"", path);
        fputs("}}", out);
    }
    fputs("]}", out);
    fclose(out);
    free(copy);
    return json;
}

static inline struct policy *compile_json(const char *json, const struct settings *settings,
                                          struct diags *diags)
{
    struct manifest *manifest = manifest_parse("manifest.json", text_of(json), diags);
    struct policy *policy;

    if (!manifest)
        fail_msg("unreadable: %s", json);
    policy = policy_new(manifest, settings, diags);
    manifest_free(manifest);
    return policy;
}

static inline struct policy *compile(const char *rows, const struct settings *settings,
                                     struct diags *diags)
{
    char *json = manifest_of(rows);
    struct policy *policy = compile_json(json, settings, diags);

    free(json);
    return policy;
}

static inline struct verdict judge(const struct policy *policy, const char *target,
                                   struct destination *where)
{
    struct destination_rules rules = { .default_host = "acme.vtexcommercestable.com.br" };
    struct destination_request request = { .method = TEXT("GET"), .target = text_of(target) };
    const char *why = NULL;

    if (destination_of(&rules, &request, where, &why) != DESTINATION_OK)
        fail_msg("%s: %s", target, why);
    return policy_judge(policy, request.method, where);
}

#endif

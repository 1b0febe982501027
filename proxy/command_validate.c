/* validate: everything that a start would find, and what a start does not look for; nothing is
 * started. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/manifest.h"
#include "policy/lint.h"
#include "proxy/command_parts.h"
#include "proxy/commands.h"
#include "proxy/origin/tls.h"
#include "proxy/sidecar_graphql.h"
#include "proxy/sidecar_guard.h"
#include "proxy/sidecar_tokens.h"
#include "proxy/token/locked.h"

enum { CLEAN = 0, ERRORS = 1 };

static void inspect_policies(const struct manifest *manifest, const struct settings *settings,
                             struct diags *diags)
{
    struct policy *policy = policy_new(manifest, settings, diags);

    policy_lint(policy, diags);
    policy_lint_rows(manifest, settings->policy_kinds, diags);
    policy_unref(policy);
}

static void inspect_manifest(const char *option, const char *file, const struct settings *settings,
                             bool usable, struct diags *diags)
{
    struct manifest *manifest = file ? manifest_load_for(option, file, diags) : NULL;

    if (manifest && usable)
        inspect_policies(manifest, settings, diags);
    manifest_free(manifest);
}

/* Settings that cannot be used hide nothing: what else is wrong is said all the same. */
void command_inspect(const struct settings *settings, struct diags *diags)
{
    bool usable = diags->fatal == 0;

    inspect_manifest("--manifest", settings->manifest_file, settings, usable, diags);
    size_t n = diags->n;
    inspect_manifest("--shadow-manifest", settings->shadow_manifest_file, settings, usable, diags);
    diags_drop_repeats(diags, n); /* both read the providers' files */
    tls_free(tls_new(settings, diags));
    sidecar_tokens_check(settings, diags);
    guard_check(settings, diags);
    graphql_catalog_unref(schemas_load(settings, diags));
    graphql_gate_unref(own_schema_load(settings, diags));
}

static void print_json(const struct diags *diags)
{
    json_t *findings = json_array();

    for (size_t i = 0; i < diags->n; i++) {
        const struct diag *diag = &diags->items[i];
        json_t *finding = command_json_where(diag->where);

        json_object_set_new(finding, "level",
                            json_string(diag->level == DIAG_ERROR ? "error" : "warning"));
        json_object_set_new(finding, "message", command_json_text(text_of(diag->what)));
        json_array_append_new(findings, finding);
    }
    command_print_json(json_pack("{s:I, s:I, s:I, s:o}", "errors", (json_int_t)diags->errors,
                                 "warnings", (json_int_t)diags->warnings, "notShown",
                                 (json_int_t)diags->dropped, "findings", findings));
}

int command_validate(int argc, char **argv)
{
    struct diags diags = { 0 };
    struct strings words = { 0 };
    bool json = command_take_json(&argc, argv);
    struct settings *settings = settings_load(argc, argv, &words, &diags);

    locked_harden_process(); /* before the sources' files are looked at */
    for (size_t i = 0; i < words.n; i++)
        diag_fatal(&diags, (struct place){ .file = words.items[i] },
                   "is not an option; validate takes no words");
    command_inspect(settings, &diags);
    if (json) {
        print_json(&diags);
    } else {
        diags_print(&diags, stderr);
        printf("%zu errors, %zu warnings\n", diags.errors, diags.warnings);
    }
    int exit_code = diags.errors ? ERRORS : CLEAN;
    settings_free(settings);
    diags_fini(&diags);
    free(words.items);
    return exit_code;
}

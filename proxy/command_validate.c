/* validate: everything that a start would find, and nothing is started. */
#include <stdio.h>
#include <stdlib.h>

#include "config/manifest.h"
#include "policy/policy.h"
#include "proxy/commands.h"
#include "proxy/origin/tls.h"
#include "proxy/token/source.h"

enum { CLEAN = 0, ERRORS = 1 };

/* Settings that cannot be used hide nothing: what else is wrong is said all the same. */
void command_inspect(const struct settings *settings, struct diags *diags)
{
    bool usable = diags->fatal == 0;
    struct manifest *manifest =
        settings->manifest_file ? manifest_load(settings->manifest_file, diags) : NULL;

    if (manifest && usable)
        policy_unref(policy_new(manifest, settings, diags));
    manifest_free(manifest);
    tls_free(tls_new(settings, diags));
    token_source_check(settings->token_file, diags);
}

int command_validate(int argc, char **argv)
{
    struct diags diags = { 0 };
    struct strings words = { 0 };
    struct settings *settings = settings_load(argc, argv, &words, &diags);

    for (size_t i = 0; i < words.n; i++)
        diag_fatal(&diags, (struct place){ .file = words.items[i] },
                   "is not an option; validate takes no words");
    command_inspect(settings, &diags);
    diags_print(&diags, stderr);
    printf("%zu errors, %zu warnings\n", diags.errors, diags.warnings);
    int exit_code = diags.errors ? ERRORS : CLEAN;
    settings_free(settings);
    diags_fini(&diags);
    free(words.items);
    return exit_code;
}

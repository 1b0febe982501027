/* policy/rule.h - one compiled rule: a policy of the manifest that opens something.
 *
 * Kinds to come (License Manager keys, routes of provider apps, their denials) are more rows of the
 * same shape: where it stands, which host, which path, and what it does there. */
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include <stdint.h>

#include "config/diag.h"
#include "config/manifest.h"
#include "config/template.h"
#include "policy/pattern.h"

struct rule {
    struct place place;
    char *written_host, *written_path; /* as in the file; the path is NULL when there is none */
    char *host;                        /* canonical, or with stars in it */
    struct pattern *path;
    uint16_t port; /* 0: any. The manifest named one in the host: only that one */
};

/* Compiles one outbound-access policy. False if it opens nothing: then `diags` got an error that
 * says what to write instead. Warnings are for what works, but perhaps not as meant. */
bool rule_compile(const struct manifest_policy *row, const struct template_values *values,
                  struct rule *out, struct diags *diags);
void rule_fini(struct rule *rule);

#endif

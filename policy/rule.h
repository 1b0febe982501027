/* policy/rule.h - one compiled rule, whatever kind of policy it came from.
 *
 *   outbound-access   a host and a path
 *   licence key       the same, from the table in policy/licence.c
 *   app               a route of a service on app.io.vtex.com or infra.io.vtex.com: `service` and
 *                     `route` are set, and `path` only shows what they open
 *
 * Only app rules look at the method, and only those of a provider's file deny. */
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include <stdint.h>

#include "config/diag.h"
#include "config/manifest.h"
#include "config/settings.h"
#include "config/template.h"
#include "policy/pattern.h"

enum { METHODS_ALL = 0x3ff, MAJOR_ANY = -1 };

struct rule {
    enum policy_kind kind;
    bool deny;
    struct place place; /* in the manifest, or in the provider's file */
    char *name;         /* "Sku.aspx", "vtex.messages:translate"; a dependency's app */
    char *written_host, *written_path; /* as in the file; the path is NULL when there is none */
    char *host;                        /* canonical, or with stars in it */
    struct pattern *path;
    uint16_t port;         /* 0: any. The manifest named one in the host: only that one */
    char *service;         /* NULL, or the first segment of the path: "vtex.messages", "vbase" */
    struct pattern *route; /* what stands behind /{service}/v{major}/{account}/{workspace} */
    int major;             /* of the service's version, or MAJOR_ANY */
    unsigned methods;      /* bits of method_bit() */
};

/* Compiles one outbound-access policy. False if it opens nothing: then `diags` got an error that
 * says what to write instead. Warnings are for what works, but perhaps not as meant. */
bool rule_compile(const struct manifest_policy *row, const struct template_values *values,
                  struct rule *out, struct diags *diags);
void rule_fini(struct rule *rule);

/* One bit for each method of HTTP, another one for all others. `written` in any case. */
unsigned method_bit(struct text written);
enum { METHOD_OTHER = 1 << 9 };

#endif

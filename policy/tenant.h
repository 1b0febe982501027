/* policy/tenant.h - whose account and workspace a request to a VTEX host names.
 *
 * The account travels as `an=` on the Janus hosts and in the path on the IO hosts. Elsewhere
 * neither means anything, so third parties may have an `an` of their own. */
#ifndef POLICY_TENANT_H
#define POLICY_TENANT_H

#include "config/text.h"

struct tenant {
    struct text account, workspace;
};

enum tenant_named {
    TENANT_NONE, /* nobody is named */
    TENANT_OURS,
    TENANT_OTHER_ACCOUNT,
    TENANT_OTHER_WORKSPACE,
};

/* By `an=`: ours only if every occurrence is, with ';' as a separator and without. An empty value
 * names nobody. `host` is canonical; `query` may be TEXT_NONE. */
enum tenant_named tenant_in_query(struct text host, struct text query, const struct tenant *ours);

/* By one reading of the path. */
enum tenant_named tenant_in_path(struct text host, struct text path, const struct tenant *ours);

#endif

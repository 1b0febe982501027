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

/* What `an=` says, for who must judge the request again without its query: `out` gets the account in
 * small letters, "" if the query names none, or "?" if it names several or what is no account's name.
 * "an=" and this, percent-encoded, gets from tenant_in_query() what `query` gets, whoever we are. */
enum { TENANT_NAME_MAX = 64 };
void tenant_name_in_query(struct text host, struct text query, char out[TENANT_NAME_MAX]);

/* By one reading of the path. */
enum tenant_named tenant_in_path(struct text host, struct text path, const struct tenant *ours);

#endif

/* policy/compiled.h - what a struct policy is made of; for policy.c, judge.c and verdict.c only. */
#ifndef POLICY_COMPILED_H
#define POLICY_COMPILED_H

#include <stdatomic.h>

#include "policy/app_index.h"
#include "policy/host_index.h"
#include "policy/policy.h"
#include "policy/tenant.h"

struct policy {
    unsigned holders;     /* of this handle; one thread's */
    struct policy *whole; /* a handle: whose compiled parts it borrows; NULL: they are its own */
    char *file, *account, *workspace, *region, *app_id;
    struct tenant tenant; /* borrows account and workspace */
    bool janus_alias;
    struct cidr *allow_address;
    size_t n_allow_address;
    struct rule *rules;
    size_t n_rules;
    struct host_index *index;
    struct app_index *apps;
    char **files; /* of the providers whose rules are here */
    size_t n_files;
    atomic_uint n_handles; /* last; of the whole, whose own holders together count as one */
};

/* The rule that opens one reading of the path for some method, or NULL. Sets `*host_named` if any
 * rule is for the host. */
const struct rule *judge_reading(const struct policy *policy, const struct destination *where,
                                 struct text path, bool *host_named);
/* The same for one method; at == NULL: any. */
const struct rule *judge_reading_as(const struct policy *policy, struct text method,
                                    const struct destination *where, struct text path,
                                    bool *host_named);

#endif

/* policy/graphql/auth.h - what @auth on a field says.
 *
 * The platform declares
 *     enum IOAuthScope { PUBLIC PRIVATE }
 *     directive @auth(scope: IOAuthScope, productCode: String, resourceCode: String) on FIELD_DEFINITION
 * and without a scope it means PRIVATE. */
#ifndef POLICY_GRAPHQL_AUTH_H
#define POLICY_GRAPHQL_AUTH_H

#include "policy/graphql/schema.h"

enum graphql_access {
    GRAPHQL_UNDECORATED, /* no @auth: what that means depends on the builder */
    GRAPHQL_PUBLIC,
    GRAPHQL_PRIVATE, /* both codes are there */
    GRAPHQL_BROKEN,  /* an @auth that cannot be relied on: nobody can be let in */
};

struct graphql_auth {
    enum graphql_access access;
    const struct graphql_directive *directive; /* NULL: undecorated */
    bool has_scope;
    struct text product, resource; /* of PRIVATE */
};

/* Reads the directives of a field. With a report, also says what is wrong with them under either
 * builder; `label` is how the field is called there ("Query.orders"). */
struct graphql_auth graphql_auth_of(const struct graphql_member *field,
                                    const struct graphql_file *file, const char *label,
                                    struct graphql_report *report);

/* False for what builder 2.x rejects on a query or mutation. */
bool graphql_auth_suits_2x(const struct graphql_auth *auth);

/* "none", "public", "private", "broken" */
const char *graphql_access_name(enum graphql_access access);

#endif

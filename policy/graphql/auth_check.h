/* policy/graphql/auth_check.h - the rules of @auth over a whole schema.
 *
 * Builder 1.x: @auth is optional, and an operation without it is public. Builder 2.x: @auth is mandatory
 * on every query and mutation, and so is its scope. What is malformed is an error under both. */
#ifndef POLICY_GRAPHQL_AUTH_CHECK_H
#define POLICY_GRAPHQL_AUTH_CHECK_H

#include "policy/graphql/auth.h"

enum graphql_builder { GRAPHQL_BUILDER_1X, GRAPHQL_BUILDER_2X };

/* How many queries and mutations there are; subscriptions are not counted. */
struct graphql_auth_counts {
    size_t operations;
    size_t access[GRAPHQL_BROKEN + 1];
    size_t refused_by_2x;
};

/* `schema` has been linked. */
struct graphql_auth_counts graphql_auth_check(const struct graphql_schema *schema,
                                              enum graphql_builder builder,
                                              struct graphql_report *report);

/* ---- auth_place.c ---- */

/* @auth where it does not belong, and directives that only look like it. */
void graphql_auth_check_places(const struct graphql_schema *schema, enum graphql_builder builder,
                               struct graphql_report *report);
/* What either builder says of the scope of one @auth. */
void graphql_auth_check_scope(const struct graphql_auth *auth, const struct graphql_file *file,
                              const char *label, enum graphql_builder builder,
                              struct graphql_report *report);

/* "Query.orders" */
enum { GRAPHQL_LABEL_MAX = 2 * GRAPHQL_SHOWN_NAME + 2 };
const char *graphql_label(struct text type, struct text field, char out[GRAPHQL_LABEL_MAX]);

#endif

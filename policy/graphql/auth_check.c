#include "policy/graphql/auth_check.h"

#include <stdio.h>

struct check {
    const struct graphql_schema *schema;
    enum graphql_builder builder;
    struct graphql_report *report;
    struct graphql_auth_counts counts;
};

const char *graphql_label(struct text type, struct text field, char out[GRAPHQL_LABEL_MAX])
{
    snprintf(out, GRAPHQL_LABEL_MAX, GRAPHQL_NAME_FMT "." GRAPHQL_NAME_FMT, GRAPHQL_NAME_ARG(type),
             GRAPHQL_NAME_ARG(field));
    return out;
}

#define ADD                                                                                        \
    "add @auth(scope: PUBLIC), or @auth(scope: PRIVATE, productCode: \"...\", resourceCode: "      \
    "\"...\")"

static void say_undecorated(const struct check *check, struct place place, const char *label)
{
    if (check->builder == GRAPHQL_BUILDER_2X)
        graphql_say(check->report, RULE_AUTH_MISSING, place,
                    "%s has no @auth, which builder 2.x wants on every query and mutation; " ADD,
                    label);
    else
        graphql_say(check->report, RULE_PUBLIC_BY_DEFAULT, place,
                    "%s has no @auth, so everyone may call it; builder 2.x would reject it; " ADD,
                    label);
}

void graphql_auth_check_scope(const struct graphql_auth *auth, const struct graphql_file *file,
                              const char *label, enum graphql_builder builder,
                              struct graphql_report *report)
{
    struct place place;

    if (!auth->directive)
        return;
    place = graphql_schema_place(file, auth->directive->at);
    if (!auth->has_scope && builder == GRAPHQL_BUILDER_2X)
        graphql_say(report, RULE_SCOPE_MISSING, place,
                    "@auth on %s has no scope, which builder 2.x wants; add scope: PRIVATE, which "
                    "is what it means without one",
                    label);
    else if (!auth->has_scope)
        graphql_say(report, RULE_SCOPE_FOR_2X, place,
                    "@auth on %s has no scope and means PRIVATE; builder 2.x would reject it: add "
                    "scope: PRIVATE",
                    label);
    else if (builder == GRAPHQL_BUILDER_1X && auth->access == GRAPHQL_PUBLIC)
        graphql_say(report, RULE_SCOPE_UNDER_1X, place,
                    "%s is PUBLIC: the scope is documented for builder 2.x, but counts under 1.x "
                    "too when the request comes; set the builder to 2.x to have it checked",
                    label);
}

static void check_operation(struct check *check, const struct graphql_operation_field *each)
{
    char label[GRAPHQL_LABEL_MAX];
    struct graphql_auth auth;

    graphql_label(each->type, each->field->name, label);
    auth = graphql_auth_of(each->field, each->file, label, check->report);
    graphql_auth_check_scope(&auth, each->file, label, check->builder, check->report);
    if (each->operation == GRAPHQL_SUBSCRIPTION) {
        graphql_say(check->report, RULE_SUBSCRIPTION,
                    graphql_schema_place(each->file, each->field->name.at),
                    "%s is a subscription: VTEX IO serves none over /_v/graphql, and the rules of "
                    "@auth name queries and mutations only; remove it",
                    label);
        return;
    }
    check->counts.operations++;
    check->counts.access[auth.access]++;
    check->counts.refused_by_2x += !graphql_auth_suits_2x(&auth);
    if (!auth.directive)
        say_undecorated(check, graphql_schema_place(each->file, each->field->name.at), label);
}

/* Queries kept beside a schema are for clients; a schema is built without them. */
static void check_executable(const struct check *check)
{
    for (size_t i = 0; i < check->schema->n_files; i++) {
        const struct graphql_file *file = check->schema->files[i];
        const struct graphql_definition *each = file->document.definitions;

        for (; each; each = each->next) {
            if (graphql_is_executable(each))
                graphql_say(
                    check->report, RULE_NOT_A_SCHEMA, graphql_schema_place(file, each->at),
                    "a %s is no part of a schema and not looked at; move it to another folder",
                    graphql_keyword(each));
        }
    }
}

struct graphql_auth_counts graphql_auth_check(const struct graphql_schema *schema,
                                              enum graphql_builder builder,
                                              struct graphql_report *report)
{
    struct check check = { schema, builder, report, { 0 } };

    for (size_t i = 0; i < schema->n_fields; i++)
        check_operation(&check, &schema->fields[i]);
    graphql_auth_check_places(schema, builder, report);
    check_executable(&check);
    if (check.counts.operations == 0 && schema->n_files > 0)
        graphql_say(report, RULE_NO_OPERATIONS, (struct place){ .file = schema->files[0]->name },
                    "no file holds a query or a mutation; is this the whole schema?");
    return check.counts;
}

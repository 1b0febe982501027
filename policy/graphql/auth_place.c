/* Where @auth does not belong, and what only looks like it. */
#include <stdio.h>

#include "policy/graphql/auth_check.h"

struct places {
    const struct graphql_schema *schema;
    const struct graphql_file *file;
    const struct graphql_definition *definition;
    unsigned declared; /* spellings */
    enum graphql_builder builder;
    struct graphql_report *report;
};

static bool is_auth(const struct graphql_directive *directive)
{
    return text_eq(directive->name, TEXT("auth"));
}

/* Which spelling of "auth" it is, as a bit: there are sixteen. 0: another word. */
static unsigned spelling_of(struct text name)
{
    unsigned capitals = 0;

    if (!text_eq_nocase(name, TEXT("auth")))
        return 0;
    for (size_t i = 0; i < name.len; i++)
        capitals |= (unsigned)(name.at[i] != ascii_lower(name.at[i])) << i;
    return 1u << capitals;
}

/* The spellings that the app has directives of its own for. */
static unsigned declared_spellings(const struct graphql_schema *schema)
{
    unsigned spellings = 0;

    for (size_t i = 0; i < schema->n_files; i++) {
        const struct graphql_definition *each = schema->files[i]->document.definitions;

        for (; each; each = each->next) {
            if (each->kind == GRAPHQL_DEF_DIRECTIVE)
                spellings |= spelling_of(each->name);
        }
    }
    return spellings;
}

/* @Auth and @AUTH protect nothing, and nobody would notice. */
static void check_spelling(const struct places *places, const struct graphql_directive *directive)
{
    unsigned spelling = spelling_of(directive->name);

    if (spelling == 0 || is_auth(directive) || (places->declared & spelling))
        return;
    graphql_say(places->report, RULE_AUTH_SPELLING,
                graphql_schema_place(places->file, directive->at),
                "@" GRAPHQL_NAME_FMT " is another directive than @auth and protects nothing; write "
                "@auth",
                GRAPHQL_NAME_ARG(directive->name));
}

/* `what` is what the directives stand on: no field. */
static void check_directives(const struct places *places, const char *what, struct text name,
                             const struct graphql_directive *each)
{
    for (; each; each = each->next) {
        check_spelling(places, each);
        if (is_auth(each))
            graphql_say(places->report, RULE_AUTH_PLACE,
                        graphql_schema_place(places->file, each->at),
                        "@auth cannot stand on %s" GRAPHQL_NAME_FMT
                        "; put it behind each query and mutation that it is for",
                        what, GRAPHQL_NAME_ARG(name));
    }
}

/* Arguments, fields of inputs, values of enums. */
static void check_members(const struct places *places, const char *what,
                          const struct graphql_member *each)
{
    for (; each; each = each->next)
        check_directives(places, what, each->name, each->directives);
}

/* A field that is no operation. */
static void check_other_field(const struct places *places, const struct graphql_member *field)
{
    char label[GRAPHQL_LABEL_MAX];
    struct graphql_auth auth;

    graphql_label(places->definition->name, field->name, label);
    auth = graphql_auth_of(field, places->file, label, NULL);
    if (!auth.directive)
        return;
    if (places->definition->kind == GRAPHQL_DEF_INTERFACE) {
        graphql_say(places->report, RULE_AUTH_INTERFACE,
                    graphql_schema_place(places->file, auth.directive->at),
                    "@auth on %s protects nothing: the fields of an interface are not what is run; "
                    "put it on the queries and mutations",
                    label);
        return;
    }
    graphql_say(
        places->report, RULE_AUTH_NESTED, graphql_schema_place(places->file, auth.directive->at),
        "%s is no query and no mutation: @auth is looked at there when a request comes, but "
        "is documented for these only; protect the operations that return it",
        label);
    graphql_auth_of(field, places->file, label, places->report);
    graphql_auth_check_scope(&auth, places->file, label, places->builder, places->report);
}

static void check_fields(const struct places *places)
{
    const struct graphql_member *field = places->definition->members;
    bool root = places->definition->kind == GRAPHQL_DEF_TYPE &&
                graphql_schema_is_root(places->schema, places->definition->name);

    for (; field; field = field->next) {
        const struct graphql_directive *each = field->directives;

        for (; each; each = each->next)
            check_spelling(places, each);
        check_members(places, "the argument ", field->arguments);
        if (!root)
            check_other_field(places, field);
    }
}

static void check_declaration(const struct places *places)
{
    const struct graphql_definition *definition = places->definition;

    if (definition->kind == GRAPHQL_DEF_DIRECTIVE && text_eq(definition->name, TEXT("auth")))
        graphql_say(places->report, RULE_AUTH_DECLARED,
                    graphql_schema_place(places->file, definition->at),
                    "@auth is declared by the platform, and this check goes by that; remove this "
                    "declaration");
    if (definition->kind == GRAPHQL_DEF_ENUM && text_eq(definition->name, TEXT("IOAuthScope")))
        graphql_say(
            places->report, RULE_AUTH_DECLARED, graphql_schema_place(places->file, definition->at),
            "IOAuthScope, the scopes of @auth, is declared by the platform; remove it here");
}

static const char *what_it_is(const struct graphql_definition *definition, char out[32])
{
    if (definition->kind == GRAPHQL_DEF_SCHEMA)
        return "the schema";
    snprintf(out, 32, "the %s ", graphql_keyword(definition));
    return out;
}

static void check_definition(const struct places *places)
{
    const struct graphql_definition *definition = places->definition;
    char what[32];

    if (graphql_is_executable(definition))
        return;
    check_declaration(places);
    check_directives(places, what_it_is(definition, what), definition->name,
                     definition->directives);
    if (definition->kind == GRAPHQL_DEF_TYPE || definition->kind == GRAPHQL_DEF_INTERFACE)
        check_fields(places);
    else if (definition->kind == GRAPHQL_DEF_DIRECTIVE)
        check_members(places, "the argument ", definition->members);
    else
        check_members(places,
                      definition->kind == GRAPHQL_DEF_ENUM ? "the value " : "the input field ",
                      definition->members);
}

void graphql_auth_check_places(const struct graphql_schema *schema, enum graphql_builder builder,
                               struct graphql_report *report)
{
    struct places places = { .schema = schema,
                             .declared = declared_spellings(schema),
                             .builder = builder,
                             .report = report };

    for (size_t i = 0; i < schema->n_files; i++) {
        places.file = schema->files[i];
        for (places.definition = places.file->document.definitions; places.definition;
             places.definition = places.definition->next)
            check_definition(&places);
    }
}

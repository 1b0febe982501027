#include "policy/graphql/rules.h"

#include <stdarg.h>
#include <stdlib.h>

#include "config/memory.h"

static const struct graphql_rule_row rows[N_GRAPHQL_RULES] = {
    [RULE_AUTH_MISSING] = { "auth-missing", DIAG_ERROR,
                            "Builder 2.x wants @auth on every query and mutation." },
    [RULE_SCOPE_MISSING] = { "auth-scope-missing", DIAG_ERROR,
                             "Builder 2.x wants a scope in every @auth." },
    [RULE_CODE_MISSING] = { "auth-code-missing", DIAG_ERROR,
                            "Without productCode and resourceCode nobody can be authorized." },
    [RULE_PUBLIC_BY_DEFAULT] = { "auth-public-by-default", DIAG_WARNING,
                                 "Under builder 1.x an operation without @auth is public." },
    [RULE_SCOPE_FOR_2X] = { "auth-scope-for-2x", DIAG_WARNING,
                            "Without scope, @auth is read as PRIVATE; builder 2.x rejects it." },
    [RULE_SCOPE_UNDER_1X] = { "auth-scope-under-1x", DIAG_WARNING,
                              "The scope PUBLIC is documented for builder 2.x only." },
    [RULE_SCOPE_UNKNOWN] = { "auth-scope-unknown", DIAG_ERROR, "A scope is PUBLIC or PRIVATE." },
    [RULE_SCOPE_TYPE] = { "auth-scope-type", DIAG_ERROR,
                          "A scope is a name without quotes: PUBLIC or PRIVATE." },
    [RULE_CODE_TYPE] = { "auth-code-type", DIAG_ERROR,
                         "productCode and resourceCode are strings." },
    [RULE_CODE_EMPTY] = { "auth-code-empty", DIAG_ERROR,
                          "An empty code counts as none, and nobody can be authorized." },
    [RULE_CODE_ODD] = { "auth-code-odd", DIAG_WARNING,
                        "A code becomes a part of License Manager's path as it is." },
    [RULE_CODES_UNUSED] = { "auth-codes-unused", DIAG_WARNING,
                            "PUBLIC lets everyone in; the codes beside it are not looked at." },
    [RULE_ARGUMENT_UNKNOWN] = { "auth-argument-unknown", DIAG_ERROR,
                                "@auth takes scope, productCode and resourceCode." },
    [RULE_ARGUMENT_TWICE] = { "auth-argument-twice", DIAG_ERROR,
                              "An argument stands in @auth once." },
    [RULE_AUTH_TWICE] = { "auth-twice", DIAG_ERROR, "@auth cannot be repeated on a field." },
    [RULE_AUTH_SPELLING] = { "auth-spelling", DIAG_ERROR,
                             "Names of directives are case-sensitive: only @auth protects." },
    [RULE_AUTH_PLACE] = { "auth-place", DIAG_ERROR, "@auth stands behind a field of a type." },
    [RULE_AUTH_INTERFACE] = { "auth-interface", DIAG_ERROR,
                              "@auth on a field of an interface protects nothing." },
    [RULE_AUTH_NESTED] = { "auth-nested", DIAG_WARNING,
                           "@auth is documented for queries and mutations." },
    [RULE_AUTH_DECLARED] = { "auth-declared", DIAG_WARNING,
                             "@auth and its scopes are declared by the platform." },
    [RULE_ROOT_RENAMED] = { "root-renamed", DIAG_WARNING,
                            "What the builder does with a renamed root type is not documented." },
    [RULE_ROOT_MISSING] = { "root-missing", DIAG_ERROR,
                            "A root of the schema is a type that is defined." },
    [RULE_ROOT_TWICE] = { "root-twice", DIAG_ERROR,
                          "The schema, each of its roots, and their types are defined once." },
    [RULE_ROOT_UNUSED] = { "root-unused", DIAG_WARNING,
                           "A type is named like a root, but the schema has another one or none." },
    [RULE_FIELD_TWICE] = { "field-twice", DIAG_ERROR, "An operation is defined once." },
    [RULE_SUBSCRIPTION] = { "subscription", DIAG_WARNING,
                            "The rules of @auth name queries and mutations only." },
    [RULE_NOT_A_SCHEMA] = { "not-a-schema", DIAG_WARNING,
                            "Operations and fragments are no part of a schema." },
    [RULE_NO_OPERATIONS] = { "no-operations", DIAG_WARNING,
                             "The files hold neither a query nor a mutation." },
    [RULE_SYNTAX] = { "syntax", DIAG_ERROR, "The file is GraphQL." },
};

const struct graphql_rule_row *graphql_rule_row(enum graphql_rule rule)
{
    return &rows[rule];
}

void graphql_report_fini(struct graphql_report *report)
{
    diags_fini(&report->diags);
    free(report->rules);
    *report = (struct graphql_report){ 0 };
}

static void add_diag(struct diags *diags, enum graphql_rule rule, struct place place,
                     const char *what)
{
    if (rule == RULE_SYNTAX)
        diag_fatal(diags, place, "%s", what);
    else if (rows[rule].level == DIAG_ERROR)
        diag_error(diags, place, "%s", what);
    else
        diag_warning(diags, place, "%s", what);
}

void graphql_say(struct graphql_report *report, enum graphql_rule rule, struct place place,
                 const char *format, ...)
{
    char what[DIAG_TEXT_MAX];
    size_t n = report->diags.n;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    add_diag(&report->diags, rule, place, what);
    if (report->diags.n > n)
        report->rules = mem_grow(report->rules, n, sizeof(*report->rules));
    /* a full list gives its last place to a fatal finding, and else takes nothing */
    if (report->diags.n > n || rule == RULE_SYNTAX)
        report->rules[report->diags.n - 1] = rule;
}

/* policy/graphql/rules.h - what can be wrong with a schema, and the list of what was found.
 *
 * A rule has a name that people and CI servers can refer to; its level never changes. The table in
 * rules.c is also what docs/graphql.md and the SARIF report say. */
#ifndef POLICY_GRAPHQL_RULES_H
#define POLICY_GRAPHQL_RULES_H

#include "config/diag.h"

enum graphql_rule {
    /* the three errors that VTEX documents for builder 2.x */
    RULE_AUTH_MISSING,
    RULE_SCOPE_MISSING,
    RULE_CODE_MISSING,
    /* the same under builder 1.x */
    RULE_PUBLIC_BY_DEFAULT,
    RULE_SCOPE_FOR_2X,
    RULE_SCOPE_UNDER_1X,
    /* a directive that is not what it seems */
    RULE_SCOPE_UNKNOWN,
    RULE_SCOPE_TYPE,
    RULE_CODE_TYPE,
    RULE_CODE_EMPTY,
    RULE_CODE_ODD,
    RULE_CODES_UNUSED,
    RULE_ARGUMENT_UNKNOWN,
    RULE_ARGUMENT_TWICE,
    RULE_AUTH_TWICE,
    RULE_AUTH_SPELLING,
    /* in the wrong place */
    RULE_AUTH_PLACE,
    RULE_AUTH_INTERFACE,
    RULE_AUTH_NESTED,
    RULE_AUTH_DECLARED,
    /* which fields are operations at all */
    RULE_ROOT_RENAMED,
    RULE_ROOT_MISSING,
    RULE_ROOT_TWICE,
    RULE_ROOT_UNUSED,
    RULE_FIELD_TWICE,
    RULE_SUBSCRIPTION,
    RULE_NOT_A_SCHEMA,
    RULE_NO_OPERATIONS,
    /* the document itself */
    RULE_SYNTAX,
    N_GRAPHQL_RULES
};

struct graphql_rule_row {
    const char *name; /* "auth-missing" */
    enum diag_level level;
    const char *means; /* a sentence */
};

const struct graphql_rule_row *graphql_rule_row(enum graphql_rule rule);

/* Findings, each with its rule. Zero-initialised is empty. */
struct graphql_report {
    struct diags diags;
    enum graphql_rule *rules; /* as many as diags.n */
};

void graphql_report_fini(struct graphql_report *report);

/* RULE_SYNTAX is fatal: what else the file says is not known. */
void graphql_say(struct graphql_report *report, enum graphql_rule rule, struct place place,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

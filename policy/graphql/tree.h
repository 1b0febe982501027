/* policy/graphql/tree.h - what a GraphQL document says, as a tree.
 *
 * Every struct lives in the arena that graphql_parse() was given, and dies with it. Names point into
 * the document's text, which must live as long; so `name.at` is also where the name stands. Strings
 * are decoded: what stands in `text` is what they mean, in UTF-8, where any character may be (a NUL
 * too). Lists are linked by `next`; an empty list is NULL. A name that is not there has at == NULL. */
#ifndef POLICY_GRAPHQL_TREE_H
#define POLICY_GRAPHQL_TREE_H

#include "config/text.h"

enum graphql_value_kind {
    GRAPHQL_VARIABLE, /* text: its name, without the $ */
    GRAPHQL_INT,      /* text: as written */
    GRAPHQL_FLOAT,    /* text: as written */
    GRAPHQL_STRING,
    GRAPHQL_BLOCK_STRING,
    GRAPHQL_BOOLEAN, /* text: true or false */
    GRAPHQL_NULL,
    GRAPHQL_ENUM,
    GRAPHQL_LIST,   /* items */
    GRAPHQL_OBJECT, /* fields; a name may stand there twice: nobody has checked */
};

struct graphql_value {
    enum graphql_value_kind kind;
    const char *at; /* where it begins */
    struct text text;
    struct graphql_value *items;
    struct graphql_argument *fields;
    struct graphql_value *next;
};

/* An argument, or a field of an object value. */
struct graphql_argument {
    struct text name;
    struct graphql_value *value;
    struct graphql_argument *next;
};

struct graphql_directive {
    const char *at; /* the @ */
    struct text name;
    struct graphql_argument *arguments;
    struct graphql_directive *next;
};

struct graphql_type {
    struct text name;        /* of a list: not there */
    struct graphql_type *of; /* what a list holds */
    bool non_null;
};

struct graphql_variable {
    struct text name;
    struct graphql_type *type;
    struct graphql_value *value; /* the default, or NULL */
    struct graphql_directive *directives;
    struct graphql_variable *next;
};

enum graphql_selection_kind { GRAPHQL_FIELD, GRAPHQL_SPREAD, GRAPHQL_INLINE };

struct graphql_selection {
    enum graphql_selection_kind kind;
    const char *at;
    struct text alias; /* of a field */
    struct text name;  /* the field; the fragment; the type condition of an inline fragment */
    struct graphql_argument *arguments;
    struct graphql_directive *directives;
    struct graphql_selection *selections;
    struct graphql_selection *next;
};

/* A name in a list of names: interfaces, members of a union, locations of a directive. */
struct graphql_name {
    struct text name;
    struct graphql_name *next;
};

/* A field of a type, an argument of a field or directive, a field of an input, a value of an enum. */
struct graphql_member {
    struct graphql_value *description; /* or NULL */
    struct text name;
    struct graphql_member *arguments; /* of a field */
    struct graphql_type *type;        /* NULL: a value of an enum */
    struct graphql_value *value;      /* the default, or NULL */
    struct graphql_directive *directives;
    struct graphql_member *next;
};

enum graphql_operation { GRAPHQL_QUERY, GRAPHQL_MUTATION, GRAPHQL_SUBSCRIPTION };
enum { GRAPHQL_N_OPERATIONS = GRAPHQL_SUBSCRIPTION + 1 };

/* `query: RootQuery` in a schema definition. */
struct graphql_root {
    const char *at;
    enum graphql_operation operation;
    struct text type;
    struct graphql_root *next;
};

enum graphql_definition_kind {
    /* executable */
    GRAPHQL_DEF_OPERATION,
    GRAPHQL_DEF_FRAGMENT,
    /* type system */
    GRAPHQL_DEF_SCHEMA,
    GRAPHQL_DEF_SCALAR,
    GRAPHQL_DEF_TYPE,
    GRAPHQL_DEF_INTERFACE,
    GRAPHQL_DEF_UNION,
    GRAPHQL_DEF_ENUM,
    GRAPHQL_DEF_INPUT,
    GRAPHQL_DEF_DIRECTIVE,
};

struct graphql_definition {
    enum graphql_definition_kind kind;
    bool extends;                      /* `extend type ...` */
    const char *at;                    /* its first token; a description is one */
    struct graphql_value *description; /* or NULL */
    struct text name;
    struct graphql_directive *directives;
    struct graphql_definition *next;

    /* executable */
    enum graphql_operation operation;
    struct graphql_variable *variables;
    struct text on; /* the type condition of a fragment */
    struct graphql_selection *selections;

    /* type system */
    struct graphql_root *roots;     /* of a schema */
    struct graphql_name *names;     /* interfaces, members of a union, locations */
    struct graphql_member *members; /* fields, values of an enum, arguments of a directive */
    bool repeatable;
};

struct graphql_document {
    struct text source;
    struct graphql_definition *definitions;
    size_t n_tokens, n_nodes;
};

static inline bool graphql_is_executable(const struct graphql_definition *definition)
{
    return definition->kind <= GRAPHQL_DEF_FRAGMENT;
}

/* "query", "mutation", "subscription" */
const char *graphql_operation_name(enum graphql_operation operation);
/* The keyword: "type", "fragment"; of an operation, which kind of operation. */
const char *graphql_keyword(const struct graphql_definition *definition);

#endif

/* policy/graphql/schema.h - the files of a schema as one: which fields are operations.
 *
 * Fill with graphql_schema_add(), then graphql_schema_link() once; read-only from then on. */
#ifndef POLICY_GRAPHQL_SCHEMA_H
#define POLICY_GRAPHQL_SCHEMA_H

#include "config/place.h"
#include "policy/graphql/parse.h"
#include "policy/graphql/rules.h"

struct graphql_file {
    char *name;
    char *bytes;
    struct place_index index;
    struct graphql_document document;
};

/* A field of a root type. */
struct graphql_operation_field {
    enum graphql_operation operation;
    struct text type; /* "Query" */
    const struct graphql_member *field;
    const struct graphql_file *file;
};

struct graphql_schema {
    struct arena arena;
    struct graphql_file **files;
    size_t n_files;
    struct text roots[GRAPHQL_N_OPERATIONS];   /* names of types; at == NULL: no such operations */
    bool named[GRAPHQL_N_OPERATIONS];          /* by a schema definition, not by default */
    struct place places[GRAPHQL_N_OPERATIONS]; /* where they are named */
    bool defined;                              /* there is a schema definition */
    struct graphql_operation_field *fields;    /* in the order of files */
    size_t n_fields;
};

/* Zero-initialised is empty. */
void graphql_schema_fini(struct graphql_schema *schema);

/* Takes `bytes` (malloc) in any case; copies `file`. A document that is none is a fatal finding, and the
 * result is false. */
bool graphql_schema_add(struct graphql_schema *schema, const char *file, char *bytes, size_t len,
                        struct graphql_report *report);

/* Finds the roots and their fields. Contradictions are findings; all fields that could be operations are
 * taken for some, so that nothing is overlooked. */
void graphql_schema_link(struct graphql_schema *schema, struct graphql_report *report);

/* How names are shown in findings: their beginning, as many bytes as fit a sentence. */
enum { GRAPHQL_SHOWN_NAME = 80 };
#define GRAPHQL_NAME_FMT "%.*s"
#define GRAPHQL_NAME_ARG(name)                                                                     \
    ((name).len < GRAPHQL_SHOWN_NAME ? (int)(name).len : GRAPHQL_SHOWN_NAME), (name).at

struct place graphql_schema_place(const struct graphql_file *file, const char *at);
/* True if the type with this name is a root. */
bool graphql_schema_is_root(const struct graphql_schema *schema, struct text type);

#endif

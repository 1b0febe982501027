/* policy/graphql/select.h - which operation of a document runs, and which root fields it selects.
 *
 * Follows fragments, @skip and @include with the request's variables. Where a server might select a field,
 * it is selected here: type conditions are taken as met, and what cannot be known to skip does not. What the
 * specification's validation refuses and would change the answer is refused. Pure; linear but for names,
 * which are few. */
#ifndef POLICY_GRAPHQL_SELECT_H
#define POLICY_GRAPHQL_SELECT_H

#include "policy/graphql/request.h"
#include "policy/graphql/tree.h"

enum {
    GRAPHQL_ROOT_FIELDS_MAX = 256,  /* different ones */
    GRAPHQL_SELECTIONS_MAX = 2000,  /* that are looked at, aliases included */
    GRAPHQL_DEFINITIONS_MAX = 256,  /* of one document */
    GRAPHQL_SPREADS_DEEP_MAX = 200, /* fragments within fragments */
};

struct graphql_selected {
    enum graphql_operation operation;
    struct text name;                            /* of the operation; at == NULL: it has none */
    struct text fields[GRAPHQL_ROOT_FIELDS_MAX]; /* their own names, each once */
    size_t n_fields;
};

/* NULL, or why not: a sentence without its end, static storage. Texts borrow from the document. */
const char *graphql_select(const struct graphql_document *document,
                           const struct graphql_request *request, struct graphql_selected *out);

#endif

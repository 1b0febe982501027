/* policy/graphql/request.h - an HTTP request as GraphQL requests: documents, names of operations, variables.
 *
 * Takes what @vtex/api takes: POST with JSON, GET with `query=` in its URL, GET with JSON in its body
 * (AppGraphQLClient), multipart/form-data of uploads; and lists of operations, which it does not. What two
 * servers could read in two ways is not read at all: a name twice in JSON or URL, a query in URL and body,
 * a coding of the content, another content type. Pure; fuzzed. */
#ifndef POLICY_GRAPHQL_REQUEST_H
#define POLICY_GRAPHQL_REQUEST_H

#include <stdbool.h>

#include "policy/graphql/json.h"

enum {
    GRAPHQL_BODY_MAX = 3 * 1024 * 1024, /* as @vtex/api takes; longer ones are not given here */
    GRAPHQL_BATCH_MAX = 16,
    GRAPHQL_PARAMETERS_MAX = 64, /* of a URL, and members of a request */
    GRAPHQL_VARIABLES_MAX = 256,
};

/* at == NULL: it is not there. */
struct graphql_message {
    struct text method;
    struct text query; /* of the URL, behind the '?' */
    struct text content_type;
    bool encoded; /* there is a Content-Encoding, other than identity */
    struct text body;
};

/* A variable: only Booleans matter. */
struct graphql_given {
    struct text name;
    enum graphql_json_kind kind;
};

struct graphql_request {
    struct text document;
    struct text operation;       /* operationName; at == NULL: none */
    struct graphql_given *given; /* its variables: owned by the batch */
    size_t n_given;
};

struct graphql_batch {
    struct graphql_request items[GRAPHQL_BATCH_MAX];
    size_t n;
    bool is_list;                        /* so is the answer, then */
    struct graphql_json body, variables; /* what the items borrow from, beside the message */
    char *decoded;
};

/* NULL, or why there is nothing to be read: a sentence without its end, static storage. Then `out` is
 * empty. graphql_batch_fini() is due in any case. */
const char *graphql_request_read(const struct graphql_message *message, struct graphql_batch *out);
void graphql_batch_fini(struct graphql_batch *batch);

/* ---- request_url.c ---- */

/* The parameters of a URL that mean something. */
struct graphql_parameters {
    struct text query, operation, variables;
    bool hash;       /* __graphqlBodyHash: the query is in the body */
    bool extensions; /* a persisted query, as a rule */
};

/* Decodes into `*decoded`, which the caller frees. */
const char *graphql_url_read(struct text query, char **decoded, struct graphql_parameters *out);

/* ---- request_multipart.c ---- */

/* True if the content type is multipart/form-data, whatever else it says. */
bool graphql_is_multipart(struct text content_type);
/* The field `operations`, if it comes first and `map` behind it, as the specification of uploads says. What
 * follows these two is not looked at. */
const char *graphql_multipart_read(struct text content_type, struct text body,
                                   struct text *operations);

#endif

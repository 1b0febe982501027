/* policy/graphql/parse.h - GraphQL, October 2021: executable documents and type systems.
 *
 * Accepts and refuses what the reference implementation (npm `graphql`, 16.11) does, but for our
 * ceilings and for bytes that are not UTF-8. Pure; its memory is the arena's; its time is linear in the
 * document; it recurses as deep as `max_depth` says and no deeper. Nothing is validated: whether a
 * fragment exists, or a name stands twice, is for whoever judges the tree. */
#ifndef POLICY_GRAPHQL_PARSE_H
#define POLICY_GRAPHQL_PARSE_H

#include "policy/graphql/arena.h"
#include "policy/graphql/tree.h"

struct graphql_limits {
    size_t max_bytes;
    size_t max_tokens;
    size_t max_nodes;
    unsigned max_depth; /* of braces and brackets in one another; at most GRAPHQL_DEEPEST */
};

enum { GRAPHQL_DEEPEST = 1000 };

/* What a client may send. A node takes at most 160 bytes, so a tree takes at most 8 MB, and what is
 * decoded at most the document's length. */
extern const struct graphql_limits graphql_request_limits;
/* What a person wrote: one file of a schema. */
extern const struct graphql_limits graphql_schema_limits;

enum graphql_failure {
    GRAPHQL_FINE,
    GRAPHQL_SYNTAX,
    GRAPHQL_NOT_UTF8,
    GRAPHQL_TOO_LONG,
    GRAPHQL_TOO_MANY_TOKENS,
    GRAPHQL_TOO_MANY_NODES,
    GRAPHQL_TOO_DEEP,
};

enum { GRAPHQL_WHAT_MAX = 200 };

struct graphql_error {
    enum graphql_failure failure;
    unsigned line, column;       /* from 1; columns count bytes */
    char what[GRAPHQL_WHAT_MAX]; /* one sentence of printable ASCII, without the place */
};

/* Fills `out` with a tree in `arena`, which points into `source`: both outlive it. False with the
 * reason in `error`; what the arena took for half a tree goes with the arena. */
bool graphql_parse(struct text source, const struct graphql_limits *limits, struct arena *arena,
                   struct graphql_document *out, struct graphql_error *error);

#endif

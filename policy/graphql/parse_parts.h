/* policy/graphql/parse_parts.h - between the files of the parser.
 *
 * A parse function is called at the first token of what it reads and leaves the lexer behind it. None
 * of them returns NULL where its header says a node, and none looks for failures: after one, the token
 * is TOKEN_BAD, which nothing expects, so that every loop and every recursion ends by itself. */
#ifndef POLICY_GRAPHQL_PARSE_PARTS_H
#define POLICY_GRAPHQL_PARSE_PARTS_H

#include "policy/graphql/lex.h"

struct graphql_parser {
    struct graphql_lexer lexer;
    size_t n_nodes, max_nodes;
    unsigned depth, max_depth;
};

/* A zeroed node of the tree. */
void *graphql_node(struct graphql_parser *parser, size_t size);

/* Around everything that can hold itself. */
void graphql_enter(struct graphql_parser *parser);
static inline void graphql_leave(struct graphql_parser *parser)
{
    parser->depth--;
}

static inline bool graphql_peek(const struct graphql_parser *parser, int kind)
{
    return parser->lexer.token.kind == kind;
}

/* Takes the token if it is of that kind. */
static inline bool graphql_accept(struct graphql_parser *parser, int kind)
{
    if (!graphql_peek(parser, kind))
        return false;
    graphql_lex(&parser->lexer);
    return true;
}

static inline bool graphql_peek_word(const struct graphql_parser *parser, struct text word)
{
    return graphql_peek(parser, TOKEN_NAME) && text_eq(parser->lexer.token.text, word);
}

bool graphql_accept_word(struct graphql_parser *parser, struct text word);
/* The same, or a failure that says what was expected. */
void graphql_expect(struct graphql_parser *parser, int kind);
void graphql_expect_word(struct graphql_parser *parser, struct text word);
struct text graphql_expect_name(struct graphql_parser *parser, const char *what);
/* "`what` is expected, not ..." at the token. */
void graphql_unexpected(struct graphql_parser *parser, const char *what);

/* True at the closing token of a list, which it takes, and after a failure. */
bool graphql_list_ends(struct graphql_parser *parser, int close);

/* ---- parse_value.c ---- */

/* `constant`: without variables. */
struct graphql_value *graphql_parse_value(struct graphql_parser *parser, bool constant);
struct graphql_value *graphql_parse_description(struct graphql_parser *parser); /* or NULL */
struct graphql_argument *graphql_parse_arguments(struct graphql_parser *parser, bool constant);
struct graphql_directive *graphql_parse_directives(struct graphql_parser *parser, bool constant);
struct graphql_type *graphql_parse_type(struct graphql_parser *parser);

/* ---- parse_selection.c: what stands behind the keyword, or at the `{` of a bare query ---- */

struct graphql_selection *graphql_parse_selections(struct graphql_parser *parser);
void graphql_parse_operation(struct graphql_parser *parser, struct graphql_definition *definition);
void graphql_parse_fragment(struct graphql_parser *parser, struct graphql_definition *definition);

/* ---- parse_types.c: what stands behind the keyword ---- */

void graphql_parse_schema(struct graphql_parser *parser, struct graphql_definition *definition);
void graphql_parse_named(struct graphql_parser *parser, struct graphql_definition *definition);
void graphql_parse_directive_definition(struct graphql_parser *parser,
                                        struct graphql_definition *definition);

#endif

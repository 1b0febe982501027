#include "policy/graphql/parse.h"

#include <assert.h>
#include <stdio.h>

#include "config/place.h"
#include "policy/graphql/parse_parts.h"

const struct graphql_limits graphql_request_limits = {
    .max_bytes = 3 * 1024 * 1024, /* as @vtex/api takes */
    .max_tokens = 100 * 1000,
    .max_nodes = 50 * 1000,
    .max_depth = 200,
};

const struct graphql_limits graphql_schema_limits = {
    .max_bytes = 10 * 1024 * 1024,
    .max_tokens = 2 * 1000 * 1000,
    .max_nodes = 1000 * 1000,
    .max_depth = 200,
};

static_assert(sizeof(struct graphql_definition) <= 160, "the largest node; see parse.h");

/* ---- what the files of the parser share ---- */

void *graphql_node(struct graphql_parser *parser, size_t size)
{
    void *node = arena_take(parser->lexer.arena, size);

    if (++parser->n_nodes > parser->max_nodes)
        graphql_lex_fail(&parser->lexer, GRAPHQL_TOO_MANY_NODES, parser->lexer.token.at,
                         "the document has more than the %zu nodes that are allowed",
                         parser->max_nodes);
    return memset(node, 0, size);
}

void graphql_enter(struct graphql_parser *parser)
{
    if (++parser->depth > parser->max_depth)
        graphql_lex_fail(&parser->lexer, GRAPHQL_TOO_DEEP, parser->lexer.token.at,
                         "nested deeper than the %u levels that are allowed", parser->max_depth);
}

void graphql_unexpected(struct graphql_parser *parser, const char *what)
{
    char found[80];

    graphql_lex_describe(&parser->lexer.token, found, sizeof(found));
    graphql_lex_fail(&parser->lexer, GRAPHQL_SYNTAX, parser->lexer.token.at,
                     "%s is expected, not %s", what, found);
}

bool graphql_accept_word(struct graphql_parser *parser, struct text word)
{
    if (!graphql_peek_word(parser, word))
        return false;
    graphql_lex(&parser->lexer);
    return true;
}

void graphql_expect(struct graphql_parser *parser, int kind)
{
    char what[] = { '"', (char)kind, '"', '\0' };

    if (!graphql_accept(parser, kind))
        graphql_unexpected(parser, kind == TOKEN_SPREAD ? "\"...\"" : what);
}

void graphql_expect_word(struct graphql_parser *parser, struct text word)
{
    char what[32];

    if (graphql_accept_word(parser, word))
        return;
    snprintf(what, sizeof(what), "\"" TEXT_FMT "\"", TEXT_ARG(word));
    graphql_unexpected(parser, what);
}

struct text graphql_expect_name(struct graphql_parser *parser, const char *what)
{
    struct text name = parser->lexer.token.text;

    if (graphql_accept(parser, TOKEN_NAME))
        return name;
    graphql_unexpected(parser, what);
    return TEXT_NONE;
}

bool graphql_list_ends(struct graphql_parser *parser, int close)
{
    if (graphql_peek(parser, TOKEN_END)) /* else the item would be blamed */
        graphql_expect(parser, close);
    return graphql_accept(parser, close) || graphql_peek(parser, TOKEN_BAD);
}

/* ---- definitions ---- */

/* In the order of how often they stand in a request, then in a schema. */
static const struct keyword {
    struct text word;
    enum graphql_definition_kind kind;
    enum graphql_operation operation;
    bool can_extend;
    void (*parse)(struct graphql_parser *parser, struct graphql_definition *definition);
} keywords[] = {
    { TEXT_INIT("query"), GRAPHQL_DEF_OPERATION, GRAPHQL_QUERY, false, graphql_parse_operation },
    { TEXT_INIT("mutation"), GRAPHQL_DEF_OPERATION, GRAPHQL_MUTATION, false,
      graphql_parse_operation },
    { TEXT_INIT("fragment"), GRAPHQL_DEF_FRAGMENT, 0, false, graphql_parse_fragment },
    { TEXT_INIT("subscription"), GRAPHQL_DEF_OPERATION, GRAPHQL_SUBSCRIPTION, false,
      graphql_parse_operation },
    { TEXT_INIT("type"), GRAPHQL_DEF_TYPE, 0, true, graphql_parse_named },
    { TEXT_INIT("input"), GRAPHQL_DEF_INPUT, 0, true, graphql_parse_named },
    { TEXT_INIT("enum"), GRAPHQL_DEF_ENUM, 0, true, graphql_parse_named },
    { TEXT_INIT("scalar"), GRAPHQL_DEF_SCALAR, 0, true, graphql_parse_named },
    { TEXT_INIT("interface"), GRAPHQL_DEF_INTERFACE, 0, true, graphql_parse_named },
    { TEXT_INIT("union"), GRAPHQL_DEF_UNION, 0, true, graphql_parse_named },
    { TEXT_INIT("directive"), GRAPHQL_DEF_DIRECTIVE, 0, false, graphql_parse_directive_definition },
    { TEXT_INIT("schema"), GRAPHQL_DEF_SCHEMA, 0, true, graphql_parse_schema },
};

enum { N_KEYWORDS = sizeof(keywords) / sizeof(keywords[0]) };

const char *graphql_operation_name(enum graphql_operation operation)
{
    static const char *const names[] = { [GRAPHQL_QUERY] = "query",
                                         [GRAPHQL_MUTATION] = "mutation",
                                         [GRAPHQL_SUBSCRIPTION] = "subscription" };

    return names[operation];
}

const char *graphql_keyword(const struct graphql_definition *definition)
{
    size_t i = 0;

    while (keywords[i].kind != definition->kind || keywords[i].operation != definition->operation)
        i++;
    return keywords[i].word.at;
}

static const struct keyword *find_keyword(const struct graphql_parser *parser)
{
    for (size_t i = 0; i < N_KEYWORDS; i++) {
        if (graphql_peek_word(parser, keywords[i].word))
            return &keywords[i];
    }
    return NULL;
}

/* The keyword of a definition that may stand here; NULL after a failure. */
static const struct keyword *expect_keyword(struct graphql_parser *parser,
                                            const struct graphql_definition *definition)
{
    const struct keyword *keyword = find_keyword(parser);

    if (keyword && definition->extends && !keyword->can_extend)
        keyword = NULL;
    if (keyword && definition->description && keyword->kind <= GRAPHQL_DEF_FRAGMENT)
        keyword = NULL;
    if (!keyword)
        graphql_unexpected(parser, definition->extends       ? "what can be extended"
                                   : definition->description ? "a type that is described"
                                                             : "a definition");
    return keyword;
}

/* `extend` with nothing that is added is an error. */
static void check_extension(struct graphql_parser *parser,
                            const struct graphql_definition *definition)
{
    if (!definition->directives && !definition->roots && !definition->names && !definition->members)
        graphql_unexpected(parser, "what the extension adds");
}

static void parse_with_keyword(struct graphql_parser *parser, struct graphql_definition *definition)
{
    const struct keyword *keyword;

    definition->description = graphql_parse_description(parser);
    definition->extends = !definition->description && graphql_accept_word(parser, TEXT("extend"));
    keyword = expect_keyword(parser, definition);
    if (!keyword)
        return;
    definition->kind = keyword->kind;
    definition->operation = keyword->operation;
    graphql_lex(&parser->lexer);
    keyword->parse(parser, definition);
    if (definition->extends)
        check_extension(parser, definition);
}

static struct graphql_definition *parse_definition(struct graphql_parser *parser)
{
    struct graphql_definition *definition = graphql_node(parser, sizeof(*definition));

    definition->at = parser->lexer.token.at;
    if (graphql_peek(parser, '{')) /* a query may do without its keyword */
        definition->selections = graphql_parse_selections(parser);
    else
        parse_with_keyword(parser, definition);
    return definition;
}

static struct graphql_definition *parse_definitions(struct graphql_parser *parser)
{
    struct graphql_definition *first = NULL, **end = &first;

    do {
        *end = parse_definition(parser);
        end = &(*end)->next;
    } while (!graphql_peek(parser, TOKEN_END) && !graphql_peek(parser, TOKEN_BAD));
    return first;
}

/* ---- the whole ---- */

static bool refuse(struct text source, const char *at, struct graphql_error *error)
{
    struct place_index index;
    struct place place;

    place_index_init(&index, NULL, source);
    place = place_of(&index, at);
    place_index_fini(&index);
    error->line = place.line;
    error->column = place.column;
    return false;
}

static bool refuse_length(const struct graphql_limits *limits, struct graphql_error *error)
{
    *error = (struct graphql_error){ .failure = GRAPHQL_TOO_LONG, .line = 1, .column = 1 };
    snprintf(error->what, sizeof(error->what),
             "the document is longer than the %zu bytes that are allowed", limits->max_bytes);
    return false;
}

bool graphql_parse(struct text source, const struct graphql_limits *limits, struct arena *arena,
                   struct graphql_document *out, struct graphql_error *error)
{
    struct text bytes = source.at ? source : TEXT("");
    struct graphql_parser parser = {
        .lexer = { .source = bytes,
                   .at = bytes.at,
                   .end = bytes.at + bytes.len,
                   .max_tokens = limits->max_tokens,
                   .arena = arena,
                   .error = error },
        .max_nodes = limits->max_nodes,
        .max_depth = limits->max_depth,
    };

    assert(limits->max_depth <= GRAPHQL_DEEPEST && limits->max_bytes < UINT32_MAX);
    if (bytes.len > limits->max_bytes)
        return refuse_length(limits, error);
    *error = (struct graphql_error){ .failure = GRAPHQL_FINE };
    graphql_lex(&parser.lexer);
    *out = (struct graphql_document){ .source = bytes,
                                      .definitions = parse_definitions(&parser),
                                      .n_tokens = parser.lexer.n_tokens,
                                      .n_nodes = parser.n_nodes };
    return parser.lexer.failed_at ? refuse(bytes, parser.lexer.failed_at, error) : true;
}

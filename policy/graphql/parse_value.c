/* Values, arguments, directives and references to types: what both kinds of documents have. */
#include "policy/graphql/parse_parts.h"

/* ---- values ---- */

static void parse_items(struct graphql_parser *parser, struct graphql_value *list, bool constant)
{
    struct graphql_value **end = &list->items;

    list->kind = GRAPHQL_LIST;
    graphql_enter(parser);
    graphql_expect(parser, '[');
    while (!graphql_list_ends(parser, ']')) {
        *end = graphql_parse_value(parser, constant);
        end = &(*end)->next;
    }
    graphql_leave(parser);
}

/* name: value */
static struct graphql_argument *parse_argument(struct graphql_parser *parser, bool constant,
                                               const char *what)
{
    struct graphql_argument *argument = graphql_node(parser, sizeof(*argument));

    argument->name = graphql_expect_name(parser, what);
    graphql_expect(parser, ':');
    argument->value = graphql_parse_value(parser, constant);
    return argument;
}

static void parse_fields(struct graphql_parser *parser, struct graphql_value *object, bool constant)
{
    struct graphql_argument **end = &object->fields;

    object->kind = GRAPHQL_OBJECT;
    graphql_enter(parser);
    graphql_expect(parser, '{');
    while (!graphql_list_ends(parser, '}')) {
        *end = parse_argument(parser, constant, "the name of a field");
        end = &(*end)->next;
    }
    graphql_leave(parser);
}

static void parse_variable(struct graphql_parser *parser, struct graphql_value *value,
                           bool constant)
{
    value->kind = GRAPHQL_VARIABLE;
    if (constant)
        graphql_unexpected(parser, "a value without variables");
    graphql_expect(parser, '$');
    value->text = graphql_expect_name(parser, "the name of a variable");
}

static enum graphql_value_kind kind_of_word(struct text word)
{
    if (text_eq(word, TEXT("true")) || text_eq(word, TEXT("false")))
        return GRAPHQL_BOOLEAN;
    return text_eq(word, TEXT("null")) ? GRAPHQL_NULL : GRAPHQL_ENUM;
}

/* A value of one token. */
static void take_token(struct graphql_parser *parser, struct graphql_value *value,
                       enum graphql_value_kind kind)
{
    value->kind = kind;
    value->text = parser->lexer.token.text;
    graphql_lex(&parser->lexer);
}

struct graphql_value *graphql_parse_value(struct graphql_parser *parser, bool constant)
{
    const struct graphql_token *token = &parser->lexer.token;
    struct graphql_value *value = graphql_node(parser, sizeof(*value));

    value->at = token->at;
    switch (token->kind) {
    case TOKEN_STRING:
        take_token(parser, value, GRAPHQL_STRING);
        break;
    case TOKEN_BLOCK_STRING:
        take_token(parser, value, GRAPHQL_BLOCK_STRING);
        break;
    case TOKEN_NAME:
        take_token(parser, value, kind_of_word(token->text));
        break;
    case TOKEN_INT:
        take_token(parser, value, GRAPHQL_INT);
        break;
    case TOKEN_FLOAT:
        take_token(parser, value, GRAPHQL_FLOAT);
        break;
    case '$':
        parse_variable(parser, value, constant);
        break;
    case '{':
        parse_fields(parser, value, constant);
        break;
    case '[':
        parse_items(parser, value, constant);
        break;
    default:
        graphql_unexpected(parser, "a value");
    }
    return value;
}

struct graphql_value *graphql_parse_description(struct graphql_parser *parser)
{
    if (graphql_peek(parser, TOKEN_STRING) || graphql_peek(parser, TOKEN_BLOCK_STRING))
        return graphql_parse_value(parser, true);
    return NULL;
}

/* ---- arguments and directives ---- */

struct graphql_argument *graphql_parse_arguments(struct graphql_parser *parser, bool constant)
{
    struct graphql_argument *first = NULL, **end = &first;

    if (!graphql_accept(parser, '('))
        return NULL;
    do {
        *end = parse_argument(parser, constant, "the name of an argument");
        end = &(*end)->next;
    } while (!graphql_list_ends(parser, ')'));
    return first;
}

struct graphql_directive *graphql_parse_directives(struct graphql_parser *parser, bool constant)
{
    struct graphql_directive *first = NULL, **end = &first;

    while (graphql_peek(parser, '@')) {
        struct graphql_directive *directive = graphql_node(parser, sizeof(*directive));

        directive->at = parser->lexer.token.at;
        graphql_expect(parser, '@');
        directive->name = graphql_expect_name(parser, "the name of a directive");
        directive->arguments = graphql_parse_arguments(parser, constant);
        *end = directive;
        end = &directive->next;
    }
    return first;
}

/* ---- references to types ---- */

struct graphql_type *graphql_parse_type(struct graphql_parser *parser)
{
    struct graphql_type *type = graphql_node(parser, sizeof(*type));

    if (graphql_peek(parser, '[')) {
        graphql_enter(parser);
        graphql_expect(parser, '[');
        type->of = graphql_parse_type(parser);
        graphql_expect(parser, ']');
        graphql_leave(parser);
    } else {
        type->name = graphql_expect_name(parser, "a type");
    }
    type->non_null = graphql_accept(parser, '!');
    return type;
}

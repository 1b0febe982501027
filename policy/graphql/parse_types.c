/* Type system documents: schemas, types, directives, and what extends them. */
#include "policy/graphql/parse_parts.h"

/* ---- lists of names ---- */

/* `A & B`, with an optional `&` before the first. */
static struct graphql_name *parse_names(struct graphql_parser *parser, int delimiter,
                                        const char *what)
{
    struct graphql_name *first = NULL, **end = &first;

    graphql_accept(parser, delimiter);
    do {
        *end = graphql_node(parser, sizeof(**end));
        (*end)->name = graphql_expect_name(parser, what);
        end = &(*end)->next;
    } while (graphql_accept(parser, delimiter));
    return first;
}

static struct graphql_name *parse_interfaces(struct graphql_parser *parser)
{
    if (!graphql_accept_word(parser, TEXT("implements")))
        return NULL;
    return parse_names(parser, '&', "an interface");
}

/* ---- members ---- */

typedef struct graphql_member *parse_member(struct graphql_parser *parser);

/* In `open`..`close` at least one; without them none. */
static struct graphql_member *parse_members(struct graphql_parser *parser, int open, int close,
                                            parse_member *parse)
{
    struct graphql_member *first = NULL, **end = &first;

    if (!graphql_accept(parser, open))
        return NULL;
    do {
        *end = parse(parser);
        end = &(*end)->next;
    } while (!graphql_list_ends(parser, close));
    return first;
}

static struct graphql_member *begin_member(struct graphql_parser *parser)
{
    struct graphql_member *member = graphql_node(parser, sizeof(*member));

    member->description = graphql_parse_description(parser);
    return member;
}

/* An argument, or a field of an input. */
static struct graphql_member *parse_input_value(struct graphql_parser *parser)
{
    struct graphql_member *member = begin_member(parser);

    member->name = graphql_expect_name(parser, "the name of an input");
    graphql_expect(parser, ':');
    member->type = graphql_parse_type(parser);
    if (graphql_accept(parser, '='))
        member->value = graphql_parse_value(parser, true);
    member->directives = graphql_parse_directives(parser, true);
    return member;
}

static struct graphql_member *parse_field(struct graphql_parser *parser)
{
    struct graphql_member *member = begin_member(parser);

    member->name = graphql_expect_name(parser, "the name of a field");
    member->arguments = parse_members(parser, '(', ')', parse_input_value);
    graphql_expect(parser, ':');
    member->type = graphql_parse_type(parser);
    member->directives = graphql_parse_directives(parser, true);
    return member;
}

static struct graphql_member *parse_enum_value(struct graphql_parser *parser)
{
    struct graphql_member *member = begin_member(parser);

    if (graphql_peek_word(parser, TEXT("true")) || graphql_peek_word(parser, TEXT("false")) ||
        graphql_peek_word(parser, TEXT("null")))
        graphql_unexpected(parser, "a value of the enum that is no reserved word");
    member->name = graphql_expect_name(parser, "a value of the enum");
    member->directives = graphql_parse_directives(parser, true);
    return member;
}

/* ---- types ---- */

void graphql_parse_named(struct graphql_parser *parser, struct graphql_definition *definition)
{
    enum graphql_definition_kind kind = definition->kind;

    definition->name = graphql_expect_name(parser, "the name of the type");
    if (kind == GRAPHQL_DEF_TYPE || kind == GRAPHQL_DEF_INTERFACE)
        definition->names = parse_interfaces(parser);
    definition->directives = graphql_parse_directives(parser, true);
    if (kind == GRAPHQL_DEF_TYPE || kind == GRAPHQL_DEF_INTERFACE)
        definition->members = parse_members(parser, '{', '}', parse_field);
    else if (kind == GRAPHQL_DEF_INPUT)
        definition->members = parse_members(parser, '{', '}', parse_input_value);
    else if (kind == GRAPHQL_DEF_ENUM)
        definition->members = parse_members(parser, '{', '}', parse_enum_value);
    else if (kind == GRAPHQL_DEF_UNION && graphql_accept(parser, '='))
        definition->names = parse_names(parser, '|', "a member of the union");
}

/* ---- the schema ---- */

static enum graphql_operation expect_operation(struct graphql_parser *parser)
{
    for (int i = 0; i < GRAPHQL_N_OPERATIONS; i++) {
        if (graphql_accept_word(parser, text_of(graphql_operation_name(i))))
            return i;
    }
    graphql_unexpected(parser, "query, mutation or subscription");
    return GRAPHQL_QUERY;
}

static struct graphql_root *parse_root(struct graphql_parser *parser)
{
    struct graphql_root *root = graphql_node(parser, sizeof(*root));

    root->at = parser->lexer.token.at;
    root->operation = expect_operation(parser);
    graphql_expect(parser, ':');
    root->type = graphql_expect_name(parser, "the name of a type");
    return root;
}

void graphql_parse_schema(struct graphql_parser *parser, struct graphql_definition *definition)
{
    struct graphql_root **end = &definition->roots;

    definition->directives = graphql_parse_directives(parser, true);
    if (definition->extends && !graphql_peek(parser, '{'))
        return;
    graphql_expect(parser, '{');
    do {
        *end = parse_root(parser);
        end = &(*end)->next;
    } while (!graphql_list_ends(parser, '}'));
}

/* ---- directives ---- */

static bool is_location(struct text name)
{
    static const char *const locations[] = {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
        "SCHEMA",
        "SCALAR",
        "OBJECT",
        "FIELD_DEFINITION",
        "ARGUMENT_DEFINITION",
        "INTERFACE",
        "UNION",
        "ENUM",
        "ENUM_VALUE",
        "INPUT_OBJECT",
        "INPUT_FIELD_DEFINITION",
    };

    for (size_t i = 0; i < sizeof(locations) / sizeof(locations[0]); i++) {
        if (text_eq(name, text_of(locations[i])))
            return true;
    }
    return false;
}

static void check_locations(struct graphql_parser *parser, const struct graphql_name *names)
{
    for (; names; names = names->next) {
        if (!is_location(names->name)) {
            graphql_lex_fail(&parser->lexer, GRAPHQL_SYNTAX, names->name.at,
                             "this is no place where a directive can stand");
            return;
        }
    }
}

void graphql_parse_directive_definition(struct graphql_parser *parser,
                                        struct graphql_definition *definition)
{
    graphql_expect(parser, '@');
    definition->name = graphql_expect_name(parser, "the name of the directive");
    definition->members = parse_members(parser, '(', ')', parse_input_value);
    definition->repeatable = graphql_accept_word(parser, TEXT("repeatable"));
    graphql_expect_word(parser, TEXT("on"));
    definition->names = parse_names(parser, '|', "a place where the directive can stand");
    check_locations(parser, definition->names);
}

/* Executable documents: operations, fragments, and what they select. */
#include "policy/graphql/parse_parts.h"

/* ---- selections ---- */

static void parse_field(struct graphql_parser *parser, struct graphql_selection *selection)
{
    selection->kind = GRAPHQL_FIELD;
    selection->name = graphql_expect_name(parser, "a field");
    if (graphql_accept(parser, ':')) {
        selection->alias = selection->name;
        selection->name = graphql_expect_name(parser, "the field behind its alias");
    }
    selection->arguments = graphql_parse_arguments(parser, false);
    selection->directives = graphql_parse_directives(parser, false);
    if (graphql_peek(parser, '{'))
        selection->selections = graphql_parse_selections(parser);
}

/* Behind the spread. A fragment cannot be called "on". */
static void parse_spread(struct graphql_parser *parser, struct graphql_selection *selection)
{
    bool on = graphql_accept_word(parser, TEXT("on"));

    if (!on && graphql_peek(parser, TOKEN_NAME)) {
        selection->kind = GRAPHQL_SPREAD;
        selection->name = graphql_expect_name(parser, "a fragment");
        selection->directives = graphql_parse_directives(parser, false);
        return;
    }
    selection->kind = GRAPHQL_INLINE;
    if (on)
        selection->name = graphql_expect_name(parser, "a type behind \"on\"");
    selection->directives = graphql_parse_directives(parser, false);
    selection->selections = graphql_parse_selections(parser);
}

static struct graphql_selection *parse_selection(struct graphql_parser *parser)
{
    struct graphql_selection *selection = graphql_node(parser, sizeof(*selection));

    selection->at = parser->lexer.token.at;
    if (graphql_accept(parser, TOKEN_SPREAD))
        parse_spread(parser, selection);
    else
        parse_field(parser, selection);
    return selection;
}

struct graphql_selection *graphql_parse_selections(struct graphql_parser *parser)
{
    struct graphql_selection *first = NULL, **end = &first;

    graphql_enter(parser);
    graphql_expect(parser, '{');
    do {
        *end = parse_selection(parser);
        end = &(*end)->next;
    } while (!graphql_list_ends(parser, '}'));
    graphql_leave(parser);
    return first;
}

/* ---- operations ---- */

static struct graphql_variable *parse_variable(struct graphql_parser *parser)
{
    struct graphql_variable *variable = graphql_node(parser, sizeof(*variable));

    graphql_expect(parser, '$');
    variable->name = graphql_expect_name(parser, "the name of a variable");
    graphql_expect(parser, ':');
    variable->type = graphql_parse_type(parser);
    if (graphql_accept(parser, '='))
        variable->value = graphql_parse_value(parser, true);
    variable->directives = graphql_parse_directives(parser, true);
    return variable;
}

static struct graphql_variable *parse_variables(struct graphql_parser *parser)
{
    struct graphql_variable *first = NULL, **end = &first;

    if (!graphql_accept(parser, '('))
        return NULL;
    do {
        *end = parse_variable(parser);
        end = &(*end)->next;
    } while (!graphql_list_ends(parser, ')'));
    return first;
}

void graphql_parse_operation(struct graphql_parser *parser, struct graphql_definition *definition)
{
    if (graphql_peek(parser, TOKEN_NAME))
        definition->name = graphql_expect_name(parser, "the name of the operation");
    definition->variables = parse_variables(parser);
    definition->directives = graphql_parse_directives(parser, false);
    definition->selections = graphql_parse_selections(parser);
}

void graphql_parse_fragment(struct graphql_parser *parser, struct graphql_definition *definition)
{
    if (graphql_peek_word(parser, TEXT("on")))
        graphql_unexpected(parser, "the name of the fragment, which cannot be \"on\",");
    definition->name = graphql_expect_name(parser, "the name of the fragment");
    graphql_expect_word(parser, TEXT("on"));
    definition->on = graphql_expect_name(parser, "a type behind \"on\"");
    definition->directives = graphql_parse_directives(parser, false);
    definition->selections = graphql_parse_selections(parser);
}

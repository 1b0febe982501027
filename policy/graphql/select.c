#include "policy/graphql/select.h"

struct selecting {
    const struct graphql_definition *operation;
    const struct graphql_request *request;
    const struct graphql_definition *fragments[GRAPHQL_DEFINITIONS_MAX];
    bool visited[GRAPHQL_DEFINITIONS_MAX];
    size_t n_fragments, n_looked_at;
    unsigned depth;
    struct graphql_selected *out;
    const char *why;
};

/* ---- @skip and @include ---- */

enum truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN };

static enum truth truth_of_kind(enum graphql_json_kind kind)
{
    return kind == GRAPHQL_JSON_TRUE    ? TRUTH_YES
           : kind == GRAPHQL_JSON_FALSE ? TRUTH_NO
                                        : TRUTH_UNKNOWN;
}

static enum truth truth_of_literal(const struct graphql_value *value)
{
    if (!value || value->kind != GRAPHQL_BOOLEAN)
        return TRUTH_UNKNOWN;
    return text_eq(value->text, TEXT("true")) ? TRUTH_YES : TRUTH_NO;
}

/* The one definition of that variable, if it is a Boolean. */
static const struct graphql_variable *find_variable(const struct selecting *selecting,
                                                    struct text name)
{
    const struct graphql_variable *found = NULL, *each = selecting->operation->variables;

    for (; each; each = each->next) {
        if (!text_eq(each->name, name))
            continue;
        if (found || !text_eq(each->type->name, TEXT("Boolean")))
            return NULL;
        found = each;
    }
    return found;
}

static enum truth truth_of_variable(const struct selecting *selecting, struct text name)
{
    const struct graphql_variable *variable = find_variable(selecting, name);
    const struct graphql_request *request = selecting->request;

    if (!variable)
        return TRUTH_UNKNOWN;
    for (size_t i = 0; i < request->n_given; i++)
        if (text_eq(request->given[i].name, name))
            return truth_of_kind(request->given[i].kind);
    return truth_of_literal(variable->value);
}

/* `if` and nothing else. */
static enum truth truth_of(const struct selecting *selecting,
                           const struct graphql_directive *directive)
{
    const struct graphql_argument *argument = directive->arguments;

    if (!argument || argument->next || !text_eq(argument->name, TEXT("if")))
        return TRUTH_UNKNOWN;
    return argument->value->kind == GRAPHQL_VARIABLE
               ? truth_of_variable(selecting, argument->value->text)
               : truth_of_literal(argument->value);
}

/* Of a directive that is there twice nobody knows which one counts. */
static bool says(const struct selecting *selecting, const struct graphql_directive *directives,
                 struct text name, enum truth truth)
{
    const struct graphql_directive *found = NULL;

    for (; directives; directives = directives->next) {
        if (!text_eq(directives->name, name))
            continue;
        if (found)
            return false;
        found = directives;
    }
    return found && truth_of(selecting, found) == truth;
}

static bool is_left_out(const struct selecting *selecting,
                        const struct graphql_directive *directives)
{
    return directives && (says(selecting, directives, TEXT("skip"), TRUTH_YES) ||
                          says(selecting, directives, TEXT("include"), TRUTH_NO));
}

/* ---- selections ---- */

static void visit_all(struct selecting *selecting, const struct graphql_selection *selections);

static void add_field(struct selecting *selecting, struct text name)
{
    struct graphql_selected *out = selecting->out;

    for (size_t i = 0; i < out->n_fields; i++)
        if (text_eq(out->fields[i], name))
            return;
    if (out->n_fields == GRAPHQL_ROOT_FIELDS_MAX)
        selecting->why = "it selects more root fields than are allowed";
    else
        out->fields[out->n_fields++] = name;
}

/* Each fragment once, as the specification says (6.3.2); so cycles end. */
static void visit_fragment(struct selecting *selecting, struct text name)
{
    for (size_t i = 0; i < selecting->n_fragments; i++) {
        if (!text_eq(selecting->fragments[i]->name, name))
            continue;
        if (selecting->visited[i])
            return;
        selecting->visited[i] = true;
        visit_all(selecting, selecting->fragments[i]->selections);
        return;
    }
    selecting->why = "it spreads a fragment that it does not define";
}

static void visit(struct selecting *selecting, const struct graphql_selection *selection)
{
    if (++selecting->n_looked_at > GRAPHQL_SELECTIONS_MAX)
        selecting->why = "it selects more root fields than are allowed";
    else if (is_left_out(selecting, selection->directives))
        return;
    else if (selection->kind == GRAPHQL_FIELD)
        add_field(selecting, selection->name);
    else if (selection->kind == GRAPHQL_SPREAD)
        visit_fragment(selecting, selection->name);
    else
        visit_all(selecting, selection->selections);
}

static void visit_all(struct selecting *selecting, const struct graphql_selection *selections)
{
    if (++selecting->depth > GRAPHQL_SPREADS_DEEP_MAX)
        selecting->why = "its fragments stand in one another more deeply than is allowed";
    for (; selections && !selecting->why; selections = selections->next)
        visit(selecting, selections);
    selecting->depth--;
}

/* ---- definitions ---- */

static bool is_defined(const struct selecting *selecting, struct text name)
{
    for (size_t i = 0; i < selecting->n_fragments; i++)
        if (text_eq(selecting->fragments[i]->name, name))
            return true;
    return false;
}

static const char *take_fragment(struct selecting *selecting,
                                 const struct graphql_definition *definition)
{
    if (is_defined(selecting, definition->name))
        return "it defines a fragment twice";
    selecting->fragments[selecting->n_fragments++] = definition;
    return NULL;
}

static bool is_chosen(const struct graphql_definition *operation, struct text name)
{
    return !name.len || (operation->name.at && text_eq(operation->name, name));
}

static const char *take_operation(struct selecting *selecting,
                                  const struct graphql_definition *definition, struct text name)
{
    if (!is_chosen(definition, name))
        return NULL;
    if (selecting->operation)
        return name.len ? "it defines an operation twice"
                        : "it has several operations, and no operationName says which";
    selecting->operation = definition;
    return NULL;
}

static const char *take_definitions(struct selecting *selecting,
                                    const struct graphql_document *document, struct text name)
{
    const struct graphql_definition *each = document->definitions;
    const char *why = NULL;

    for (size_t n = 0; each && !why; each = each->next, n++) {
        if (n == GRAPHQL_DEFINITIONS_MAX)
            why = "it has more definitions than are allowed";
        else if (!graphql_is_executable(each))
            why = "it defines or extends types, which a request cannot do";
        else if (each->kind == GRAPHQL_DEF_FRAGMENT)
            why = take_fragment(selecting, each);
        else
            why = take_operation(selecting, each, name);
    }
    return why;
}

const char *graphql_select(const struct graphql_document *document,
                           const struct graphql_request *request, struct graphql_selected *out)
{
    struct selecting selecting;
    const char *why;

    selecting.operation = NULL; /* the arrays are as long as n_fragments says */
    selecting.request = request;
    selecting.n_fragments = selecting.n_looked_at = 0;
    selecting.depth = 0;
    selecting.out = out;
    selecting.why = NULL;
    out->n_fields = 0;
    why = take_definitions(&selecting, document, request->operation);
    if (why)
        return why;
    if (!selecting.operation)
        return "no operation has the name of its operationName";
    memset(selecting.visited, 0, selecting.n_fragments * sizeof(*selecting.visited));
    out->operation = selecting.operation->operation;
    out->name = selecting.operation->name;
    visit_all(&selecting, selecting.operation->selections);
    return selecting.why;
}

#include "policy/graphql/print.h"

struct printer {
    FILE *out;
    bool mark_blocks;
};

static void print_value(const struct printer *printer, const struct graphql_value *value);

static void put(const struct printer *printer, struct text text)
{
    if (text.len > 0)
        fwrite(text.at, 1, text.len, printer->out);
}

static void put_string(const struct printer *printer, struct text text)
{
    putc('"', printer->out);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c < 0x20 || c == 0x7f)
            fprintf(printer->out, "\\u%04x", (unsigned)c);
        else
            fprintf(printer->out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    putc('"', printer->out);
}

/* Between two items of a list. */
static void separate(const struct printer *printer, const void *next)
{
    if (next)
        putc(' ', printer->out);
}

/* ---- values ---- */

static void print_pairs(const struct printer *printer, const struct graphql_argument *pair)
{
    for (; pair; pair = pair->next) {
        put(printer, pair->name);
        putc(':', printer->out);
        print_value(printer, pair->value);
        separate(printer, pair->next);
    }
}

static void print_list(const struct printer *printer, const struct graphql_value *item)
{
    putc('[', printer->out);
    for (; item; item = item->next) {
        print_value(printer, item);
        separate(printer, item->next);
    }
    putc(']', printer->out);
}

static void print_value(const struct printer *printer, const struct graphql_value *value)
{
    switch (value->kind) {
    case GRAPHQL_LIST:
        print_list(printer, value->items);
        break;
    case GRAPHQL_OBJECT:
        putc('{', printer->out);
        print_pairs(printer, value->fields);
        putc('}', printer->out);
        break;
    case GRAPHQL_BLOCK_STRING:
        if (printer->mark_blocks)
            fputs("block", printer->out);
        put_string(printer, value->text);
        break;
    case GRAPHQL_STRING:
        put_string(printer, value->text);
        break;
    default:
        if (value->kind == GRAPHQL_VARIABLE)
            putc('$', printer->out);
        put(printer, value->text);
    }
}

static void print_arguments(const struct printer *printer, const struct graphql_argument *arguments)
{
    if (!arguments)
        return;
    putc('(', printer->out);
    print_pairs(printer, arguments);
    putc(')', printer->out);
}

static void print_directives(const struct printer *printer, const struct graphql_directive *each)
{
    for (; each; each = each->next) {
        putc('@', printer->out);
        put(printer, each->name);
        print_arguments(printer, each->arguments);
    }
}

static void print_type(const struct printer *printer, const struct graphql_type *type)
{
    if (type->of) {
        putc('[', printer->out);
        print_type(printer, type->of);
        putc(']', printer->out);
    } else {
        put(printer, type->name);
    }
    if (type->non_null)
        putc('!', printer->out);
}

static void print_default(const struct printer *printer, const struct graphql_value *value)
{
    if (!value)
        return;
    putc('=', printer->out);
    print_value(printer, value);
}

/* ---- executable ---- */

static void print_selections(const struct printer *printer, const struct graphql_selection *each);

static void print_selection(const struct printer *printer,
                            const struct graphql_selection *selection)
{
    if (selection->kind != GRAPHQL_FIELD)
        fputs("...", printer->out);
    if (selection->kind == GRAPHQL_INLINE && selection->name.at)
        fputs("on ", printer->out);
    if (selection->alias.at) {
        put(printer, selection->alias);
        putc(':', printer->out);
    }
    put(printer, selection->name);
    print_arguments(printer, selection->arguments);
    print_directives(printer, selection->directives);
    print_selections(printer, selection->selections);
}

static void print_selections(const struct printer *printer, const struct graphql_selection *each)
{
    if (!each)
        return;
    putc('{', printer->out);
    for (; each; each = each->next) {
        print_selection(printer, each);
        separate(printer, each->next);
    }
    putc('}', printer->out);
}

static void print_variables(const struct printer *printer, const struct graphql_variable *each)
{
    if (!each)
        return;
    putc('(', printer->out);
    for (; each; each = each->next) {
        putc('$', printer->out);
        put(printer, each->name);
        putc(':', printer->out);
        print_type(printer, each->type);
        print_default(printer, each->value);
        print_directives(printer, each->directives);
        separate(printer, each->next);
    }
    putc(')', printer->out);
}

/* ---- type system ---- */

static void print_names(const struct printer *printer, const char *before,
                        const struct graphql_name *each, char delimiter)
{
    if (!each)
        return;
    fputs(before, printer->out);
    for (; each; each = each->next) {
        put(printer, each->name);
        if (each->next)
            putc(delimiter, printer->out);
    }
}

static void print_members(const struct printer *printer, const struct graphql_member *each,
                          const char *brackets);

static void print_member(const struct printer *printer, const struct graphql_member *member)
{
    if (member->description) {
        print_value(printer, member->description);
        putc(' ', printer->out);
    }
    put(printer, member->name);
    print_members(printer, member->arguments, "()");
    if (member->type) {
        putc(':', printer->out);
        print_type(printer, member->type);
    }
    print_default(printer, member->value);
    print_directives(printer, member->directives);
}

static void print_members(const struct printer *printer, const struct graphql_member *each,
                          const char *brackets)
{
    if (!each)
        return;
    putc(brackets[0], printer->out);
    for (; each; each = each->next) {
        print_member(printer, each);
        separate(printer, each->next);
    }
    putc(brackets[1], printer->out);
}

static void print_roots(const struct printer *printer, const struct graphql_root *each)
{
    if (!each)
        return;
    putc('{', printer->out);
    for (; each; each = each->next) {
        fprintf(printer->out, "%s:", graphql_operation_name(each->operation));
        put(printer, each->type);
        separate(printer, each->next);
    }
    putc('}', printer->out);
}

static void print_directive_definition(const struct printer *printer,
                                       const struct graphql_definition *definition)
{
    print_members(printer, definition->members, "()");
    if (definition->repeatable)
        fputs(" repeatable", printer->out);
    print_names(printer, " on ", definition->names, '|');
}

/* ---- definitions ---- */

static void print_head(const struct printer *printer, const struct graphql_definition *definition)
{
    if (definition->description) {
        print_value(printer, definition->description);
        putc(' ', printer->out);
    }
    fputs(definition->extends ? "extend " : "", printer->out);
    fputs(graphql_keyword(definition), printer->out);
    if (definition->name.at)
        fputs(definition->kind == GRAPHQL_DEF_DIRECTIVE ? " @" : " ", printer->out);
    put(printer, definition->name);
}

static void print_type_definition(const struct printer *printer,
                                  const struct graphql_definition *definition)
{
    bool is_union = definition->kind == GRAPHQL_DEF_UNION;

    if (!is_union)
        print_names(printer, " implements ", definition->names, '&');
    print_directives(printer, definition->directives);
    if (is_union)
        print_names(printer, "=", definition->names, '|');
    print_roots(printer, definition->roots);
    print_members(printer, definition->members, "{}");
}

static void print_executable(const struct printer *printer,
                             const struct graphql_definition *definition)
{
    if (definition->on.at) {
        fputs(" on ", printer->out);
        put(printer, definition->on);
    }
    print_variables(printer, definition->variables);
    print_directives(printer, definition->directives);
    print_selections(printer, definition->selections);
}

void graphql_print(const struct graphql_document *document, bool mark_blocks, FILE *out)
{
    struct printer printer = { out, mark_blocks };

    for (const struct graphql_definition *each = document->definitions; each; each = each->next) {
        print_head(&printer, each);
        if (graphql_is_executable(each))
            print_executable(&printer, each);
        else if (each->kind == GRAPHQL_DEF_DIRECTIVE)
            print_directive_definition(&printer, each);
        else
            print_type_definition(&printer, each);
        putc('\n', out);
    }
}

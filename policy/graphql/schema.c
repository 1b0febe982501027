#include "policy/graphql/schema.h"

#include <stdlib.h>

#include "config/memory.h"

/* In the order of enum graphql_operation. */
static const struct text usual[GRAPHQL_N_OPERATIONS] = { TEXT_INIT("Query"), TEXT_INIT("Mutation"),
                                                         TEXT_INIT("Subscription") };

/* ---- files ---- */

static void free_file(struct graphql_file *file)
{
    place_index_fini(&file->index);
    free(file->name);
    free(file->bytes);
    free(file);
}

void graphql_schema_fini(struct graphql_schema *schema)
{
    for (size_t i = 0; i < schema->n_files; i++)
        free_file(schema->files[i]);
    free(schema->files);
    free(schema->fields);
    arena_fini(&schema->arena);
    *schema = (struct graphql_schema){ 0 };
}

struct place graphql_schema_place(const struct graphql_file *file, const char *at)
{
    return place_of(&file->index, at);
}

bool graphql_schema_add(struct graphql_schema *schema, const char *name, char *bytes, size_t len,
                        struct graphql_report *report)
{
    struct graphql_file *file = mem_alloc(1, sizeof(*file));
    struct graphql_error error;

    file->name = text_dup(text_of(name));
    file->bytes = bytes;
    /* kept in any case: findings borrow nothing, but an order of files is easier to explain */
    schema->files = mem_grow(schema->files, schema->n_files, sizeof(struct graphql_file *));
    schema->files[schema->n_files++] = file;
    if (graphql_parse((struct text){ bytes, len }, &graphql_schema_limits, &schema->arena,
                      &file->document, &error)) {
        place_index_init(&file->index, file->name, file->document.source);
        return true;
    }
    file->document = (struct graphql_document){ 0 };
    graphql_say(report, RULE_SYNTAX, (struct place){ file->name, error.line, error.column }, "%s",
                error.what);
    return false;
}

/* ---- which types are roots ---- */

static void take_roots(struct graphql_schema *schema, const struct graphql_file *file,
                       const struct graphql_definition *definition, struct graphql_report *report)
{
    for (const struct graphql_root *root = definition->roots; root; root = root->next) {
        const char *operation = graphql_operation_name(root->operation);
        struct place place = graphql_schema_place(file, root->at);

        if (schema->named[root->operation]) {
            graphql_say(report, RULE_ROOT_TWICE, place,
                        "the schema has a %s type already, " GRAPHQL_NAME_FMT
                        "; remove one of them",
                        operation, GRAPHQL_NAME_ARG(schema->roots[root->operation]));
            continue;
        }
        schema->named[root->operation] = true;
        schema->roots[root->operation] = root->type;
        schema->places[root->operation] = graphql_schema_place(file, root->type.at);
        if (!text_eq(root->type, usual[root->operation]))
            graphql_say(report, RULE_ROOT_RENAMED, place,
                        "the %s type is called " GRAPHQL_NAME_FMT
                        ", so its fields are operations; what VTEX's builder makes of that is not "
                        "documented: call the type %s and leave this line out",
                        operation, GRAPHQL_NAME_ARG(root->type), usual[root->operation].at);
    }
}

static void take_schema(struct graphql_schema *schema, const struct graphql_file *file,
                        const struct graphql_definition *definition, struct graphql_report *report)
{
    if (!definition->extends && schema->defined)
        graphql_say(report, RULE_ROOT_TWICE, graphql_schema_place(file, definition->at),
                    "the schema is defined a second time; write \"extend schema\", or remove one");
    schema->defined |= !definition->extends;
    take_roots(schema, file, definition, report);
}

/* The names that count when nothing else is said. */
static void take_usual_roots(struct graphql_schema *schema)
{
    for (int i = 0; i < GRAPHQL_N_OPERATIONS; i++) {
        if (!schema->named[i] && !schema->defined)
            schema->roots[i] = usual[i];
    }
}

bool graphql_schema_is_root(const struct graphql_schema *schema, struct text type)
{
    for (int i = 0; i < GRAPHQL_N_OPERATIONS; i++) {
        if (schema->roots[i].at && text_eq(schema->roots[i], type))
            return true;
    }
    return false;
}

/* ---- their fields ---- */

typedef void visit(struct graphql_schema *schema, const struct graphql_file *file,
                   const struct graphql_definition *definition, struct graphql_report *report);

static void visit_all(struct graphql_schema *schema, enum graphql_definition_kind kind, visit *each,
                      struct graphql_report *report)
{
    for (size_t i = 0; i < schema->n_files; i++) {
        const struct graphql_definition *definition = schema->files[i]->document.definitions;

        for (; definition; definition = definition->next) {
            if (definition->kind == kind)
                each(schema, schema->files[i], definition, report);
        }
    }
}

static void take_fields(struct graphql_schema *schema, const struct graphql_file *file,
                        const struct graphql_definition *type, struct graphql_report *report)
{
    (void)report;
    for (int i = 0; i < GRAPHQL_N_OPERATIONS; i++) {
        if (!schema->roots[i].at || !text_eq(schema->roots[i], type->name))
            continue;
        for (const struct graphql_member *field = type->members; field; field = field->next) {
            schema->fields = mem_grow(schema->fields, schema->n_fields, sizeof(*schema->fields));
            schema->fields[schema->n_fields++] = (struct graphql_operation_field){
                .operation = i, .type = type->name, .field = field, .file = file
            };
        }
    }
}

/* A type called Mutation that no request can reach may be a mistake. */
static void check_unused(struct graphql_schema *schema, const struct graphql_file *file,
                         const struct graphql_definition *type, struct graphql_report *report)
{
    for (int i = 0; i < GRAPHQL_N_OPERATIONS; i++) {
        if (text_eq(type->name, usual[i]) && !graphql_schema_is_root(schema, type->name))
            graphql_say(report, RULE_ROOT_UNUSED, graphql_schema_place(file, type->name.at),
                        "the type %s is no root of this schema, which names others: its fields are "
                        "no operations; name it in the schema definition, or rename it",
                        usual[i].at);
    }
}

/* ---- each thing once ---- */

/* A name and where it stands, to be sorted. */
struct mention {
    struct text name, inside;
    const struct graphql_file *file;
    size_t order;
};

static int compare_texts(struct text a, struct text b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.at, b.at, shorter) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_mentions(const void *left, const void *right)
{
    const struct mention *a = left, *b = right;
    int order = compare_texts(a->inside, b->inside);

    order = order ? order : compare_texts(a->name, b->name);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static void say_twice(const struct mention *first, const struct mention *again,
                      struct graphql_report *report)
{
    struct place place = graphql_schema_place(again->file, again->name.at);
    struct place before = graphql_schema_place(first->file, first->name.at);

    if (again->inside.at)
        graphql_say(report, RULE_FIELD_TWICE, place,
                    GRAPHQL_NAME_FMT "." GRAPHQL_NAME_FMT
                                     " is defined already, at %s:%u:%u; remove one of them",
                    GRAPHQL_NAME_ARG(again->inside), GRAPHQL_NAME_ARG(again->name), before.file,
                    before.line, before.column);
    else
        graphql_say(report, RULE_ROOT_TWICE, place,
                    "the type " GRAPHQL_NAME_FMT
                    " is defined already, at %s:%u:%u; write \"extend type " GRAPHQL_NAME_FMT "\"",
                    GRAPHQL_NAME_ARG(again->name), before.file, before.line, before.column,
                    GRAPHQL_NAME_ARG(again->name));
}

static void check_once(struct mention *mentions, size_t n, struct graphql_report *report)
{
    size_t first = 0;

    if (n > 1)
        qsort(mentions, n, sizeof(*mentions), compare_mentions);
    for (size_t i = 1; i < n; i++) {
        if (!text_eq(mentions[first].name, mentions[i].name) ||
            !text_eq(mentions[first].inside, mentions[i].inside))
            first = i;
        else if (mentions[first].name.at != mentions[i].name.at) /* else a type that is two roots */
            say_twice(&mentions[first], &mentions[i], report);
    }
}

static void check_fields_once(const struct graphql_schema *schema, struct graphql_report *report)
{
    struct mention *mentions = mem_alloc(schema->n_fields, sizeof(*mentions));

    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct graphql_operation_field *each = &schema->fields[i];

        mentions[i] = (struct mention){ each->field->name, each->type, each->file, i };
    }
    check_once(mentions, schema->n_fields, report);
    free(mentions);
}

/* What is found of one root in all files. */
struct sightings {
    enum graphql_operation operation;
    struct mention *types; /* definitions, not extensions */
    size_t n_types, n;
};

static void see(struct sightings *seen, const struct graphql_file *file,
                const struct graphql_definition *each, struct graphql_report *report)
{
    seen->n++;
    if (each->kind != GRAPHQL_DEF_TYPE) {
        graphql_say(report, RULE_ROOT_MISSING, graphql_schema_place(file, each->name.at),
                    "the %s type is no object type; write \"type " GRAPHQL_NAME_FMT "\"",
                    graphql_operation_name(seen->operation), GRAPHQL_NAME_ARG(each->name));
    } else if (!each->extends) {
        seen->types = mem_grow(seen->types, seen->n_types, sizeof(*seen->types));
        seen->types[seen->n_types] =
            (struct mention){ .name = each->name, .file = file, .order = seen->n_types };
        seen->n_types++;
    }
}

static bool is_type_called(const struct graphql_definition *definition, struct text name)
{
    return !graphql_is_executable(definition) && definition->kind != GRAPHQL_DEF_DIRECTIVE &&
           definition->name.at && text_eq(definition->name, name);
}

static void check_root(const struct graphql_schema *schema, enum graphql_operation operation,
                       struct graphql_report *report)
{
    struct sightings seen = { .operation = operation };
    struct text name = schema->roots[operation];

    for (size_t i = 0; i < schema->n_files; i++) {
        const struct graphql_file *file = schema->files[i];
        const struct graphql_definition *each = file->document.definitions;

        for (; each; each = each->next) {
            if (is_type_called(each, name))
                see(&seen, file, each, report);
        }
    }
    check_once(seen.types, seen.n_types, report);
    free(seen.types);
    if (seen.n == 0 && schema->named[operation])
        graphql_say(report, RULE_ROOT_MISSING, schema->places[operation],
                    "the schema names " GRAPHQL_NAME_FMT " as its %s type, which no file defines; "
                    "add its file, or correct the name",
                    GRAPHQL_NAME_ARG(name), graphql_operation_name(operation));
}

void graphql_schema_link(struct graphql_schema *schema, struct graphql_report *report)
{
    visit_all(schema, GRAPHQL_DEF_SCHEMA, take_schema, report);
    take_usual_roots(schema);
    visit_all(schema, GRAPHQL_DEF_TYPE, take_fields, report);
    visit_all(schema, GRAPHQL_DEF_TYPE, check_unused, report);
    for (int i = 0; i < GRAPHQL_N_OPERATIONS; i++) {
        if (schema->roots[i].at)
            check_root(schema, i, report);
    }
    check_fields_once(schema, report);
}

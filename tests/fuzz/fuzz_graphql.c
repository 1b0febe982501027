/* Any bytes as a GraphQL document, and as a schema. What must hold:
 *
 *   what is accepted prints as a document that is accepted, and prints the same again
 *   a name of the tree lies in the document, and all characters of a name are those of names
 *   what is refused is refused at a place in the document, with a printable sentence
 *   a schema is judged alike each time; what builder 1.x calls an error, 2.x does too */
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/graphql/auth_check.h"
#include "policy/graphql/print.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const struct graphql_limits limits = { 64 * 1024, 20 * 1000, 10 * 1000, 60 };

/* ---- the document ---- */

static void check_sentence(const char *text)
{
    CHECK(*text);
    for (; *text; text++)
        CHECK(*text >= 0x20 && *text < 0x7f);
}

static void check_error(struct text source, const struct graphql_error *error)
{
    size_t lines = 1;

    for (size_t i = 0; i < source.len; i++)
        lines += source.at[i] == '\n';
    CHECK(error->failure != GRAPHQL_FINE);
    CHECK(error->line >= 1 && error->line <= lines);
    CHECK(error->column >= 1 && error->column <= source.len + 1);
    check_sentence(error->what);
}

static void check_name(struct text source, struct text name)
{
    if (!name.at)
        return;
    CHECK(name.at >= source.at && name.at + name.len <= source.at + source.len);
    CHECK(name.len > 0 && (name.at[0] < '0' || name.at[0] > '9'));
    for (size_t i = 0; i < name.len; i++) {
        char low = ascii_lower(name.at[i]);

        CHECK((low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '_');
    }
}

static void check_selections(struct text source, const struct graphql_selection *each)
{
    for (; each; each = each->next) {
        CHECK(each->name.at || each->kind == GRAPHQL_INLINE);
        CHECK(each->selections || each->kind != GRAPHQL_INLINE);
        check_name(source, each->name);
        check_name(source, each->alias);
        check_selections(source, each->selections);
    }
}

static void check_tree(const struct graphql_document *document)
{
    const struct graphql_definition *each = document->definitions;

    CHECK(each && document->n_nodes <= document->n_tokens + 1);
    for (; each; each = each->next) {
        check_name(document->source, each->name);
        check_selections(document->source, each->selections);
        for (const struct graphql_member *member = each->members; member; member = member->next)
            check_name(document->source, member->name);
    }
}

/* The printed form, which the caller frees; NULL when it is refused. */
static char *print(struct text source, size_t *len, struct graphql_error *error)
{
    struct arena arena = { 0 };
    struct graphql_document document;
    char *printed = NULL;
    FILE *out;

    if (graphql_parse(source, &limits, &arena, &document, error)) {
        check_tree(&document);
        out = open_memstream(&printed, len);
        graphql_print(&document, false, out);
        fclose(out);
    }
    arena_fini(&arena);
    return printed;
}

static void check_document(struct text source)
{
    struct graphql_error error;
    size_t len, again_len;
    char *printed = print(source, &len, &error), *again;

    if (!printed) {
        check_error(source, &error);
        return;
    }
    again = print((struct text){ printed, len }, &again_len, &error);
    /* an escape such as \u0001 is longer than the character: only then may the ceiling be hit */
    CHECK(again || error.failure == GRAPHQL_TOO_LONG);
    CHECK(!again || (len == again_len && memcmp(printed, again, len) == 0));
    free(again);
    free(printed);
}

/* ---- the schema ---- */

static size_t errors_of(struct text source, enum graphql_builder builder)
{
    struct graphql_schema schema = { 0 };
    struct graphql_report report = { 0 };
    size_t errors;

    if (graphql_schema_add(&schema, "a.graphql", text_dup(source), source.len, &report)) {
        graphql_schema_link(&schema, &report);
        graphql_auth_check(&schema, builder, &report);
    }
    for (size_t i = 0; i < report.diags.n; i++) {
        check_sentence(report.diags.items[i].what);
        CHECK(report.rules[i] < N_GRAPHQL_RULES);
    }
    errors = report.diags.errors;
    graphql_schema_fini(&schema);
    graphql_report_fini(&report);
    return errors;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct text source = { (const char *)data, size };
    size_t errors;

    if (size == 0 || size > limits.max_bytes)
        return 0;
    check_document(source);
    errors = errors_of(source, GRAPHQL_BUILDER_1X);
    CHECK(errors_of(source, GRAPHQL_BUILDER_1X) == errors);
    CHECK(errors_of(source, GRAPHQL_BUILDER_2X) >= errors);
    return 0;
}

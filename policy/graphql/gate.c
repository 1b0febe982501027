#include "policy/graphql/gate.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/graphql/select.h"

struct root_field {
    enum graphql_operation operation;
    struct text type, name;
    bool open, closed;
    struct text product, resource;
};

struct graphql_gate {
    atomic_uint refs;
    struct root_field *fields; /* sorted */
    size_t n;
    char *names; /* what the fields borrow from */
};

/* ---- building ---- */

static int compare(enum graphql_operation a, struct text a_name, enum graphql_operation b,
                   struct text b_name)
{
    if (a != b)
        return a < b ? -1 : 1;
    if (a_name.len != b_name.len)
        return a_name.len < b_name.len ? -1 : 1;
    return a_name.len ? memcmp(a_name.at, b_name.at, a_name.len) : 0;
}

static int by_name(const void *left, const void *right)
{
    const struct root_field *a = left, *b = right;

    return compare(a->operation, a->name, b->operation, b->name);
}

static struct text copy(char **names, struct text name)
{
    struct text copied = { *names, name.len };

    if (name.len)
        memcpy(*names, name.at, name.len);
    *names += name.len;
    return copied;
}

static struct root_field read_field(const struct graphql_operation_field *each,
                                    enum graphql_builder builder)
{
    struct graphql_auth auth = graphql_auth_of(each->field, each->file, "", NULL);
    bool open = auth.access == GRAPHQL_PUBLIC ||
                (auth.access == GRAPHQL_UNDECORATED && builder == GRAPHQL_BUILDER_1X);

    return (struct root_field){ .operation = each->operation,
                                .type = each->type,
                                .name = each->field->name,
                                .open = open,
                                .closed = !open && auth.access != GRAPHQL_PRIVATE,
                                .product = auth.product,
                                .resource = auth.resource };
}

/* A field that is there twice, which no server accepts: only if both let everyone in does it. */
static void merge(struct root_field *field, const struct root_field *again)
{
    bool same = text_eq(field->product, again->product) &&
                text_eq(field->resource, again->resource) && field->open == again->open;

    field->closed |= again->closed || !same;
    field->open &= again->open;
}

static void sort(struct graphql_gate *gate)
{
    size_t kept = 0;

    if (gate->n > 1)
        qsort(gate->fields, gate->n, sizeof(*gate->fields), by_name);
    for (size_t i = 0; i < gate->n; i++) {
        if (kept && by_name(&gate->fields[kept - 1], &gate->fields[i]) == 0)
            merge(&gate->fields[kept - 1], &gate->fields[i]);
        else
            gate->fields[kept++] = gate->fields[i];
    }
    gate->n = kept;
}

static void own_names(struct graphql_gate *gate)
{
    size_t size = 1;
    char *at;

    for (size_t i = 0; i < gate->n; i++)
        size += gate->fields[i].type.len + gate->fields[i].name.len + gate->fields[i].product.len +
                gate->fields[i].resource.len;
    gate->names = at = mem_alloc(size, 1);
    for (size_t i = 0; i < gate->n; i++) {
        struct root_field *field = &gate->fields[i];

        field->type = copy(&at, field->type);
        field->name = copy(&at, field->name);
        field->product = copy(&at, field->product);
        field->resource = copy(&at, field->resource);
    }
}

struct graphql_gate *graphql_gate_new(const struct graphql_schema *schema,
                                      enum graphql_builder builder)
{
    struct graphql_gate *gate = mem_alloc(1, sizeof(*gate));

    gate->refs = 1;
    gate->fields = mem_alloc(schema->n_fields + 1, sizeof(*gate->fields));
    for (size_t i = 0; i < schema->n_fields; i++) {
        if (schema->fields[i].operation != GRAPHQL_SUBSCRIPTION)
            gate->fields[gate->n++] = read_field(&schema->fields[i], builder);
    }
    sort(gate);
    own_names(gate);
    return gate;
}

struct graphql_gate *graphql_gate_ref(struct graphql_gate *gate)
{
    atomic_fetch_add_explicit(&gate->refs, 1, memory_order_relaxed);
    return gate;
}

void graphql_gate_unref(struct graphql_gate *gate)
{
    if (!gate || atomic_fetch_sub_explicit(&gate->refs, 1, memory_order_acq_rel) > 1)
        return;
    free(gate->fields);
    free(gate->names);
    free(gate);
}

static const struct root_field *find(const struct graphql_gate *gate,
                                     enum graphql_operation operation, struct text name)
{
    size_t low = 0, high = gate->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct root_field *field = &gate->fields[middle];
        int order = compare(operation, name, field->operation, field->name);

        if (order == 0)
            return field;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* ---- judging ---- */

/* What was said first stays, unless this is worse. */
static bool worsen(struct graphql_judgement *out, enum graphql_answer answer)
{
    if (answer <= out->answer)
        return false;
    out->answer = answer;
    return true;
}

static void refuse(struct graphql_judgement *out, const char *why)
{
    if (worsen(out, GRAPHQL_UNREADABLE))
        snprintf(out->why, sizeof(out->why), "%s", why);
}

static void add_need(struct graphql_judgement *out, const struct root_field *field)
{
    for (size_t i = 0; i < out->n_needs; i++) {
        if (text_eq(out->needs[i].product, field->product) &&
            text_eq(out->needs[i].resource, field->resource))
            return;
    }
    if (out->n_needs == GRAPHQL_NEEDS_MAX) {
        refuse(out, "it needs more resources of License Manager than are allowed at once");
        return;
    }
    worsen(out, GRAPHQL_GUARDED);
    out->needs[out->n_needs++] =
        (struct graphql_need){ field->type, field->name, field->product, field->resource };
}

static bool is_introspection(enum graphql_operation operation, struct text name)
{
    return text_eq(name, TEXT("__typename")) ||
           (operation == GRAPHQL_QUERY &&
            (text_eq(name, TEXT("__schema")) || text_eq(name, TEXT("__type"))));
}

static void judge_field(const struct graphql_gate *gate, enum graphql_operation operation,
                        struct text name, struct graphql_judgement *out)
{
    const struct root_field *field = find(gate, operation, name);

    if (!field) {
        if (!is_introspection(operation, name) && worsen(out, GRAPHQL_STRANGE))
            snprintf(out->why, sizeof(out->why), "the schema has no %s " GRAPHQL_NAME_FMT,
                     graphql_operation_name(operation), GRAPHQL_NAME_ARG(name));
    } else if (field->closed) {
        if (worsen(out, GRAPHQL_CLOSED))
            snprintf(out->why, sizeof(out->why),
                     "the @auth on " GRAPHQL_NAME_FMT "." GRAPHQL_NAME_FMT
                     " is missing or malformed, so nobody can be let in",
                     GRAPHQL_NAME_ARG(field->type), GRAPHQL_NAME_ARG(field->name));
    } else if (!field->open) {
        add_need(out, field);
    }
}

/* ---- the summary ---- */

static void add_name(struct graphql_summary *summary, struct text name)
{
    size_t len = strlen(summary->fields);
    bool fits = len + name.len + 2 <= sizeof(summary->fields);

    summary->cut |= !fits;
    if (!fits)
        return;
    if (len)
        summary->fields[len++] = ',';
    memcpy(summary->fields + len, name.at, name.len);
    summary->fields[len + name.len] = '\0';
}

/* Names of GraphQL are letters, digits and '_'. */
static void summarize(struct graphql_summary *summary, const struct graphql_selected *selected)
{
    if (summary->n_operations++ == 0) {
        size_t len = selected->name.len < sizeof(summary->name) ? selected->name.len
                                                                : sizeof(summary->name) - 1;

        summary->operation = selected->operation;
        if (len)
            memcpy(summary->name, selected->name.at, len);
        summary->name[len] = '\0';
        summary->cut |= len < selected->name.len;
    }
    for (size_t i = 0; i < selected->n_fields; i++)
        add_name(summary, selected->fields[i]);
}

/* ---- the whole ---- */

static void judge_operation(const struct graphql_gate *gate, const struct graphql_request *request,
                            struct arena *arena, struct graphql_judgement *out)
{
    struct graphql_document document;
    struct graphql_selected selected;
    struct graphql_error error;
    const char *why;

    arena_clear(arena);
    if (!graphql_parse(request->document, &graphql_request_limits, arena, &document, &error)) {
        if (worsen(out, GRAPHQL_UNREADABLE))
            snprintf(out->why, sizeof(out->why), "line %u, column %u of its document: %s",
                     error.line, error.column, error.what);
        return;
    }
    why = graphql_select(&document, request, &selected);
    if (why) {
        refuse(out, why);
        return;
    }
    summarize(&out->summary, &selected);
    if (selected.operation == GRAPHQL_SUBSCRIPTION)
        refuse(out, "it is a subscription, which is not served here");
    for (size_t i = 0; i < selected.n_fields; i++)
        judge_field(gate, selected.operation, selected.fields[i], out);
}

static void begin(struct graphql_judgement *out)
{
    out->answer = GRAPHQL_OPEN;
    out->why[0] = '\0';
    out->n_needs = out->n_list = 0;
    out->summary.n_operations = 0;
    out->summary.operation = GRAPHQL_QUERY;
    out->summary.name[0] = out->summary.fields[0] = '\0';
    out->summary.cut = false;
}

void graphql_judge(const struct graphql_gate *gate, const struct graphql_message *message,
                   struct arena *arena, struct graphql_judgement *out)
{
    struct graphql_batch batch;
    const char *why = graphql_request_read(message, &batch);

    begin(out);
    if (why)
        refuse(out, why);
    for (size_t i = 0; i < batch.n; i++)
        judge_operation(gate, &batch.items[i], arena, out);
    out->n_list = batch.is_list ? batch.n : 0;
    graphql_batch_fini(&batch);
}

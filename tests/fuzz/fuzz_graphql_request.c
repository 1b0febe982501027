/* Any bytes as an HTTP request with GraphQL in it, read and judged. What must hold:
 *
 *   it is judged alike each time, in an arena that was used before
 *   what is open or guarded selects fields that the schema has; what is refused says why, printably
 *   a private field that stands in the chosen operation itself, without any directive, is never open
 *   JSON that is read is JSON to jansson too, with the same documents, names and Booleans in it
 *   the summary holds names of GraphQL only
 *
 * The first byte chooses method and content type, the first line is the URL's query, the rest the body. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/graphql/gate.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char schema_text[] =
    "type Query { o: I @auth(scope: PUBLIC) p: I @auth(productCode: \"1\", resourceCode: \"P\")"
    " q: I @auth(scope: PRIVATE, productCode: \"1\", resourceCode: \"Q\") u: I b: I @auth }"
    "type Mutation { p: I @auth(scope: PRIVATE, productCode: \"1\", resourceCode: \"M\") }";

static const struct graphql_gate *gate(void)
{
    static struct graphql_gate *made;
    struct graphql_schema schema = { 0 };
    struct graphql_report report = { 0 };

    if (made)
        return made;
    CHECK(graphql_schema_add(&schema, "s", text_dup(text_of(schema_text)), strlen(schema_text),
                             &report));
    graphql_schema_link(&schema, &report);
    made = graphql_gate_new(&schema, GRAPHQL_BUILDER_1X);
    graphql_schema_fini(&schema);
    graphql_report_fini(&report);
    return made;
}

/* ---- the request ---- */

static struct graphql_message message_of(const unsigned char *data, size_t size)
{
    static const char *const methods[] = { "POST", "GET" };
    static const char *const types[] = { "application/json", "multipart/form-data; boundary=X",
                                         "application/json; charset=utf-8", NULL };
    struct text rest = { (const char *)data + 1, size - 1 };
    const char *line = rest.len ? memchr(rest.at, '\n', rest.len) : NULL;
    struct text query = line ? text_span(rest.at, line) : TEXT_NONE;

    return (struct graphql_message){
        .method = text_of(methods[data[0] & 1]),
        .query = query.len ? query : TEXT_NONE,
        .content_type = text_of(types[data[0] >> 1 & 3]),
        .encoded = data[0] == 255,
        .body = line ? text_span(line + 1, rest.at + rest.len) : rest,
    };
}

/* ---- what must hold ---- */

static bool is_private(enum graphql_operation operation, struct text name)
{
    return text_eq(name, TEXT("p")) || (operation == GRAPHQL_QUERY && text_eq(name, TEXT("q")));
}

static bool is_needed(const struct graphql_judgement *judgement, struct text name)
{
    for (size_t i = 0; i < judgement->n_needs; i++)
        if (text_eq(judgement->needs[i].field, name))
            return true;
    return false;
}

/* Fields in sight: of the operation itself, with no directive on them. */
static void check_in_sight(const struct graphql_request *request,
                           const struct graphql_judgement *judgement)
{
    struct arena arena = { 0 };
    struct graphql_document document;
    struct graphql_error error;

    CHECK(graphql_parse(request->document, &graphql_request_limits, &arena, &document, &error));
    for (const struct graphql_definition *each = document.definitions; each; each = each->next) {
        bool chosen =
            each->kind == GRAPHQL_DEF_OPERATION &&
            (!request->operation.len || (each->name.at && text_eq(each->name, request->operation)));
        const struct graphql_selection *selection = chosen ? each->selections : NULL;

        for (; selection; selection = selection->next)
            if (selection->kind == GRAPHQL_FIELD && !selection->directives &&
                is_private(each->operation, selection->name))
                CHECK(is_needed(judgement, selection->name));
    }
    arena_fini(&arena);
}

/* ---- beside jansson ---- */

static void check_string(const json_t *string, struct text text)
{
    CHECK(json_is_string(string));
    CHECK(text_eq((struct text){ json_string_value(string), json_string_length(string) }, text));
}

static void check_given(const json_t *variables, const struct graphql_request *request)
{
    CHECK(json_object_size(variables) == request->n_given);
    for (size_t i = 0; i < request->n_given; i++) {
        char *name = text_dup(request->given[i].name);
        const json_t *value = json_object_get(variables, name);

        CHECK(value);
        CHECK(json_is_true(value) == (request->given[i].kind == GRAPHQL_JSON_TRUE));
        CHECK(json_is_false(value) == (request->given[i].kind == GRAPHQL_JSON_FALSE));
        free(name);
    }
}

static void check_object(const json_t *object, const struct graphql_request *request)
{
    const json_t *name = json_object_get(object, "operationName");

    check_string(json_object_get(object, "query"), request->document);
    if (request->operation.at)
        check_string(name, request->operation);
    else
        CHECK(!name || json_is_null(name));
    check_given(json_object_get(object, "variables"), request);
}

/* Numbers that jansson finds too large are the one thing that it alone refuses. */
static void check_json(struct text body, const struct graphql_batch *batch)
{
    json_error_t error;
    json_t *json = json_loadb(body.at, body.len, JSON_DECODE_INT_AS_REAL, &error);

    if (!json) {
        CHECK(json_error_code(&error) == json_error_numeric_overflow);
        return;
    }
    CHECK(batch->is_list == json_is_array(json));
    CHECK(batch->n == (batch->is_list ? json_array_size(json) : 1));
    for (size_t i = 0; i < batch->n; i++)
        check_object(batch->is_list ? json_array_get(json, i) : json, &batch->items[i]);
    json_decref(json);
}

/* ---- the judgement ---- */

static void check_summary(const struct graphql_summary *summary)
{
    for (const char *c = summary->fields; *c; c++)
        CHECK((*c >= '0' && *c <= '9') || *c == '_' || *c == ',' ||
              (ascii_lower(*c) >= 'a' && ascii_lower(*c) <= 'z'));
    CHECK(strlen(summary->name) < sizeof(summary->name));
}

static void check_why(const struct graphql_judgement *judgement)
{
    CHECK((judgement->answer > GRAPHQL_GUARDED) == (judgement->why[0] != '\0'));
    for (const char *c = judgement->why; *c; c++)
        CHECK(*c >= 0x20 && *c < 0x7f);
}

static void check(const struct graphql_message *message, const struct graphql_judgement *judgement)
{
    struct graphql_batch batch;

    check_why(judgement);
    check_summary(&judgement->summary);
    CHECK(judgement->n_needs <= GRAPHQL_NEEDS_MAX);
    CHECK(judgement->n_needs == 0 || judgement->answer >= GRAPHQL_GUARDED);
    CHECK(judgement->answer != GRAPHQL_GUARDED || judgement->n_needs > 0);
    if (graphql_request_read(message, &batch)) {
        CHECK(judgement->answer == GRAPHQL_UNREADABLE);
        graphql_batch_fini(&batch);
        return;
    }
    if (message->body.len && !graphql_is_multipart(message->content_type))
        check_json(message->body, &batch);
    if (judgement->answer <= GRAPHQL_GUARDED) {
        CHECK(judgement->summary.n_operations == batch.n);
        for (size_t i = 0; i < batch.n; i++)
            check_in_sight(&batch.items[i], judgement);
    }
    graphql_batch_fini(&batch);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct arena used;
    static struct graphql_judgement judgement, again;

    if (size == 0 || size > 64 * 1024)
        return 0;
    struct graphql_message message = message_of(data, size);
    graphql_judge(gate(), &message, &used, &judgement);
    check(&message, &judgement);
    graphql_judge(gate(), &message, &used, &again);
    CHECK(judgement.answer == again.answer && judgement.n_needs == again.n_needs);
    CHECK(strcmp(judgement.why, again.why) == 0);
    arena_clear(&used);
    return 0;
}

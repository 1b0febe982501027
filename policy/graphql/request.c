#include "policy/graphql/request.h"

#include <stdlib.h>

/* ---- one operation ---- */

static struct text string_of(const json_t *value)
{
    return (struct text){ json_string_value(value), json_string_length(value) };
}

/* null is as good as nothing. */
static const json_t *member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

static const char *say_no_query(const json_t *object)
{
    return member(object, "extensions") || member(object, "id") || member(object, "documentId") ||
                   member(object, "queryId")
               ? "it names a persisted document, and its text is not there"
               : "it has no query";
}

static const char *read_operation(const json_t *object, struct graphql_request *out)
{
    const json_t *query = member(object, "query"), *name = member(object, "operationName"),
                 *variables = member(object, "variables");

    if (!json_is_object(object))
        return "an operation is no JSON object";
    if (!query)
        return say_no_query(object);
    if (!json_is_string(query))
        return "its query is no string";
    if (name && !json_is_string(name))
        return "its operationName is no string";
    if (variables && !json_is_object(variables))
        return "its variables are no JSON object";
    *out =
        (struct graphql_request){ string_of(query), name ? string_of(name) : TEXT_NONE, variables };
    return NULL;
}

/* ---- JSON ---- */

/* Of numbers we only need that they are some: an integer of any length is one. */
static json_t *parse(struct text json)
{
    return json_loadb(json.at ? json.at : "", json.len,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
}

static const char *read_list(const json_t *list, struct graphql_batch *out)
{
    size_t n = json_array_size(list);

    if (n == 0 || n > GRAPHQL_BATCH_MAX)
        return n ? "it has more operations than are allowed" : "its list of operations is empty";
    out->is_list = true;
    for (size_t i = 0; i < n; i++) {
        const char *why = read_operation(json_array_get(list, i), &out->items[i]);

        if (why)
            return why;
    }
    out->n = n;
    return NULL;
}

static const char *read_json(struct text json, struct graphql_batch *out)
{
    const char *why;

    out->parsed = parse(json);
    if (!out->parsed)
        return "its body is not JSON, or one that could be read in two ways";
    if (json_is_array(out->parsed))
        return read_list(out->parsed, out);
    why = read_operation(out->parsed, &out->items[0]);
    out->n = !why;
    return why;
}

/* ---- the URL ---- */

static const char *read_parameters(const struct graphql_parameters *parameters,
                                   struct graphql_batch *out)
{
    struct graphql_request *request = &out->items[0];

    *request = (struct graphql_request){ .document = parameters->query,
                                         .operation = parameters->operation };
    if (parameters->variables.len) {
        out->parsed = parse(parameters->variables);
        if (!json_is_object(out->parsed) && !json_is_null(out->parsed))
            return "the variables of its URL are no JSON object";
        request->variables = json_is_null(out->parsed) ? NULL : out->parsed;
    }
    out->n = 1;
    return NULL;
}

/* ---- the whole ---- */

/* "application/json", and parameters, which change nothing: JSON is UTF-8 (RFC 8259, 8.1). */
static bool is_json(struct text content_type)
{
    const char *semicolon =
        content_type.len ? memchr(content_type.at, ';', content_type.len) : NULL;
    struct text type =
        semicolon ? text_trim(text_span(content_type.at, semicolon)) : text_trim(content_type);

    return text_eq_nocase(type, TEXT("application/json"));
}

static const char *read_body(const struct graphql_message *message, struct graphql_batch *out)
{
    struct text json = message->body;

    if (message->encoded)
        return "its content is encoded";
    if (message->body.len > GRAPHQL_BODY_MAX)
        return "its body is longer than 3 MiB";
    if (graphql_is_multipart(message->content_type)) {
        const char *why = text_eq(message->method, TEXT("POST"))
                              ? graphql_multipart_read(message->content_type, message->body, &json)
                              : "an upload is no POST";
        return why ? why : read_json(json, out);
    }
    if (!is_json(message->content_type))
        return "its Content-Type is not application/json";
    return read_json(json, out);
}

static const char *read_message(const struct graphql_message *message, struct graphql_batch *out)
{
    struct graphql_parameters parameters = { .hash = false };
    const char *why = graphql_url_read(message->query, &out->decoded, &parameters);
    bool in_url = parameters.query.at || parameters.operation.at || parameters.variables.at;

    if (why)
        return why;
    if (message->body.len && (in_url || parameters.extensions))
        return "its operation stands in the URL and in the body";
    if (message->body.len)
        return read_body(message, out);
    if (!parameters.query.at)
        return parameters.extensions ? "it names a persisted document, and its text is not there"
                                     : "it has no query";
    if (parameters.hash || text_eq(message->method, TEXT("POST")))
        return "its query is in the URL, and should be in the body";
    return read_parameters(&parameters, out);
}

const char *graphql_request_read(const struct graphql_message *message, struct graphql_batch *out)
{
    const char *why;

    out->n = 0;
    out->is_list = false;
    out->parsed = NULL;
    out->decoded = NULL;
    why = read_message(message, out);
    if (why)
        out->n = 0;
    return why;
}

void graphql_batch_fini(struct graphql_batch *batch)
{
    json_decref(batch->parsed);
    free(batch->decoded);
    batch->parsed = NULL;
    batch->decoded = NULL;
    batch->n = 0;
}

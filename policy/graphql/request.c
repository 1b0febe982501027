#include "policy/graphql/request.h"

#include <stdlib.h>

#include "config/memory.h"

#define NOT_JSON "its body is not JSON, or one that could be read in two ways"

/* ---- variables ---- */

static bool is_given(const struct graphql_request *request, struct text name)
{
    for (size_t i = 0; i < request->n_given; i++)
        if (text_eq(request->given[i].name, name))
            return true;
    return false;
}

/* `json` is behind the brace. */
static const char *read_variables(struct graphql_json *json, struct graphql_request *out)
{
    struct graphql_json_value value;
    struct text name;
    bool first = true;

    while (graphql_json_member(json, &first, &name) && graphql_json_read(json, &value)) {
        if (out->n_given == GRAPHQL_VARIABLES_MAX)
            return "it has more variables than are allowed";
        if (is_given(out, name))
            return NOT_JSON;
        out->given = mem_grow(out->given, out->n_given, sizeof(*out->given));
        out->given[out->n_given++] = (struct graphql_given){ name, value.kind };
    }
    return json->bad ? NOT_JSON : NULL;
}

/* ---- one operation ---- */

enum { QUERY, NAME, VARIABLES, EXTENSIONS, ID, DOCUMENT_ID, QUERY_ID, N_MEMBERS };

/* What was found of an operation. */
struct members {
    struct graphql_json_value values[N_MEMBERS];
    bool there[N_MEMBERS];
    struct text names[GRAPHQL_PARAMETERS_MAX]; /* of all */
    size_t n;
};

static size_t member_called(struct text name)
{
    static const struct text names[N_MEMBERS] = {
        TEXT_INIT("query"),     TEXT_INIT("operationName"),
        TEXT_INIT("variables"), TEXT_INIT("extensions"),
        TEXT_INIT("id"),        TEXT_INIT("documentId"),
        TEXT_INIT("queryId")
    };
    size_t i = 0;

    while (i < N_MEMBERS && !text_eq(names[i], name))
        i++;
    return i;
}

/* Behind the member's name. null is as good as nothing. */
static const char *take_member(struct graphql_json *json, struct text name, struct members *out)
{
    struct graphql_json_value value;
    size_t which = member_called(name);

    for (size_t i = 0; i < out->n; i++)
        if (text_eq(out->names[i], name))
            return NOT_JSON;
    if (out->n == GRAPHQL_PARAMETERS_MAX)
        return "it has more members than are allowed";
    out->names[out->n++] = name;
    if (!graphql_json_read(json, &value))
        return NOT_JSON;
    if (which < N_MEMBERS) {
        out->values[which] = value;
        out->there[which] = value.kind != GRAPHQL_JSON_NULL;
    }
    return NULL;
}

static const char *read_members(struct graphql_json *json, struct members *out)
{
    const char *why = NULL;
    struct text name;
    bool first = true;

    if (!graphql_json_enter(json, '{'))
        return "an operation is no JSON object";
    memset(out->there, 0, sizeof(out->there));
    out->n = 0;
    while (!why && graphql_json_member(json, &first, &name))
        why = take_member(json, name, out);
    return why ? why : json->bad ? NOT_JSON : NULL;
}

static const char *say_no_query(const struct members *members)
{
    return members->there[EXTENSIONS] || members->there[ID] || members->there[DOCUMENT_ID] ||
                   members->there[QUERY_ID]
               ? "it names a persisted document, and its text is not there"
               : "it has no query";
}

static bool is_kind(const struct members *members, size_t which, enum graphql_json_kind kind)
{
    return !members->there[which] || members->values[which].kind == kind;
}

/* The object as it is written is read once more, for its names. */
static const char *take_variables(struct graphql_json *json, struct text written,
                                  struct graphql_request *out)
{
    struct graphql_json inner = { .at = written.at,
                                  .end = written.at + written.len,
                                  .room_size = json->room_size,
                                  .room = json->room,
                                  .room_start = json->room_start };
    const char *why;

    graphql_json_enter(&inner, '{');
    why = read_variables(&inner, out);
    json->room = inner.room;
    json->room_start = inner.room_start;
    return why;
}

static const char *read_operation(struct graphql_json *json, struct graphql_request *out)
{
    struct members members;
    const char *why = read_members(json, &members);

    *out = (struct graphql_request){ .given = NULL };
    if (why)
        return why;
    if (!members.there[QUERY])
        return say_no_query(&members);
    if (!is_kind(&members, QUERY, GRAPHQL_JSON_STRING))
        return "its query is no string";
    if (!is_kind(&members, NAME, GRAPHQL_JSON_STRING))
        return "its operationName is no string";
    if (!is_kind(&members, VARIABLES, GRAPHQL_JSON_OBJECT))
        return "its variables are no JSON object";
    out->document = members.values[QUERY].text;
    out->operation = members.there[NAME] ? members.values[NAME].text : TEXT_NONE;
    return members.there[VARIABLES] ? take_variables(json, members.values[VARIABLES].text, out)
                                    : NULL;
}

/* ---- bodies ---- */

static const char *read_list(struct graphql_json *json, struct graphql_batch *out)
{
    const char *why = NULL;
    bool first = true;

    out->is_list = true;
    while (!why && graphql_json_element(json, &first)) {
        if (out->n == GRAPHQL_BATCH_MAX)
            return "it has more operations than are allowed";
        why = read_operation(json, &out->items[out->n++]);
    }
    return why || out->n || json->bad ? why : "its list of operations is empty";
}

static struct graphql_json json_of(struct text text)
{
    return (struct graphql_json){ .at = text.at, .end = text.at + text.len, .room_size = text.len };
}

static const char *read_json(struct text text, struct graphql_batch *out)
{
    struct graphql_json *json = &out->body;
    const char *why;

    *json = json_of(text);
    if (graphql_json_enter(json, '['))
        why = read_list(json, out);
    else
        why = read_operation(json, &out->items[out->n++]);
    return why || graphql_json_ends(json) ? why : NOT_JSON;
}

/* ---- the URL ---- */

static const char *read_parameters(const struct graphql_parameters *parameters,
                                   struct graphql_batch *out)
{
    static const char no_object[] = "the variables of its URL are no JSON object";
    struct graphql_request *request = &out->items[out->n++];
    struct graphql_json *json = &out->variables;
    struct text text = parameters->variables;
    struct graphql_json_value value;

    *request = (struct graphql_request){ .document = parameters->query,
                                         .operation = parameters->operation };
    if (!text.len)
        return NULL;
    *json = json_of(text);
    if (graphql_json_enter(json, '{')) {
        const char *why = read_variables(json, request);
        return why ? why : graphql_json_ends(json) ? NULL : no_object;
    }
    return graphql_json_read(json, &value) && value.kind == GRAPHQL_JSON_NULL &&
                   graphql_json_ends(json)
               ? NULL
               : no_object;
}

/* ---- what a body is ---- */

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

static void drop_items(struct graphql_batch *batch)
{
    for (size_t i = 0; i < batch->n; i++)
        free(batch->items[i].given);
    batch->n = 0;
}

const char *graphql_request_read(const struct graphql_message *message, struct graphql_batch *out)
{
    const char *why;

    out->n = 0;
    out->is_list = false;
    out->body = out->variables = (struct graphql_json){ .at = NULL };
    out->decoded = NULL;
    why = read_message(message, out);
    if (why)
        drop_items(out);
    return why;
}

void graphql_batch_fini(struct graphql_batch *batch)
{
    drop_items(batch);
    graphql_json_fini(&batch->body);
    graphql_json_fini(&batch->variables);
    free(batch->decoded);
    batch->decoded = NULL;
}

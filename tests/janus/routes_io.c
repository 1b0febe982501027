/* The IO hosts: apps by {app}/v{major}/{account}/{workspace}, GraphQL among them.
 *
 * Authorization authorises the hop, VtexIdclientAutCookie is the identity; the answer shows both,
 * so that a test sees if somebody has merged them. */
#include <ctype.h>

#include "tests/janus/reply.h"
#include "tests/janus/routes.h"
#include "tests/janus/token.h"

enum { FIELDS_MAX = 32, NAME_BYTES = 64 };

/* False, with a 403, if the path names another account or workspace. */
static bool is_own_workspace(struct exchange *x, struct text account, struct text workspace)
{
    const struct options *o = x->sim->options;

    if (text_eq(account, text_of(o->account)) && text_eq(workspace, text_of(o->workspace)))
        return true;
    answer_error(x, 403, "Forbidden", "The token is of another account or workspace");
    return false;
}

static json_t *identity(const struct exchange *x)
{
    const struct minted *hop = tokens_live(x->sim->tokens, bearer_token(x));
    const struct minted *user = tokens_live(x->sim->tokens, janus_token(x));

    return json_pack("{ss?ss?}", "hop", hop ? hop->user : NULL, "identity",
                     user ? user->user : NULL);
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static struct text take_name(const char **at)
{
    const char *from = *at;

    while (is_name_char(**at))
        (*at)++;
    return text_span(from, *at);
}

/* Behind a string, an alias' colon or nothing. */
static void skip_string(const char **at)
{
    for ((*at)++; **at && **at != '"'; (*at)++)
        if (**at == '\\' && (*at)[1])
            (*at)++;
    if (**at)
        (*at)++;
}

static void add_name(json_t *data, struct text name)
{
    char key[NAME_BYTES];

    if (name.len == 0 || name.len >= sizeof(key) || json_object_size(data) >= FIELDS_MAX)
        return;
    snprintf(key, sizeof(key), TEXT_FMT, TEXT_ARG(name));
    json_object_set_new(data, key, json_sprintf("answer to %s", key));
}

/* The top-level fields of a selection, by their alias if they have one; arguments and nested
 * selections are passed over. Not a parser: whatever it makes of nonsense is an answer too. */
static json_t *answer_fields(const char *query)
{
    json_t *data = json_object();
    const char *at = strchr(query, '{');
    int braces = at ? 1 : 0, parentheses = 0;
    bool aliased = false;

    for (at = at ? at + 1 : ""; *at && braces > 0;) {
        if (*at == '"') {
            skip_string(&at);
        } else if (is_name_char(*at)) {
            struct text name = take_name(&at);

            if (braces == 1 && parentheses == 0 && !aliased)
                add_name(data, name);
            aliased = aliased && (braces > 1 || parentheses > 0);
        } else {
            braces += (*at == '{') - (*at == '}');
            parentheses += (*at == '(') - (*at == ')');
            if (*at == ':' && braces == 1 && parentheses == 0)
                aliased = true; /* the next name is the field behind the alias */
            at++;
        }
    }
    return data;
}

/* The name behind "query" or "mutation", "" if it has none. */
static json_t *operation_name(json_t *body, const char *query)
{
    const char *given = json_string_value(json_object_get(body, "operationName"));
    struct text name;

    if (given)
        return json_string(given);
    while (isspace((unsigned char)*query))
        query++;
    take_name(&query);
    while (*query == ' ')
        query++;
    name = take_name(&query);
    return json_stringn(name.at, name.len);
}

static void reply_graphql_error(struct exchange *x, const char *message)
{
    reply_json(x, 400,
               json_pack("{s[{sss{ss}}]}", "errors", "message", message, "extensions", "code",
                         "BAD_USER_INPUT"));
}

/* {app}/v{major}/{account}/{workspace}/_v/graphql: POST, or GET with a JSON body. */
static void answer_graphql(struct exchange *x)
{
    json_t *body, *sim;
    const char *query;

    if (!is_own_workspace(x, x->arguments[2], x->arguments[3]))
        return;
    body = body_as_json(x);
    query = json_string_value(json_object_get(body, "query"));
    if (query) {
        sim = identity(x);
        json_object_set_new(sim, "operation", operation_name(body, query));
        json_object_set(sim, "variables", json_object_get(body, "variables"));
        reply_field(x, "x-router-cache", "MISS");
        reply_json(x, 200,
                   json_pack("{sos{so}}", "data", answer_fields(query), "extensions", "sim", sim));
    } else {
        reply_graphql_error(x, "Must provide query string.");
    }
    json_decref(body);
}

static void answer_app(struct exchange *x)
{
    json_t *json;

    if (!is_own_workspace(x, x->arguments[2], x->arguments[3]))
        return;
    json = identity(x);
    json_object_set_new(json, "app", json_latin1(x->arguments[0]));
    json_object_set_new(json, "major", json_latin1(x->arguments[1]));
    json_object_set_new(json, "route", json_latin1(x->arguments[4]));
    reply_field(x, "x-router-cache", "MISS");
    reply_json(x, 200, json);
}

/* platform.io.vtex.com//{account}/{workspace}/...: the clients do send two slashes. */
static void answer_platform(struct exchange *x)
{
    json_t *json;

    if (!is_own_workspace(x, x->arguments[0], x->arguments[1]))
        return;
    json = identity(x);
    json_object_set_new(json, "route", json_latin1(x->arguments[2]));
    reply_json(x, 200, json);
}

#define IO .hosts = ON_IO, .admission = ADMIT_IO, .shape = SHAPE_IO

const struct route routes_io[] = {
    { "graphql", "GET POST", "/{}/{}/{}/{}/_v/graphql", answer_graphql, IO },
    { "io-platform", "*", "//{}/{}/*", answer_platform, IO },
    { "io-app", "*", "/{}/{}/{}/{}/*", answer_app, IO },
    { 0 },
};

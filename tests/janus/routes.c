#include "tests/janus/routes.h"

#include "tests/janus/echo.h"
#include "tests/janus/gate.h"
#include "tests/janus/overrides.h"
#include "tests/janus/reply.h"
#include "tests/janus/token.h"

enum { N_TABLES = 11 };

static const struct route *const tables[N_TABLES] = {
    routes_control,   routes_knobs,  routes_private,  routes_issuer, routes_streams, routes_grants,
    routes_overrides, routes_vtexid, routes_commerce, routes_data,   routes_io
};

static void answer_refused(struct exchange *x)
{
    x->closing = CLOSING_SAID;
    reply_json(x, 400, json_pack("{ssss}", "code", "BadRequest", "message", x->arrival->fault));
}

static void answer_not_found(struct exchange *x)
{
    answer_error(x, 404, "NotFound", "No HTTP resource was found that matches the request URI.");
}

static void answer_wrong_method(struct exchange *x)
{
    answer_error(x, 405, "MethodNotAllowed",
                 "The requested resource does not support this http method.");
}

static const struct route refused = { .name = "refused", .answer = answer_refused };
static const struct route foreign = { .name = "echo", .answer = echo_answer };
static const struct route not_found = { .name = "not-found",
                                        .answer = answer_not_found,
                                        .shape = SHAPE_MESSAGE };
static const struct route not_found_io = { .name = "not-found",
                                           .answer = answer_not_found,
                                           .shape = SHAPE_IO };
static const struct route wrong_method = { .name = "wrong-method",
                                           .answer = answer_wrong_method,
                                           .shape = SHAPE_MESSAGE };

/* --- finding --- */

static enum hosts hosts_of(struct text host)
{
    static const char *const janus[] = {
        ".vtexcommercestable.com.br",
        ".vtexcommercebeta.com.br",
        ".vtexpayments.com.br",
        ".myvtex.com",
        "vtexid.vtex.com.br",
        "licensemanager.vtex.com.br",
        "api.vtex.com",
    };
    static const char *const io[] = { "app.io.vtex.com", "infra.io.vtex.com",
                                      "platform.io.vtex.com", ".vtex.io" };
    const char *port = host.len ? memchr(host.at, ':', host.len) : NULL;
    struct text name = port ? text_span(host.at, port) : host;

    for (size_t i = 0; i < sizeof(janus) / sizeof(*janus); i++) {
        struct text end = text_of(janus[i]);
        size_t skip = name.len > end.len ? name.len - end.len : 0;

        if (text_eq_nocase((struct text){ name.at + skip, name.len - skip }, end) &&
            (skip == 0 || end.at[0] == '.'))
            return ON_JANUS;
    }
    for (size_t i = 0; i < sizeof(io) / sizeof(*io); i++)
        if (text_eq_nocase(name, text_of(io[i])) ||
            (io[i][0] == '.' && text_ends(name, text_of(io[i]))))
            return ON_IO;
    return ON_ANY;
}

static struct text take_segment(struct text *path)
{
    const char *slash = path->len ? memchr(path->at, '/', path->len) : NULL;
    struct text segment = slash ? text_span(path->at, slash) : *path;

    *path = slash ? text_span(slash + 1, path->at + path->len) : TEXT_NONE;
    return segment;
}

static bool path_matches(struct text path, struct text pattern, struct text *arguments)
{
    size_t n = 0;

    for (;;) {
        struct text want, have;

        if (text_eq(pattern, TEXT("*"))) {
            arguments[n] = path;
            return true;
        }
        if (!path.at || !pattern.at)
            return !path.at && !pattern.at;
        want = take_segment(&pattern);
        have = take_segment(&path);
        if (text_eq(want, TEXT("{}")) && have.len > 0)
            arguments[n++] = have;
        else if (!text_eq_nocase(want, have))
            return false;
    }
}

static bool method_fits(const char *methods, struct text method)
{
    struct text rest = text_of(methods);

    if (text_eq(rest, TEXT("*")))
        return true;
    if (text_eq(method, TEXT("HEAD")))
        method = TEXT("GET");
    while (rest.len > 0) {
        const char *blank = memchr(rest.at, ' ', rest.len);
        struct text one = blank ? text_span(rest.at, blank) : rest;

        if (text_eq(one, method))
            return true;
        rest = blank ? text_span(blank + 1, rest.at + rest.len) : TEXT_NONE;
    }
    return false;
}

static const struct route *search(struct exchange *x, enum hosts hosts)
{
    const struct head *head = exchange_head(x);
    const struct route *found = NULL;

    for (size_t t = 0; t < N_TABLES; t++)
        for (const struct route *row = tables[t]; row->name; row++) {
            struct text arguments[ARGUMENTS_MAX] = { { 0 } };

            if ((row->hosts != ON_ANY && row->hosts != hosts) ||
                !path_matches(head->path, text_of(row->pattern), arguments))
                continue;
            if (method_fits(row->methods, head->method)) {
                memcpy(x->arguments, arguments, sizeof(arguments));
                return row;
            }
            found = &wrong_method;
        }
    return found;
}

static void use_route(struct exchange *x, const struct route *route)
{
    x->route = route;
    x->arrival->route = route->name;
}

void routes_find(struct exchange *x)
{
    enum hosts hosts = hosts_of(exchange_head(x)->host);
    const struct route *route = search(x, hosts);

    if (!route && text_starts(exchange_head(x)->path, TEXT("/_sim/")))
        route = &not_found;
    if (!route)
        route = hosts == ON_ANY ? &foreign : hosts == ON_IO ? &not_found_io : &not_found;
    use_route(x, route);
}

void routes_refuse(struct exchange *x)
{
    x->sim->stats.malformed++;
    use_route(x, &refused);
}

/* --- admission --- */

struct text janus_token(const struct exchange *x)
{
    const struct head *head = exchange_head(x);
    char cookie[128];
    struct text token = head_find(head, "VtexIdclientAutCookie");

    if (token.len == 0)
        token = head_cookie(head, "VtexIdclientAutCookie");
    snprintf(cookie, sizeof(cookie), "VtexIdclientAutCookie_%s", x->sim->options->account);
    return token.len > 0 ? token : head_cookie(head, cookie);
}

struct text bearer_token(const struct exchange *x)
{
    struct text value = head_find(exchange_head(x), "Authorization");

    if (value.len > 7 && text_eq_nocase((struct text){ value.at, 7 }, TEXT("Bearer ")))
        return text_trim((struct text){ value.at + 7, value.len - 7 });
    return value;
}

static bool has_app_key(const struct exchange *x)
{
    const struct head *head = exchange_head(x);

    return text_eq(head_find(head, "X-VTEX-API-AppKey"), text_of(x->sim->options->appkey)) &&
           text_eq(head_find(head, "X-VTEX-API-AppToken"), text_of(x->sim->options->apptoken));
}

/* 0, or the status to refuse with. */
static int admit_janus(const struct exchange *x)
{
    const struct minted *token = tokens_live(x->sim->tokens, janus_token(x));

    if (has_app_key(x))
        return 0;
    if (!token)
        return 401;
    return token->kind == TOKEN_STORE ? 403 : 0; /* a shopper has no business on private routes */
}

static int admit_io(const struct exchange *x)
{
    const struct minted *token = tokens_live(x->sim->tokens, bearer_token(x));

    if (!token)
        return 401;
    return token->kind == TOKEN_APP ? 0 : 403;
}

static int admit(const struct exchange *x)
{
    switch (x->route->admission) {
    case ADMIT_JANUS:
        return admit_janus(x);
    case ADMIT_IO:
        return admit_io(x);
    case ADMIT_ALL:
        break;
    }
    return 0;
}

/* --- answering --- */

static void refuse(struct exchange *x, int status)
{
    if (x->route->shape == SHAPE_OMS)
        answer_error(x, status, "1", "Unauthorized access");
    else if (status == 401)
        answer_error(x, status, "Unauthorized", "Authorization has been denied for this request.");
    else
        answer_error(x, status, "Forbidden", "Access denied.");
}

static void count(struct sim *sim, const char *name)
{
    json_t *before = json_object_get(sim->stats.routes, name);

    json_object_set_new(sim->stats.routes, name, json_integer(json_integer_value(before) + 1));
}

/* As a test has said, or as the route does. */
static void answer(struct exchange *x)
{
    if (!override_answer(x))
        x->route->answer(x);
}

void routes_dispatch(evhtp_request_t *request, void *arg)
{
    struct exchange *x = gate_exchange(request);
    int refusal = admit(x);

    (void)arg;
    count(x->sim, x->route->name);
    if (refusal)
        refuse(x, refusal);
    else
        answer(x);
}

void answer_error(struct exchange *x, int status, const char *detail, const char *message)
{
    json_t *json = NULL;
    char id[33];

    switch (x->route->shape) {
    case SHAPE_OMS:
        json = json_pack("{s{ssssso}}", "error", "code", detail, "message", message, "exception",
                         json_null());
        break;
    case SHAPE_MESSAGE:
        json = json_pack("{ss}", "Message", message);
        break;
    case SHAPE_VTEXID:
        json = json_pack("{ss}", "authStatus", "WrongCredentials");
        break;
    case SHAPE_IO:
        snprintf(id, sizeof(id), "%016lx%016lx", x->arrival->channel.connection,
                 x->arrival->channel.request);
        json = json_pack("{ssssssss}", "code", detail, "message", message, "source",
                         "Vtex.Kube.Router", "requestId", id);
        break;
    }
    reply_json(x, status, json);
}

json_t *body_as_json(const struct exchange *x)
{
    struct text body = x->arrival->kept;

    return body.len > 0 && body.len == x->arrival->body_len
               ? json_loadb(body.at, body.len, JSON_DECODE_ANY, NULL)
               : NULL;
}

void add_edge_fields(struct exchange *x, const char *backend)
{
    reply_field(x, "X-VTEX-Janus-Router-Backend-App", "%s", backend);
    reply_field(x, "X-Powered-by-VTEX-Janus-Edge", "v1.56.2");
    reply_field(x, "X-VTEX-Cache-Status-Janus-Edge", "MISS");
    reply_field(x, "X-Track", "stable");
    reply_field(x, "X-CacheServer", "janus-edge");
    reply_field(x, "x-vtex-operation-id", "%08lx-%08lx", x->arrival->channel.connection,
                x->arrival->channel.request);
    reply_field(x, "powered", "vtex");
}

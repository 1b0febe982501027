#include "proxy/sidecar_guard.h"

#include <netinet/in.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/grant.h"
#include "proxy/sidecar_origins.h"

enum { HTTP_PORT = 80 };

struct guard {
    struct settings app_settings; /* a copy that borrows: only for connections to the app */
    struct cidr everywhere[2];
    struct origins *origins;
    struct exchange_guard rules;
    struct exchange_context context;
    struct front_handler handler;
    struct front *front;
    void (*emptied)(void *arg);
    void *arg;
};

/* ---- settings ---- */

/* NULL, or why not. */
static const char *read_port(struct text port, struct destination *out)
{
    unsigned long long number = HTTP_PORT;

    if (port.at && (!text_to_uint(port, UINT16_MAX, &number) || number == 0))
        return "its port is no number from 1 to 65535";
    out->port = (uint16_t)number;
    return NULL;
}

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT" */
static const char *read_authority(struct text authority, struct destination *out)
{
    const char *end = authority.at + authority.len, *why = "it has no host";
    const char *bracket =
        authority.len && *authority.at == '[' ? memchr(authority.at, ']', authority.len) : NULL;
    const char *after = bracket ? bracket : authority.at;
    const char *colon = authority.len ? memchr(after, ':', (size_t)(end - after)) : NULL;
    struct text host = text_span(authority.at, colon ? colon : end);

    if (!host.len || !host_canonical(host, out, &why))
        return why;
    out->scheme = SCHEME_HTTP;
    return read_port(colon ? text_span(colon + 1, end) : TEXT_NONE, out);
}

static const char *read_app(struct text url, struct destination *out)
{
    static const struct text scheme = TEXT_INIT("http://");
    struct text rest;

    *out = (struct destination){ 0 };
    if (url.len < scheme.len || !text_eq_nocase((struct text){ url.at, scheme.len }, scheme))
        return "write http://HOST:PORT: the app listens beside us, without TLS";
    rest = text_span(url.at + scheme.len, url.at + url.len);
    if (text_ends(rest, TEXT("/")))
        rest.len--;
    if (rest.len && (memchr(rest.at, '/', rest.len) || memchr(rest.at, '?', rest.len) ||
                     memchr(rest.at, '@', rest.len)))
        return "write http://HOST:PORT and nothing else: paths go on as they come";
    return read_authority(rest, out);
}

void guard_check(const struct settings *settings, struct diags *diags)
{
    struct destination app;
    const char *why = NULL;

    if (!settings->n_guard_listen && (settings->guard_app || settings->graphql_schema))
        diag_fatal(diags, (struct place){ .file = "--guard-listen" },
                   "is missing, and --guard-app and --graphql-schema are for the guard alone");
    if (settings->n_guard_listen && !settings->guard_app)
        diag_fatal(diags, (struct place){ .file = "--guard-app" },
                   "is missing: the guard needs the app that it stands before");
    if (settings->n_guard_listen && !settings->graphql_schema)
        diag_fatal(diags, (struct place){ .file = "--graphql-schema" },
                   "is missing: the guard needs the schema that it judges by");
    if (settings->guard_app)
        why = read_app(text_of(settings->guard_app), &app);
    if (why)
        diag_fatal(diags, (struct place){ .file = "--guard-app" }, "%s", why);
}

bool guard_app(const struct settings *settings, struct destination *out)
{
    return settings->n_guard_listen && settings->guard_app &&
           !read_app(text_of(settings->guard_app), out);
}

/* ---- building ---- */

static void on_emptied(void *context)
{
    struct guard *guard = CONTAINER_OF(context, struct guard, context);

    guard->emptied(guard->arg);
}

static void copy_settings(struct guard *guard, const struct settings *settings)
{
    guard->app_settings = *settings;
    guard->app_settings.connect_to = NULL;
    guard->app_settings.n_connect_to = 0;
    guard->app_settings.allow_address = guard->everywhere;
    guard->app_settings.n_allow_address = 2;
}

static void build_origins(struct guard *guard, const struct guard_plan *plan)
{
    guard->everywhere[0].family = AF_INET;
    guard->everywhere[1].family = AF_INET6;
    copy_settings(guard, plan->exchanges->settings);
    guard->origins =
        origins_new(plan->exchanges->loop, plan->exchanges->log, &guard->app_settings, plan->tls,
                    plan->own, plan->n_own, plan->n_loops, plan->helper, plan->exchanges->tally);
}

static void build_context(struct guard *guard, const struct exchange_context *like)
{
    guard->context = (struct exchange_context){
        .loop = like->loop,
        .in = like->in,
        .log = like->log,
        .tally = like->tally,
        .lag = like->lag,
        .settings = like->settings,
        .pool = origins_pool(guard->origins),
        .desk = like->desk,
        .max_requests = like->max_requests,
        .realms = like->realms,
        .callers = like->callers,
        .token_deadlines = like->token_deadlines,
        .response_deadlines = like->response_deadlines,
        .idle_deadlines = like->idle_deadlines,
        .total_deadlines = like->total_deadlines,
        .graphql_counts = like->graphql_counts,
        .guard = &guard->rules,
    };
    RAND_bytes((unsigned char *)&guard->context.id_prefix, sizeof(guard->context.id_prefix));
}

static void build_rules(struct guard *guard, const struct exchange_context *like,
                        struct graphql_gate *gate)
{
    struct granter_rules rules = { .loop = like->loop,
                                   .pool = like->pool,
                                   .settings = like->settings,
                                   .realms = like->realms,
                                   .desk = like->desk };

    read_app(text_of(like->settings->guard_app), &guard->rules.app);
    guard->rules.gate = gate;
    guard->rules.granter = granter_new(&rules);
}

static struct front_limits limits_of(const struct settings *settings, unsigned max_clients)
{
    return (struct front_limits){ settings->head_ms, settings->client_idle_ms, max_clients };
}

struct guard *guard_new(const struct guard_plan *plan, struct graphql_gate *gate)
{
    struct guard *guard = mem_alloc(1, sizeof(*guard));

    guard->emptied = plan->emptied;
    guard->arg = plan->arg;
    build_origins(guard, plan);
    build_rules(guard, plan->exchanges, gate);
    build_context(guard, plan->exchanges);
    guard->handler = (struct front_handler){ exchange_begin, exchange_refuse, exchange_io,
                                             exchange_gone, on_emptied };
    guard->front = front_new(plan->exchanges->loop, plan->exchanges->log,
                             limits_of(plan->exchanges->settings, plan->max_clients),
                             &guard->handler, &guard->context);
    return guard;
}

void guard_silence(struct guard *guard)
{
    if (!guard)
        return;
    front_free(guard->front);
    guard->front = NULL;
    granter_free(guard->rules.granter);
    origins_silence(guard->origins);
}

void guard_free(struct guard *guard)
{
    if (!guard)
        return;
    origins_free(guard->origins);
    graphql_gate_unref(guard->rules.gate);
    free(guard);
}

/* ---- its life ---- */

void guard_listen(struct guard *guard, int fd, bool shared)
{
    front_listen(guard->front, fd, shared);
}

void guard_use(struct guard *guard, struct graphql_gate *gate)
{
    if (guard) {
        graphql_gate_unref(guard->rules.gate);
        guard->rules.gate = gate;
    } else {
        graphql_gate_unref(gate);
    }
}

void guard_leave(struct guard *guard)
{
    if (guard)
        guard->context.leaving = true;
}

void guard_drain(struct guard *guard)
{
    if (!guard)
        return;
    guard->context.leaving = guard->context.draining = true;
    front_drain(guard->front);
}

void guard_succeeded(struct guard *guard)
{
    if (!guard)
        return;
    guard->context.leaving = true;
    front_leave(guard->front);
}

void guard_apply_settings(struct guard *guard, const struct exchange_context *like,
                          unsigned max_clients)
{
    if (!guard)
        return;
    copy_settings(guard, like->settings);
    origins_apply_settings(guard->origins);
    front_set_limits(guard->front, limits_of(like->settings, max_clients));
    granter_apply_settings(guard->rules.granter, like->settings);
    guard->context.total_deadlines = like->total_deadlines;
    guard->context.max_requests = like->max_requests;
}

struct graphql_questions guard_questions(const struct guard *guard)
{
    return guard ? granter_questions(guard->rules.granter) : (struct graphql_questions){ 0 };
}

size_t guard_n_clients(const struct guard *guard)
{
    return guard && guard->front ? front_n_clients(guard->front) : 0;
}

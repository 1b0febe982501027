/* What tests and ./dev run ask the simulator itself. Not recorded. */
#include "tests/janus/reply.h"
#include "tests/janus/routes.h"
#include "tests/janus/token.h"

static bool wants(const struct exchange *x, const char *name)
{
    return exchange_parameter(x, name, 0) != 0;
}

static void clear_counts(struct stats *stats)
{
    json_object_clear(stats->routes);
    *stats = (struct stats){ .open = stats->open,
                             .connections = stats->connections, /* serials go on */
                             .routes = stats->routes };
}

static void answer_stats(struct exchange *x)
{
    struct stats *s = &x->sim->stats;
    json_t *json =
        json_pack("{sIsIs{sIsIsI}sIsIsIso}", "connections", (json_int_t)s->connections, "open",
                  (json_int_t)s->open, "handshakes", "full", (json_int_t)s->full, "resumed",
                  (json_int_t)s->resumed, "failed", (json_int_t)s->failed, "requests",
                  (json_int_t)s->requests, "malformed", (json_int_t)s->malformed, "aborted",
                  (json_int_t)s->aborted, "routes", json_copy(s->routes));

    if (wants(x, "clear"))
        clear_counts(s);
    reply_json(x, 200, json);
}

static void answer_requests(struct exchange *x)
{
    json_t *json = record_json(x->sim->record);

    if (wants(x, "clear"))
        record_clear(x->sim->record);
    reply_json(x, 200, json);
}

static void reply_token(struct exchange *x, const struct minted *token)
{
    reply_json(x, 200,
               json_pack("{sssssI}", "token", token->text, "user", token->user, "expires",
                         (json_int_t)token->expires));
}

static void answer_rotate(struct exchange *x)
{
    const struct minted *token = tokens_rotate(x->sim->tokens, wants(x, "revoke"));

    if (token)
        reply_token(x, token);
    else
        reply_json(x, 500, json_pack("{ss}", "message", "the token file could not be written"));
}

static void answer_mint(struct exchange *x)
{
    struct text query = exchange_head(x)->query;
    char kind[16] = "admin", user[128] = "ana@example.com";
    long life_s = (long)exchange_parameter(x, "life", 24 * 60 * 60);
    enum token_kind which;

    query_text(query, "kind", kind, sizeof(kind), NULL);
    query_text(query, "user", user, sizeof(user), NULL);
    which = strcmp(kind, "store") == 0 ? TOKEN_STORE
            : strcmp(kind, "app") == 0 ? TOKEN_APP
                                       : TOKEN_ADMIN;
    reply_token(x, tokens_mint(x->sim->tokens, which, user, life_s));
}

#define ANYWHERE .hosts = ON_ANY

const struct route routes_control[] = {
    { "sim-stats", "GET", "/_sim/stats", answer_stats, ANYWHERE, .flags = ROUTE_CONTROL },
    { "sim-requests", "GET", "/_sim/requests", answer_requests, ANYWHERE, .flags = ROUTE_CONTROL },
    { "sim-rotate", "POST", "/_sim/rotate", answer_rotate, ANYWHERE, .flags = ROUTE_CONTROL },
    { "sim-mint", "POST", "/_sim/mint", answer_mint, ANYWHERE, .flags = ROUTE_CONTROL },
    { 0 },
};

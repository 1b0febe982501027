/* What tests and ./dev run ask the simulator itself. Not recorded. */
#include "tests/janus/reply.h"
#include "tests/janus/routes.h"
#include "tests/janus/token.h"

enum { LAG_MAX_MS = 24 * 60 * 60 * 1000 };

static bool wants(const struct exchange *x, const char *name)
{
    return exchange_parameter(x, name, 0) != 0;
}

static void clear_counts(struct stats *stats)
{
    json_object_clear(stats->routes);
    json_object_clear(stats->private.keys);
    *stats = (struct stats){ .open = stats->open,
                             .connections = stats->connections, /* serials go on */
                             .routes = stats->routes,
                             .private.keys = stats->private.keys };
}

static void add_token_stats(json_t *json, const struct sim *sim)
{
    const struct stats *s = &sim->stats;

    json_object_set_new(json, "newest_serial",
                        json_integer((json_int_t)tokens_newest(sim->tokens)));
    json_object_set_new(json, "logins",
                        json_pack("{sIsI}", "attempts", (json_int_t)s->logins.attempts, "succeeded",
                                  (json_int_t)s->logins.succeeded));
    json_object_set_new(
        json, "private",
        json_pack("{sIsIsIsIso}", "accepted", (json_int_t)s->private.accepted, "rejected",
                  (json_int_t)s->private.rejected, "marked", (json_int_t)s->private.marked, "stale",
                  (json_int_t)s->private.stale, "keys", json_deep_copy(s->private.keys)));
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

    add_token_stats(json, x->sim);
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
               json_pack("{sssssIsI}", "token", token->text, "user", token->user, "expires",
                         (json_int_t)token->expires, "serial", (json_int_t)token->serial));
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
    char kind[16] = "admin", user[128] = "ana@example.com", account[64] = "";
    long life_s = (long)exchange_parameter(x, "life", 24 * 60 * 60);
    enum token_kind which;

    query_text(query, "kind", kind, sizeof(kind), NULL);
    query_text(query, "user", user, sizeof(user), NULL);
    which = strcmp(kind, "store") == 0 ? TOKEN_STORE
            : strcmp(kind, "app") == 0 ? TOKEN_APP
                                       : TOKEN_ADMIN;
    query_text(query, "account", account, sizeof(account), NULL);
    const struct minted *token = tokens_mint(x->sim->tokens, which, user, life_s);
    tokens_set_account(token, account);
    reply_token(x, token);
}

static void answer_revoke(struct exchange *x)
{
    unsigned long long upto = tokens_newest(x->sim->tokens);
    char serial[24] = "";

    query_text(exchange_head(x)->query, "serial", serial, sizeof(serial), NULL);
    if (strcmp(serial, "all") != 0 && !text_to_uint(text_of(serial), upto, &upto)) {
        reply_text(x, 400, "serial=all, or the serial of a token\n");
        return;
    }
    tokens_revoke(x->sim->tokens, upto);
    reply_json(x, 200, json_pack("{sI}", "revoked", (json_int_t)upto));
}

static void answer_lag(struct exchange *x)
{
    unsigned long long ms = exchange_parameter(x, "ms", 0);

    ms = ms < LAG_MAX_MS ? ms : LAG_MAX_MS;
    tokens_lag(x->sim->tokens, (long)ms);
    reply_json(x, 200, json_pack("{sI}", "ms", (json_int_t)ms));
}

#define ANYWHERE .hosts = ON_ANY

const struct route routes_control[] = {
    { "sim-stats", "GET", "/_sim/stats", answer_stats, ANYWHERE, .flags = ROUTE_CONTROL },
    { "sim-requests", "GET", "/_sim/requests", answer_requests, ANYWHERE, .flags = ROUTE_CONTROL },
    { "sim-rotate", "POST", "/_sim/rotate", answer_rotate, ANYWHERE, .flags = ROUTE_CONTROL },
    { "sim-revoke", "POST", "/_sim/revoke", answer_revoke, ANYWHERE, .flags = ROUTE_CONTROL },
    { "sim-lag", "POST", "/_sim/lag", answer_lag, ANYWHERE, .flags = ROUTE_CONTROL },
    { "sim-mint", "POST", "/_sim/mint", answer_mint, ANYWHERE, .flags = ROUTE_CONTROL },
    { 0 },
};

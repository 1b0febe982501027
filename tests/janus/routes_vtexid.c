/* VTEX ID: what it says to whoever has a token. The login is in issuer.c. */
#include "tests/janus/reply.h"
#include "tests/janus/routes.h"
#include "tests/janus/token.h"

enum { USER_LIFE_S = 24 * 60 * 60 };

static const char *member(json_t *json, const char *name)
{
    const char *value = json_string_value(json_object_get(json, name));

    return value ? value : "";
}

static const char *audience_of(const struct minted *token)
{
    return token->kind == TOKEN_STORE ? "webstore" : "admin";
}

static const char *account_of(const struct exchange *x, const struct minted *token)
{
    return token->account[0] ? token->account : x->sim->options->account;
}

static void answer_validate(struct exchange *x)
{
    json_t *body = body_as_json(x);
    const struct minted *token = tokens_live(x->sim->tokens, text_of(member(body, "token")));

    json_decref(body);
    if (!token) {
        answer_error(x, 401, NULL, NULL);
        return;
    }
    reply_json(x, 200,
               json_pack("{ssssssssssss}", "authStatus", "Success", "id",
                         "0f2b1c3d-6e2f-4f6a-8f0e-2c1d3b4a5968", "user", token->user, "account",
                         account_of(x, token), "audience", audience_of(token), "tokenType",
                         token->kind == TOKEN_APP ? "app" : "user"));
}

/* An unknown token is not an error here: the body is null, and @auth takes that for nobody. */
static void answer_user(struct exchange *x)
{
    char text[4096];
    size_t len;
    const struct minted *token = NULL;

    if (query_text(exchange_head(x)->query, "authToken", text, sizeof(text), &len))
        token = tokens_live(x->sim->tokens, (struct text){ text, len });
    if (!token || token->kind == TOKEN_APP) {
        reply_json(x, 200, json_null());
        return;
    }
    reply_json(x, 200,
               json_pack("{ssssssss}", "userId", "0f2b1c3d-6e2f-4f6a-8f0e-2c1d3b4a5968", "user",
                         token->user, "userType", token->kind == TOKEN_STORE ? "F" : "A", "account",
                         account_of(x, token)));
}

static void refresh(struct exchange *x, enum token_kind kind, const char *suffix)
{
    const struct minted *token;

    if (head_cookie(exchange_head(x), "vid_rt").len == 0) {
        answer_error(x, 401, NULL, NULL);
        return;
    }
    token = tokens_mint(x->sim->tokens, kind, "ana@example.com", USER_LIFE_S);
    reply_field(x, "Set-Cookie", "VtexIdclientAutCookie%s%s=%s; path=/; secure; HttpOnly",
                *suffix ? "_" : "", suffix, token->text);
    reply_field(x, "Set-Cookie", "vid_rt=refreshed; path=/api/vtexid; secure; HttpOnly");
    reply_json(x, 200,
               json_pack("{ssssss}", "status", "Success", "userId",
                         "0f2b1c3d-6e2f-4f6a-8f0e-2c1d3b4a5968", "refreshAfter",
                         "2099-01-01T00:00:00Z"));
}

static void answer_refresh_store(struct exchange *x)
{
    refresh(x, TOKEN_STORE, x->sim->options->account);
}

static void answer_refresh_admin(struct exchange *x)
{
    refresh(x, TOKEN_ADMIN, "");
}

#define VTEXID .hosts = ON_JANUS, .shape = SHAPE_VTEXID

const struct route routes_vtexid[] = {
    { "vtexid-validate", "POST", "/api/vtexid/credential/validate", answer_validate, VTEXID },
    { "vtexid-user", "GET", "/api/vtexid/pub/authenticated/user", answer_user, VTEXID },
    { "vtexid-refresh", "POST", "/api/vtexid/refreshtoken/webstore", answer_refresh_store, VTEXID },
    { "vtexid-refresh", "POST", "/api/vtexid/refreshtoken/admin", answer_refresh_admin, VTEXID },
    { 0 },
};

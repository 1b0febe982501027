#include "tests/janus/issuer.h"

#include <stdlib.h>

#include "config/memory.h"
#include "tests/janus/gate.h"
#include "tests/janus/reply.h"
#include "tests/janus/routes.h"
#include "tests/janus/token.h"

enum { HUGE_BYTES = 1024 * 1024, CUT_BYTES = 1000, SLOW_MS = 1000, DELAY_MAX_MS = 10 * 60 * 1000 };

static const char content_type[] = "application/json; charset=utf-8";

/* --- tokens --- */

static bool knows_pair(const struct exchange *x)
{
    const struct options *o = x->sim->options;
    json_t *body = body_as_json(x);
    const char *key = json_string_value(json_object_get(body, "appkey"));
    const char *token = json_string_value(json_object_get(body, "apptoken"));
    bool known = key && token && strcmp(key, o->appkey) == 0 && strcmp(token, o->apptoken) == 0;

    json_decref(body);
    return known;
}

static const struct minted *mint(struct exchange *x, long life_s)
{
    const struct options *o = x->sim->options;

    return tokens_mint(x->sim->tokens, o->login_kind,
                       o->login_kind == TOKEN_APP ? o->app_id : o->appkey, life_s);
}

/* Takes `token`: what stands where a token's text is expected. */
static json_t *success(json_t *token, time_t expires)
{
    return json_pack("{sssosI}", "authStatus", "Success", "token", token, "expires",
                     (json_int_t)expires);
}

static json_t *success_with(const struct minted *token)
{
    return success(json_string(token->text), token->expires);
}

/* When a token of now would end: for those that are none. */
static time_t usual_end(const struct exchange *x)
{
    return time(NULL) + x->sim->options->login_life_s;
}

/* --- the answers --- */

static void answer_well(struct exchange *x)
{
    if (!knows_pair(x)) {
        answer_error(x, 401, NULL, NULL);
        return;
    }
    x->sim->stats.logins.succeeded++;
    reply_json(x, 200, success_with(mint(x, x->sim->options->login_life_s)));
}

static void answer_down(struct exchange *x)
{
    gate_cut(x, false);
}

static void answer_garbage(struct exchange *x)
{
    reply_bytes(x, 200, content_type, TEXT("{\"token\":\xff\x00<html>it works!"));
}

static void answer_expired(struct exchange *x)
{
    reply_json(x, 200, success_with(mint(x, -1)));
}

static void answer_empty(struct exchange *x)
{
    reply_json(x, 200, success(json_string(""), usual_end(x)));
}

static void answer_failure(struct exchange *x)
{
    reply_json(x, 500, json_pack("{ss}", "Message", "An error has occurred."));
}

static void answer_wrong_type(struct exchange *x)
{
    reply_json(x, 200, success(json_integer(12345), usual_end(x)));
}

/* Whoever follows takes the pair to a host that echoes and records it. */
static void answer_redirect(struct exchange *x)
{
    reply_field(x, "Location", "https://elsewhere.example/api/vtexid/apptoken/login");
    reply_text(x, 302, "");
}

/* Good JSON, if anybody reads so far. */
static void answer_huge(struct exchange *x)
{
    static const char start[] = "{\"authStatus\":\"Success\",\"token\":\"", end[] = "\"}";
    char *body = mem_alloc(HUGE_BYTES, 1);

    memset(body, 'A', HUGE_BYTES);
    memcpy(body, start, sizeof(start) - 1);
    memcpy(body + HUGE_BYTES - (sizeof(end) - 1), end, sizeof(end) - 1);
    reply_bytes(x, 200, content_type, (struct text){ body, HUGE_BYTES });
    free(body);
}

static void cut(struct exchange *x)
{
    gate_cut(x, false);
}

/* What comes is a whole answer with a live token; but it is not all that was promised. */
static void answer_cut(struct exchange *x)
{
    json_t *json = success_with(mint(x, x->sim->options->login_life_s));
    char *body = json_dumps(json, JSON_COMPACT);

    reply_field(x, "Content-Type", "%s", content_type);
    reply_head(x, 200, (int64_t)strlen(body) + CUT_BYTES);
    evbuffer_add(gate_output(x), body, strlen(body));
    x->refill = cut;
    json_decref(json);
    free(body);
}

static const struct mode {
    const char *name;
    void (*answer)(struct exchange *x);
    long delay_ms; /* unless the test says */
} modes[] = {
    { "ok", answer_well, 0 },           { "down", answer_down, 0 },
    { "garbage", answer_garbage, 0 },   { "slow", answer_well, SLOW_MS },
    { "expired", answer_expired, 0 },   { "empty", answer_empty, 0 },
    { "error", answer_failure, 0 },     { "wrong-type", answer_wrong_type, 0 },
    { "redirect", answer_redirect, 0 }, { "huge", answer_huge, 0 },
    { "cut", answer_cut, 0 },
};

enum { N_MODES = sizeof(modes) / sizeof(*modes) };

/* --- the routes --- */

/* What the mode is when the request has come decides, not what it is after the delay. */
static void answer_login(struct exchange *x)
{
    struct issuer *issuer = &x->sim->issuer;
    struct issuer now = *issuer;

    x->sim->stats.logins.attempts++;
    if (issuer->left > 0 && --issuer->left == 0)
        *issuer = (struct issuer){ 0 };
    if (now.delay_ms == 0) {
        modes[now.mode].answer(x);
        return;
    }
    x->on_timer = modes[now.mode].answer;
    gate_wait(x, now.delay_ms);
}

static void answer_issuer(struct exchange *x)
{
    char name[16] = "";
    unsigned mode = 0;

    query_text(exchange_head(x)->query, "mode", name, sizeof(name), NULL);
    while (mode < N_MODES && strcmp(modes[mode].name, name) != 0)
        mode++;
    if (mode == N_MODES) {
        reply_text(x, 400, "there is no such mode\n");
        return;
    }
    unsigned long long ms = exchange_parameter(x, "ms", (unsigned long long)modes[mode].delay_ms);
    x->sim->issuer = (struct issuer){ .mode = mode,
                                      .delay_ms = ms < DELAY_MAX_MS ? (long)ms : DELAY_MAX_MS,
                                      .left = exchange_parameter(x, "count", 0) };
    reply_json(x, 200,
               json_pack("{sssIsI}", "mode", name, "ms", (json_int_t)x->sim->issuer.delay_ms,
                         "count", (json_int_t)x->sim->issuer.left));
}

const struct route routes_issuer[] = {
    { "vtexid-login", "POST", "/api/vtexid/apptoken/login", answer_login, .hosts = ON_JANUS,
      .shape = SHAPE_VTEXID },
    { "sim-issuer", "POST", "/_sim/issuer", answer_issuer, .hosts = ON_ANY,
      .flags = ROUTE_CONTROL },
    { 0 },
};

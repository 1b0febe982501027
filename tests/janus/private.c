/* /_sim/private[/KEY]: a private route that can be called by any method on any host, and that counts.
 *
 * Two proofs for the tests of rotation stand on it. That a body was delivered once for each accepted
 * attempt: the counts by KEY. That no request carried a token older than the one that was current
 * when it began: every accepted answer says the serial of the token that it came with
 * (X-Sim-Serial); the client says with every later request the largest that it has seen
 * (X-Sim-Newest); a request whose token is older than that is counted as stale. */
#include "tests/janus/echo.h"
#include "tests/janus/reply.h"
#include "tests/janus/routes.h"
#include "tests/janus/token.h"

enum { KEYS_MAX = 4096, KEY_MAX = 64 };

static bool is_good(const struct minted *token)
{
    return token && token->kind != TOKEN_STORE;
}

/* Which of the two places lets the request in; NULL: none. */
static const struct minted *admitting(const struct exchange *x)
{
    const struct minted *janus = tokens_live(x->sim->tokens, janus_token(x));
    const struct minted *bearer = tokens_live(x->sim->tokens, bearer_token(x));

    return is_good(janus) ? janus : is_good(bearer) ? bearer : NULL;
}

/* The token that the request came with, good or not; NULL if we never minted one. */
static const struct minted *carried(const struct exchange *x)
{
    const struct minted *token = admitting(x);

    if (!token)
        token = tokens_find(x->sim->tokens, janus_token(x));
    return token ? token : tokens_find(x->sim->tokens, bearer_token(x));
}

static void count_order(struct exchange *x)
{
    const struct minted *token = carried(x);
    unsigned long long newest;

    if (!text_to_uint(head_find(exchange_head(x), "X-Sim-Newest"), INT64_MAX, &newest))
        return;
    x->sim->stats.private.marked++;
    if (token && token->serial < newest)
        x->sim->stats.private.stale++;
}

/* The counts of the key in the path; NULL if there is none. All keys for which there is no room
 * share "*". */
static json_t *counts_of_key(struct exchange *x)
{
    json_t *keys = x->sim->stats.private.keys, *counts;
    char key[KEY_MAX + 1] = "*";

    if (x->arguments[0].len == 0)
        return NULL;
    if (x->arguments[0].len <= KEY_MAX)
        text_printable(x->arguments[0], key, sizeof(key));
    if (!json_object_get(keys, key) && json_object_size(keys) >= KEYS_MAX)
        snprintf(key, sizeof(key), "*");
    counts = json_object_get(keys, key);
    if (!counts) {
        counts = json_pack("{sisi}", "accepted", 0, "rejected", 0);
        json_object_set_new(keys, key, counts);
    }
    return counts;
}

static void count_delivery(struct exchange *x, bool accepted)
{
    json_t *of_key = counts_of_key(x);
    json_t *count = json_object_get(of_key, accepted ? "accepted" : "rejected");

    if (accepted)
        x->sim->stats.private.accepted++;
    else
        x->sim->stats.private.rejected++;
    json_integer_set(count, json_integer_value(count) + 1);
}

static void answer_private(struct exchange *x)
{
    const struct minted *token = admitting(x);

    count_order(x);
    count_delivery(x, token != NULL);
    if (token) {
        reply_field(x, "X-Sim-Serial", "%lu", token->serial);
        echo_answer(x);
    } else {
        answer_error(x, 401, "Unauthorized", "Authorization has been denied for this request.");
    }
}

#define ANYWHERE .hosts = ON_ANY, .shape = SHAPE_MESSAGE

const struct route routes_private[] = {
    { "private", "*", "/_sim/private", answer_private, ANYWHERE },
    { "private", "*", "/_sim/private/*", answer_private, ANYWHERE },
    { 0 },
};

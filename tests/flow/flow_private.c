/* The simulator's private route: who is let in, which tokens are dead or not yet known, and that it
 * counts right. Tests of rotation stand on these; no sidecar is in sight here. */
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_sim.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

static char *mint(const struct sim *sim, const char *kind)
{
    char target[64];

    snprintf(target, sizeof(target), "/_sim/mint?kind=%s", kind);
    json_t *json = sim_ask(sim, "POST", target);
    const char *text = json_string_value(json_object_get(json, "token"));
    char *token = text_copy(text, strlen(text));
    json_decref(json);
    return token;
}

/* ---- who is let in
 * ---------------------------------------------------------------------------------- */

static struct admission {
    const char *name, *kind, *header, *prefix;
    unsigned status;
} admissions[] = {
    { "an app as the identity", "app", "VtexIdclientAutCookie", "", 200 },
    { "an admin as the identity", "admin", "VtexIdclientAutCookie", "", 200 },
    { "an admin's cookie", "admin", "Cookie", "VtexIdclientAutCookie=", 200 },
    { "an app as Bearer", "app", "Authorization", "Bearer ", 200 },
    { "a shopper", "store", "VtexIdclientAutCookie", "", 401 },
    { "another scheme", "app", "Authorization", "Basic ", 401 },
    { "an unknown token", NULL, "VtexIdclientAutCookie", "", 401 },
    { "an expired token", "app&life=0", "VtexIdclientAutCookie", "", 401 },
};

static void admitted(void **state)
{
    const struct admission *story = *state;
    struct sim *sim = sim_start(NULL);
    char *token = story->kind ? mint(sim, story->kind) : text_copy("x", 1);
    struct bytes value = { 0 };

    bytes_print(&value, "%s%s", story->prefix, token);
    const struct response *response = sim_private(sim, story->header, value.at, "");
    expect_status(response, story->status);
    expect_header(response, "X-Sim-Serial", story->status == 200 ? "2" : NULL);
    assert_int_equal(SIM_COUNT(sim, "private", "accepted"), story->status == 200);
    assert_int_equal(SIM_COUNT(sim, "private", "rejected"), story->status == 401);
    bytes_free(&value);
    free(token);
    sim_stop(sim);
}

/* ---- what it counts
 * --------------------------------------------------------------------------------- */

static void deliver(const struct sim *sim, const char *key, const char *fields, unsigned status)
{
    char target[160];

    snprintf(target, sizeof(target), "/_sim/private/%s", key);
    expect_status(client_response(sim_post(sim, target, fields, "a body")), status);
}

static void counted_by_key(void **state)
{
    static const char too_long[] =
        "0123456789012345678901234567890123456789012345678901234567890123456789";
    struct sim *sim = sim_start(NULL);
    char *token = sim_token(sim), fields[4096];

    (void)state;
    snprintf(fields, sizeof(fields), "Authorization: Bearer %s\r\n", token);
    deliver(sim, "order-1", "", 401);
    deliver(sim, "order-1", fields, 200);
    deliver(sim, "order/2", fields, 200);
    deliver(sim, "order/2", fields, 200);
    deliver(sim, too_long, fields, 200);
    deliver(sim, "", fields, 200); /* no key, and none is made up */
    assert_int_equal(SIM_COUNT(sim, "private", "keys", "order-1", "accepted"), 1);
    assert_int_equal(SIM_COUNT(sim, "private", "keys", "order-1", "rejected"), 1);
    assert_int_equal(SIM_COUNT(sim, "private", "keys", "order/2", "accepted"), 2);
    assert_int_equal(SIM_COUNT(sim, "private", "keys", "*", "accepted"), 1);
    assert_int_equal(SIM_COUNT(sim, "private", "accepted"), 5);
    json_t *stats = sim_ask(sim, "GET", "/_sim/stats?clear=1");
    assert_int_equal(json_object_size(json_object_get(json_object_get(stats, "private"), "keys")),
                     3);
    json_decref(stats);
    assert_int_equal(SIM_COUNT(sim, "private", "accepted"), 0);
    free(token);
    sim_stop(sim);
}

/* A client that has seen the answer to a newer token never gets an older one's again. */
static void order_of_tokens(void **state)
{
    struct sim *sim = sim_start(NULL);
    char *old = sim_token(sim), *fresh, said[64];

    (void)state;
    sim_rotate(sim, &fresh);
    expect_header(sim_private(sim, "VtexIdclientAutCookie", fresh, ""), "X-Sim-Serial", "2");
    snprintf(said, sizeof(said), "X-Sim-Newest: 2\r\n");
    sim_private(sim, "VtexIdclientAutCookie", fresh, said);
    assert_int_equal(SIM_COUNT(sim, "private", "marked"), 1);
    assert_int_equal(SIM_COUNT(sim, "private", "stale"), 0);
    sim_private(sim, "VtexIdclientAutCookie", old, ""); /* nobody says that it is old */
    assert_int_equal(SIM_COUNT(sim, "private", "stale"), 0);
    expect_status(sim_private(sim, "VtexIdclientAutCookie", old, said), 200);
    assert_int_equal(SIM_COUNT(sim, "private", "stale"), 1);
    sim_tell(sim, "/_sim/revoke?serial=1");
    expect_status(sim_private(sim, "VtexIdclientAutCookie", old, said), 401);
    assert_int_equal(SIM_COUNT(sim, "private", "stale"), 2); /* refused, and it did come */
    assert_int_equal(SIM_COUNT(sim, "private", "marked"), 3);
    free(old);
    free(fresh);
    sim_stop(sim);
}

/* ---- dead, and not yet known
 * ------------------------------------------------------------------------ */

static void revoked(void **state)
{
    struct sim *sim = sim_start(NULL);
    char target[64], *first = sim_token(sim), *second, *third, *admin = sim_log_in(sim);
    long long serial = sim_rotate(sim, &second);

    (void)state;
    assert_int_equal(serial, 3);
    sim_rotate(sim, &third);
    assert_int_equal(sim_status(sim, first), 200);
    snprintf(target, sizeof(target), "/_sim/revoke?serial=%lld", serial);
    sim_tell(sim, target);
    assert_int_equal(sim_status(sim, first), 401);
    assert_int_equal(sim_status(sim, admin), 401);
    assert_int_equal(sim_status(sim, second), 401);
    assert_int_equal(sim_status(sim, third), 200);
    sim_tell(sim, "/_sim/revoke?serial=1"); /* what is dead stays dead */
    assert_int_equal(sim_status(sim, second), 401);
    sim_tell(sim, "/_sim/revoke?serial=all");
    assert_int_equal(sim_status(sim, third), 401);
    free(admin);
    admin = sim_log_in(sim); /* and the issuer goes on */
    assert_int_equal(sim_status(sim, admin), 200);
    free(first);
    free(second);
    free(third);
    free(admin);
    sim_stop(sim);
}

/* The issuer has minted it, and this node has not heard of it yet. */
static void heard_late(void **state)
{
    struct sim *sim = sim_start(NULL);
    char *early = sim_token(sim), *rotated;

    (void)state;
    sim_tell(sim, "/_sim/lag?ms=3600000");
    char *given = sim_log_in(sim);
    sim_rotate(sim, &rotated);
    assert_int_equal(sim_status(sim, early), 200);
    assert_int_equal(sim_status(sim, given), 401);
    assert_int_equal(sim_status(sim, rotated), 401);
    sim_tell(sim, "/_sim/lag?ms=0");
    assert_int_equal(sim_status(sim, given), 200);
    assert_int_equal(sim_status(sim, rotated), 200);
    free(rotated);
    sim_tell(sim, "/_sim/lag?ms=100");
    long long since = now_ms();
    sim_rotate(sim, &rotated);
    while (sim_status(sim, rotated) != 200)
        assert_true(now_ms() - since < PATIENCE_MS);
    assert_true(now_ms() - since >= 100);
    free(early);
    free(given);
    free(rotated);
    sim_stop(sim);
}

/* More rotations than a test of them needs, and the first token is still known. */
static void many_rotations(void **state)
{
    enum { ROTATIONS = 300 };
    struct sim *sim = sim_start(NULL);
    struct client *client = sim_client(sim, SIM_STORE);
    char *first = sim_token(sim);

    (void)state;
    for (int i = 0; i < ROTATIONS; i++) {
        client_say(client, "POST /_sim/rotate HTTP/1.1\r\nHost: " SIM_STORE "\r\n\r\n");
        expect_status(client_response(client), 200);
    }
    assert_int_equal(SIM_COUNT(sim, "newest_serial"), ROTATIONS + 1);
    assert_int_equal(sim_status(sim, first), 200);
    free(first);
    sim_stop(sim);
}

static struct single singles[] = {
    { "deliveries are counted by key", counted_by_key },
    { "the order of tokens", order_of_tokens },
    { "revoked up to a serial, and all", revoked },
    { "a token that the node hears of late", heard_late },
    { "many rotations", many_rotations },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, admissions, admitted);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("private", &stories, NULL, NULL);
}

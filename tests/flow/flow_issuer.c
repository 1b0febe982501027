/* The simulator itself, as an issuer of tokens: its misfortunes, and what it gives away. Tests of
 * rotation stand on these; no sidecar is in sight here. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/flow/kit_sim.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define WRONG     "{\"appkey\":\"vtexappkey-acme-JANUS\",\"apptoken\":\"\"}"
#define LOGIN     "/api/vtexid/apptoken/login"
#define ELSEWHERE "https://elsewhere.example" LOGIN

/* ---- misfortunes
 * ----------------------------------------------------------------------------------- */

static void expect_live(const struct sim *sim, struct client *client)
{
    const struct response *response = client_response(client);

    expect_status(response, 200);
    char *token = sim_member(response, "token");
    assert_int_equal(sim_status(sim, token), 200);
    free(token);
}

static void expect_dropped(const struct sim *sim, struct client *client)
{
    (void)sim;
    assert_int_equal(client_end(client), ENDING_CUT);
}

static void expect_garbage(const struct sim *sim, struct client *client)
{
    const struct response *response = client_response(client);

    (void)sim;
    expect_status(response, 200);
    assert_null(json_loadb(response->body.at, response->body.n, JSON_ALLOW_NUL, NULL));
}

static void expect_expired(const struct sim *sim, struct client *client)
{
    const struct response *response = client_response(client);

    expect_status(response, 200);
    json_t *json = json_loadb(response->body.at, response->body.n, 0, NULL);
    assert_true(json_integer_value(json_object_get(json, "expires")) < time(NULL));
    json_decref(json);
    char *token = sim_member(response, "token");
    assert_int_equal(sim_status(sim, token), 401);
    free(token);
}

static void expect_empty(const struct sim *sim, struct client *client)
{
    (void)sim;
    char *token = sim_member(client_response(client), "token");
    assert_string_equal(token, "");
    free(token);
}

static void expect_error(const struct sim *sim, struct client *client)
{
    (void)sim;
    expect_status(client_response(client), 500);
}

static void expect_number(const struct sim *sim, struct client *client)
{
    const struct response *response = client_response(client);
    json_t *json = json_loadb(response->body.at, response->body.n, 0, NULL);

    (void)sim;
    expect_status(response, 200);
    assert_true(json_is_integer(json_object_get(json, "token")));
    json_decref(json);
}

static void expect_redirect(const struct sim *sim, struct client *client)
{
    const struct response *response = client_response(client);

    (void)sim;
    expect_status(response, 302);
    expect_header(response, "Location", ELSEWHERE);
}

static void expect_huge(const struct sim *sim, struct client *client)
{
    const struct response *response = client_response(client);

    (void)sim;
    assert_true(response->complete);
    assert_int_equal(response->body.n, 1024 * 1024);
    free(sim_member(response, "token"));
}

static void expect_cut(const struct sim *sim, struct client *client)
{
    const struct response *response = client_response(client);

    (void)sim;
    expect_status(response, 200);
    assert_false(response->complete);
    free(sim_member(response, "token")); /* believable up to there */
    assert_int_equal(client_end(client), ENDING_CUT);
}

static struct misfortune {
    const char *name, *mode;
    void (*expect)(const struct sim *sim, struct client *client);
    bool succeeds;
    long long ms; /* not before */
} misfortunes[] = {
    { "none", "ok", expect_live, true, 0 },
    { "down", "down", expect_dropped, false, 0 },
    { "garbage", "garbage", expect_garbage, false, 0 },
    { "slow", "slow&ms=200", expect_live, true, 200 },
    { "an expired token", "expired", expect_expired, false, 0 },
    { "an empty token", "empty", expect_empty, false, 0 },
    { "an error", "error", expect_error, false, 0 },
    { "a number for a token", "wrong-type", expect_number, false, 0 },
    { "a redirect", "redirect", expect_redirect, false, 0 },
    { "a huge answer", "huge", expect_huge, false, 0 },
    { "a cut answer", "cut", expect_cut, false, 0 },
};

/* Two answers are so, the third is well again; and once more without a count until told. */
static void strikes(void **state)
{
    const struct misfortune *story = *state;
    struct sim *sim = sim_start(NULL);
    char target[64];

    snprintf(target, sizeof(target), "/_sim/issuer?mode=%s&count=2", story->mode);
    sim_tell(sim, target);
    long long before = now_ms();
    for (int i = 0; i < 2; i++)
        story->expect(sim, sim_login(sim));
    assert_true(now_ms() - before >= 2 * story->ms);
    expect_live(sim, sim_login(sim));
    *strrchr(target, '&') = '\0';
    sim_tell(sim, target);
    for (int i = 0; i < 3; i++)
        story->expect(sim, sim_login(sim));
    sim_tell(sim, "/_sim/issuer?mode=ok");
    expect_live(sim, sim_login(sim));
    assert_int_equal(SIM_COUNT(sim, "logins", "attempts"), 7);
    assert_int_equal(SIM_COUNT(sim, "logins", "succeeded"), story->succeeds ? 7 : 2);
    sim_stop(sim);
}

/* ---- the life of tokens
 * ---------------------------------------------------------------------------- */

static void wrong_pair(void **state)
{
    struct sim *sim = sim_start(NULL);

    (void)state;
    expect_status(client_response(sim_post(sim, LOGIN, "", WRONG)), 401);
    assert_int_equal(SIM_COUNT(sim, "logins", "attempts"), 1);
    assert_int_equal(SIM_COUNT(sim, "logins", "succeeded"), 0);
    sim_stop(sim);
}

static void unknown_mode(void **state)
{
    struct sim *sim = sim_start(NULL);

    (void)state;
    expect_status(client_response(sim_post(sim, "/_sim/issuer?mode=moody", "", "")), 400);
    expect_status(client_response(sim_post(sim, "/_sim/revoke?serial=2", "", "")), 400);
    expect_live(sim, sim_login(sim));
    sim_stop(sim);
}

static void short_life(void **state)
{
    static const char *const options[] = { "--login-life", "1s", NULL };
    struct sim *sim = sim_start(options);
    time_t before = time(NULL);

    (void)state;
    const struct response *response = client_response(sim_login(sim));
    json_t *json = json_loadb(response->body.at, response->body.n, 0, NULL);
    long long expires = json_integer_value(json_object_get(json, "expires"));
    json_decref(json);
    char *token = sim_member(response, "token");
    assert_true(expires >= before + 1 && expires <= time(NULL) + 1);
    while (time(NULL) < expires)
        wait_any(NULL, 0, now_ms() + 50); /* for the clock: the one event that nobody reports */
    assert_int_equal(sim_status(sim, token), 401);
    free(token);
    sim_stop(sim);
}

static unsigned io_status(const struct sim *sim, const char *token)
{
    struct client *client = sim_client(sim, "app.io.vtex.com");
    struct bytes request = { 0 };

    bytes_print(&request,
                "GET /a.b/v1/acme/master/x HTTP/1.1\r\nHost: app.io.vtex.com\r\n"
                "Authorization: Bearer %s\r\n\r\n",
                token);
    client_say(client, request.at);
    bytes_free(&request);
    return client_response(client)->status;
}

/* IO's routes want an app's token: the login's is one if the simulator is told so. */
static void kind_of_login(void **state)
{
    static const char *const app[] = { "--login-kind", "app", NULL };
    struct sim *sim = sim_start(NULL), *other = sim_start(app);
    char *admins = sim_log_in(sim), *apps = sim_log_in(other);

    (void)state;
    assert_int_equal(io_status(sim, admins), 403);
    assert_int_equal(io_status(other, apps), 200);
    assert_int_equal(sim_status(other, apps), 200);
    free(admins);
    free(apps);
    sim_stop(sim);
    sim_stop(other);
}

static struct single singles[] = {
    { "a wrong pair", wrong_pair },
    { "what is not understood changes nothing", unknown_mode },
    { "a life of a second", short_life },
    { "the kind of a login's token", kind_of_login },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, misfortunes, strikes);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("issuer", &stories, NULL, NULL);
}

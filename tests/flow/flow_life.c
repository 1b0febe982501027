/* The life of tokens: the sidecar logs in at the simulator, renews ahead, lives through an issuer's
 * misfortunes, and falls from one source to the next. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/flow/kit_town.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

enum {
    RETRY_MAX_MS = 400,
    WAIT_MS = 200,
    TIMEOUT_MS = 500,
    SLACK_MS = 1500, /* of a loaded machine */
};

#define TIMES                                                                                      \
    "--token-retry", "100ms", "--token-retry-max", "400ms", "--token-wait", "200ms",               \
        "--token-timeout", "500ms"
#define STORE   "Host: " SIM_STORE "\r\n"
#define FOREIGN "GET /a HTTP/1.1\r\nHost: any.partner.example\r\n\r\n"
#define USERS   "GET /_sim/echo HTTP/1.1\r\n" STORE "VtexIdclientAutCookie: a-token-of-a-user\r\n\r\n"

/* ---- what is seen
 * ---------------------------------------------------------------------------------- */

static void expect_unavailable(const struct response *response)
{
    expect_answer(response, 503, "TokenUnavailable", "no live app token");
    char *retry = head_field(response->head, "Retry-After");
    assert_non_null(retry);
    assert_true(strtol(retry, NULL, 10) >= 1);
    free(retry);
}

/* What needs no app token has none to wait for. */
static void expect_others_flow(const struct town *town)
{
    expect_status(town_ask(town, FOREIGN), 200);
    expect_status(town_ask(town, USERS), 200);
    clients_close();
}

static long long milliseconds_of(const struct town *town, const char *name)
{
    json_t *report = town_admin(town, "/token", NULL);
    long long ms = json_integer_value(json_object_get(report, name));

    json_decref(report);
    return ms;
}

static void expect_ready(const struct town *town, unsigned status, const char *token)
{
    unsigned seen;
    json_t *json = town_admin(town, "/readyz", &seen);

    assert_int_equal(seen, status);
    assert_string_equal(json_string_value(json_object_get(json, "token")), token);
    json_decref(json);
}

static void expect_source(const struct town *town, const char *name)
{
    json_t *report = town_admin(town, "/token", NULL);

    assert_string_equal(json_string_value(json_object_get(report, "source")), name);
    json_decref(report);
}

/* ---- a normal life
 * --------------------------------------------------------------------------------- */

/* exp is a whole second: 3 s are 2 to 3 s, of which the last tenth is not used. */
enum { LIFETIMES = 6, LIFE_LEAST_MS = 2000 * 9 / 10 };

static void renewed_ahead(void **state)
{
    static const struct town_plan plan = { .sim_options = { "--login-life", "3s" },
                                           .options = { TIMES } };
    struct town town;
    long long before, n_requests = 0;
    char line[64];

    (void)state;
    town_open(&town, &plan);
    town_await_generation(&town, 1);
    before = now_ms();
    snprintf(line, sizeof(line), "event=token generation=%d ", LIFETIMES);
    while (!strstr(process_log(town.sidecar), line)) {
        assert_int_equal(town_status(&town), 200);
        n_requests++;
        wait_any(NULL, 0, now_ms() + 20);
        if (now_ms() - before > 3000LL * LIFETIMES + PATIENCE_MS)
            fail_msg("generation %d did not come:\n%s", LIFETIMES, process_log(town.sidecar));
    }
    long long took = now_ms() - before;
    assert_int_equal(town_logins(&town), LIFETIMES);
    assert_int_equal(town_rejected(&town), 0);
    if (took < (LIFETIMES - 1) * LIFE_LEAST_MS * 75 / 100)
        fail_msg("%d renewals in %lld ms", LIFETIMES - 1, took);
    print_message("%lld requests, %d logins in %lld ms\n", n_requests, LIFETIMES, took);
    town_close(&town);
}

/* Whoever comes before the first token waits for it. */
static void slow_beginning(void **state)
{
    static const struct town_plan plan = { .options = { "--token-wait", "20s" } };
    struct town town;

    (void)state;
    town_found(&town, &plan);
    sim_tell(town.sim, "/_sim/issuer?mode=slow&ms=400");
    town_start(&town, &plan);
    expect_ready(&town, 503, "missing or expired");
    expect_others_flow(&town);
    assert_int_equal(town_status(&town), 200);
    expect_ready(&town, 200, "live");
    assert_int_equal(town_logins(&town), 1);
    town_close(&town);
}

/* ---- an issuer's misfortunes
 * ----------------------------------------------------------------------- */

enum { MISFORTUNE_MS = 10 * 2000 };

/* All of them at once: a town for each. What each saw is judged in a test of its own. */
static struct misfortune {
    const char *name, *mode;
    const char *complaint; /* the log's */

    struct town town;
    long long
        alive_until_ms; /* as /token says when the misfortune begins; then it may still be used */
    long long last_200_ms, first_503_ms, longest_503_ms;
    unsigned n_200, n_503, n_other, n_200_after_503;
    long long logins, rejected, recovery_ms;
    bool seen, complained, others_flowed;
} misfortunes[] = {
    { .name = "down", .mode = "down", .complaint = "closed the connection" },
    { .name = "garbage", .mode = "garbage", .complaint = "is no JSON object" },
    { .name = "slow", .mode = "slow&ms=900", .complaint = "did not answer within 500 ms" },
    { .name = "an expired token", .mode = "expired", .complaint = "has expired already" },
    { .name = "an empty token", .mode = "empty", .complaint = "there is no token in it" },
    { .name = "an error", .mode = "error", .complaint = "it answered 500" },
    { .name = "a number for a token", .mode = "wrong-type", .complaint = "cannot be used" },
    { .name = "a redirect", .mode = "redirect", .complaint = "it answered 302" },
    { .name = "a huge answer", .mode = "huge", .complaint = "too large" },
    { .name = "a cut answer", .mode = "cut", .complaint = "closed the connection" },
};

enum { N_MISFORTUNES = sizeof(misfortunes) / sizeof(misfortunes[0]) };

static void strike(struct misfortune *it)
{
    char target[64];

    snprintf(target, sizeof(target), "/_sim/issuer?mode=%s", it->mode);
    sim_tell(it->town.sim, target);
    it->alive_until_ms = now_ms() + milliseconds_of(&it->town, "expiresInMs");
    it->logins = -town_logins(&it->town);
}

static void look(struct misfortune *it)
{
    long long before = now_ms();
    const struct response *response = town_private(&it->town, "any");
    long long took = now_ms() - before;

    if (response->status == 200) {
        it->n_200++;
        it->n_200_after_503 += it->n_503 > 0;
        it->last_200_ms = before;
    } else if (response->status == 503) {
        expect_unavailable(response);
        if (!it->n_503++)
            it->first_503_ms = before;
        if (took > it->longest_503_ms)
            it->longest_503_ms = took;
    } else {
        it->n_other++;
    }
    clients_close();
}

static void look_after_death(struct misfortune *it)
{
    unsigned status;

    json_decref(town_admin(&it->town, "/token", &status));
    assert_int_equal(status, 503);
    expect_ready(&it->town, 503, "missing or expired");
    expect_others_flow(&it->town);
    it->others_flowed = true;
    it->complained = strstr(process_log(it->town.sidecar), it->complaint) != NULL;
    it->logins += town_logins(&it->town);
}

/* None is live now: the next token that the log tells of is the one. */
static void recover(struct misfortune *it)
{
    size_t told = strlen(process_log(it->town.sidecar));
    long long before;

    sim_tell(it->town.sim, "/_sim/issuer?mode=ok");
    before = now_ms();
    while (!strstr(process_log(it->town.sidecar) + told, "event=token generation=")) {
        if (!wait_any(NULL, 0, before + PATIENCE_MS))
            fail_msg("%s: no token came:\n%s", it->name, process_log(it->town.sidecar));
    }
    it->recovery_ms = now_ms() - before;
    assert_int_equal(town_status(&it->town), 200);
    expect_ready(&it->town, 200, "live");
    it->rejected = town_rejected(&it->town);
    town_close(&it->town);
    it->seen = true;
}

static void open_towns(void)
{
    static const struct town_plan plan = { .sim_options = { "--login-life", "2s" },
                                           .options = { TIMES } };

    for (size_t i = 0; i < N_MISFORTUNES; i++)
        town_found(&misfortunes[i].town, &plan);
    for (size_t i = 0; i < N_MISFORTUNES; i++)
        town_start(&misfortunes[i].town, &plan);
    for (size_t i = 0; i < N_MISFORTUNES; i++)
        town_await_generation(&misfortunes[i].town, 1);
}

static void live_through_all(void)
{
    open_towns();
    for (size_t i = 0; i < N_MISFORTUNES; i++)
        strike(&misfortunes[i]);
    for (long long end = now_ms() + MISFORTUNE_MS; now_ms() < end;) {
        for (size_t i = 0; i < N_MISFORTUNES; i++)
            look(&misfortunes[i]);
    }
    for (size_t i = 0; i < N_MISFORTUNES; i++)
        look_after_death(&misfortunes[i]);
    for (size_t i = 0; i < N_MISFORTUNES; i++)
        recover(&misfortunes[i]);
}

/* Pauses are random parts of a step of 400 ms: 200 ms on average, half as many again at the very
 * most over a hundred of them. */
static void expect_bounded(const struct misfortune *it)
{
    long long most = MISFORTUNE_MS / (RETRY_MAX_MS / 2) * 3 / 2;

    if (it->logins < 5 || it->logins > most)
        fail_msg("%lld logins, %lld at most", it->logins, most);
}

static void lived_through(void **state)
{
    const struct misfortune *it = *state;
    static bool begun;

    if (!begun) {
        begun = true;
        live_through_all();
    }
    assert_true(it->seen);
    print_message("%u answered 200, %u 503 (after %lld ms at most), %lld logins, back in %lld ms\n",
                  it->n_200, it->n_503, it->longest_503_ms, it->logins, it->recovery_ms);
    assert_true(it->complained);
    assert_true(it->others_flowed);
    assert_int_equal(it->n_other, 0);
    assert_int_equal(it->rejected, 0); /* no dead token ever went to the origin */
    assert_true(it->n_503 > 0);
    assert_int_equal(it->n_200_after_503, 0);
    assert_true(it->first_503_ms >= it->alive_until_ms - WAIT_MS - 50);
    assert_true(it->last_200_ms <= it->alive_until_ms + SLACK_MS);
    assert_true(it->longest_503_ms <= WAIT_MS + SLACK_MS);
    expect_bounded(it);
    assert_true(it->recovery_ms <= RETRY_MAX_MS + TIMEOUT_MS + SLACK_MS);
}

/* ---- several sources
 * ------------------------------------------------------------------------------- */

static void write_token(struct town *town, const char *subject, time_t expires_at)
{
    char *token = jwt_text(subject, expires_at);

    folder_replace(town->folder, "token", token);
    free(token);
}

static const struct town_plan two_sources = { .options = { "--token-file", "token", TIMES } };

static void file_is_preferred(void **state)
{
    struct town town;

    (void)state;
    town_found(&town, &two_sources);
    write_token(&town, "from-the-file", time(NULL) + 600);
    town_start(&town, &two_sources);
    town_await_generation(&town, 1);
    expect_source(&town, "file");
    town_close(&town);
}

static void file_comes_and_dies(void **state)
{
    struct town town;

    (void)state;
    town_open(&town, &two_sources);
    town_await_generation(&town, 1);
    expect_source(&town, "login");
    assert_int_equal(town_status(&town), 200);
    write_token(&town, "from-the-file", time(NULL) + 3);
    town_await_generation(&town, 2);
    expect_source(&town, "file");
    /* the login's own token still lives: it is used again, under its old number */
    process_await_line(town.sidecar, "source=login");
    assert_int_equal(town_status(&town), 200);
    assert_int_equal(town_logins(&town), 1);
    unlink(folder_name(town.folder, "token"));
    write_token(&town, "from-the-file-again", time(NULL) + 600);
    process_await_line(town.sidecar, "source=file");
    expect_source(&town, "file");
    town_close(&town);
}

/* The login is asked when the file's token, which nobody renews, comes to its last tenth. */
static void file_dies_alone(void **state)
{
    struct town town;

    (void)state;
    town_found(&town, &two_sources);
    write_token(&town, "from-the-file", time(NULL) + 600);
    town_start(&town, &two_sources);
    process_await_line(town.sidecar, "source=file");
    sim_tell(town.sim, "/_sim/issuer?mode=ok");
    write_token(&town, "a-short-one", time(NULL) + 3);
    process_await_line(town.sidecar, "source=file");
    process_await_line(town.sidecar, "source=login");
    assert_int_equal(town_status(&town), 200);
    assert_true(town_logins(&town) <= 2);
    town_close(&town);
}

static void order_is_ours(void **state)
{
    static const struct town_plan plan = { .options = { "--token-file", "token", "--token-sources",
                                                        "login,file", TIMES } };
    struct town town;

    (void)state;
    town_found(&town, &plan);
    write_token(&town, "from-the-file", time(NULL) + 600);
    sim_tell(town.sim, "/_sim/issuer?mode=error&count=1");
    town_start(&town, &plan);
    process_await_line(town.sidecar, "source=file"); /* it will do until then */
    process_await_line(town.sidecar, "source=login");
    expect_source(&town, "login");
    town_close(&town);
}

/* ---- refused starts
 * -------------------------------------------------------------------------------- */

#define SECRET "vtexappkey-acme-NOTTOBESHOWN"

static struct start {
    const char *name;
    struct town_plan plan;
    const char *says;
} starts[] = {
    { "a source that is named and not set up",
      { .options = { "--token-sources", "file,login" } },
      "--token-sources: error: \"file\" is named, but not set up; --token-file does that" },
    { "login is named and not set up",
      { .no_login = true, .options = { "--token-file", "token", "--token-sources", "login" } },
      "\"login\" is named, but not set up; --appkey-file with --apptoken-file does that" },
    { "the app key on the command line",
      { .options = { "--appkey", SECRET } },
      "--appkey: error: a secret is taken from the environment (JANUS_APPKEY) or from a file "
      "(--appkey-file FILE) only" },
    { "its token on the command line",
      { .options = { "--apptoken=" SECRET } },
      "--apptoken: error: a secret is taken from the environment (JANUS_APPTOKEN) or from a file "
      "(--apptoken-file FILE) only" },
    { "half a pair",
      { .no_login = true, .options = { "--appkey-file", "appkey" } },
      "the app key is given and its token is not" },
    { "backoff that shrinks",
      { .options = { "--token-retry", "1s", "--token-retry-max", "500ms" } },
      "--token-retry-max: error: is shorter than --token-retry" },
};

static void refused_start(void **state)
{
    const struct start *story = *state;
    struct town town;

    town_found(&town, &story->plan);
    struct process *process = town_run(&town, &story->plan, "run", NULL);
    assert_int_equal(process_wait(process), 2);
    if (!strstr(process_log(process), story->says))
        fail_msg("it was to say %s:\n%s", story->says, process_log(process));
    assert_null(strstr(process_log(process), SECRET));
    process_free(process);
    assert_int_equal(town_logins(&town), 0);
    town_forget(&town);
}

/* ---- a 401
 * ----------------------------------------------------------------------------------------- */

enum { CROWD = 120 };

#define TO_PRIVATE "POST /_sim/private/%d HTTP/1.1\r\n" STORE "Content-Length: 5\r\n\r\nhello"

static void crowd_after_revocation(void **state)
{
    static const struct town_plan plan = { .options = { "--token-wait", "20s" } };
    struct client *crowd[CROWD];
    struct town town;

    (void)state;
    town_open(&town, &plan);
    town_await_generation(&town, 1);
    assert_int_equal(town_status(&town), 200);
    sim_tell(town.sim, "/_sim/revoke?serial=all");
    for (int i = 0; i < CROWD; i++) {
        char request[256];
        snprintf(request, sizeof(request), TO_PRIVATE, i);
        crowd[i] = client_new(town.port);
        client_say(crowd[i], request);
    }
    for (int i = 0; i < CROWD; i++)
        expect_status(client_response(crowd[i]), 200);
    assert_int_equal(town_logins(&town), 2);
    town_close(&town);
}

static void expect_details(const struct response *response, const char *says)
{
    char *status = head_field(response->head, "Proxy-Status");

    if (!status || !strstr(status, says))
        fail_msg("Proxy-Status was to say %s:\n%s", says, response->head);
    free(status);
}

/* A node of the issuer does not know the newest token yet. */
static void node_lags(void **state)
{
    struct town town;

    (void)state;
    town_open(&town, NULL);
    town_await_generation(&town, 1);
    assert_int_equal(town_status(&town), 200);
    sim_tell(town.sim, "/_sim/lag?ms=600000");
    process_signal(town.sidecar, SIGHUP);
    town_await_generation(&town, 2);
    for (int i = 0; i < 20; i++) {
        const struct response *response = town_private(&town, "lagging");
        expect_status(response, 200);
        expect_details(response, "the app token was refused, the one before it taken");
        clients_close();
    }
    assert_int_equal(town_rejected(&town), 20); /* each tried the newest, once */
    assert_int_equal(town_logins(&town), 2);
    sim_tell(town.sim, "/_sim/lag?ms=0");
    assert_int_equal(town_status(&town), 200);
    assert_int_equal(town_rejected(&town), 20);
    town_close(&town);
}

/* It never ends: each 401 goes to the client, and the issuer is not stormed. */
static void never_accepted(void **state)
{
    static const struct town_plan plan = { .options = { TIMES } };
    struct town town;

    (void)state;
    town_open(&town, &plan);
    town_await_generation(&town, 1);
    sim_tell(town.sim, "/_sim/lag?ms=600000");
    sim_tell(town.sim, "/_sim/revoke?serial=all");
    long long begun = now_ms();
    for (int i = 0; i < 100; i++)
        assert_int_equal(town_status(&town), 401);
    long long took = now_ms() - begun, most = 5 + took / RETRY_MAX_MS;
    if (town_logins(&town) > most)
        fail_msg("%lld logins in %lld ms", town_logins(&town), took);
    town_close(&town);
}

/* ---- SIGHUP
 * ---------------------------------------------------------------------------------------- */

static void told_of_news(void **state)
{
    struct town town;

    (void)state;
    town_open(&town, NULL);
    town_await_generation(&town, 1);
    for (unsigned generation = 2; generation < 5; generation++) {
        process_signal(town.sidecar, SIGHUP);
        town_await_generation(&town, generation);
        assert_int_equal(town_status(&town), 200);
    }
    assert_int_equal(town_logins(&town), 4);
    town_close(&town);
}

/* The old pair is not valid any more, the new one stands in the files. */
static void new_pair(void **state)
{
    struct town town;

    (void)state;
    town_found(&town, NULL);
    folder_write(town.folder, "apptoken", "the-old-one");
    town_start(&town, NULL);
    process_await_line(town.sidecar, "it answered 401: the app key or its token is wrong");
    folder_replace(town.folder, "apptoken", TOWN_APPTOKEN);
    process_signal(town.sidecar, SIGHUP);
    town_await_generation(&town, 1);
    assert_int_equal(town_status(&town), 200);
    town_close(&town);
}

static void in_vain(void **state)
{
    struct town town;

    (void)state;
    town_open(&town, NULL);
    town_await_generation(&town, 1);
    sim_tell(town.sim, "/_sim/issuer?mode=error&count=1");
    process_signal(town.sidecar, SIGHUP);
    process_await_line(town.sidecar, "its last token stays in use");
    assert_int_equal(town_status(&town), 200);
    town_await_generation(&town, 2); /* what failed is tried again */
    assert_int_equal(town_status(&town), 200);
    town_close(&town);
}

static struct single singles[] = {
    { "tokens are renewed ahead, and no request notices", renewed_ahead },
    { "the first login is slow", slow_beginning },
    { "the file is preferred", file_is_preferred },
    { "the file comes, and its token dies", file_comes_and_dies },
    { "the file's token dies with no other there", file_dies_alone },
    { "the order is the operator's", order_is_ours },
    { "a token is revoked in the middle of a crowd", crowd_after_revocation },
    { "a node that does not know the newest token", node_lags },
    { "no token is ever accepted", never_accepted },
    { "SIGHUP: a new token", told_of_news },
    { "SIGHUP: a new pair", new_pair },
    { "SIGHUP in vain", in_vain },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, singles, single_run);
    STORIES_ADD(&stories, starts, refused_start);
    STORIES_ADD(&stories, misfortunes, lived_through);
    return flow_run("life", &stories, NULL, NULL);
}

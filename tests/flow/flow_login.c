/* A login at VTEX ID: the way there, the time it takes, kept connections, and its end under way. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/flow/kit_login.h"
#include "tests/unit/stories.h"

/* ---- no way there ---- */

static struct closed_way {
    const char *name;
    struct login_plan plan;
    const char *want;
} closed_ways[] = {
    { "an expired certificate",
      { .certificate = CERTIFICATE_EXPIRED },
      "failed the origin's certificate was not accepted: certificate has expired: ..." },
    { "a certificate for another name",
      { .certificate = CERTIFICATE_OTHER_NAME },
      "failed the origin's certificate was not accepted: hostname mismatch: ..." },
    { "a certificate of a stranger",
      { .certificate = CERTIFICATE_STRANGER },
      "failed the origin's certificate was not accepted: unable to get local issuer certificate: "
      "CN=flow origin (depth 0) is signed by CN=Strange Authority..." },
};

/* Not one byte of the pair leaves. */
static void refused_certificate(void **state)
{
    const struct closed_way *story = *state;

    login_begin(&story->plan);
    process_signal(scene.driver, SIGHUP);
    origin_accept_failing(scene.origin);
    login_answers(story->want);
    login_end();
}

static void nobody_listens(void **state)
{
    static const struct login_plan plan = { .other_port = true };

    (void)state;
    login_begin(&plan);
    process_signal(scene.driver, SIGHUP);
    login_answers("failed the origin refused the connection: Connection refused");
    login_end();
}

static void address_denied(void **state)
{
    static const struct login_plan plan = { .closed = true };
    char want[128];

    (void)state;
    login_begin(&plan);
    process_signal(scene.driver, SIGHUP);
    snprintf(want, sizeof(want),
             "failed the destination's name leads to an address that is not public: 127.0.0.1:%u",
             origin_port(scene.origin));
    login_answers(want);
    origin_untouched(scene.origin);
    login_end();
}

/* A plaintext host does not take the pair out of TLS. */
static void never_in_the_clear(void **state)
{
    static const struct login_plan plan = { .words = { "--plaintext-host", HOST } };

    (void)state;
    login_begin(&plan);
    login_say_good(login_asked());
    login_answers(ARRIVED);
    login_end();
}

/* ---- time ---- */

static const struct login_plan impatient = { .words = { "--token-timeout", "200ms" } };
#define TIMED_OUT "failed it did not answer within 200 ms"

static void no_answer(struct origin_conn *conn)
{
    (void)conn;
}

static void half_a_head(struct origin_conn *conn)
{
    origin_say(conn, OK "X");
}

static void half_a_body(struct origin_conn *conn)
{
    origin_say(conn, OK LENGTH(67) GOOD_BODY);
}

static void interim_only(struct origin_conn *conn)
{
    origin_say(conn, "HTTP/1.1 102 Processing\r\n\r\n");
}

static struct pause {
    const char *name;
    void (*say)(struct origin_conn *conn);
} pauses[] = {
    { "no more comes before an answer", no_answer },
    { "no more comes in a head", half_a_head },
    { "no more comes in a body", half_a_body },
    { "no more comes behind an interim response", interim_only },
};

static void too_slow(void **state)
{
    const struct pause *story = *state;

    login_begin(&impatient);
    struct origin_conn *conn = login_asked();
    story->say(conn);
    login_answers(TIMED_OUT);
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    login_say_good(login_asked()); /* it asks again, on a new connection */
    login_answers(ARRIVED);
    login_end();
}

static void slow_handshake(void **state)
{
    (void)state;
    login_begin(&impatient);
    process_signal(scene.driver, SIGHUP);
    origin_connected(scene.origin);
    login_answers(TIMED_OUT);
    login_end();
}

static void slow_connect(void **state)
{
    static const struct login_plan plan = { .words = { "--connect-timeout", "200ms" } };

    (void)state;
    login_begin(&plan);
    process_signal(scene.driver, SIGHUP);
    origin_connected(scene.origin);
    login_answers(
        "failed the origin could not be reached in time: the TLS handshake took too long");
    login_end();
}

/* ---- kept connections ---- */

static struct origin_conn *logged_in(void)
{
    struct origin_conn *conn = login_asked();

    login_say_good(conn);
    login_answers(ARRIVED);
    return conn;
}

static void ask_on(struct origin_conn *conn)
{
    process_signal(scene.driver, SIGHUP);
    login_expect(conn);
}

static void kept(void **state)
{
    (void)state;
    login_begin(NULL);
    struct origin_conn *conn = logged_in();
    for (int i = 0; i < 3; i++) {
        ask_on(conn);
        login_say_good(conn);
        login_answers(ARRIVED);
    }
    assert_int_equal(origin_accepted(scene.origin), 1);
    login_end();
}

static struct parted {
    const char *name, *answer;
} parted[] = {
    { "not kept when more comes behind the answer", OK LENGTH(66) GOOD_BODY OK },
    { "not kept when it says so", OK "Connection: close\r\n" LENGTH(66) GOOD_BODY },
    { "not kept with HTTP/1.0", "HTTP/1.0 200 OK\r\n" LENGTH(66) GOOD_BODY },
};

static void not_kept(void **state)
{
    const struct parted *story = *state;

    login_begin(NULL);
    struct origin_conn *conn = login_asked();
    origin_say(conn, story->answer);
    login_answers(ARRIVED);
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    login_say_good(login_asked());
    login_answers(ARRIVED);
    login_end();
}

static struct origin_conn *logged_in_and_asked(void)
{
    struct origin_conn *conn = logged_in();

    ask_on(conn);
    return conn;
}

/* A refusal keeps the connection, and what was said before does not stay. */
static void kept_after_refusal(void **state)
{
    (void)state;
    login_begin(NULL);
    struct origin_conn *conn = login_asked();
    login_say_with_length(conn, "HTTP/1.1 401 Unauthorized\r\n", LEAK);
    login_answers("failed it answered 401: " WRONG);
    ask_on(conn);
    login_say_good(conn);
    login_answers(ARRIVED);
    login_end();
}

static void goes_again(void (*leave)(struct origin_conn *conn))
{
    leave(logged_in_and_asked());
    struct origin_conn *conn = origin_accept(scene.origin);
    login_expect(conn);
    login_say_good(conn);
    login_answers(ARRIVED);
}

static void goes_once(void (*leave)(struct origin_conn *conn))
{
    leave(logged_in_and_asked());
    struct origin_conn *conn = origin_accept(scene.origin);
    login_expect(conn);
    leave(conn);
    login_answers(INCOMPLETE "...");
}

static void answered_is_not_stale(void (*leave)(struct origin_conn *conn))
{
    struct origin_conn *conn = logged_in_and_asked();

    origin_say(conn, OK LENGTH(67) GOOD_BODY);
    leave(conn);
    login_answers(INCOMPLETE "...");
}

static struct stale {
    const char *name;
    void (*tell)(void (*leave)(struct origin_conn *conn));
    void (*leave)(struct origin_conn *conn);
} stales[] = {
    { "a kept one that is closed goes again", goes_again, origin_close },
    { "a kept one that is cut goes again", goes_again, origin_cut },
    { "a kept one that is reset goes again", goes_again, origin_reset },
    { "closed, it goes again once", goes_once, origin_close },
    { "cut, it goes again once", goes_once, origin_cut },
    { "reset, it goes again once", goes_once, origin_reset },
    { "closed in the answer, it does not go again", answered_is_not_stale, origin_close },
    { "cut in the answer, it does not go again", answered_is_not_stale, origin_cut },
    { "reset in the answer, it does not go again", answered_is_not_stale, origin_reset },
};

static void stale(void **state)
{
    const struct stale *story = *state;

    login_begin(NULL);
    story->tell(story->leave);
    origin_untouched(scene.origin);
    login_end();
}

static void stale_within_the_time(void **state)
{
    (void)state;
    login_begin(&impatient);
    origin_cut(logged_in_and_asked());
    login_expect(origin_accept(scene.origin));
    login_answers(TIMED_OUT);
    login_end();
}

/* ---- freed ---- */

static void idle(void)
{
    logged_in();
}

static void shaking_hands(void)
{
    process_signal(scene.driver, SIGHUP);
    origin_connected(scene.origin);
}

static void awaiting(void)
{
    login_asked();
}

static void reading(void)
{
    half_a_body(login_asked());
}

static void on_a_kept_one(void)
{
    logged_in_and_asked();
}

static struct point {
    const char *name;
    void (*reach)(void);
    bool whole; /* the process ends; else the source alone */
} points[] = {
    { "freed while idle", idle, false },
    { "freed in the handshake", shaking_hands, false },
    { "freed while it awaits the answer", awaiting, false },
    { "freed in the body", reading, false },
    { "freed on a kept connection", on_a_kept_one, false },
    { "ended while idle", idle, true },
    { "ended in the handshake", shaking_hands, true },
    { "ended while it awaits the answer", awaiting, true },
    { "ended in the body", reading, true },
    { "ended on a kept connection", on_a_kept_one, true },
};

/* Nobody is told. */
static void freed(void **state)
{
    const struct point *story = *state;

    login_begin(NULL);
    story->reach();
    if (!story->whole)
        login_order(SIGUSR1);
    login_end();
    assert_null(strstr(process_log(scene.driver), "answer: failed"));
}

static void freed_by_token(void)
{
    login_say_good(login_asked());
    login_answers(ARRIVED);
}

static void freed_by_failure(void)
{
    origin_reset(login_asked());
    login_answers(INCOMPLETE);
}

static void freed_by_time(void)
{
    login_asked();
    login_answers(TIMED_OUT);
}

static void freed_by_missing_file(void)
{
    char want[512];

    unlink(folder_name(scene.folder, "appkey"));
    process_signal(scene.driver, SIGHUP);
    snprintf(want, sizeof(want), "failed the app key in %s: there is no such file",
             folder_name(scene.folder, "appkey"));
    login_answers(want);
}

static struct last {
    const char *name;
    void (*answer)(void);
} lasts[] = {
    { "freed from inside the answer, by a token", freed_by_token },
    { "freed from inside the answer, by a failure", freed_by_failure },
    { "freed from inside the answer, by the timeout", freed_by_time },
    { "freed from inside the answer, by a file that is not there", freed_by_missing_file },
};

static void freed_inside(void **state)
{
    const struct last *story = *state;
    const bool timed = story->answer == freed_by_time;

    login_begin(timed ? &impatient : NULL);
    login_order(SIGUSR2);
    story->answer();
    login_end();
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, closed_ways, refused_certificate);
    stories_add(&stories, "nobody listens", nobody_listens, NULL);
    stories_add(&stories, "an address that is not allowed", address_denied, NULL);
    stories_add(&stories, "never in the clear", never_in_the_clear, NULL);
    STORIES_ADD(&stories, pauses, too_slow);
    stories_add(&stories, "a handshake without an end", slow_handshake, NULL);
    stories_add(&stories, "a handshake over the connect timeout", slow_connect, NULL);
    stories_add(&stories, "the connection is kept", kept, NULL);
    stories_add(&stories, "the connection is kept after a refusal", kept_after_refusal, NULL);
    STORIES_ADD(&stories, parted, not_kept);
    STORIES_ADD(&stories, stales, stale);
    stories_add(&stories, "one time for both tries", stale_within_the_time, NULL);
    STORIES_ADD(&stories, points, freed);
    STORIES_ADD(&stories, lasts, freed_inside);
    for (size_t i = 0; i < stories.n; i++)
        stories.tests[i].teardown_func = login_discard;
    return stories_run("login", &stories);
}

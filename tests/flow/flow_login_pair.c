/* A login at VTEX ID: where the pair comes from, and what a start would find in it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/flow/kit_login.h"
#include "tests/unit/stories.h"

static struct origin_conn *logged_in(void)
{
    struct origin_conn *conn = login_asked();

    login_say_good(conn);
    login_answers(ARRIVED);
    return conn;
}

/* ---- the pair ---- */

static void rotated(void **state)
{
    (void)state;
    login_begin(NULL);
    struct origin_conn *conn = logged_in();
    folder_replace(scene.folder, "apptoken", "second\n");
    process_signal(scene.driver, SIGHUP);
    login_expect_pair(conn, "{\"appkey\":\"" APPKEY "\",\"apptoken\":\"second\"}");
    login_say_good(conn);
    login_answers(ARRIVED);
    login_end();
}

static char *long_text(size_t n)
{
    char *text = calloc(1, n + 1);

    assert_non_null(text);
    memset(text, 'x', n);
    return text;
}

static struct bad_half {
    const char *name, *text; /* NULL: no file */
    size_t length;           /* instead of a text */
    const char *want;
} bad_halves[] = {
    { "half a pair: missing", NULL, 0, "there is no such file" },
    { "half a pair: empty", "", 0, "it is empty" },
    { "half a pair: blanks only", " \r\n\t", 0, "it is empty" },
    { "half a pair: two lines", LEAK "\nb", 0,
      "it holds a byte that cannot be part of it (a blank or a line end inside, or something that "
      "is not ASCII)" },
    { "half a pair: not ASCII", LEAK "\xc3\xa9", 0,
      "it holds a byte that cannot be part of it (a blank or a line end inside, or something that "
      "is not ASCII)" },
    { "half a pair: too long", NULL, 1025, "it is longer than 1 KiB" },
};

/* Refused before anybody is asked; once it is right, it goes. */
static void bad_file(void **state)
{
    const struct bad_half *story = *state;
    char want[512];

    login_begin(NULL);
    char *text = story->length ? long_text(story->length) : NULL;
    unlink(folder_name(scene.folder, "apptoken"));
    if (story->text || text)
        folder_write(scene.folder, "apptoken", text ? text : story->text);
    free(text);
    process_signal(scene.driver, SIGHUP);
    snprintf(want, sizeof(want), "failed the app key's token in %s: %s",
             folder_name(scene.folder, "apptoken"), story->want);
    login_answers(want);
    origin_untouched(scene.origin);
    folder_write(scene.folder, "apptoken", APPTOKEN);
    logged_in();
    login_end();
}

static void file_being_written(void **state)
{
    char want[512];

    (void)state;
    login_begin(NULL);
    int fd = open(folder_name(scene.folder, "appkey"), O_WRONLY | O_CLOEXEC);
    process_signal(scene.driver, SIGHUP);
    snprintf(want, sizeof(want), "changing the app key in %s: somebody is writing it",
             folder_name(scene.folder, "appkey"));
    login_answers(want);
    close(fd);
    logged_in();
    login_end();
}

static void longest(void **state)
{
    char want[4096], *text = long_text(1024);

    (void)state;
    memset(text, '"', 1024);
    login_begin(NULL);
    folder_write(scene.folder, "appkey", text);
    folder_write(scene.folder, "apptoken", text);
    size_t n = (size_t)snprintf(want, sizeof(want), "{\"appkey\":\"");
    char *bodies = calloc(1, 8192);
    assert_non_null(bodies);
    memcpy(bodies, want, n);
    for (int half = 0; half < 2; half++) {
        for (int i = 0; i < 1024; i++) {
            memcpy(bodies + n, "\\\"", 2);
            n += 2;
        }
        const char *behind = half ? "\"}" : "\",\"apptoken\":\"";
        memcpy(bodies + n, behind, strlen(behind));
        n += strlen(behind);
    }
    process_signal(scene.driver, SIGHUP);
    struct origin_conn *conn = origin_accept(scene.origin);
    login_expect_pair(conn, bodies);
    login_say_good(conn);
    login_answers(ARRIVED);
    free(bodies);
    free(text);
    login_end();
}

static struct given {
    const char *name;
    struct login_plan plan;
    const char *body;
} gifts[] = {
    { "given by the environment",
      { .no_files = true, .words = { "JANUS_APPKEY=key", "JANUS_APPTOKEN= \"tok\\en\" " } },
      "{\"appkey\":\"key\",\"apptoken\":\"\\\"tok\\\\en\\\"\"}" },
    { "given by files, which win over the environment",
      { .words = { "JANUS_APPKEY=" LEAK, "JANUS_APPTOKEN=" LEAK } },
      "{\"appkey\":\"" APPKEY "\",\"apptoken\":\"" APPTOKEN "\"}" },
};

static void given(void **state)
{
    const struct given *story = *state;

    login_begin(&story->plan);
    process_signal(scene.driver, SIGHUP);
    struct origin_conn *conn = origin_accept(scene.origin);
    login_expect_pair(conn, story->body);
    login_say_good(conn);
    login_answers(ARRIVED);
    login_end();
}

/* ---- findings ---- */

static struct finding {
    const char *name;
    const char *words[OPTIONS_MAX]; /* "appkey": the path of that file */
    const char *want;               /* the whole of it, but for the folder; NULL: nothing */
    int exit_code;
} findings[] = {
    { "no login", { NULL }, "", 0 },
    { "a whole pair in files", { "--appkey-file", "key", "--apptoken-file", "token" }, "", 0 },
    { "a whole pair in the environment", { "JANUS_APPKEY=k", "JANUS_APPTOKEN=t", "check" }, "", 0 },
    { "one of each", { "JANUS_APPKEY=k", "check", "--apptoken-file", "token" }, "", 0 },
    { "the key alone",
      { "--appkey-file", "key" },
      "--apptoken-file: error: the app key is given and its token is not: name a file that holds "
      "it, or set JANUS_APPTOKEN\n",
      1 },
    { "the token alone",
      { "JANUS_APPTOKEN=" LEAK, "check" },
      "--appkey-file: error: the app key's token is given and the app key is not: name a file that "
      "holds it, or set JANUS_APPKEY\n",
      1 },
    { "twice",
      { "JANUS_APPKEY=" LEAK, "check", "--appkey-file", "key", "--apptoken-file", "token" },
      "JANUS_APPKEY: warning: is not used, because --appkey-file is given too, and a file wins\n",
      0 },
    { "twice and missing",
      { "JANUS_APPKEY=" LEAK, "check", "--appkey-file", "none", "--apptoken-file", "token" },
      "JANUS_APPKEY: warning: is not used, because --appkey-file is given too, and a file wins\n"
      "--appkey-file: warning: none: there is no such file yet; every login looks again\n",
      0 },
    { "an empty file",
      { "--appkey-file", "key", "--apptoken-file", "empty" },
      "--apptoken-file: error: empty: it is empty\n",
      1 },
    { "a folder",
      { "--appkey-file", "key", "--apptoken-file", "." },
      "--apptoken-file: error: .: it is not a file that can be read\n",
      1 },
    { "two words",
      { "--appkey-file", "words", "--apptoken-file", "token" },
      "--appkey-file: error: words: it holds a byte that cannot be part of it (a blank or a line "
      "end inside, or something that is not ASCII)\n",
      1 },
    { "two words in the environment",
      { "JANUS_APPKEY=" LEAK " b", "JANUS_APPTOKEN=t", "check" },
      "JANUS_APPKEY: error: it holds a byte that cannot be part of it (a blank or a line end "
      "inside, or something that is not ASCII)\n",
      1 },
};

static void found(void **state)
{
    const struct finding *story = *state;
    const char *options[OPTIONS_MAX + 4];
    bool has_check = false;
    size_t n = 0;

    scene.folder = folder_new();
    folder_write(scene.folder, "key", APPKEY);
    folder_write(scene.folder, "token", APPTOKEN "\n");
    folder_write(scene.folder, "empty", "\n");
    folder_write(scene.folder, "words", LEAK " " LEAK "\n");
    for (size_t i = 0; story->words[i]; i++)
        has_check = has_check || strcmp(story->words[i], "check") == 0;
    if (!has_check)
        options[n++] = "check";
    for (size_t i = 0; story->words[i]; i++)
        options[n++] = story->words[i];
    options[n++] = "--account";
    options[n++] = "storeacct";
    options[n] = NULL;
    struct process_plan process = { .program = "login-driver",
                                    .work_folder = folder_path(scene.folder),
                                    .options = options };
    scene.driver = process_start(&process);
    int code = process_wait(scene.driver);
    assert_string_equal(process_log(scene.driver), story->want);
    assert_int_equal(code, story->exit_code);
    login_holds_no_secret();
}

static void no_host(void **state)
{
    static const struct login_plan plan = { .no_files = true,
                                            .words = { "JANUS_APPKEY=k", "JANUS_APPTOKEN=t",
                                                       "check", "--account", "xn--a" } };

    (void)state;
    const char *options[OPTIONS_MAX];
    memcpy(options, plan.words, sizeof(options));
    struct process_plan process = { .program = "login-driver", .options = options };
    scene.driver = process_start(&process);
    assert_int_equal(process_wait(scene.driver), 1);
    assert_non_null(
        strstr(process_log(scene.driver), "--account: error: there is no host to log in at: "));
}

/* ---- with the simulator ---- */

static struct process *simulator;

static int stop_simulator(void **state)
{
    process_free(simulator);
    simulator = NULL;
    return login_discard(state);
}

static void with_simulator(void **state)
{
    static const struct login_plan plan;

    (void)state;
    scene.folder = folder_new();
    const char *options[] = { "--account",  "storeacct",
                              "--appkey",   APPKEY,
                              "--apptoken", APPTOKEN,
                              "--ca-out",   folder_name(scene.folder, "ca.pem"),
                              NULL };
    struct process_plan process = { .program = "janus-sim", .options = options };
    simulator = process_start(&process);
    char *ready = process_await(simulator, "ready ");
    const char *colon = strrchr(ready, ':');
    assert_non_null(colon);
    folder_write(scene.folder, "appkey", APPKEY "\n");
    folder_write(scene.folder, "apptoken", APPTOKEN "\n");
    login_start_driver(&plan, (uint16_t)strtoul(colon + 1, NULL, 10));
    free(ready);
    process_signal(scene.driver, SIGHUP);
    process_await_line(scene.driver, "answer: arrived ey");
    folder_write(scene.folder, "apptoken", "wrong");
    process_signal(scene.driver, SIGHUP);
    login_answers("failed it answered 401: " WRONG);
    login_end();
}

int main(void)
{
    static struct stories stories;

    stories_add(&stories, "an account that makes no host name", no_host, NULL);
    stories_add(&stories, "files are read anew", rotated, NULL);
    STORIES_ADD(&stories, bad_halves, bad_file);
    stories_add(&stories, "a file that is being written", file_being_written, NULL);
    stories_add(&stories, "the longest pair, escaped", longest, NULL);
    STORIES_ADD(&stories, gifts, given);
    STORIES_ADD(&stories, findings, found);
    stories_add(&stories, "with the simulator", with_simulator, NULL);
    for (size_t i = 0; i < stories.n; i++)
        stories.tests[i].teardown_func = login_discard;
    stories.tests[stories.n - 1].teardown_func = stop_simulator;
    return stories_run("login_pair", &stories);
}

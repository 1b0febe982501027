/* The program as scripts see it: what it says of bad input, how it ends, and what it makes of
 * signals. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/flow/kit_run.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define API  "Host: api.partner.example\r\n"
#define GOOD "api.partner.example\t/v1/*\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* ---- one run of a command
 * -------------------------------------------------------------------------- */

/* It stands in a folder with manifest.json, good.json, broken.json, token and empty. */
static void begin(struct run *run)
{
    *run = (struct run){ .folder = folder_new() };
    folder_manifest(run->folder, GOOD);
    folder_write(run->folder, "token", TOKEN);
    folder_write(run->folder, "empty", "");
    folder_write(run->folder, "broken.json", "{\n  \"vendor\": \"acme\",\n  \"policies\": [}\n}\n");
    folder_write(run->folder, "number.json", "{\n  \"policies\": 7\n}\n");
    folder_write(run->folder, "bad-policy.json",
                 "{\n  \"vendor\": \"acme\", \"name\": \"x\", \"version\": \"1.0.0\",\n"
                 "  \"policies\": [\n"
                 "    { \"name\": \"outbound-access\",\n"
                 "      \"attrs\": { \"host\": \"https://a.test\", \"path\": \"/*\" } }\n  ]\n}\n");
    folder_write(run->folder, "settings.json",
                 "{\n  \"account\": \"storeacct\",\n  \"lisen\": 1\n}\n");
}

static size_t lines_of(const char *text)
{
    size_t n = 0;

    for (; (text = strchr(text, '\n')); text++)
        n++;
    return n;
}

/* ---- bad input
 * ------------------------------------------------------------------------------------- */

#define RUN "run --listen 127.0.0.1:0 --admin 127.0.0.1:0 "
#define ME  "--account storeacct "

static struct bad {
    const char *name, *options;
    int code;
    const char *says[4]; /* each on a line of its own */
} bad[] = {
    { "no manifest", RUN ME "--manifest nowhere.json", 2, { "nowhere.json" } },
    { "broken JSON", RUN ME "--manifest broken.json", 2, { "broken.json:3:" } },
    { "the manifest's policies are a number",
      RUN ME "--manifest number.json",
      2,
      { "number.json:2:" } },
    { "the manifest is a folder", RUN ME "--manifest .", 2, { "error" } },
    { "an empty token file", RUN ME "--token-file empty", 2, { "there is no token in it" } },
    { "the token file is a folder", RUN ME "--token-file .", 2, { "not a file" } },
    { "no account", RUN, 2, { "account" } },
    { "a bad account", RUN "--account store/acct", 2, { "account" } },
    { "an unreadable CA file", RUN ME "--ca-file nowhere.pem", 2, { "nowhere.pem" } },
    { "a CA file without a certificate", RUN ME "--ca-file token", 2, { "token" } },
    { "an unknown option", RUN ME "--tokenfile token", 2, { "--tokenfile" } },
    { "an option without its value", RUN ME "--token-file", 2, { "--token-file" } },
    { "a word that is no option", RUN ME "hello", 2, { "hello" } },
    { "a port that is none",
      "run --listen 127.0.0.1:99999 --admin 127.0.0.1:0 " ME,
      2,
      { "--listen" } },
    { "off loopback", "run --listen 0.0.0.0:0 --admin 127.0.0.1:0 " ME, 2, { "--unsafe-listen" } },
    { "a time without a unit", RUN ME "--token-wait 5", 2, { "--token-wait" } },
    { "an unknown choice", RUN ME "--inject sometimes", 2, { "--inject" } },
    { "a range that is none", RUN ME "--allow-address 10.0.0.0/99", 2, { "--allow-address" } },
    { "a settings file with an unknown name",
      RUN "--config settings.json",
      2,
      { "settings.json:3:" } },
    { "no settings file", RUN ME "--config nowhere.json", 2, { "nowhere.json" } },
    { "a bad policy with --strict",
      RUN ME "--strict --manifest bad-policy.json",
      2,
      { "bad-policy.json:5:", "--strict" } },
    { "a broken shadow manifest", RUN ME "--shadow-manifest broken.json", 2, { "broken.json:3:" } },
    { "an unknown mode", RUN ME "--mode watch", 2, { "--mode" } },
    { "validate with a broken shadow manifest",
      "validate " ME "--shadow-manifest broken.json",
      1,
      { "broken.json:3:" } },
    { "three at once",
      RUN ME "--manifest broken.json --inject sometimes --tokenfile token",
      2,
      { "broken.json:3:", "--inject", "--tokenfile" } },
    { "three at once, none of them in the settings",
      RUN ME "--manifest broken.json --ca-file nowhere.pem --token-file empty",
      2,
      { "broken.json:3:", "nowhere.pem", "there is no token in it" } },
    { "no command", "", 2, { "no command" } },
    { "an unknown command", "start", 2, { "start" } },

    { "check without words", "check " ME, 2, { "METHOD URL" } },
    { "check with a broken manifest",
      "check " ME "--manifest broken.json GET http://a/",
      2,
      { "broken.json:3:" } },
    { "validate with a broken manifest",
      "validate " ME "--manifest broken.json",
      1,
      { "broken.json:3:" } },
    { "validate with a bad policy",
      "validate " ME "--manifest bad-policy.json --token-file token",
      1,
      { "bad-policy.json:5:" } },
};

static void is_bad(void **state)
{
    const struct bad *story = *state;
    struct run run;

    begin(&run);
    run_in(&run, story->options, NULL);
    const char *log = process_log(run.process);
    if (run.code != story->code)
        fail_msg("exit code %d instead of %d:\n%s", run.code, story->code, log);
    for (size_t i = 0; i < 4 && story->says[i]; i++) {
        if (!strstr(log, story->says[i]))
            fail_msg("\"%s\" was expected:\n%s", story->says[i], log);
        assert_true(lines_of(log) > i);
    }
    assert_null(strstr(log, "ready "));
    assert_null(strstr(log, TOKEN));
    run_end(&run);
}

static void port_taken(void **state)
{
    struct origin *other = origin_new_plain();
    char options[128];
    struct run run;

    (void)state;
    begin(&run);
    snprintf(options, sizeof(options),
             "run " ME "--listen 127.0.0.1:%u --admin 127.0.0.1:%u --token-file empty",
             origin_port(other), origin_port(other));
    run_in(&run, options, NULL);
    const char *log = process_log(run.process);
    assert_int_equal(run.code, 2);
    assert_non_null(strstr(log, "--listen"));
    assert_non_null(strstr(log, "--admin"));
    assert_non_null(strstr(log, "Address already in use"));
    assert_non_null(strstr(log, "there is no token in it"));
    run_end(&run);
    origin_free(other);
}

/* ---- good runs
 * ------------------------------------------------------------------------------------- */

static struct good {
    const char *name, *options, *input;
    int code;
    const char *output;
} good[] = {
    { "check allows", "check " ME "GET https://api.partner.example/v1/a", NULL, 0,
      "allow\tGET\thttps://api.partner.example/v1/a\topened by the policy at manifest.json:6:" },
    { "check denies", "check " ME "GET https://api.partner.example/v2/a", NULL, 1,
      "deny\tGET\thttps://api.partner.example/v2/a\t" },
    { "check refuses", "check " ME "GET https://me@api.partner.example/", NULL, 1,
      "refuse\tGET\thttps://me@api.partner.example/\t" },
    { "check refuses CONNECT", "check " ME "CONNECT api.partner.example:443", NULL, 1,
      "refuse\tCONNECT\tapi.partner.example:443\t" },
    { "check - with nothing to judge", "check " ME "-", "\n# a comment\n", 2, "" },
    { "version", "version", NULL, 0, "janus-sidecar " },
    { "--help", "--help", NULL, 0, "janus-sidecar " },
    { "run --help", "run --help", NULL, 0, "janus-sidecar " },
    { "validate that is clean", "validate " ME "--token-file token", NULL, 0,
      "0 errors, 0 warnings" },
};

static void is_good(void **state)
{
    const struct good *story = *state;
    struct run run;

    begin(&run);
    run_in(&run, story->options, story->input);
    const char *output = process_output(run.process);
    if (run.code != story->code || strncmp(output, story->output, strlen(story->output)) != 0)
        fail_msg("exit code %d, output:\n%s%s", run.code, output, process_log(run.process));
    run_end(&run);
}

static void check_reads_lines(void **state)
{
    struct run run;

    (void)state;
    begin(&run);
    run_in(&run, "check " ME "-",
           "GET https://api.partner.example/v1/a\nPOST\thttps://api.partner.example/v2\n"
           "\n# none\nGET /x\r\nGET\n");
    const char *output = process_output(run.process);
    static const char *const lines[] = { "allow\tGET\thttps://api.partner.example/v1/a\t",
                                         "\ndeny\tPOST\thttps://api.partner.example/v2\t",
                                         "\ndeny\tGET\t/x\t", "\nrefuse\tGET\t\t" };
    assert_int_equal(run.code, 1);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (!strstr(output, lines[i]))
            fail_msg("\"%s\" was expected:\n%s", lines[i], output);
    }
    assert_int_equal(lines_of(output), 4);
    run_end(&run);
}

/* ---- the end
 * --------------------------------------------------------------------------------------- */

static struct world own;

static void drains(void **state)
{
    (void)state;
    world_open(&own, NULL);
    struct client *busy = world_client(&own), *idle = world_client(&own);
    client_say(busy, "POST /v1/a HTTP/1.1\r\n" API "Content-Length: 4\r\n\r\nab");
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    process_signal(own.sidecar, SIGTERM);
    assert_int_equal(client_end(idle), ENDING_CLEAN);
    process_await_line(own.sidecar, "event=draining");
    assert_true(client_is_refused(own.port));
    client_say(busy, "cd"); /* what is under way is finished */
    assert_string_equal(origin_bytes(conn, 4), "abcd");
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok");
    const struct response *response = client_head(busy);
    expect_header(response, "Connection", "close");
    origin_say(conn, "ok");
    expect_body(client_rest(busy), "okok");
    assert_int_equal(client_end(busy), ENDING_CLEAN);
    clients_close();
    assert_int_equal(process_wait(own.sidecar), 0);
    world_forget(&own);
}

static void drain_has_an_end(void **state)
{
    static const struct plan plan = { .options = { "--drain-timeout", "300ms" } };

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    client_say(client, "GET /v1/a HTTP/1.1\r\n" API "\r\n");
    origin_head(origin_accept(own.origin));
    process_signal(own.sidecar, SIGTERM);
    assert_int_equal(process_wait(own.sidecar), 0); /* that is how a drain ends */
    assert_non_null(strstr(process_log(own.sidecar), "event=drain_cut"));
    assert_int_not_equal(client_end(client), ENDING_NONE);
    world_forget(&own);
}

/* ---- a token whose overlap is over, and none before it: nothing is due */

enum { REST_MS = 500, REST_CPU_MS = 100 };

static void rests(void **state)
{
    static const struct plan plan = { .options = { "--token-overlap", "0s" } };

    (void)state;
    world_open(&own, &plan);
    process_await_line(own.sidecar, "event=token generation=1");
    long before = process_cpu_ms(own.sidecar);
    wait_any(NULL, 0, now_ms() + REST_MS);
    long used = process_cpu_ms(own.sidecar) - before;
    if (used > REST_CPU_MS)
        fail_msg("%ld ms of processor time in %d ms of rest", used, REST_MS);
    world_close(&own); /* its end does not wait for --drain-timeout */
}

/* ---- the deadline and the last client at the same time */

enum { AT_ONCE = 5, ROUNDS = 4, DRAIN_MS = 100 };

static void open_busy(struct world *world, struct client **client)
{
    static const struct plan plan = { .options = { "--drain-timeout", "100ms" } };

    world_open(world, &plan);
    *client = world_client(world);
    client_say(*client, "GET /v1/a HTTP/1.1\r\n" API "\r\n");
    origin_head(origin_accept(world->origin));
}

static void expect_end(struct world *world)
{
    int code = process_wait(world->sidecar);
    const char *log = process_log(world->sidecar);

    if (strstr(log, "ERROR: ") || code != 0)
        fail_msg("it ended with %d:\n%s", code, log);
}

/* Each client leaves a millisecond after the one before, around the deadline. */
static void leaves_at_the_deadline(void **state)
{
    struct world worlds[AT_ONCE];
    struct client *clients[AT_ONCE];

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < AT_ONCE; i++)
            open_busy(&worlds[i], &clients[i]);
        for (int i = 0; i < AT_ONCE; i++)
            process_signal(worlds[i].sidecar, SIGTERM);
        long long first = now_ms() + DRAIN_MS - 3;
        for (int i = 0; i < AT_ONCE; i++) {
            while (now_ms() < first + i)
                wait_any(NULL, 0, first + i); /* for the clock */
            client_close(clients[i]);
        }
        for (int i = 0; i < AT_ONCE; i++) {
            expect_end(&worlds[i]);
            world_forget(&worlds[i]);
        }
    }
}

static void second_signal(void **state)
{
    (void)state;
    world_open(&own, NULL);
    struct client *client = world_client(&own);
    client_say(client, "GET /v1/a HTTP/1.1\r\n" API "\r\n");
    origin_head(origin_accept(own.origin));
    process_signal(own.sidecar, SIGINT);
    process_await_line(own.sidecar, "event=draining");
    process_signal(own.sidecar, SIGTERM);
    assert_int_equal(process_wait(own.sidecar), 1);
    world_forget(&own);
}

/* ---- --exit-with ---- */

/* It ends when its input does. */
static pid_t start_companion(int *input)
{
    int ends[2];
    char byte;

    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
    }
    assert_true(pid > 0);
    close(ends[0]);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    *input = ends[1];
    return pid;
}

static void ends_with_another(void **state)
{
    char number[24];
    struct plan plan = { .options = { "--exit-with", number } };
    int input;

    (void)state;
    pid_t pid = start_companion(&input);
    snprintf(number, sizeof(number), "%d", (int)pid);
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    client_say(client, "GET /v1/a HTTP/1.1\r\n" API "\r\n");
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    close(input);
    process_await_line(own.sidecar, "the process of --exit-with has ended");
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); /* what is under way ends */
    expect_body(client_response(client), "ok");
    assert_int_equal(process_wait(own.sidecar), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    world_forget(&own);
}

/* A child that has ended and been waited for: nobody else has its number so soon. */
static void exits_with_nobody(void **state)
{
    struct run run = { .folder = folder_new() };
    char options[128];
    int input;

    (void)state;
    pid_t pid = start_companion(&input);
    close(input);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    snprintf(options, sizeof(options), "run --manifest none.json --account a --exit-with %d",
             (int)pid);
    run_in(&run, options, NULL);
    expect_code(&run, 2);
    expect_in(process_log(run.process), "--exit-with: error: process");
    expect_in(process_log(run.process), "No such process");
    run_end(&run);
}

static void ends_while_waiting(void **state)
{
    static const struct plan plan = {
        .token = "", .options = { "--token-wait", "1m", "--drain-timeout", "300ms" }
    };

    (void)state;
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    client_say(client, "GET /x HTTP/1.1\r\nHost: storeacct.vtexcommercestable.com.br\r\n\r\n");
    free(world_exchange(&own, "GET /v1/a HTTP/1.1\r\n" API "\r\n")); /* by now it waits */
    process_signal(own.sidecar, SIGTERM);
    assert_int_equal(process_wait(own.sidecar), 0);
    world_forget(&own);
}

/* ---- SIGHUP
 * ---------------------------------------------------------------------------------------- */

static const char v1[] = "GET /v1/a HTTP/1.1\r\n" API "\r\n";
static const char v2[] = "GET /v2/a HTTP/1.1\r\n" API "\r\n";

static void reload_to(const char *line)
{
    process_signal(own.sidecar, SIGHUP);
    process_await_line(own.sidecar, line);
}

static void reload_swaps(void **state)
{
    (void)state;
    world_open(&own, NULL);
    free(world_exchange(&own, v1));
    expect_status(world_refused(&own, v2), 403);
    folder_manifest(own.folder, "api.partner.example\t/v2/*\n");
    reload_to("event=reloaded");
    free(world_exchange(&own, v2));
    expect_status(world_refused(&own, v1), 403);
    world_close(&own);
}

static void reload_keeps(void **state)
{
    (void)state;
    world_open(&own, NULL);
    folder_write(own.folder, "manifest.json", "{ \"policies\": [ }");
    reload_to("event=finding");
    process_await_line(own.sidecar, "event=reload_failed");
    free(world_exchange(&own, v1));
    unlink(folder_name(own.folder, "manifest.json"));
    reload_to("event=reload_failed");
    free(world_exchange(&own, v1));
    expect_status(world_refused(&own, v2), 403);
    world_close(&own);
}

/* The request that is under way was judged by the policy of before, and ends under it. */
static void reload_in_between(void **state)
{
    (void)state;
    world_open(&own, NULL);
    struct client *client = world_client(&own);
    client_say(client, v1);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    folder_manifest(own.folder, "api.partner.example\t/v2/*\n");
    reload_to("event=reloaded");
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    client_say(client, v1);
    expect_status(client_response(client), 403);
    world_close(&own);
}

static struct single singles[] = {
    { "a port that is taken", port_taken },
    { "check reads lines", check_reads_lines },
    { "SIGTERM lets what is under way end", drains },
    { "SIGTERM does not wait for ever", drain_has_an_end },
    { "at rest behind the first token, and ready to end", rests },
    { "the last client leaves when the drain's time is over", leaves_at_the_deadline },
    { "a second signal ends at once", second_signal },
    { "another process ends, and we with it", ends_with_another },
    { "another process that is not there", exits_with_nobody },
    { "SIGTERM while a request waits for a token", ends_while_waiting },
    { "SIGHUP swaps the policy", reload_swaps },
    { "SIGHUP with a broken manifest keeps the policy", reload_keeps },
    { "SIGHUP while a request is under way", reload_in_between },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, bad, is_bad);
    STORIES_ADD(&stories, good, is_good);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("process", &stories, NULL, NULL);
}

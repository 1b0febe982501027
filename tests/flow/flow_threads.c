/* --threads: the central stories with two workers and with four. Who serves shows in the log: each worker's
 * exchanges have an id that begins in its own way. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_renewal.h"
#include "tests/flow/kit_run.h"
#include "tests/flow/kit_stage.h"
#include "tests/flow/kit_wait.h"

#define API "Host: api.partner.example\r\n"

static const char v1[] = "GET /v1/a HTTP/1.1\r\n" API "\r\n";
static const char v2[] = "GET /v2/a HTTP/1.1\r\n" API "\r\n";

enum { CLIENTS = 64, ID_PREFIX = 16, PREFIXES_MAX = 16 };

/* ---- what the log shows ---- */

static bool is_new(char seen[][ID_PREFIX + 1], size_t n, const char *prefix)
{
    for (size_t i = 0; i < n; i++) {
        if (strncmp(seen[i], prefix, ID_PREFIX) == 0)
            return false;
    }
    return true;
}

static size_t n_workers(const char *log)
{
    char seen[PREFIXES_MAX][ID_PREFIX + 1];
    size_t n = 0;

    while ((log = strstr(log, "event=exchange id="))) {
        log += strlen("event=exchange id=");
        if (n < PREFIXES_MAX && is_new(seen, n, log))
            snprintf(seen[n++], sizeof(seen[0]), "%.*s", ID_PREFIX, log);
    }
    return n;
}

/* Every line is one line: it begins with its time, and has one. */
static size_t n_lines(const char *log, const char *event)
{
    size_t n = 0;

    for (const char *line = strstr(log, "\ntime="); line && line[1];
         line = strchr(line + 1, '\n')) {
        const char *end = strchr(line + 1, '\n'), *second = strstr(line + 6, "time=2");
        if (strncmp(line, "\ntime=", 6) != 0 && line[1])
            fail_msg("a line that does not begin like one: %.200s", line);
        if (end && second && second < end)
            fail_msg("two lines in one: %.400s", line);
        const char *found = strstr(line, event);
        n += found && (!end || found < end);
    }
    return n;
}

/* ---- with a simulator-less origin that is told what to say ---- */

static struct threads {
    const char *name, *n;
} pairs[] = { { "two", "2" }, { "four", "4" } };

static unsigned number(const struct threads *story)
{
    return (unsigned)strtoul(story->n, NULL, 10);
}

static void open_with(struct world *world, const char *threads, const char *flag, const char *value)
{
    struct plan plan = { .options = { "--threads", threads, flag, value } };

    world_open(world, &plan);
}

/* One exchange of each client, all of them open. */
static void all_ask(struct world *world, struct client *clients[CLIENTS])
{
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = world_client(world);
        client_say(clients[i], v2);
        expect_status(client_response(clients[i]), 403);
    }
}

static void everybody_serves(void **state)
{
    const struct threads *story = *state;
    struct client *clients[CLIENTS];
    struct world world;
    char says[64];

    open_with(&world, story->n, NULL, NULL);
    all_ask(&world, clients);
    snprintf(says, sizeof(says), "janus_sidecar_clients %d\n", CLIENTS);
    world_metrics(&world, says);
    clients_close();
    world_close(&world);
}

static void log_is_whole(void **state)
{
    const struct threads *story = *state;
    struct client *clients[CLIENTS];
    struct world world;

    open_with(&world, story->n, NULL, NULL);
    all_ask(&world, clients);
    clients_close();
    process_signal(world.sidecar, SIGTERM);
    assert_int_equal(process_wait(world.sidecar), 0);
    assert_int_equal(n_workers(process_log(world.sidecar)), number(story));
    assert_int_equal(n_lines(process_log(world.sidecar), "event=exchange id="), CLIENTS);
    world_forget(&world);
}

static void counters_are_added(void **state)
{
    const struct threads *story = *state;
    struct world world;
    char says[64];

    open_with(&world, story->n, "--mode", "report");
    for (int i = 0; i < CLIENTS / 4; i++)
        free(world_exchange(&world, v2));
    snprintf(says, sizeof(says), "janus_sidecar_would_deny_total %d\n", CLIENTS / 4);
    world_metrics(&world, says);
    world_close(&world);
}

/* Sixteen requests are under way, at every worker; all of them end well. */
static void drain(void **state)
{
    enum { UNDER_WAY = 16 };
    const struct threads *story = *state;
    struct origin_conn *conns[UNDER_WAY];
    struct client *clients[UNDER_WAY];
    struct world world;

    open_with(&world, story->n, NULL, NULL);
    for (int i = 0; i < UNDER_WAY; i++) {
        clients[i] = world_client(&world);
        client_say(clients[i], v1);
        conns[i] = origin_accept(world.origin);
        origin_head(conns[i]);
    }
    process_signal(world.sidecar, SIGTERM);
    process_await_line(world.sidecar, "event=draining");
    for (int i = 0; i < UNDER_WAY; i++) {
        origin_say(conns[i], OK);
        expect_body(client_response(clients[i]), "ok");
    }
    assert_int_equal(process_wait(world.sidecar), 0);
    clients_close();
    world_forget(&world);
}

/* A request that does not end is cut at --drain-timeout, by whichever worker has it. */
static void drain_is_cut(void **state)
{
    const struct threads *story = *state;
    struct world world;

    open_with(&world, story->n, "--drain-timeout", "300ms");
    struct client *client = world_client(&world);
    client_say(client, v1);
    origin_head(origin_accept(world.origin));
    process_signal(world.sidecar, SIGTERM);
    assert_int_equal(process_wait(world.sidecar), 0);
    assert_non_null(strstr(process_log(world.sidecar), "1 clients were still busy"));
    clients_close();
    world_forget(&world);
}

/* When the reload has been answered no worker goes by the old policy, on no connection. */
static void reload_is_for_all(void **state)
{
    const struct threads *story = *state;
    struct client *clients[CLIENTS];
    struct world world;

    open_with(&world, story->n, NULL, NULL);
    all_ask(&world, clients);
    for (int turn = 0; turn < 20; turn++) {
        bool closed = turn % 2 == 0;
        char *text =
            manifest_text(closed ? "api.partner.example\t/none\n" : "api.partner.example\t/v1/*\n");
        folder_replace(world.folder, "manifest.json", text);
        free(text);
        struct client *admin = client_new(world.admin_port);
        client_say(admin, "POST /reload HTTP/1.1\r\nHost: localhost\r\n\r\n");
        expect_status(client_response(admin), 200);
        client_close(admin);
        for (int i = 0; closed && i < CLIENTS; i++) {
            client_say(clients[i], v1);
            expect_status(client_response(clients[i]), 403);
        }
    }
    clients_close();
    world_close(&world);
}

/* Each worker has its part of the limit, so all of them together keep to it. */
static void limit_of_clients(void **state)
{
    const struct threads *story = *state;
    struct client *clients[CLIENTS];
    struct world world;
    char says[64];

    open_with(&world, story->n, "--max-clients", "8");
    for (int i = 0; i < CLIENTS; i++) { /* the idle make room */
        clients[i] = world_client(&world);
        client_say(clients[i], v2);
        expect_status(client_response(clients[i]), 403);
    }
    snprintf(says, sizeof(says), "janus_sidecar_clients %d\n", 8);
    world_metrics(&world, says);
    clients_close();
    world_close(&world);
}

static void unix_socket(void **state)
{
    const struct threads *story = *state;
    struct world world;
    char path[128], option[160];
    struct folder *folder = folder_new();

    snprintf(path, sizeof(path), "%s/s", folder_path(folder));
    snprintf(option, sizeof(option), "unix:%s", path);
    open_with(&world, story->n, "--listen", option);
    for (int i = 0; i < CLIENTS; i++) {
        struct client *client = client_new_unix(path);
        client_say(client, v2);
        expect_status(client_response(client), 403);
    }
    clients_close();
    world_close(&world);
    folder_free(folder);
}

/* The port is ours: another sidecar does not share it by mistake. */
static void port_is_not_shared(void **state)
{
    const struct threads *story = *state;
    struct world world;
    char listen[32];

    open_with(&world, story->n, NULL, NULL);
    snprintf(listen, sizeof(listen), "127.0.0.1:%u", world.port);
    const char *options[] = { "run",         "--account",  "storeacct",     "--threads",
                              story->n,      "--listen",   listen,          "--admin",
                              "127.0.0.1:0", "--manifest", "manifest.json", NULL };
    struct process_plan plan = { .program = "janus-sidecar",
                                 .work_folder = folder_path(world.folder),
                                 .options = options };
    struct process *second = process_start(&plan);
    assert_int_equal(process_wait(second), 2);
    assert_non_null(strstr(process_log(second), "Address already in use"));
    process_free(second);
    world_close(&world);
}

/* ---- a token is refused everywhere at once ---- */

static void storm(void **state)
{
    enum { CROWD = 48 };
    const struct threads *story = *state;
    struct plan plan = { .options = { "--threads", story->n, "--token-wait", "20s",
                                      "--token-overlap", "0s" } };
    struct origin_conn *conns[CROWD];
    struct client *clients[CROWD];
    struct world world;

    world_open(&world, &plan);
    process_await_line(world.sidecar, "event=token generation=1");
    hush(&world);
    for (int i = 0; i < CROWD; i++) {
        clients[i] = world_client(&world);
        client_say(clients[i], GET_STORE);
        conns[i] = origin_accept(world.origin);
        assert_non_null(strstr(origin_head(conns[i]), OLD));
    }
    int file = hold(&world);
    for (int i = 0; i < CROWD; i++)
        origin_say(conns[i], REFUSAL);
    for (bool all = false; !all;) { /* all of them wait, at whatever worker */
        struct client *admin = client_new(world.admin_port);
        char says[64];
        client_say(admin, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        snprintf(says, sizeof(says), "janus_sidecar_token_waiting_requests %d\n", CROWD);
        all = strstr(client_response(admin)->body.at, says);
        client_close(admin);
    }
    release(file, NEW);
    for (int i = 0; i < CROWD; i++) {
        assert_non_null(strstr(origin_head(conns[i]), NEW));
        origin_say(conns[i], OK);
        expect_body(client_response(clients[i]), "ok");
    }
    world_metrics(&world, "janus_sidecar_token_renewals_total 2\n"); /* the first one, and this */
    clients_close();
    world_close(&world);
}

/* ---- settings that change ---- */

static void write_settings(struct folder *folder, const char *content)
{
    folder_replace(folder, "settings.json", content);
}

static void post_reload(const struct world *world)
{
    struct client *client = client_new(world->admin_port);

    client_say(client, "POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(client), 200);
    client_close(client);
}

/* When the reload has been answered no worker goes by the old ones: texts, numbers and lists. */
static void settings_are_for_all(void **state)
{
    static const struct {
        const char *content, *host;
    } versions[] = {
        { "{ \"default-host\": \"a.example\" }", "host a.example" },
        { "{ \"default-host\": \"bb.example\", \"max-requests\": 64 }", "host bb.example" },
        { "{ \"default-host\": \"ccc.example\", \"allow-uid\": [ \"4711\" ] }",
          "host ccc.example" },
    };
    const struct threads *story = *state;
    struct folder *folder = folder_new();
    struct client *clients[CLIENTS];
    struct world world;
    char home[64];

    write_settings(folder, "{}");
    open_with(&world, story->n, "--config", folder_name(folder, "settings.json"));
    snprintf(home, sizeof(home), "GET /v2/a HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", world.port);
    all_ask(&world, clients);
    for (int turn = 0; turn < 20; turn++) {
        write_settings(folder, versions[turn % 3].content);
        post_reload(&world);
        for (int i = 0; i < CLIENTS; i++) {
            client_say(clients[i], home);
            expect_in(client_response(clients[i])->body.at, versions[turn % 3].host);
        }
    }
    clients_close();
    world_close(&world);
    folder_free(folder);
}

/* ---- many requests, many reloads, many settings, many tokens ---- */

enum { CALLERS = 8, REQUESTS = 125, CHANGES = 50 };

struct load {
    struct stage *stage;
    struct folder *settings;
    pthread_mutex_t lock;
    unsigned n_right, n_done, next, of[CALLERS]; /* of: done by each */
    char why[256];                               /* of the first that was not right */
};

static void *call(void *arg)
{
    struct load *load = arg;
    struct caller caller;

    pthread_mutex_lock(&load->lock);
    unsigned *own = &load->of[load->next++];
    pthread_mutex_unlock(&load->lock);
    caller_init(&caller, load->stage->world.port);
    for (unsigned i = 0; i < REQUESTS; i++) {
        struct request request = stage_get(i % 2 ? STAGE_STORE : STAGE_FOREIGN, i, 300 + i * 37);
        struct reply reply;
        caller_ask(&caller, &request, &reply);
        pthread_mutex_lock(&load->lock);
        load->n_right += reply.result == RESULT_RIGHT;
        load->n_done++;
        ++*own;
        if (reply.result != RESULT_RIGHT && !load->why[0])
            snprintf(load->why, sizeof(load->why), "%s: %u %s", result_name(reply.result),
                     reply.status, reply.why);
        pthread_mutex_unlock(&load->lock);
        if (i % 10 == 9)
            caller_leave(&caller); /* the next goes to whichever worker */
    }
    caller_fini(&caller);
    return NULL;
}

static unsigned done(struct load *load)
{
    pthread_mutex_lock(&load->lock);
    unsigned n = load->n_done;
    pthread_mutex_unlock(&load->lock);
    return n;
}

/* A request is sent again with a newer token once: none may last from one rotation to the next. The first that is
 * done since may have been under way, and the second may have begun with the old token. */
static void let_each_go_on(struct load *load)
{
    unsigned before[CALLERS];
    bool all = false;

    pthread_mutex_lock(&load->lock);
    memcpy(before, load->of, sizeof(before));
    pthread_mutex_unlock(&load->lock);
    while (!all) {
        sched_yield();
        pthread_mutex_lock(&load->lock);
        all = true;
        for (int i = 0; i < CALLERS; i++)
            all = all && (load->of[i] == REQUESTS || load->of[i] > before[i] + 1);
        pthread_mutex_unlock(&load->lock);
    }
}

/* Spread over the whole of it, so that each falls among requests. */
static void change_while_they_call(struct load *load)
{
    static const char *const versions[] = {
        "{ \"plaintext-host\": [ \"a.example\" ], \"response-timeout\": \"31s\" }",
        "{ \"plaintext-host\": [ \"b.example\", \"c.example\" ], \"default-host\": \"d.example\" }",
        "{ \"placeholder\": \"abcdefghij\", \"max-clients\": 5000, \"connect-timeout\": \"9s\", "
        "\"dns-timeout\": \"4s\", \"log-level\": \"info\" }",
    };

    for (unsigned n = 0; n < CHANGES; n++) {
        while (done(load) < CALLERS * REQUESTS * n / (CHANGES + 1))
            sched_yield();
        write_settings(load->settings, versions[n % 3]);
        process_signal(load->stage->world.sidecar, SIGHUP);
        if (n % 5 == 0) {
            let_each_go_on(load);
            stage_next_token(load->stage);
        }
    }
}

static void act(void *context)
{
    struct load *load = context;
    pthread_t threads[CALLERS];

    for (int i = 0; i < CALLERS; i++)
        pthread_create(&threads[i], NULL, call, load);
    change_while_they_call(load);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
}

static void nothing_is_lost(void **state)
{
    const struct threads *story = *state;
    struct plan plan = { .options = { "--threads", story->n, "--token-wait", "20s", "--token-retry",
                                      "1ms", "--token-retry-max", "1ms", "--config", NULL } };
    struct stage stage;
    struct load load = { .stage = &stage,
                         .settings = folder_new(),
                         .lock = PTHREAD_MUTEX_INITIALIZER };

    write_settings(load.settings, "{}");
    plan.options[9] = folder_name(load.settings, "settings.json");
    stage_open(&stage, &plan, false);
    stage_run(act, &load);
    if (load.n_right != CALLERS * REQUESTS)
        fail_msg("%u of %d were right; %s", load.n_right, CALLERS * REQUESTS, load.why);
    assert_int_equal(robot_counts(stage.robot).faults, 0);
    assert_int_equal(n_workers(process_log(stage.world.sidecar)), number(story));
    assert_non_null(strstr(process_log(stage.world.sidecar), "event=settings_reloaded"));
    assert_null(strstr(process_log(stage.world.sidecar), "event=settings_reload_failed"));
    stage_close(&stage);
    folder_free(load.settings);
}

/* ---- how many ---- */

static struct refusal {
    const char *name, *n;
} refusals[] = {
    { "none", "0" },   { "too many", "65" }, { "a word", "many" }, { "less than none", "-1" },
    { "nothing", "" }, { "a part", "1.5" },
};

static void is_refused(void **state)
{
    const struct refusal *story = *state;
    const char *options[] = { "run", "--account", "storeacct", "--threads", story->n, NULL };
    struct process_plan plan = { .program = "janus-sidecar", .options = options };
    struct process *sidecar = process_start(&plan);

    assert_int_equal(process_wait(sidecar), 2);
    assert_non_null(strstr(process_log(sidecar), "--threads"));
    process_free(sidecar);
}

static void as_many_as_processors(void **state)
{
    struct world world;

    (void)state;
    open_with(&world, "auto", NULL, NULL);
    expect_status(world_refused(&world, v2), 403);
    world_close(&world);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, pairs, everybody_serves);
    STORIES_ADD(&stories, pairs, log_is_whole);
    STORIES_ADD(&stories, pairs, counters_are_added);
    STORIES_ADD(&stories, pairs, drain);
    STORIES_ADD(&stories, pairs, drain_is_cut);
    STORIES_ADD(&stories, pairs, reload_is_for_all);
    STORIES_ADD(&stories, pairs, limit_of_clients);
    STORIES_ADD(&stories, pairs, unix_socket);
    STORIES_ADD(&stories, pairs, port_is_not_shared);
    STORIES_ADD(&stories, pairs, settings_are_for_all);
    STORIES_ADD(&stories, pairs, storm);
    STORIES_ADD(&stories, pairs, nothing_is_lost);
    STORIES_ADD(&stories, refusals, is_refused);
    stories_add(&stories, "as many as processors", as_many_as_processors, NULL);
    return flow_run("threads", &stories, NULL, NULL);
}

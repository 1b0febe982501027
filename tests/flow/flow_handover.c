/* --handover: one sidecar takes over from another while callers keep asking, over kept connections and new ones, at a
 * port and at a Unix socket. No request fails. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/flow/kit_stage.h"
#include "tests/flow/kit_wait.h"

enum { CALLERS = 4, SWAPS = 5, BETWEEN = 400, SIZE = 2000, OPTIONS_MAX = 32 };

static struct place {
    struct folder *folder;
    struct robot *robot;
    char connect_to[64], unix_socket[300];
    const char *options[OPTIONS_MAX];
    uint16_t port, admin;
} place;

/* ---- sidecars
 * -------------------------------------------------------------------------------------- */

static void open_place(void)
{
    place.folder = folder_new();
    place.robot = robot_new(certificate_context(CERTIFICATE_GOOD));
    folder_manifest(place.folder, world_policies);
    folder_write(place.folder, "token", ROBOT_TOKEN "1");
    certificate_write_authority(folder_name(place.folder, "ca.pem"));
    snprintf(place.connect_to, sizeof(place.connect_to), "::127.0.0.1:%u", robot_port(place.robot));
    snprintf(place.unix_socket, sizeof(place.unix_socket), "unix:%s",
             folder_name(place.folder, "socket"));
}

static void close_place(void)
{
    const char *complaint = robot_complaint(place.robot);

    if (complaint)
        fail_msg("the origin complains: %s", complaint);
    robot_free(place.robot);
    folder_free(place.folder);
}

/* Every one is started with the very same words; `more` comes last. */
static struct process_plan plan_of(const char *more, const char *value)
{
    const char *const options[] = { "run",
                                    "--account",
                                    "storeacct",
                                    "--listen",
                                    "127.0.0.1:0",
                                    "--listen",
                                    place.unix_socket,
                                    "--admin",
                                    "127.0.0.1:0",
                                    "--connect-to",
                                    place.connect_to,
                                    "--allow-address",
                                    "127.0.0.0/8",
                                    "--token-file",
                                    folder_name(place.folder, "token"),
                                    "--manifest",
                                    folder_name(place.folder, "manifest.json"),
                                    "--ca-file",
                                    folder_name(place.folder, "ca.pem"),
                                    "--handover",
                                    folder_name(place.folder, "handover"),
                                    "--log-level",
                                    "info",
                                    more,
                                    value,
                                    NULL };

    memcpy(place.options, options, sizeof(options));
    return (struct process_plan){ .program = "janus-sidecar",
                                  .work_folder = folder_path(place.folder),
                                  .options = place.options };
}

/* Held by callers while they ask. A child is forked between two requests: it would inherit a lock that another
 * thread holds for a moment, and wait for it for ever. */
static pthread_rwlock_t asking_now = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static struct process *fork_off(const struct process_plan *plan)
{
    pthread_rwlock_wrlock(&asking_now);
    struct process *process = process_start(plan);
    pthread_rwlock_unlock(&asking_now);
    return process;
}

static uint16_t port_behind(const char *line, const char *key)
{
    const char *at = strstr(line, key);

    assert_non_null(at);
    return (uint16_t)strtoul(at + strlen(key), NULL, 10);
}

static struct process *start_with(const char *threads)
{
    struct process_plan plan = plan_of("--threads", threads);
    struct process *sidecar = fork_off(&plan);
    char *line = process_await(sidecar, "ready ");

    place.port = port_behind(line, "listen=127.0.0.1:");
    place.admin = port_behind(line, "admin=127.0.0.1:");
    free(line);
    return sidecar;
}

static struct process *start(void)
{
    return start_with("1");
}

/* ---- callers
 * --------------------------------------------------------------------------------------- */

static struct asking {
    pthread_t thread;
    bool keeps; /* one connection for as long as it is kept; else one a request */
    char why[300];
} askings[CALLERS];

static atomic_bool enough;
static atomic_uint n_right;

static void *ask(void *arg)
{
    struct asking *asking = arg;
    struct request request = stage_get(STAGE_FOREIGN, 1, SIZE);
    struct caller caller;
    struct reply reply;

    request.last = !asking->keeps;
    caller_init(&caller, place.port);
    caller.patience_s = 20;
    while (!atomic_load(&enough) && !asking->why[0]) {
        request.script.seed++;
        pthread_rwlock_rdlock(&asking_now);
        caller_ask(&caller, &request, &reply);
        pthread_rwlock_unlock(&asking_now);
        if (reply.result == RESULT_RIGHT)
            atomic_fetch_add(&n_right, 1);
        else
            snprintf(asking->why, sizeof(asking->why), "%s (%u) %s", result_name(reply.result),
                     reply.status, reply.why);
    }
    caller_fini(&caller);
    return NULL;
}

static void start_asking(void)
{
    atomic_store(&enough, false);
    atomic_store(&n_right, 0);
    for (size_t i = 0; i < CALLERS; i++) {
        askings[i] = (struct asking){ .keeps = i % 2 };
        assert_int_equal(pthread_create(&askings[i].thread, NULL, ask, &askings[i]), 0);
    }
}

/* So many more have been answered, and nobody complains. */
static void await_answers(unsigned more)
{
    unsigned want = atomic_load(&n_right) + more;
    long long deadline = now_ms() + PATIENCE_MS;

    while (atomic_load(&n_right) < want && now_ms() < deadline) {
        wait_any(NULL, 0, now_ms() + 5); /* meanwhile the children's logs are read */
        for (size_t i = 0; i < CALLERS; i++) {
            if (askings[i].why[0])
                return;
        }
    }
}

static void stop_asking(void)
{
    atomic_store(&enough, true);
    for (size_t i = 0; i < CALLERS; i++)
        pthread_join(askings[i].thread, NULL);
    for (size_t i = 0; i < CALLERS; i++) {
        if (askings[i].why[0])
            fail_msg("caller %zu (%s): %s, behind %u answers", i,
                     askings[i].keeps ? "kept" : "new each time", askings[i].why,
                     atomic_load(&n_right));
    }
}

/* ---- stories
 * --------------------------------------------------------------------------------------- */

static void expect_clean_end(struct process *sidecar)
{
    int code = process_wait(sidecar);

    if (code != 0 || strstr(process_log(sidecar), "drain_cut"))
        fail_msg("it ended with %d:\n%s", code, process_log(sidecar));
    process_free(sidecar);
}

/* Each has as many threads as it says: some inherit more sockets than they have threads, and some less. */
static struct swaps {
    const char *name;
    const char *threads[SWAPS + 1];
} swaps[] = {
    { "one thread each", { "1", "1", "1", "1", "1", "1" } },
    { "four threads each", { "4", "4", "4", "4", "4", "4" } },
    { "more threads, then less", { "1", "4", "2", "8", "1", "3" } },
};

static void swapped_under_load(void **state)
{
    const struct swaps *story = *state;
    uint16_t port, admin;

    open_place();
    struct process *now = start_with(story->threads[0]);
    port = place.port;
    admin = place.admin;
    start_asking();
    for (int i = 0; i < SWAPS; i++) {
        await_answers(BETWEEN);
        struct process *next = start_with(story->threads[i + 1]);
        assert_int_equal(place.port, port);
        assert_int_equal(place.admin, admin);
        process_await_line(now, "event=succeeded");
        expect_clean_end(now);
        now = next;
    }
    await_answers(BETWEEN);
    stop_asking();
    struct client *client = client_new_unix(folder_name(place.folder, "socket"));
    client_say(client, "GET /a HTTP/1.1\r\nHost: nobody.example\r\n\r\n");
    expect_status(client_response(client), 403);
    client_close(client);
    print_message("%u requests, %d successors, none failed\n", atomic_load(&n_right), SWAPS);
    assert_in_range(atomic_load(&n_right), SWAPS * BETWEEN, UINT32_MAX);
    sidecar_stop(now);
    process_free(now);
    assert_int_not_equal(access(folder_name(place.folder, "socket"), F_OK), 0);
    assert_int_not_equal(access(folder_name(place.folder, "handover"), F_OK), 0);
    close_place();
}

/* It takes the sockets, finds that it cannot start, and lets go. */
static struct bad_successor {
    const char *name, *option, *value;
} bad_successors[] = {
    { "a successor whose manifest is broken", "--shadow-manifest", "broken.json" },
    { "a successor whose other port is taken", "--listen", NULL },
    { "a successor with an unknown option", "--lisen", "127.0.0.1:0" },
};

static void goes_on(void **state)
{
    const struct bad_successor *story = *state;
    struct origin *taken = origin_new_plain();
    char port[64];

    open_place();
    folder_write(place.folder, "broken.json", "{");
    snprintf(port, sizeof(port), "127.0.0.1:%u", origin_port(taken));
    struct process *now = start();
    start_asking();
    await_answers(BETWEEN);
    struct process_plan plan = plan_of(story->option, story->value ? story->value : port);
    struct process *bad = fork_off(&plan);
    assert_int_equal(process_wait(bad), 2);
    process_free(bad);
    await_answers(BETWEEN);
    stop_asking();
    assert_null(strstr(process_log(now), "event=succeeded"));
    sidecar_stop(now);
    process_free(now);
    origin_free(taken);
    close_place();
}

/* An idle client is let go after its next response, or with --drain-timeout. */
static void idle_client(void **state)
{
    (void)state;
    open_place();
    struct process *now = start();
    struct client *client = client_new(place.port);
    client_say(client, "GET /a HTTP/1.1\r\nHost: nobody.example\r\n\r\n");
    expect_header(client_response(client), "Connection", NULL);
    struct process *next = start();
    process_await_line(now, "event=succeeded");
    client_say(client, "GET /a HTTP/1.1\r\nHost: nobody.example\r\n\r\n");
    expect_header(client_response(client), "Connection", "close");
    assert_int_equal(client_end(client), ENDING_CLEAN);
    client_close(client);
    expect_clean_end(now);
    sidecar_stop(next);
    process_free(next);
    close_place();
}

static void foreign_file(void **state)
{
    (void)state;
    open_place();
    folder_write(place.folder, "handover", "not a socket");
    struct process_plan plan = plan_of(NULL, NULL);
    struct process *sidecar = process_start(&plan);
    assert_int_equal(process_wait(sidecar), 2);
    assert_non_null(strstr(process_log(sidecar), "--handover"));
    assert_int_equal(access(folder_name(place.folder, "handover"), F_OK), 0);
    process_free(sidecar);
    close_place();
}

/* ---- --drain-delay
 * --------------------------------------------------------------------------------- */

static struct world own;
static const struct plan delayed = { .options = { "--drain-delay", "1500ms" } };

static void delay(void **state)
{
    (void)state;
    world_open(&own, &delayed);
    process_signal(own.sidecar, SIGTERM);
    long long begun = now_ms();
    process_await_line(own.sidecar, "event=leaving");
    world_readyz(&own, 503, "\"draining\":true");
    free(world_exchange(&own, "GET /v1/a HTTP/1.1\r\nHost: api.partner.example\r\n\r\n"));
    process_await_line(own.sidecar, "event=draining");
    assert_in_range(now_ms() - begun, 1400, PATIENCE_MS);
    assert_int_equal(process_wait(own.sidecar), 0);
    world_forget(&own);
}

static void delay_is_cut(void **state)
{
    static const struct plan long_delay = { .options = { "--drain-delay", "1m" } };

    (void)state;
    world_open(&own, &long_delay);
    process_signal(own.sidecar, SIGTERM);
    process_await_line(own.sidecar, "event=leaving");
    process_signal(own.sidecar, SIGTERM);
    assert_int_equal(process_wait(own.sidecar), 1);
    world_forget(&own);
}

static struct single singles[] = {
    { "an idle client", idle_client },
    { "a foreign file stands at --handover", foreign_file },
    { "--drain-delay: served on, then not", delay },
    { "a second signal does not wait for --drain-delay", delay_is_cut },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, swaps, swapped_under_load);
    STORIES_ADD(&stories, singles, single_run);
    STORIES_ADD(&stories, bad_successors, goes_on);
    return flow_run("handover", &stories, NULL, NULL);
}

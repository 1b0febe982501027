/* Resources run out, and the world around the process is unkind: no descriptors, no memory, a log that
 * nobody reads or that has no room, signals in the middle of everything, clocks that jump, thousands of
 * clients that say nothing. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/flow/kit_stage.h"
#include "tests/flow/kit_wait.h"

static const struct plan eager = { .options = { "--token-retry", "1ms", "--token-retry-max",
                                                "1ms" } };

static void rest(long long ms)
{
    for (long long until = now_ms() + ms; now_ms() < until;)
        wait_any(NULL, 0, until);
}

/* ---- asking in a thread ---- */

struct round {
    struct stage *stage;
    unsigned n, seed;
    unsigned right, failed, cut, closed;
    char why[300];
    _Atomic bool over;
};

static void ask_round(void *context)
{
    struct round *round = context;
    struct caller caller;

    caller_init(&caller, round->stage->world.port);
    for (unsigned i = 0; i < round->n && !atomic_load(&round->over); i++) {
        struct request request =
            stage_get(i % 2 ? STAGE_STORE : STAGE_FOREIGN, round->seed + i, i % 10 ? 500 : 40000);
        struct reply reply;
        request.script.framing = i % 3 ? FRAMED_BY_LENGTH : FRAMED_BY_CHUNKS;
        if (i % 4 == 3) {
            request.method = "POST";
            request.framing = UPLOAD_LENGTH;
            request.upload = 3000;
        }
        caller_ask(&caller, &request, &reply);
        round->right += reply.result == RESULT_RIGHT;
        round->failed += reply.result == RESULT_FAILED;
        round->cut += reply.result == RESULT_CUT;
        round->closed += reply.result == RESULT_CLOSED;
        if (reply.result != RESULT_RIGHT && !round->why[0])
            snprintf(round->why, sizeof(round->why), "request %u: %s (%u): %.200s", i,
                     result_name(reply.result), reply.status, reply.why);
    }
    caller_fini(&caller);
    atomic_store(&round->over, true);
}

static void *ask_in_thread(void *round)
{
    ask_round(round);
    return NULL;
}

static void all_right(struct stage *stage, unsigned n)
{
    struct round round = { .stage = stage, .n = n, .seed = 1 };

    stage_run(ask_round, &round);
    if (round.right != n)
        fail_msg("%u of %u were right; %s", round.right, n, round.why);
}

/* ---- descriptors ---- */

static void no_descriptors(void **state)
{
    enum { FILES = 64, CLIENTS = 100, PAUSE_MS = 1000, CPU_MAX_MS = 150 };
    static const struct plan plan = { .max_files = FILES };
    struct stage stage;

    (void)state;
    stage_open(&stage, &plan, false);
    for (int i = 0; i < CLIENTS; i++)
        client_new(stage.world.port);
    process_await_line(stage.world.sidecar, "event=accept_paused");
    long before = process_cpu_ms(stage.world.sidecar);
    rest(PAUSE_MS);
    long spent = process_cpu_ms(stage.world.sidecar) - before;
    print_message("no descriptors: %ld ms of processor time in %d ms\n", spent, PAUSE_MS);
    if (spent > CPU_MAX_MS)
        fail_msg("it spins: %ld ms of processor time in %d ms", spent, PAUSE_MS);
    clients_close();
    all_right(&stage, 40);
    stage_close(&stage);
}

/* All of them are taken by clients that were accepted: the next one's origin finds none. */
static void overloaded(void **state)
{
    static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM };
    struct stage stage;

    (void)state;
    stage_open(&stage, NULL, true);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        struct client *client = world_client(&stage.world);
        fault_arm(stage.faults, FAULT_socket, errors[i], 0);
        client_say(client, "GET /a HTTP/1.1\r\nHost: " STAGE_FOREIGN "\r\n\r\n");
        const struct response *response = client_response(client);
        expect_answer(response, 503, "Overloaded", "");
        char *after = head_field(response->head, "Retry-After");
        assert_non_null(after);
        free(after);
        assert_int_equal(fault_disarm(stage.faults), 1);
    }
    all_right(&stage, 4);
    stage_close(&stage);
}

/* ---- processor time ---- */

/* With its first token, and with those that follow. */
static void silence(void **state)
{
    enum { SILENCE_MS = 400, CPU_MAX_MS = 100 };
    struct stage stage;

    (void)state;
    stage_open(&stage, &eager, false); /* without an overlap */
    for (int i = 0; i < 3; i++) {
        long before = process_cpu_ms(stage.world.sidecar);
        rest(SILENCE_MS);
        long spent = process_cpu_ms(stage.world.sidecar) - before;
        if (spent > CPU_MAX_MS)
            fail_msg("it spins with token %u: %ld ms of processor time in %d ms", stage.token,
                     spent, SILENCE_MS);
        stage_next_token(&stage);
        all_right(&stage, 4);
    }
    stage_close(&stage);
}

/* ---- memory ---- */

static void no_memory(void **state)
{
    struct stage stage;

    (void)state;
    stage_open(&stage, NULL, true);
    all_right(&stage, 4);
    fault_arm_many(stage.faults, FAULT_calloc, ENOMEM, 1000000);
    client_say(world_client(&stage.world), "GET /a HTTP/1.1\r\nHost: " STAGE_FOREIGN "\r\n\r\n");
    int code = process_wait(stage.world.sidecar);
    if (code != 256 + SIGABRT || !strstr(process_log(stage.world.sidecar), "out of memory"))
        fail_msg("it ended with %d:\n%s", code, process_log(stage.world.sidecar));
    world_forget(&stage.world);
    robot_free(stage.robot);
    fault_kit_free(stage.faults);
}

/* ---- the log ---- */

static void full_disk(void **state)
{
    static const int errors[] = { ENOSPC, EIO, EDQUOT };

    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        struct stage stage;
        stage_open(&stage, NULL, true);
        fault_arm_many(stage.faults, FAULT_write, errors[i], 1000000000);
        all_right(&stage, 400); /* more than the buffer holds */
        fault_disarm(stage.faults);
        all_right(&stage, 2);
        process_await_line(stage.world.sidecar, "event=log_lines_dropped");
        stage_close(&stage);
    }
}

static void full_pipe(void **state)
{
    struct round round = { .n = 600, .seed = 3 };
    struct stage stage;
    pthread_t thread;

    (void)state;
    stage_open(&stage, NULL, false);
    round.stage = &stage;
    /* Nobody reads the log meanwhile. */
    assert_int_equal(pthread_create(&thread, NULL, ask_in_thread, &round), 0);
    pthread_join(thread, NULL);
    if (round.right != round.n)
        fail_msg("%u of %u were right; %s", round.right, round.n, round.why);
    all_right(&stage, 2);
    process_await_line(stage.world.sidecar, "event=log_lines_dropped");
    stage_close(&stage);
}

static void no_reader(void **state)
{
    struct stage stage;

    (void)state;
    stage_open(&stage, NULL, false);
    process_close_log(stage.world.sidecar);
    all_right(&stage, 300);
    stage_close(&stage);
}

/* Nothing that is logged may land in a descriptor that took the place of standard error. */
static void no_standard_error(void **state)
{
    struct folder *folder = folder_new();
    struct origin *place = origin_new_plain();
    char listen[32], target[64], link[64];
    const char *options[] = {
        "run",         "--account",  "storeacct",
        "--listen",    listen,       "--admin",
        "127.0.0.1:0", "--manifest", folder_manifest(folder, "any.partner.example\t*\n"),
        NULL
    };
    uint16_t port = origin_port(place);

    (void)state;
    origin_free(place);
    snprintf(listen, sizeof(listen), "127.0.0.1:%u", port);
    struct process_plan plan = { .program = "janus-sidecar",
                                 .work_folder = folder_path(folder),
                                 .options = options,
                                 .log = LOG_INTO_NOTHING };
    struct process *sidecar = process_start(&plan);
    for (long long until = now_ms() + PATIENCE_MS; client_is_refused(port) && now_ms() < until;)
        rest(10); /* there is no line to wait for */
    for (int i = 0; i < 20; i++) {
        struct client *client = client_new(port);
        client_say(client, "GET /a HTTP/1.1\r\nHost: nobody.example\r\n\r\n");
        expect_status(client_response(client), 403);
        if (i % 2)
            client_close(client);
    }
    snprintf(link, sizeof(link), "/proc/%d/fd/2", (int)process_id(sidecar));
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n < 0 || strncmp(target, "/dev/null", 9) != 0)
        fail_msg("its descriptor 2 is %.*s", (int)(n < 0 ? 0 : n), target);
    clients_close();
    sidecar_stop(sidecar);
    process_free(sidecar);
    folder_free(folder);
}

/* ---- signals ---- */

static void storm(void **state)
{
    static const int numbers[] = { SIGHUP,  SIGPIPE, SIGCHLD, SIGWINCH,
                                   SIGCONT, SIGURG,  SIGHUP,  SIGPIPE };
    struct round round = { .n = 100000, .seed = 5 };
    struct stage stage;
    pthread_t thread;
    unsigned sent = 0;

    (void)state;
    stage_open(&stage, &eager, false);
    round.stage = &stage;
    pthread_create(&thread, NULL, ask_in_thread, &round);
    for (long long until = now_ms() + 1000; now_ms() < until; sent++) {
        process_signal(stage.world.sidecar, numbers[sent % 8]);
        rest(1);
    }
    atomic_store(&round.over, true);
    pthread_join(thread, NULL);
    print_message("%u signals, %u requests\n", sent, round.right);
    if (round.why[0] || round.right == 0)
        fail_msg("%u were right; %s", round.right, round.why);
    all_right(&stage, 10);
    stage_close(&stage);
}

static void stopped(void **state)
{
    struct round round = { .n = 100000, .seed = 6 };
    struct stage stage;
    pthread_t thread;

    (void)state;
    stage_open(&stage, NULL, false);
    round.stage = &stage;
    pthread_create(&thread, NULL, ask_in_thread, &round);
    for (int i = 0; i < 5; i++) {
        rest(100);
        process_signal(stage.world.sidecar, SIGSTOP);
        rest(100);
        process_signal(stage.world.sidecar, SIGCONT);
    }
    atomic_store(&round.over, true);
    pthread_join(thread, NULL);
    if (round.why[0] || round.right == 0)
        fail_msg("%u were right; %s", round.right, round.why);
    stage_close(&stage);
}

/* What is under way is carried out, and nobody is served half an answer. */
static void terminated(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct round round = { .n = 100000, .seed = 100 * i };
        struct stage stage;
        pthread_t thread;
        stage_open(&stage, NULL, false);
        round.stage = &stage;
        pthread_create(&thread, NULL, ask_in_thread, &round);
        rest(50 + 17 * i);
        process_signal(stage.world.sidecar, SIGTERM);
        process_await_line(stage.world.sidecar, "event=draining");
        atomic_store(&round.over, true); /* the one under way is the last */
        pthread_join(thread, NULL);
        assert_int_equal(process_wait(stage.world.sidecar), 0);
        /* those that met the end: nobody answered them, or 503 */
        if (round.cut || round.right + round.failed + round.closed == 0)
            fail_msg("%u right, %u cut, %u failed, %u closed; %s", round.right, round.cut,
                     round.failed, round.closed, round.why);
        world_forget(&stage.world);
        robot_free(stage.robot);
    }
}

/* ---- clocks ---- */

#define STORE_GET "GET /a HTTP/1.1\r\nHost: " STAGE_STORE "\r\n\r\n"

enum { HOUR_S = 3600 };

/* Which token leaves; the caller frees. */
static char *sent_token(struct world *world)
{
    char *head = world_exchange(world, STORE_GET);
    char *token = head_field(head, "VtexIdclientAutCookie");

    free(head);
    assert_non_null(token);
    return token;
}

static struct jump {
    const char *name;
    long long wall_s, boot_s;
    bool dies; /* a token that had an hour to live */
} jumps[] = {
    { "the wall clock is set ahead, behind its end", 2 * HOUR_S, 0, true },
    { "the wall clock is set ahead, before its end", HOUR_S / 2, 0, false },
    { "the wall clock is set back", -2 * HOUR_S, 0, false },
    { "the machine slept too long", 2 * HOUR_S, 2 * HOUR_S, true },
    { "the machine slept, and its clock was set back meanwhile", -HOUR_S, 2 * HOUR_S, true },
    { "the machine slept a little", HOUR_S / 2, HOUR_S / 2, false },
    { "the wall clock is set back by years", -20LL * 365 * 24 * HOUR_S, 0, false },
};

static void clock_jumps(void **state)
{
    const struct jump *jump = *state;
    struct fault_kit *kit = fault_kit_new();
    char *old = jwt_text("old", time(NULL) + HOUR_S);
    struct plan plan = { .token = old,
                         .environment = fault_kit_environment(kit),
                         .options = { "--token-wait", "200ms" } };
    struct world world;

    world_open(&world, &plan);
    char *sent = sent_token(&world);
    assert_string_equal(sent, old);
    free(sent);
    fault_clocks(kit, jump->wall_s * 1000, jump->boot_s * 1000);
    if (jump->dies) {
        expect_answer(world_refused(&world, STORE_GET), 503, "TokenUnavailable", "");
        char *fresh = jwt_text("new", time(NULL) + jump->wall_s + HOUR_S);
        folder_replace(world.folder, "token", fresh);
        process_await_line(world.sidecar, "event=token generation=2");
        sent = sent_token(&world);
        assert_string_equal(sent, fresh);
        free(fresh);
    } else {
        sent = sent_token(&world);
        assert_string_equal(sent, old);
    }
    free(sent);
    free(old);
    world_close(&world);
    fault_kit_free(kit);
}

/* The old token may not come to life again either, by a clock that is set back after it has died. */
static void no_resurrection(void **state)
{
    struct fault_kit *kit = fault_kit_new();
    char *old = jwt_text("old", time(NULL) + HOUR_S);
    struct plan plan = { .token = old,
                         .environment = fault_kit_environment(kit),
                         .options = { "--token-wait", "200ms" } };
    struct world world;

    (void)state;
    world_open(&world, &plan);
    free(sent_token(&world));
    fault_clocks(kit, 0, 2 * HOUR_S * 1000LL); /* it slept, and the wall clock says it did not */
    world_refused(&world, STORE_GET);
    fault_clocks(kit, -24 * HOUR_S * 1000LL, 2 * HOUR_S * 1000LL);
    expect_answer(world_refused(&world, STORE_GET), 503, "TokenUnavailable", "");
    free(old);
    world_close(&world);
    fault_kit_free(kit);
}

/* ---- clients that say nothing ---- */

enum { IDLE_CLIENTS = 10000, IDLE_MIN = 500, RESERVE = 300, ADDRESSES = 4, EACH_MAX_BYTES = 1024 };

static int idle_client(uint16_t port, unsigned address)
{
    struct sockaddr_in from = { .sin_family = AF_INET,
                                .sin_addr = { htonl(INADDR_LOOPBACK + address) } };
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
        connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    close(fd);
    return -1;
}

static size_t idle_max(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    size_t most = limit.rlim_max > RESERVE ? (size_t)limit.rlim_max - RESERVE : 0;
    return most < IDLE_CLIENTS ? most : IDLE_CLIENTS;
}

/* So many and not `slack` more; the pool may keep some. */
static void await_descriptors(struct stage *stage, size_t n, size_t slack)
{
    size_t there = 0;

    for (long long until = now_ms() + PATIENCE_MS; now_ms() < until; rest(20)) {
        there = process_descriptors(stage->world.sidecar);
        if (there >= n && there <= n + slack)
            return;
    }
    fail_msg("%zu descriptors, and not %zu", there, n);
}

static void idle_clients(void **state)
{
    static int fds[IDLE_CLIENTS];
    const char *folder = getenv("JANUS_RELEASE_BIN_DIR");
    bool release = folder && *folder;
    struct plan plan = { .bin_folder = release ? folder : NULL };
    struct stage stage;
    size_t n = idle_max();

    (void)state;
    if (n < IDLE_MIN) {
        print_message("skipped: only %zu descriptors may be open here\n", n);
        skip();
    }
    stage_open(&stage, &plan, false);
    all_right(&stage, 20);
    size_t before = process_now_kib(stage.world.sidecar);
    for (size_t i = 0; i < n; i++) {
        fds[i] = idle_client(stage.world.port, (unsigned)(i % ADDRESSES));
        if (fds[i] < 0)
            fail_msg("client %zu cannot connect: %s", i, strerror(errno));
    }
    await_descriptors(&stage, stage.calm_descriptors + n, 10);
    size_t each = (process_now_kib(stage.world.sidecar) - before) * 1024 / n;
    print_message("%zu idle clients: %zu bytes each%s\n", n, each,
                  release ? "" : " (with a sanitizer)");
    if (release && each > EACH_MAX_BYTES)
        fail_msg("%zu bytes for an idle client", each);
    all_right(&stage, 40);
    long cpu = process_cpu_ms(stage.world.sidecar);
    rest(500);
    cpu = process_cpu_ms(stage.world.sidecar) - cpu;
    if (cpu > 100)
        fail_msg("they cost %ld ms of processor time in half a second", cpu);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    robot_hang_up(stage.robot);
    await_descriptors(&stage, stage.calm_descriptors, 0);
    all_right(&stage, 10);
    stage_close(&stage);
}

static struct single singles[] = {
    { "no descriptors: accepting pauses, does not spin, and resumes", no_descriptors },
    { "nothing happens, and nothing is done", silence },
    { "nothing left for an origin's socket: 503", overloaded },
    { "no memory: it ends, and says why", no_memory },
    { "the log's disk is full", full_disk },
    { "the log's pipe is full", full_pipe },
    { "the log's reader has gone", no_reader },
    { "no standard error at all", no_standard_error },
    { "a storm of signals", storm },
    { "stopped and continued", stopped },
    { "SIGTERM in the middle of traffic", terminated },
    { "a dead token stays dead", no_resurrection },
    { "10,000 idle clients", idle_clients },
};

static void run_single(void **state)
{
    ((const struct single *)*state)->run(state);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, singles, run_single);
    STORIES_ADD(&stories, jumps, clock_jumps);
    return flow_run("resources", &stories, NULL, NULL);
}

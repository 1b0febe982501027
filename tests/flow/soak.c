/* ./dev soak [TIME] [SEED]: mixed load with random faults on both sides of the sidecar and inside it.
 *
 *   callers      16 threads: all methods and framings, pipelined, slow, denied, broken; some leave at
 *                any byte. What each does is decided by the seed and its number
 *   the origin   does what a request's script says: slow, in pieces, early, closing, cut at any byte
 *   meanwhile    the token is rotated and the old one refused, the manifest is rewritten, SIGHUP, a
 *                system call of the sidecar fails
 *
 * Every answer is right to its last byte, or a clear failure. In the end nobody is stuck, descriptors
 * are as before, memory is as it was after the first third. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/flow/kit_stage.h"
#include "tests/flow/kit_wait.h"

enum {
    CALLERS = 16,
    BATCH = 6,
    TICK_MS = 100,
    SMALL = 2000,
    LARGE = 300 * 1000,
    GROWTH_MAX_KIB = 12 * 1024,
    LOG_MAX = 4 * 1024 * 1024,
};

static struct {
    unsigned seconds;
    uint64_t seed;
} options = { 10, 0 };

static struct stage stage;
static _Atomic bool over;

/* What one caller has seen; read by others once it has ended. */
struct tally {
    uint64_t results[RESULTS_N], unasked[RESULTS_N];
    uint64_t statuses[6]; /* of the sidecar's own answers: 4xx, 500, 502, 503, 504, others */
    uint64_t requests, broken, content;
    char blame[320]; /* the first 4xx for a request that was not denied */
    char why[640];   /* the first that is never right */
};

struct actor {
    unsigned number;
    struct dice dice;
    struct caller caller;
    struct tally tally;
    pthread_t thread;
};

/* ---- one request ---- */

static void roll_response(struct dice *dice, struct script *script)
{
    static const unsigned statuses[] = { 200, 200, 200, 200, 201, 204, 404, 500 };

    script->status = statuses[dice_of(dice, 8)];
    script->seed = (unsigned)dice_roll(dice) % 1000000;
    script->size = dice_of(dice, dice_one_in(dice, 8) ? LARGE : SMALL);
    script->chunk = 1 + dice_of(dice, dice_one_in(dice, 4) ? 30 : 20000);
    if (script->chunk < 30)
        script->size %= SMALL;
    script->framing = "llcce"[dice_of(dice, 5)];
    if (script->status == 204)
        script->framing = FRAMED_BY_LENGTH;
    script->pieces = dice_one_in(dice, 6) ? 1 + dice_of(dice, 8) : 1;
    script->delay_ms = dice_one_in(dice, 6) ? dice_of(dice, 40) : 0;
    script->interim = dice_one_in(dice, 10) ? dice_of(dice, 4) : 0;
    script->leaves = dice_one_in(dice, 12);
    script->fault = FAULT_NONE;
    if (dice_one_in(dice, 10)) {
        script->fault = "gfr"[dice_of(dice, 3)];
        script->fault_at = dice_of(dice, dice_one_in(dice, 2) ? 100 : script->size + 200);
    }
}

static void roll_upload(struct dice *dice, struct request *request)
{
    static const char *const methods[] = { "POST", "PUT", "PATCH", "DELETE" };

    request->method = methods[dice_of(dice, 4)];
    request->framing = dice_one_in(dice, 2) ? UPLOAD_LENGTH : UPLOAD_CHUNKED;
    request->upload = dice_of(dice, dice_one_in(dice, 5) ? LARGE : SMALL);
    request->upload_seed = (unsigned)dice_roll(dice) % 1000000;
    request->expects = dice_one_in(dice, 8);
    request->script.early = !request->expects && dice_one_in(dice, 12);
}

static void roll_request(struct dice *dice, struct request *request)
{
    *request = stage_get(dice_one_in(dice, 2) ? STAGE_STORE : STAGE_FOREIGN, 0, 0);
    roll_response(dice, &request->script);
    if (dice_one_in(dice, 3))
        roll_upload(dice, request);
    else if (dice_one_in(dice, 8))
        request->method = "HEAD";
    request->pieces = dice_one_in(dice, 12) ? 1 + dice_of(dice, 12) : 1;
    request->last = dice_one_in(dice, 15);
    if (dice_one_in(dice, 12)) {
        request->host = STAGE_DENIED;
        request->denied = true;
    }
    if (dice_one_in(dice, 15)) {
        unsigned *leave = dice_one_in(dice, 2) ? &request->leave_at : &request->cut_at;
        *leave = 1 + dice_of(dice, 600 + request->upload + request->script.size);
        request->resets = dice_one_in(dice, 2);
    }
}

/* ---- what came of it ---- */

static size_t status_slot(unsigned status)
{
    return status < 500 ? 0 : status == 500 ? 1 : status >= 502 && status <= 504 ? status - 500 : 5;
}

static void note(struct actor *actor, const struct request *request, const struct reply *reply)
{
    struct tally *tally = &actor->tally;
    bool asked = request->script.fault != FAULT_NONE || request->leave_at || request->cut_at;

    tally->requests++;
    tally->results[reply->result]++;
    tally->content += request->script.size + request->upload;
    if (!asked && reply->result != RESULT_RIGHT)
        tally->unasked[reply->result]++;
    if (reply->result == RESULT_FAILED)
        tally->statuses[status_slot(reply->status)]++;
    if (reply->result == RESULT_FAILED && reply->status < 500 && !tally->blame[0])
        snprintf(tally->blame, sizeof(tally->blame), "%s to %s: %u %s", request->method,
                 request->host, reply->status, reply->why);
    if (reply->result >= RESULT_WRONG && !tally->why[0]) {
        char script[SCRIPT_TEXT_MAX];
        script_write(&request->script, script);
        snprintf(tally->why, sizeof(tally->why),
                 "caller %u, request %llu, %s to %s, script %s: %s, status %u: %s", actor->number,
                 (unsigned long long)tally->requests, request->method, request->host, script,
                 result_name(reply->result), reply->status, reply->why);
    }
}

static void ask_many(struct actor *actor)
{
    size_t n = 2 + dice_of(&actor->dice, BATCH - 1);
    struct request requests[BATCH];
    struct reply replies[BATCH];

    for (size_t i = 0; i < n; i++) {
        requests[i] = stage_get(dice_one_in(&actor->dice, 2) ? STAGE_STORE : STAGE_FOREIGN, 0, 0);
        roll_response(&actor->dice, &requests[i].script);
        requests[i].script.size %= SMALL;
    }
    caller_pipeline(&actor->caller, requests, n, replies);
    for (size_t i = 0; i < n; i++) {
        /* those behind one that ends the connection are not what anybody was asked for */
        if (i > 0 && replies[i].result == RESULT_CLOSED)
            requests[i].leave_at = 1;
        note(actor, &requests[i], &replies[i]);
    }
}

/* A head with one byte changed: it may be refused, or mean something else that is refused. */
static void say_nonsense(struct actor *actor)
{
    char text[] = "GET /a HTTP/1.1\r\nHost: " STAGE_DENIED "\r\nContent-Length: 0\r\n\r\n";

    text[dice_of(&actor->dice, sizeof(text) - 5)] = (char)dice_roll(&actor->dice);
    caller_leave(&actor->caller);
    unsigned status = caller_say(&actor->caller, text, sizeof(text) - 1);
    actor->tally.broken++;
    if (status && status < 400)
        snprintf(actor->tally.why, sizeof(actor->tally.why), "nonsense was answered %u: %s", status,
                 text);
}

static void *act(void *arg)
{
    struct actor *actor = arg;

    while (!atomic_load(&over) && !actor->tally.why[0]) {
        struct request request;
        struct reply reply;
        if (dice_one_in(&actor->dice, 40)) {
            say_nonsense(actor);
        } else if (dice_one_in(&actor->dice, 8)) {
            ask_many(actor);
        } else {
            roll_request(&actor->dice, &request);
            caller_ask(&actor->caller, &request, &reply);
            note(actor, &request, &reply);
        }
        if (dice_one_in(&actor->dice, 20))
            caller_leave(&actor->caller);
    }
    caller_leave(&actor->caller);
    return NULL;
}

/* ---- meanwhile ---- */

struct troubles {
    unsigned tokens, manifests, signals, armed, failed;
};

static void rewrite_manifest(const struct troubles *troubles)
{
    struct bytes rows = { 0 };

    bytes_print(&rows, "%s*.other%u.example\t/x/*\n", world_policies, troubles->manifests);
    folder_manifest(stage.world.folder, rows.at);
    bytes_free(&rows);
}

static void arm_a_call(struct dice *dice)
{
    static const struct {
        enum fault_call call;
        int error;
    } calls[] = {
        { FAULT_accept4, EMFILE },      { FAULT_recv, ECONNRESET },
        { FAULT_recv, FAULT_SHORT },    { FAULT_recv, EAGAIN },
        { FAULT_recv, FAULT_END },      { FAULT_sendmsg, EPIPE },
        { FAULT_sendmsg, FAULT_SHORT }, { FAULT_sendmsg, EAGAIN },
        { FAULT_socket, EMFILE },       { FAULT_connect, ETIMEDOUT },
        { FAULT_epoll_ctl, ENOMEM },    { FAULT_epoll_wait, EINTR },
        { FAULT_write, ENOSPC },        { FAULT_write, FAULT_SHORT },
        { FAULT_open, EMFILE },         { FAULT_SSL_write_ex, EIO },
        { FAULT_SSL_read_ex, EIO },     { FAULT_SSL_do_handshake, EIO },
    };
    unsigned i = dice_of(dice, sizeof(calls) / sizeof(calls[0]));

    fault_arm(stage.faults, calls[i].call, calls[i].error, dice_of(dice, 50));
}

static void make_trouble(struct dice *dice, struct troubles *troubles)
{
    troubles->failed += fault_disarm(stage.faults);
    if (dice_one_in(dice, 3)) {
        troubles->armed++;
        arm_a_call(dice);
    }
    if (dice_one_in(dice, 8)) {
        troubles->tokens++;
        stage_next_token(&stage);
    }
    if (dice_one_in(dice, 10)) {
        troubles->manifests++;
        rewrite_manifest(troubles);
    }
    if (dice_one_in(dice, 30)) {
        troubles->signals++;
        process_signal(stage.world.sidecar, SIGHUP);
    }
}

static void let_go_of_the_log(void)
{
    if (strstr(process_log(stage.world.sidecar), ROBOT_TOKEN))
        fail_msg("a token stands in the log");
    if (strlen(process_log(stage.world.sidecar)) > LOG_MAX)
        process_forget_log(stage.world.sidecar);
}

static void tick(void)
{
    long long until = now_ms() + TICK_MS;

    while (now_ms() < until)
        wait_any(NULL, 0, until);
}

/* ---- the sum ---- */

static void add(struct tally *sum, const struct tally *tally)
{
    for (size_t i = 0; i < RESULTS_N; i++) {
        sum->results[i] += tally->results[i];
        sum->unasked[i] += tally->unasked[i];
    }
    for (size_t i = 0; i < 6; i++)
        sum->statuses[i] += tally->statuses[i];
    sum->requests += tally->requests;
    sum->broken += tally->broken;
    sum->content += tally->content;
    if (tally->blame[0] && !sum->blame[0])
        memcpy(sum->blame, tally->blame, sizeof(sum->blame));
    if (tally->why[0] && !sum->why[0])
        memcpy(sum->why, tally->why, sizeof(sum->why));
}

static void print_sum(const struct tally *sum, const struct troubles *troubles)
{
    struct robot_counts origin = robot_counts(stage.robot);

    print_message("%llu requests, %llu MB of content, %llu broken heads\n",
                  (unsigned long long)sum->requests, (unsigned long long)(sum->content / 1000000),
                  (unsigned long long)sum->broken);
    for (size_t i = 0; i < RESULTS_N; i++)
        print_message("%10llu %-15s %llu of them for no fault of their own script\n",
                      (unsigned long long)sum->results[i], result_name((enum result)i),
                      (unsigned long long)sum->unasked[i]);
    print_message(
        "answers of the sidecar's own: %llu 4xx, %llu 500, %llu 502, %llu 503, %llu 504\n",
        (unsigned long long)sum->statuses[0], (unsigned long long)sum->statuses[1],
        (unsigned long long)sum->statuses[2], (unsigned long long)sum->statuses[3],
        (unsigned long long)sum->statuses[4]);
    if (sum->blame[0])
        print_message("the first 4xx: %s\n", sum->blame);
    print_message("origin: %u connections, %u requests, %u refused tokens, %u cuts\n",
                  origin.connections, origin.requests, origin.refusals, origin.faults);
    print_message("%u tokens, %u manifests, %u SIGHUP, %u of %u armed calls failed\n",
                  troubles->tokens, troubles->manifests, troubles->signals, troubles->failed,
                  troubles->armed);
}

/* ---- all of it ---- */

static void start(struct actor actors[CALLERS])
{
    for (unsigned i = 0; i < CALLERS; i++) {
        actors[i].number = i;
        actors[i].dice.state = options.seed * 1000 + i;
        caller_init(&actors[i].caller, stage.world.port);
        assert_int_equal(pthread_create(&actors[i].thread, NULL, act, &actors[i]), 0);
    }
}

static void *join_all(void *arg)
{
    struct actor *actors = arg;

    for (unsigned i = 0; i < CALLERS; i++)
        pthread_join(actors[i].thread, NULL);
    return NULL;
}

static void join_in_thread(void *actors)
{
    join_all(actors);
}

/* What the kernel knows of a socket: its ends, its state. */
static void print_socket(const char *inode, size_t n)
{
    FILE *file = fopen("/proc/net/tcp", "re");
    char line[256];

    while (file && fgets(line, sizeof(line), file)) {
        if (memmem(line, strlen(line), inode, n))
            print_message("    %s", line);
    }
    if (file)
        fclose(file);
}

static void print_descriptors(void)
{
    print_message("  clients come to port %X, origins listen at %X\n", stage.world.port,
                  robot_port(stage.robot));
    char link[64], target[128];

    for (int fd = 0; fd < 1024; fd++) {
        snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)process_id(stage.world.sidecar), fd);
        ssize_t n = readlink(link, target, sizeof(target));
        if (n > 0)
            print_message("  descriptor %d: %.*s\n", fd, (int)n, target);
        if (n > 9 && memcmp(target, "socket:[", 8) == 0)
            print_socket(target + 8, (size_t)n - 9);
    }
}

static bool somebody_is_wrong(const struct actor actors[CALLERS])
{
    bool wrong = robot_complaint(stage.robot) != NULL;

    for (unsigned i = 0; i < CALLERS; i++)
        wrong = wrong || actors[i].tally.why[0];
    return wrong;
}

static void soak(void **state)
{
    static struct actor actors[CALLERS];
    struct dice dice = { options.seed };
    struct troubles troubles = { 0 };
    struct tally sum = { 0 };
    long long begun = now_ms(), end = begun + options.seconds * 1000LL;
    size_t peak = 0, descriptors;

    (void)state;
    print_message("soak: %u s, seed %llu\n", options.seconds, (unsigned long long)options.seed);
    start(actors);
    while (now_ms() < end && !somebody_is_wrong(actors)) {
        tick();
        make_trouble(&dice, &troubles);
        let_go_of_the_log();
        size_t now = process_now_kib(stage.world.sidecar);
        if (now_ms() < begun + (end - begun) / 3 && now > peak)
            peak = now;
    }
    atomic_store(&over, true);
    troubles.failed += fault_disarm(stage.faults);
    stage_run(join_in_thread, actors);
    for (unsigned i = 0; i < CALLERS; i++)
        add(&sum, &actors[i].tally);
    print_sum(&sum, &troubles);
    if (sum.why[0])
        fail_msg("seed %llu: %s", (unsigned long long)options.seed, sum.why);
    bool calm = stage_is_calm(&stage, &descriptors);
    size_t now = process_now_kib(stage.world.sidecar);
    print_message("memory: %zu KiB at most in the first third, %zu KiB now; %zu descriptors, %zu "
                  "before\n",
                  peak, now, descriptors, stage.calm_descriptors);
    if (!calm)
        print_descriptors();
    if (!calm)
        fail_msg("%zu descriptors are open, and there were %zu", descriptors,
                 stage.calm_descriptors);
    if (now > peak + GROWTH_MAX_KIB)
        fail_msg("it has grown from %zu to %zu KiB", peak, now);
}

static int open_stage(void **state)
{
    /* A reset that came together with the last of a response is not seen before the connection is
     * used again, or has been kept for long enough. */
    static const struct plan plan = { .options = { "--token-retry", "1ms", "--token-retry-max",
                                                   "10ms", "--pool-idle-timeout", "1s" } };

    (void)state;
    stage_open(&stage, &plan, true);
    return 0;
}

static int close_stage(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

/* "90", "90s", "30m", "2h"; 0 if it is none of them. */
static unsigned seconds_of(const char *text)
{
    char *unit;
    unsigned long n = strtoul(text, &unit, 10);

    if (unit == text || (*unit && unit[1]))
        return 0;
    return (unsigned)(*unit == 'h'             ? n * 3600
                      : *unit == 'm'           ? n * 60
                      : !*unit || *unit == 's' ? n
                                               : 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(soak) };

    options.seed = (uint64_t)time(NULL);
    if (argc > 1 && !(options.seconds = seconds_of(argv[1]))) {
        fprintf(stderr, "soak: \"%s\" is no time; say 90s, 30m or 2h\n", argv[1]);
        return 2;
    }
    if (argc > 2)
        options.seed = strtoull(argv[2], NULL, 10);
    return _cmocka_run_group_tests("soak", tests, 1, open_stage, close_stage);
}

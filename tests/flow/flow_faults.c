/* Each system call of the data path fails once, at each place of a script of requests: the calls of the
 * sidecar, by a preloaded shim. Whoever is hurt by it sees a clear failure, it is one request at most,
 * the next ones are as ever, and the descriptors and the memory are as before. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/flow/kit_stage.h"
#include "tests/flow/kit_wait.h"

enum {
    SWEEP_MAX = 400,
    GROWTH_MAX_KIB = 12 * 1024, /* over thousands of requests; the sanitizer's own included */
    IDLE_MS = 300,
    IDLE_CPU_MS = 60,
};

static struct stage stage;

/* ---- the script ---- */

enum { REQUESTS = 7 };

static void write_script(struct request requests[REQUESTS])
{
    for (unsigned i = 0; i < REQUESTS; i++)
        requests[i] = stage_get(STAGE_FOREIGN, 100 + i, 900);
    requests[1].script.framing = FRAMED_BY_CHUNKS; /* over the kept connections */
    requests[1].script.size = 5000;
    requests[2].method = requests[3].method = "POST";
    requests[2].host = STAGE_STORE;
    requests[2].framing = UPLOAD_LENGTH;
    requests[2].upload = 3000;
    requests[3].framing = UPLOAD_CHUNKED;
    requests[3].upload = 90 * 1000;
    requests[3].script.size = 100 * 1000;
    requests[3].script.framing = FRAMED_BY_CHUNKS;
    requests[3].script.chunk = 20 * 1000;
    requests[4].host = STAGE_STORE; /* with a token that is too old: renewed */
    requests[5].script.framing = FRAMED_BY_END;
    requests[6].last = true;
}

/* ---- one fault ---- */

struct trial {
    enum fault_call call;
    int error;
    unsigned after;
    /* what came of it */
    unsigned happened, hurt;
    char why[400];
};

static void ask(struct caller *caller, const struct request *request, struct trial *trial,
                bool must)
{
    struct reply reply;

    caller_ask(caller, request, &reply);
    /* the source that has just failed is asked again after a pause, though a short one */
    for (unsigned i = 0; must && reply.result == RESULT_REFUSED && i < 100; i++) {
        poll(NULL, 0, 5);
        caller_ask(caller, request, &reply);
    }
    if (reply.result == RESULT_RIGHT)
        return;
    trial->hurt++;
    if (must || reply.result == RESULT_WRONG || reply.result == RESULT_STUCK || trial->hurt > 1)
        snprintf(trial->why, sizeof(trial->why), "%s%s to %s %s: %s (%u), %s",
                 must ? "afterwards, " : "", request->method, request->host, request->path,
                 result_name(reply.result), reply.status, reply.why);
}

static void run_trial(void *context)
{
    struct trial *trial = context;
    struct request requests[REQUESTS];
    struct caller caller;
    size_t n;

    write_script(requests);
    stage_next_token(&stage);
    caller_init(&caller, stage.world.port);
    caller.patience_s = 8;
    robot_want_token(stage.robot, 0);
    if (trial->call < FAULT_CALLS_N)
        fault_arm(stage.faults, trial->call, trial->error, trial->after);
    for (unsigned i = 0; i < REQUESTS; i++) {
        if (i == 4)
            robot_want_token(stage.robot, stage.token);
        ask(&caller, &requests[i], trial, false);
    }
    trial->happened = fault_disarm(stage.faults);
    caller_leave(&caller);
    ask(&caller, &requests[4], trial, true);
    ask(&caller, &requests[0], trial, true);
    caller_fini(&caller);
    if (!trial->why[0] && !stage_is_calm(&stage, &n))
        snprintf(trial->why, sizeof(trial->why), "%zu descriptors are open, and there were %zu", n,
                 stage.calm_descriptors);
}

static void be_well(const struct trial *trial)
{
    if (trial->why[0])
        fail_msg("%s() number %u fails with %s: %s",
                 trial->call < FAULT_CALLS_N ? fault_call_name(trial->call) : "no",
                 trial->after + 1,
                 trial->error == FAULT_SHORT ? "a short count"
                 : trial->error == FAULT_END ? "the end"
                                             : strerror(trial->error),
                 trial->why);
}

/* ---- each call, each error, each place ---- */

static struct fault {
    const char *name;
    enum fault_call call;
    int error;
    unsigned places; /* at most; 0: at each */
} rows[] = {
    { "accept4: EMFILE", FAULT_accept4, EMFILE, 0 },
    { "accept4: ENFILE", FAULT_accept4, ENFILE, 1 },
    { "accept4: ENOBUFS", FAULT_accept4, ENOBUFS, 1 },
    { "accept4: ENOMEM", FAULT_accept4, ENOMEM, 1 },
    { "accept4: ECONNABORTED", FAULT_accept4, ECONNABORTED, 0 },
    { "accept4: EINTR", FAULT_accept4, EINTR, 0 },
    { "accept4: EPROTO", FAULT_accept4, EPROTO, 1 },
    { "accept4: EPERM", FAULT_accept4, EPERM, 1 },
    { "recv: ECONNRESET", FAULT_recv, ECONNRESET, 0 },
    { "recv: a short count", FAULT_recv, FAULT_SHORT, 0 },
    { "recv: nothing yet", FAULT_recv, EAGAIN, 0 },
    { "recv: the end", FAULT_recv, FAULT_END, 0 },
    { "recv: EINTR", FAULT_recv, EINTR, 4 },
    { "recv: ENOBUFS", FAULT_recv, ENOBUFS, 4 },
    { "recv: ETIMEDOUT", FAULT_recv, ETIMEDOUT, 4 },
    { "sendmsg: ECONNRESET", FAULT_sendmsg, ECONNRESET, 0 },
    { "sendmsg: EPIPE", FAULT_sendmsg, EPIPE, 0 },
    { "sendmsg: a short count", FAULT_sendmsg, FAULT_SHORT, 0 },
    { "sendmsg: no room yet", FAULT_sendmsg, EAGAIN, 0 },
    { "sendmsg: EINTR", FAULT_sendmsg, EINTR, 4 },
    { "sendmsg: ENOBUFS", FAULT_sendmsg, ENOBUFS, 4 },
    { "sendmsg: ENOMEM", FAULT_sendmsg, ENOMEM, 4 },
    { "socket: EMFILE", FAULT_socket, EMFILE, 0 },
    { "socket: ENFILE", FAULT_socket, ENFILE, 1 },
    { "socket: ENOBUFS", FAULT_socket, ENOBUFS, 1 },
    { "socket: ENOMEM", FAULT_socket, ENOMEM, 1 },
    { "connect: ECONNREFUSED", FAULT_connect, ECONNREFUSED, 0 },
    { "connect: ENETUNREACH", FAULT_connect, ENETUNREACH, 1 },
    { "connect: EADDRNOTAVAIL", FAULT_connect, EADDRNOTAVAIL, 1 },
    { "connect: EAGAIN", FAULT_connect, EAGAIN, 1 },
    { "connect: EINTR", FAULT_connect, EINTR, 1 },
    { "getsockopt: ENOBUFS", FAULT_getsockopt, ENOBUFS, 0 },
    { "setsockopt: ENOMEM", FAULT_setsockopt, ENOMEM, 0 },
    { "shutdown: ENOTCONN", FAULT_shutdown, ENOTCONN, 0 },
    { "close: EINTR", FAULT_close, EINTR, 0 },
    { "close: EIO", FAULT_close, EIO, 2 },
    { "epoll_wait: EINTR", FAULT_epoll_wait, EINTR, 0 },
    { "epoll_ctl: ENOMEM", FAULT_epoll_ctl, ENOMEM, 0 },
    { "epoll_ctl: ENOSPC", FAULT_epoll_ctl, ENOSPC, 1 },
    { "open: EMFILE", FAULT_open, EMFILE, 0 },
    { "open: ENFILE", FAULT_open, ENFILE, 1 },
    { "open: ENOMEM", FAULT_open, ENOMEM, 1 },
    { "open: EACCES", FAULT_open, EACCES, 1 },
    { "fstat: EIO", FAULT_fstat, EIO, 0 },
    { "read: EINTR", FAULT_read, EINTR, 0 },
    { "read: EIO", FAULT_read, EIO, 0 },
    { "read: a short count", FAULT_read, FAULT_SHORT, 0 },
    { "write: ENOSPC", FAULT_write, ENOSPC, 0 },
    { "write: EAGAIN", FAULT_write, EAGAIN, 3 },
    { "write: EINTR", FAULT_write, EINTR, 3 },
    { "write: EIO", FAULT_write, EIO, 3 },
    { "write: a short count", FAULT_write, FAULT_SHORT, 0 },
    { "SSL_do_handshake fails", FAULT_SSL_do_handshake, EIO, 0 },
    { "SSL_read_ex fails", FAULT_SSL_read_ex, EIO, 0 },
    { "SSL_write_ex fails", FAULT_SSL_write_ex, EIO, 0 },
};

static void sweep(void **state)
{
    const struct fault *row = *state;
    unsigned limit = row->places ? row->places : SWEEP_MAX, n = 0;

    for (; n < limit; n++) {
        struct trial trial = { .call = row->call, .error = row->error, .after = n };
        stage_run(run_trial, &trial);
        be_well(&trial);
        if (!trial.happened)
            break;
    }
    if (n == SWEEP_MAX)
        fail_msg("it has no end: %u places", n);
    print_message("%s: at %u places\n", row->name, n);
}

/* ---- all of it ---- */

static size_t memory_at_first;

static void no_fault(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct trial trial = { .call = FAULT_CALLS_N };
        stage_run(run_trial, &trial);
        be_well(&trial);
        if (trial.hurt)
            fail_msg("without a fault, somebody was hurt");
    }
    memory_at_first = process_now_kib(stage.world.sidecar);
}

static void as_before(void **state)
{
    size_t now = process_now_kib(stage.world.sidecar);
    long before = process_cpu_ms(stage.world.sidecar);
    long long until = now_ms() + IDLE_MS;

    (void)state;
    while (now_ms() < until)
        wait_any(NULL, 0, until);
    long spent = process_cpu_ms(stage.world.sidecar) - before;
    print_message("%zu KiB before, %zu KiB after; %ld ms of processor time in %d ms of silence\n",
                  memory_at_first, now, spent, IDLE_MS);
    if (now > memory_at_first + GROWTH_MAX_KIB)
        fail_msg("it has grown from %zu to %zu KiB", memory_at_first, now);
    if (spent > IDLE_CPU_MS)
        fail_msg("it spins: %ld ms of processor time", spent);
}

static struct single firsts[] = { { "no fault", no_fault } },
                     lasts[] = { { "memory and silence are as before", as_before } };

static int open_all(void **state)
{
    /* asks for a token as often as one is refused */
    static const struct plan plan = { .options = { "--token-retry", "1ms", "--token-retry-max",
                                                   "1ms" } };

    (void)state;
    stage_open(&stage, &plan, true);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, firsts, single_run);
    STORIES_ADD(&stories, rows, sweep);
    STORIES_ADD(&stories, lasts, single_run);
    return _cmocka_run_group_tests("faults", stories.tests, stories.n, open_all, close_all);
}

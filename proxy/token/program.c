#include "proxy/token/program.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/helper.h"
#include "proxy/limits.h"
#include "proxy/loop.h"
#include "proxy/spawn.h"
#include "proxy/token/locked.h"

enum { SPILL = 4096, LAST_READS = 64, FREE_STEPS = 100 };

/* One of its outputs. */
struct stream {
    struct event *event; /* NULL: it has ended */
    int fd;
    char *bytes;
    size_t len, max;
    bool more; /* than max */
};

struct program {
    enum { RUNNING, STOPPING, STUCK, GONE } state;
    enum program_how why; /* it is being stopped */
    bool helped;          /* it is the helper's child; pidfd is its status there */
    pid_t pid;            /* the group has the same number */
    int pidfd;            /* -1: a timer looks for its end */
    struct event *end, *timer;
    struct stream out, err;
    char *bytes; /* locked; of both */
    program_ended *ended;
    void *context;
};

/* ---- what it prints ---- */

static void stream_close(struct stream *stream)
{
    if (!stream->event)
        return;
    event_free(stream->event);
    close(stream->fd);
    stream->event = NULL;
}

/* What there is no room for is read away, so that it never stands still in a write. False: there is
 * no more now. */
static bool stream_take(struct stream *stream)
{
    char spill[SPILL];
    bool full = stream->len == stream->max;
    ssize_t n = read(stream->fd, full ? spill : stream->bytes + stream->len,
                     full ? sizeof(spill) : stream->max - stream->len);

    if (n > 0 && full) {
        OPENSSL_cleanse(spill, (size_t)n);
        stream->more = true;
    } else if (n > 0) {
        stream->len += (size_t)n;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        stream_close(stream);
    }
    return n > 0;
}

/* Once it has ended, what it wrote is in the pipe already; others may still hold the other end. */
static void stream_finish(struct stream *stream)
{
    for (int i = 0; i < LAST_READS && stream->event && stream_take(stream); i++)
        continue;
    stream_close(stream);
}

/* ---- how it ends ---- */

static void tell(struct program *program, enum program_how how, int number)
{
    struct program_end end = { .how = how,
                               .number = number,
                               .out = { program->out.bytes, program->out.len },
                               .err = { program->err.bytes, program->err.len },
                               .err_is_cut = program->err.more };
    char *bytes = program->bytes;
    size_t size = program->out.max + program->err.max;

    program->bytes = NULL;
    program->ended(program->context, &end);
    locked_free(bytes, size);
}

static void wait_ms(struct program *program, unsigned ms)
{
    struct timeval in = { ms / 1000, ms % 1000 * 1000 };

    event_add(program->timer, &in);
}

/* While its status has not been taken its number cannot mean anybody else. */
static void kill_group(const struct program *program)
{
    if (program->helped)
        helper_kill(program->pidfd);
    else
        kill(-program->pid, SIGKILL);
}

static void stop(struct program *program, enum program_how why)
{
    kill_group(program);
    program->state = STOPPING;
    program->why = why;
    stream_close(&program->out);
    stream_close(&program->err);
    wait_ms(program, PROGRAM_GRACE_MS);
}

static void on_out(evutil_socket_t fd, short what, void *arg)
{
    struct program *program = arg;

    (void)fd;
    (void)what;
    stream_take(&program->out);
    if (program->out.more)
        stop(program, PROGRAM_FLOODED);
}

static void on_err(evutil_socket_t fd, short what, void *arg)
{
    struct program *program = arg;

    (void)fd;
    (void)what;
    stream_take(&program->err);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct program *program = arg;

    (void)fd;
    (void)what;
    if (program->state == RUNNING) {
        stop(program, PROGRAM_TIMED_OUT);
        return;
    }
    program->state = STUCK; /* it belongs to somebody else (setuid), or sleeps in the kernel */
    tell(program, PROGRAM_STUCK, 0);
}

static void forget_events(struct program *program)
{
    stream_close(&program->out);
    stream_close(&program->err);
    if (program->end)
        event_free(program->end);
    event_free(program->timer);
    if (program->pidfd >= 0)
        close(program->pidfd);
    program->end = program->timer = NULL;
    program->pidfd = -1;
}

static bool reap_helped(const struct program *program, enum program_how *how, int *number)
{
    int code;

    if (!helper_has_ended(program->pidfd, &code, number))
        return false;
    *how = !code ? PROGRAM_LOST : code == CLD_EXITED ? PROGRAM_EXITED : PROGRAM_SIGNALLED;
    return true;
}

/* Takes its status, if it has ended. Its group is killed first: afterwards the number may become
 * somebody else's. */
static bool reap(struct program *program, enum program_how *how, int *number)
{
    siginfo_t info = { .si_pid = 0 };
    id_t id = (id_t)program->pid;

    if (program->helped)
        return reap_helped(program, how, number);
    *how = PROGRAM_LOST;
    *number = 0;
    if (waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return errno == ECHILD;
    if (info.si_pid == 0)
        return false;
    kill(-program->pid, SIGKILL);
    waitid(P_PID, id, &info, WEXITED);
    *how = info.si_code == CLD_EXITED ? PROGRAM_EXITED : PROGRAM_SIGNALLED;
    *number = info.si_status;
    return true;
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct program *program = arg;
    bool was_told = program->state == STUCK, was_stopped = program->state == STOPPING;
    enum program_how how;
    int number;

    (void)fd;
    (void)what;
    if (!reap(program, &how, &number))
        return;
    stream_finish(&program->out);
    stream_finish(&program->err);
    forget_events(program);
    program->state = GONE;
    if (was_stopped)
        how = program->why;
    else if (program->out.more)
        how = PROGRAM_FLOODED;
    if (!was_told)
        tell(program, how, number);
}

/* ---- how it begins ---- */

/* Both pipes, or none. Only our ends do not wait. */
static bool open_pipes(int out[2], int err[2])
{
    if (pipe2(out, O_CLOEXEC) != 0)
        return false;
    if (pipe2(err, O_CLOEXEC) != 0) {
        close(out[0]);
        close(out[1]);
        return false;
    }
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    return true;
}

static int start_with(struct program *program, const struct program_rules *rules, int out, int err)
{
    program->pidfd = -1;
    if (!rules->helper)
        return spawn_program(&program->pid, rules->argv, rules->environment, out, err);
    program->helped = true;
    program->pidfd = helper_run(rules->helper, out, err);
    return program->pidfd < 0 ? errno : 0;
}

static int start(struct program *program, const struct program_rules *rules, int fds[2])
{
    int out[2], err[2], error;

    if (!open_pipes(out, err))
        return errno;
    error = start_with(program, rules, out[1], err[1]);
    close(out[1]);
    close(err[1]);
    fds[0] = out[0];
    fds[1] = err[0];
    if (error) {
        close(out[0]);
        close(err[0]);
    }
    return error;
}

static void listen_to(struct stream *stream, struct event_base *base, int fd, event_callback_fn on,
                      struct program *program)
{
    stream->fd = fd;
    stream->event = event_new(base, fd, EV_READ | EV_PERSIST, on, program);
    event_add(stream->event, NULL);
}

/* A pidfd becomes readable when the process ends. SIGCHLD would do too and is the whole process's;
 * a timer does where there are no pidfds. */
static void await_end(struct program *program, struct event_base *base, bool without_pidfd)
{
    struct timeval often = { 0, PROGRAM_POLL_MS * 1000 };

    if (!program->helped && !without_pidfd)
        program->pidfd = pidfd_open(program->pid, 0);
    program->end = event_new(base, program->pidfd, EV_READ | EV_PERSIST, on_end, program);
    event_add(program->end, program->pidfd < 0 ? &often : NULL);
}

struct program *program_run(struct loop *loop, const struct program_rules *rules,
                            program_ended *ended, void *context, int *error)
{
    struct program *program = mem_alloc(1, sizeof(*program));
    struct event_base *base = loop_base(loop);
    int fds[2] = { -1, -1 };

    *error = start(program, rules, fds);
    if (*error) {
        free(program);
        return NULL;
    }
    program->ended = ended;
    program->context = context;
    program->bytes = locked_alloc(rules->max_out + rules->max_err);
    program->out = (struct stream){ .bytes = program->bytes, .max = rules->max_out };
    program->err =
        (struct stream){ .bytes = program->bytes + rules->max_out, .max = rules->max_err };
    listen_to(&program->out, base, fds[0], on_out, program);
    listen_to(&program->err, base, fds[1], on_err, program);
    await_end(program, base, rules->without_pidfd);
    program->timer = event_new(base, -1, 0, on_timer, program);
    wait_ms(program, rules->timeout_ms);
    return program;
}

bool program_is_gone(const struct program *program)
{
    return program->state == GONE;
}

static void end_now(struct program *program)
{
    struct pollfd end = { .fd = program->pidfd, .events = POLLIN };
    enum program_how how;
    int number;

    kill_group(program);
    for (int i = 0; i < FREE_STEPS && !reap(program, &how, &number); i++)
        poll(&end, 1, 1);
    forget_events(program);
    locked_free(program->bytes, program->out.max + program->err.max);
}

/* Where we are the reaper of orphans (the first process of a container), what it left in its group
 * is ours too. */
static void reap_orphans(const struct program *program)
{
    while (!program->helped && waitpid(-program->pid, NULL, WNOHANG) > 0)
        continue;
}

void program_free(struct program *program)
{
    if (!program)
        return;
    if (program->state != GONE)
        end_now(program);
    reap_orphans(program);
    free(program);
}

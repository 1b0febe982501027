/* The helper: one question after the other, and whatever of its programs ends meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/settings.h"
#include "proxy/helper_parts.h"
#include "proxy/sandbox.h"
#include "proxy/socket.h"
#include "proxy/spawn.h"

enum { RUNS_MAX = 8, CHANNELS_MAX = 1 + SETTINGS_MAX_THREADS };

/* A program; its group has the same number. */
struct run {
    pid_t pid; /* 0: this room is free */
    int pidfd, status;
    bool killed;
};

static struct run runs[RUNS_MAX];
/* The first is what we were born with, and lasts as long as we do; -1: this room is free. */
static int channels[CHANNELS_MAX];

/* ---- connecting ---- */

static void answer(int channel, int error, int fd)
{
    struct helper_reply reply = { error };

    if (!fd_message_send(channel, &reply, sizeof(reply), &fd, fd >= 0))
        _exit(0); /* nobody is there to be helped */
}

static bool is_address(const struct helper_request *request)
{
    return (request->address.ss_family == AF_INET && request->len == sizeof(struct sockaddr_in)) ||
           (request->address.ss_family == AF_INET6 && request->len == sizeof(struct sockaddr_in6));
}

static void serve_connect(int channel, const struct helper_rules *rules,
                          const struct helper_request *request)
{
    const struct sockaddr *address = (const struct sockaddr *)&request->address;

    if (!is_address(request) || !rules->may_connect(rules->context, address)) {
        answer(channel, EACCES, -1);
        return;
    }
    int fd = socket_connect(address, request->len);
    answer(channel, fd < 0 ? errno : 0, fd);
    if (fd >= 0)
        close(fd);
}

/* ---- programs ---- */

static struct run *free_room(void)
{
    for (size_t i = 0; i < RUNS_MAX; i++) {
        if (!runs[i].pid)
            return &runs[i];
    }
    return NULL;
}

/* What programs of before left behind is ours to bury, wherever it went (we are its reaper); not while one runs, whose
 * status this would take. */
static void reap_orphans(void)
{
    for (size_t i = 0; i < RUNS_MAX; i++) {
        if (runs[i].pid)
            return;
    }
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

static void serve_run(int channel, const struct helper_rules *rules, const int fds[FD_MESSAGE_MAX])
{
    struct run *run = free_room();
    int error = !rules->argv ? EACCES : !run ? EAGAIN : 0;

    reap_orphans();
    if (!error)
        error = spawn_program(&run->pid, rules->argv, rules->environment, fds[0], fds[1]);
    if (!error) {
        run->pidfd = pidfd_open(run->pid, 0);
        run->status = fcntl(fds[2], F_DUPFD_CLOEXEC, 0);
        run->killed = false;
    } else if (run) {
        run->pid = 0;
    }
    answer(channel, error, -1);
}

/* Its group is killed before its number is free for others. */
static void take_end(struct run *run)
{
    siginfo_t info = { .si_pid = 0 };
    struct helper_end end;

    if (waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || !info.si_pid)
        return;
    kill(-run->pid, SIGKILL);
    waitid(P_PID, (id_t)run->pid, &info, WEXITED);
    end = (struct helper_end){ info.si_code, info.si_status };
    fd_message_send(run->status, &end, sizeof(end), NULL, 0);
    close(run->pidfd);
    close(run->status);
    run->pid = 0;
    reap_orphans();
}

static void kill_run(struct run *run)
{
    kill(-run->pid, SIGKILL);
    run->killed = true;
}

/* ---- all of it ---- */

_Noreturn static void leave(void)
{
    for (size_t i = 0; i < RUNS_MAX; i++) {
        if (runs[i].pid)
            kill_run(&runs[i]);
    }
    _exit(0);
}

static void end_channel(int *channel)
{
    if (channel == &channels[0])
        leave();
    close(*channel);
    *channel = -1;
}

static void serve_channel(int channel, int another)
{
    size_t i = 0;

    while (i < CHANNELS_MAX && channels[i] >= 0)
        i++;
    if (i < CHANNELS_MAX)
        channels[i] = fcntl(another, F_DUPFD_CLOEXEC, 0);
    answer(channel, i == CHANNELS_MAX ? EAGAIN : channels[i] < 0 ? errno : 0, -1);
}

static void serve_one(int *channel, const struct helper_rules *rules)
{
    struct helper_request request;
    int fds[FD_MESSAGE_MAX];
    size_t n;

    if (!fd_message_receive(*channel, &request, sizeof(request), fds, &n))
        end_channel(channel);
    else if (request.what == HELPER_CONNECT)
        serve_connect(*channel, rules, &request);
    else if (request.what == HELPER_RUN && n == HELPER_RUN_FDS)
        serve_run(*channel, rules, fds);
    else if (request.what == HELPER_CHANNEL && n == HELPER_CHANNEL_FDS)
        serve_channel(*channel, fds[0]);
    else
        answer(*channel, EINVAL, -1);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

/* What poll() says, and of whom. It takes no more than we may have descriptors: only what is there is asked about. */
struct ready {
    bool channels[CHANNELS_MAX], ends[RUNS_MAX], statuses[RUNS_MAX];
    struct pollfd asked[CHANNELS_MAX + 2 * RUNS_MAX];
    bool *answers[CHANNELS_MAX + 2 * RUNS_MAX];
    nfds_t n;
};

static void ask_about(struct ready *ready, int fd, bool *answer)
{
    ready->asked[ready->n] = (struct pollfd){ .fd = fd, .events = POLLIN };
    ready->answers[ready->n++] = answer;
}

static void await(struct ready *ready)
{
    *ready = (struct ready){ .n = 0 };
    for (size_t i = 0; i < RUNS_MAX; i++) {
        if (runs[i].pid)
            ask_about(ready, runs[i].pidfd, &ready->ends[i]);
        if (runs[i].pid && !runs[i].killed)
            ask_about(ready, runs[i].status, &ready->statuses[i]);
    }
    for (size_t i = 0; i < CHANNELS_MAX; i++) {
        if (channels[i] >= 0)
            ask_about(ready, channels[i], &ready->channels[i]);
    }
    if (poll(ready->asked, ready->n, -1) < 0 && errno != EINTR)
        leave();
    for (nfds_t i = 0; i < ready->n; i++)
        *ready->answers[i] = ready->asked[i].revents;
}

/* A status is readable once the sidecar has shut it down: it wants the end. */
static void look_at_runs(const struct ready *ready)
{
    for (size_t i = 0; i < RUNS_MAX; i++) {
        if (ready->statuses[i])
            kill_run(&runs[i]);
        if (ready->ends[i])
            take_end(&runs[i]);
    }
}

_Noreturn static void serve(const struct helper_rules *rules)
{
    struct ready ready;

    for (;;) {
        await(&ready);
        look_at_runs(&ready);
        for (size_t i = 0; i < CHANNELS_MAX; i++) {
            if (ready.channels[i])
                serve_one(&channels[i], rules);
        }
    }
}

/* Signals are for the sidecar, at whose end the channel ends, and with it we. */
static void ignore_signals(void)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE };
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &ignore, NULL);
}

/* Nothing of the sidecar's is held open: not its sockets, nor the end of its log. */
static int keep_only(int channel)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; fd <= STDERR_FILENO && null >= 0; fd++)
        dup2(null, fd);
    channel = dup3(channel, STDERR_FILENO + 1, O_CLOEXEC) >= 0 ? STDERR_FILENO + 1 : channel;
    close_range(STDERR_FILENO + 2, ~0U, 0);
    return channel;
}

_Noreturn void helper_serve(int channel, const struct helper_rules *rules)
{
    char said[SANDBOX_TEXT_MAX];

    ignore_signals();
    prctl(PR_SET_NAME, "janus-helper");
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* the sidecar may wait for nobody */
    for (size_t i = 1; i < CHANNELS_MAX; i++)
        channels[i] = -1;
    channels[0] = keep_only(channel);
    if (!rules->argv) { /* a program may need what we could give up */
        struct sandbox *sandbox = sandbox_new((struct sandbox_needs){ .connects = true });
        sandbox_enter(sandbox, said);
        sandbox_free(sandbox);
    }
    serve(rules);
}

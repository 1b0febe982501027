#include "proxy/helper_parts.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/loop.h"

struct helper {
    int channel;
    struct event *end;
    void (*lost)(void *context);
    void *context;
};

/* ---- its life ---- */

static pid_t fork_helper(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    pid_t pid = fork();
    if (pid < 0) {
        int error = errno;
        close(ends[0]);
        close(ends[1]);
        errno = error;
    }
    return pid;
}

static struct helper *helper_at(int channel)
{
    struct helper *helper = mem_alloc(1, sizeof(*helper));

    helper->channel = channel;
    return helper;
}

struct helper *helper_new(const struct helper_rules *rules)
{
    int ends[2];
    pid_t pid = fork_helper(ends);

    if (pid < 0)
        return NULL;
    if (pid == 0) {
        close(ends[0]);
        helper_serve(ends[1], rules);
    }
    close(ends[1]);
    return helper_at(ends[0]);
}

void helper_free(struct helper *helper)
{
    if (!helper)
        return;
    if (helper->end)
        event_free(helper->end);
    close(helper->channel);
    free(helper);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct helper *helper = arg;

    (void)fd;
    (void)what;
    event_del(helper->end);
    helper->lost(helper->context);
}

void helper_watch(struct helper *helper, struct loop *loop, void (*lost)(void *context),
                  void *context)
{
    helper->lost = lost;
    helper->context = context;
    helper->end = event_new(loop_base(loop), helper->channel, EV_READ | EV_PERSIST, on_end, helper);
    event_add(helper->end, NULL);
}

/* ---- questions ---- */

/* The descriptor that came with the answer, -1 if none did; false with errno. */
static bool ask(const struct helper *helper, const struct helper_request *request, const int *fds,
                size_t n_fds, int *got)
{
    struct helper_reply reply = { .error = EPIPE };
    int given[FD_MESSAGE_MAX];
    size_t n = 0;

    bool answered = fd_message_send(helper->channel, request, sizeof(*request), fds, n_fds) &&
                    fd_message_receive(helper->channel, &reply, sizeof(reply), given, &n);
    *got = n ? given[0] : -1;
    errno = answered ? reply.error : EPIPE;
    return answered && !reply.error;
}

int helper_connect(struct helper *helper, const struct sockaddr *address, socklen_t len)
{
    struct helper_request request = { .what = HELPER_CONNECT, .len = len };
    int fd;

    memcpy(&request.address, address, len);
    return ask(helper, &request, NULL, 0, &fd) ? fd : -1;
}

/* Our end of a pair, whose other end it takes behind the `n_fds` that are in `fds`; -1 with errno. */
static int ask_with_pair(const struct helper *helper, const struct helper_request *request,
                         int *fds, size_t n_fds)
{
    int ends[2], none;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    fds[n_fds] = ends[1];
    bool taken = ask(helper, request, fds, n_fds + 1, &none);
    int error = errno;
    close(ends[1]);
    if (taken)
        return ends[0];
    close(ends[0]);
    errno = error;
    return -1;
}

int helper_run(struct helper *helper, int out, int err)
{
    struct helper_request request = { .what = HELPER_RUN };
    int fds[HELPER_RUN_FDS] = { out, err };

    return ask_with_pair(helper, &request, fds, HELPER_RUN_FDS - 1);
}

struct helper *helper_beside(struct helper *helper)
{
    struct helper_request request = { .what = HELPER_CHANNEL };
    int fds[HELPER_CHANNEL_FDS];
    int channel = ask_with_pair(helper, &request, fds, HELPER_CHANNEL_FDS - 1);

    return channel < 0 ? NULL : helper_at(channel);
}

bool helper_has_ended(int status, int *code, int *number)
{
    struct helper_end end = { 0 };
    ssize_t n = recv(status, &end, sizeof(end), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    *code = n == (ssize_t)sizeof(end) ? end.code : 0; /* 0: nobody can say any more */
    *number = end.number;
    return true;
}

void helper_kill(int status)
{
    shutdown(status, SHUT_WR);
}

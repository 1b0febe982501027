/* Preloaded into a sidecar: when a client knocks, tries what a program that has been taken over would try, and says
 * on standard error how each try ended: "probe NAME=ERRNO". Raw system calls, so that no library stands between. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whole: a library of the product would bring its flags, and a sanitizer. */
#include "proxy/fd_message.c"
#include "proxy/helper_parts.h"

static void say(const char *name, long result)
{
    char line[128];
    int n = snprintf(line, sizeof(line), "probe %s=%d\n", name, result < 0 ? errno : 0);

    if (write(STDERR_FILENO, line, (size_t)n) < 0)
        abort();
}

static long open_as(const char *variable, int flags)
{
    const char *path = getenv(variable);
    long fd = syscall(SYS_openat, AT_FDCWD, path ? path : "", flags, 0600);
    int error = errno;

    if (fd >= 0)
        syscall(SYS_close, fd);
    errno = error;
    return fd;
}

static struct sockaddr_in port_of_test(void)
{
    const char *port = getenv("PROBE_PORT");

    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)strtoul(port ? port : "0", NULL, 10)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* A connection that is there can be taken apart and led elsewhere. */
static long lead_elsewhere(int fd)
{
    struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
    struct sockaddr_in to = port_of_test();

    syscall(SYS_connect, fd, &nowhere, sizeof(nowhere));
    return syscall(SYS_connect, fd, &to, sizeof(to));
}

static int channel_to_helper(void)
{
    for (int fd = 3; fd < 64; fd++) {
        int type = 0;
        socklen_t len = sizeof(type);
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET)
            return fd;
    }
    return -1;
}

static long ask_helper(int what)
{
    struct helper_request request = { .what = what == 0 ? HELPER_CONNECT : HELPER_RUN,
                                      .len = sizeof(struct sockaddr_in) };
    struct sockaddr_in to = port_of_test();
    struct helper_reply reply = { .error = EPIPE };
    int fds[FD_MESSAGE_MAX] = { 2, 2, 2 }, channel = channel_to_helper();
    size_t n = 0;

    memcpy(&request.address, &to, sizeof(to));
    fd_message_send(channel, &request, sizeof(request), fds, what == 0 ? 0 : HELPER_RUN_FDS);
    fd_message_receive(channel, &reply, sizeof(reply), fds, &n);
    errno = reply.error;
    return reply.error ? -1 : 0;
}

static void try_files(void)
{
    say("read-its-file", open_as("PROBE_FILE", O_RDONLY));
    say("read-another-file", open_as("PROBE_OTHER", O_RDONLY));
    say("write-its-file", open_as("PROBE_FILE", O_WRONLY));
    say("make-a-file", open_as("PROBE_NEW", O_WRONLY | O_CREAT));
    say("remove-its-file", syscall(SYS_unlinkat, AT_FDCWD, getenv("PROBE_FILE"), 0));
}

static void try_processes(void)
{
    static const char *const none[] = { NULL };

    say("execve", syscall(SYS_execve, "/bin/true", none, none));
    say("execveat", syscall(SYS_execveat, AT_FDCWD, "/bin/true", none, none, 0));
    say("fork", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    say("ptrace", syscall(SYS_ptrace, PTRACE_SEIZE, getppid(), 0, 0));
    say("signal", syscall(SYS_kill, getppid(), 0));
    say("load-code", syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1
                         ? -1
                         : 0);
    say("io_uring", syscall(425 /* io_uring_setup */, 1, NULL));
    say("bpf", syscall(SYS_bpf, 0, NULL, 0));
    say("become-root", syscall(SYS_setuid, 0));
    say("mount", syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL));
}

static void try_connections(int client)
{
    say("tcp-socket", syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
    say("unix-socket", syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
    say("raw-socket", syscall(SYS_socket, AF_INET, SOCK_RAW, IPPROTO_TCP));
    say("packet-socket", syscall(SYS_socket, AF_PACKET, SOCK_DGRAM, 0));
    say("listen", syscall(SYS_listen, client, 1));
    say("lead-a-connection-elsewhere", lead_elsewhere(client));
    say("helper-connects", ask_helper(0));
    say("helper-runs", ask_helper(1));
}

int accept4(int fd, struct sockaddr *peer, socklen_t *len, int flags)
{
    static int tried;
    int client = (int)syscall(SYS_accept4, fd, peer, len, flags);

    if (client >= 0 && !tried && getenv("PROBE_FILE")) {
        tried = 1;
        int other = dup(client);
        try_files();
        try_processes();
        try_connections(other);
        close(other);
        if (write(STDERR_FILENO, "probe is over\n", 14) < 0)
            abort();
    }
    return client;
}

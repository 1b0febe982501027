#include "proxy/socket_systemd.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/memory.h"

enum { FIRST_FD = 3, SOCKETS_MAX = 64, NAMES_MAX = 4096 };

struct handed_sockets {
    size_t n;
    int fds[SOCKETS_MAX]; /* -1: taken */
    struct text names[SOCKETS_MAX];
    char *all_names;
    char left[NAMES_MAX];
};

static bool number_of(const char *variable, unsigned long long max, unsigned long long *out)
{
    const char *value = getenv(variable);

    return value && text_to_uint(text_of(value), max, out);
}

static void name_them(struct handed_sockets *handed)
{
    const char *names = getenv("LISTEN_FDNAMES");
    struct text rest;

    handed->all_names = text_dup(text_of(names ? names : ""));
    rest = text_of(handed->all_names);
    for (size_t i = 0; i < handed->n; i++) {
        const char *colon = rest.len ? memchr(rest.at, ':', rest.len) : NULL;
        const char *end = colon ? colon : rest.at + rest.len;

        handed->names[i] = rest.len ? text_span(rest.at, end) : TEXT("unknown");
        rest = text_span(colon ? colon + 1 : end, rest.at + rest.len);
    }
}

struct handed_sockets *handed_sockets_new(void)
{
    struct handed_sockets *handed = mem_alloc(1, sizeof(*handed));
    unsigned long long pid, n;

    if (number_of("LISTEN_PID", UINT32_MAX, &pid) && pid == (unsigned long long)getpid() &&
        number_of("LISTEN_FDS", SOCKETS_MAX, &n))
        handed->n = (size_t)n;
    for (size_t i = 0; i < handed->n; i++) {
        handed->fds[i] = FIRST_FD + (int)i;
        fcntl(handed->fds[i], F_SETFD, FD_CLOEXEC);
    }
    name_them(handed);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return handed;
}

void handed_sockets_free(struct handed_sockets *handed)
{
    if (!handed)
        return;
    for (size_t i = 0; i < handed->n; i++) {
        if (handed->fds[i] >= 0)
            close(handed->fds[i]);
    }
    free(handed->all_names);
    free(handed);
}

static int option_of(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? value : -1;
}

static const char *fault_of(int fd)
{
    int domain = option_of(fd, SO_DOMAIN);

    if (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX)
        return "it is not a socket of TCP or of Unix";
    if (option_of(fd, SO_TYPE) != SOCK_STREAM)
        return "it is not a stream socket (ListenStream=)";
    if (option_of(fd, SO_ACCEPTCONN) != 1)
        return "it does not listen: the socket unit must have Accept=no";
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        return "it cannot be made non-blocking";
    return NULL;
}

int handed_sockets_take(struct handed_sockets *handed, const char *name, const char **why)
{
    *why = NULL;
    for (size_t i = 0; i < handed->n; i++) {
        int fd = handed->fds[i];

        if (fd < 0 || !text_eq(handed->names[i], text_of(name)))
            continue;
        *why = fault_of(fd);
        if (*why)
            return -1;
        handed->fds[i] = -1;
        return fd;
    }
    return -1;
}

const char *handed_sockets_left(struct handed_sockets *handed)
{
    size_t used = 0;

    handed->left[0] = '\0';
    for (size_t i = 0; i < handed->n && used < sizeof(handed->left); i++) {
        if (handed->fds[i] >= 0)
            used += (size_t)snprintf(handed->left + used, sizeof(handed->left) - used,
                                     "%s" TEXT_FMT, used ? " " : "", TEXT_ARG(handed->names[i]));
    }
    return handed->left;
}

#include "proxy/origin/dns_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "proxy/helper.h"

/* For TCP only a number: the socket takes this one's place once it is known where it leads. */
static ares_socket_t on_open(int family, int type, int protocol, void *helper)
{
    (void)helper;
    if (type == SOCK_STREAM)
        return socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static int on_close(ares_socket_t fd, void *helper)
{
    (void)helper;
    return close(fd);
}

/* c-ares says only where to; whether a socket was opened for UDP, its flags do. */
static int on_connect(ares_socket_t fd, const struct sockaddr *address, ares_socklen_t len,
                      void *helper)
{
    if (fcntl(fd, F_GETFL) & O_NONBLOCK)
        return connect(fd, address, len);
    int connecting = helper_connect(helper, address, len);
    if (connecting < 0)
        return -1;
    int put = dup3(connecting, fd, O_CLOEXEC);
    close(connecting);
    return put < 0 ? -1 : 0;
}

static ares_ssize_t on_receive(ares_socket_t fd, void *bytes, size_t len, int flags,
                               struct sockaddr *from, ares_socklen_t *from_len, void *helper)
{
    (void)helper;
    return recvfrom(fd, bytes, len, flags, from, from_len);
}

static ares_ssize_t on_send(ares_socket_t fd, const struct iovec *pieces, int n, void *helper)
{
    (void)helper;
    return writev(fd, pieces, n);
}

void dns_use_helper(ares_channel channel, struct helper *helper)
{
    static const struct ares_socket_functions functions = { on_open, on_close, on_connect,
                                                            on_receive, on_send };

    if (helper)
        ares_set_socket_functions(channel, &functions, helper);
}

#include "proxy/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy/loop.h"

bool socket_watch(struct stream_socket *socket, struct loop *loop, int fd,
                  void (*callback)(int fd, short what, void *context), void *context)
{
    socket->fd = fd;
    socket->readable = socket->writable = socket->unsure = socket->hung_up = false;
    socket->more = socket->corked = false;
    socket->sent = 0;
    event_assign(&socket->event, loop_base(loop), fd,
                 EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, callback, context);
    return event_add(&socket->event, NULL) == 0;
}

void socket_note(struct stream_socket *socket, short what)
{
    if (what & (EV_READ | EV_CLOSED))
        socket->readable = true;
    if (what & EV_WRITE)
        socket->writable = true;
    if (what & EV_CLOSED)
        socket->hung_up = true;
}

int socket_release(struct stream_socket *socket)
{
    int fd = socket->fd;

    event_del(&socket->event);
    socket->fd = -1;
    socket->readable = socket->writable = socket->unsure = false;
    return fd;
}

void socket_close(struct stream_socket *socket)
{
    if (socket->fd >= 0)
        close(socket_release(socket));
}

void socket_abort(struct stream_socket *socket)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    if (socket->fd >= 0)
        setsockopt(socket->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    socket_close(socket);
}

static ssize_t again_or_failed(bool *mark)
{
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return SOCKET_FAILED;
    *mark = false;
    return SOCKET_AGAIN;
}

/* After a short count the socket is drained: the next bytes come with an edge. Not so once the peer
 * has hung up: that edge is behind us, and the end is still to be read. */
ssize_t socket_receive(struct stream_socket *socket, void *bytes, size_t len)
{
    ssize_t n;

    if (!socket->readable && !socket->unsure)
        return SOCKET_AGAIN;
    do {
        n = recv(socket->fd, bytes, len, 0);
    } while (n < 0 && errno == EINTR);
    socket->unsure = false;
    if (n < 0)
        return again_or_failed(&socket->readable);
    if ((size_t)n < len && n > 0 && !socket->hung_up) {
        socket->readable = false;
        socket->unsure = true;
    }
    return n;
}

enum socket_peer socket_peer(struct stream_socket *socket)
{
    char byte;

    if (!socket->readable)
        return PEER_THERE;
    ssize_t n = recv(socket->fd, &byte, 1, MSG_PEEK);
    if (n >= 0)
        return n > 0 ? PEER_THERE : PEER_DONE;
    if (errno == EINTR || again_or_failed(&socket->readable) == SOCKET_AGAIN)
        return PEER_THERE;
    return PEER_RESET;
}

void socket_look(struct stream_socket *socket)
{
    char byte;

    if (socket->readable)
        return; /* whoever reads will see */
    ssize_t n = recv(socket->fd, &byte, 1, MSG_PEEK);
    if (n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        socket->readable = true; /* bytes, the end, or an error that the read will tell */
}

size_t socket_unacknowledged(const struct stream_socket *socket)
{
    int n = 0;

    return ioctl(socket->fd, SIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

static size_t total_of(const struct iovec *pieces, int n)
{
    size_t total = 0;

    for (int i = 0; i < n; i++)
        total += pieces[i].iov_len;
    return total;
}

ssize_t socket_send(struct stream_socket *socket, const struct iovec *pieces, int n)
{
    struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)pieces,
                              .msg_iovlen = (size_t)n };
    int flags = MSG_NOSIGNAL | (socket->more ? MSG_MORE : 0);
    ssize_t sent;

    if (!socket->writable)
        return SOCKET_AGAIN;
    do {
        sent = n == 1 ? send(socket->fd, pieces->iov_base, pieces->iov_len, flags)
                      : sendmsg(socket->fd, &message, flags);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && again_or_failed(&socket->writable) == SOCKET_AGAIN)
        return SOCKET_AGAIN;
    if (sent < 0) {
        socket->readable = true; /* what the peer said before it closed is there, edge or no edge */
        return SOCKET_FAILED;
    }
    socket->unsure = false; /* after a reset nothing can be sent; a later one comes with an edge */
    if ((size_t)sent < total_of(pieces, n))
        socket->writable = false;
    socket->sent += (size_t)sent;
    socket->corked = socket->more;
    return sent;
}

/* It is set already; setting it sends what waits (tcp(7)). */
void socket_push(struct stream_socket *socket)
{
    int on = 1;

    if (socket->corked)
        setsockopt(socket->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    socket->corked = false;
}

static int fail(int fd)
{
    int saved = errno;

    close(fd);
    errno = saved;
    return -1;
}

static int listen_at(const struct sockaddr_storage *address, socklen_t len, int backlog,
                     bool beside)
{
    int on = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (beside)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (address->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    /* Accepted sockets inherit it. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)address, len) != 0 || listen(fd, backlog) != 0)
        return fail(fd);
    return fd;
}

int socket_listen(const struct listen_address *address, int backlog)
{
    return listen_at(&address->socket, address->socket_len, backlog, false);
}

/* The first was bound without SO_REUSEPORT, so that two sidecars never share a port by mistake. */
int socket_listen_beside(int fd, int backlog)
{
    struct sockaddr_storage bound = { 0 };
    socklen_t len = sizeof(bound);
    int on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
        return -1;
    return listen_at(&bound, len, backlog, true);
}

void socket_limit_sending(int listening, int bytes)
{
    setsockopt(listening, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

int socket_connect(const struct sockaddr *address, socklen_t len)
{
    int on = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, address, len) != 0 && errno != EINPROGRESS)
        return fail(fd);
    return fd;
}

static void unix_text(const struct sockaddr *address, char out[ADDRESS_TEXT_MAX])
{
    const struct sockaddr_un *at = (const struct sockaddr_un *)(const void *)address;
    struct text path = { at->sun_path, strnlen(at->sun_path, sizeof(at->sun_path)) };

    memcpy(out, "unix:", 5);
    text_printable(path, out + 5, ADDRESS_TEXT_MAX - 5);
}

void address_text(const struct sockaddr *address, char out[ADDRESS_TEXT_MAX])
{
    if (address->sa_family == AF_UNIX) {
        unix_text(address, out);
        return;
    }
    char host[INET6_ADDRSTRLEN] = "?";
    bool six = address->sa_family == AF_INET6;
    const void *bytes =
        six ? (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr
            : (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;

    inet_ntop(address->sa_family, bytes, host, sizeof(host));
    snprintf(out, ADDRESS_TEXT_MAX, six ? "[%s]:%u" : "%s:%u", host, address_port(address));
}

static struct in6_addr as_ipv6(const struct sockaddr *address)
{
    struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

    if (address->sa_family == AF_INET6)
        return ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    memcpy(&mapped.s6_addr[12], &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    return mapped;
}

bool address_same_host(const struct sockaddr *a, const struct sockaddr *b)
{
    struct in6_addr left = as_ipv6(a), right = as_ipv6(b);

    return memcmp(&left, &right, sizeof(left)) == 0;
}

bool address_is_local(const struct sockaddr *address)
{
    struct sockaddr_storage any_port = { 0 };
    socklen_t len =
        address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return true; /* the safe answer */
    memcpy(&any_port, address, len);
    address_set_port((struct sockaddr *)&any_port, 0);
    bool local = bind(fd, (const struct sockaddr *)&any_port, len) == 0;
    close(fd);
    return local;
}

uint16_t address_port(const struct sockaddr *address)
{
    return ntohs(address->sa_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)(const void *)address)->sin6_port
                     : ((const struct sockaddr_in *)(const void *)address)->sin_port);
}

uint16_t address_host_port(const struct sockaddr *address)
{
    return address->sa_family == AF_UNIX ? 80 : address_port(address);
}

void address_set_port(struct sockaddr *address, uint16_t port)
{
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
}

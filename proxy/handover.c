#include "proxy/handover.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/loop.h"
#include "proxy/socket.h"
#include "proxy/socket_unix.h"

enum { ADDRESSES_MAX = 64, PATIENCE_S = 5 };

/* ---- the successor ---- */

struct handover_taken {
    int channel;
    struct handover_socket sockets[ADDRESSES_MAX];
    int fds[ADDRESSES_MAX][HANDOVER_AT_ONE_MAX];
    size_t n_fds[ADDRESSES_MAX]; /* 0: adopted */
    size_t n;
};

static int connect_to(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct timeval patience = { .tv_sec = PATIENCE_S };
    size_t len = strlen(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && len < sizeof(at.sun_path)) {
        memcpy(at.sun_path, path, len);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
            return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Until the message without sockets. */
static bool receive_all(struct handover_taken *taken)
{
    for (size_t i = 0; i < ADDRESSES_MAX; i++) {
        struct handover_socket *next = &taken->sockets[i];
        if (!fd_message_receive(taken->channel, next, sizeof(*next), taken->fds[i],
                                &taken->n_fds[i]))
            return false;
        if (taken->n_fds[i] == 0)
            return true;
        taken->n++;
    }
    return false;
}

struct handover_taken *handover_take(const char *path)
{
    struct handover_taken *taken;
    int channel = connect_to(path);

    if (channel < 0)
        return NULL;
    taken = mem_alloc(1, sizeof(*taken));
    taken->channel = channel;
    if (receive_all(taken))
        return taken;
    handover_taken_free(taken);
    return NULL;
}

static bool is_at(const struct sockaddr_storage *bound, const struct sockaddr *address)
{
    const struct sockaddr_un *left = (const struct sockaddr_un *)(const void *)bound;
    const struct sockaddr_un *right = (const struct sockaddr_un *)(const void *)address;
    uint16_t port;

    if (bound->ss_family != address->sa_family)
        return false;
    if (address->sa_family == AF_UNIX)
        return strncmp(left->sun_path, right->sun_path, sizeof(left->sun_path)) == 0;
    port = address_port(address);
    return address_same_host((const struct sockaddr *)bound, address) &&
           (!port || port == address_port((const struct sockaddr *)bound));
}

size_t handover_adopt(struct handover_taken *taken, enum handover_role role,
                      const struct sockaddr *address, int fds[HANDOVER_AT_ONE_MAX])
{
    for (size_t i = 0; taken && i < taken->n; i++) {
        size_t n = taken->n_fds[i];
        if (!n || taken->sockets[i].role != role || !is_at(&taken->sockets[i].bound, address))
            continue;
        memcpy(fds, taken->fds[i], n * sizeof(*fds));
        taken->n_fds[i] = 0;
        return n;
    }
    return 0;
}

void handover_ready(struct handover_taken *taken)
{
    if (taken)
        fd_message_send(taken->channel, "", 1, NULL, 0);
}

void handover_taken_free(struct handover_taken *taken)
{
    if (!taken)
        return;
    for (size_t i = 0; i < taken->n; i++) {
        for (size_t k = 0; k < taken->n_fds[i]; k++)
            close(taken->fds[i][k]);
    }
    close(taken->channel);
    free(taken);
}

/* ---- the one that runs ---- */

struct handover {
    struct handover_rules rules;
    int fd, channel; /* channel: to the successor that is getting ready; -1: none is */
    struct event *knock, *word;
    struct loop *loop;
};

static void forget_successor(struct handover *handover)
{
    if (handover->channel < 0)
        return;
    event_free(handover->word);
    close(handover->channel);
    handover->word = NULL;
    handover->channel = -1;
}

static void on_word(evutil_socket_t fd, short what, void *arg)
{
    struct handover *handover = arg;
    char word;
    bool ready = recv(fd, &word, 1, MSG_DONTWAIT) == 1;

    (void)what;
    forget_successor(handover);
    if (ready)
        handover->rules.succeeded(handover->rules.context);
}

bool handover_give(int channel, enum handover_role role, const int *fds, size_t n)
{
    struct handover_socket socket = { .role = role };
    socklen_t len = sizeof(socket.bound);

    return getsockname(fds[0], (struct sockaddr *)&socket.bound, &len) == 0 &&
           fd_message_send(channel, &socket, sizeof(socket), fds, n);
}

static bool is_ours(int fd)
{
    struct unix_peer peer;

    return unix_peer_of(fd, &peer) && (peer.uid == geteuid() || peer.uid == 0);
}

/* One at a time: who comes later takes the place of one that never got ready. */
static void on_knock(evutil_socket_t listening, short what, void *arg)
{
    static const struct handover_socket last = { 0 };
    struct handover *handover = arg;
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)what;
    if (fd < 0)
        return;
    if (!is_ours(fd)) {
        close(fd);
        return;
    }
    forget_successor(handover);
    handover->channel = fd;
    handover->word =
        event_new(loop_base(handover->loop), fd, EV_READ | EV_PERSIST, on_word, handover);
    event_add(handover->word, NULL);
    handover->rules.give(handover->rules.context, fd);
    handover_give(fd, HANDOVER_SELF, &handover->fd, 1);
    fd_message_send(fd, &last, sizeof(last), NULL, 0);
}

struct handover *handover_new(struct loop *loop, int fd, const struct handover_rules *rules)
{
    struct handover *handover = mem_alloc(1, sizeof(*handover));

    handover->rules = *rules;
    handover->loop = loop;
    handover->fd = fd;
    handover->channel = -1;
    handover->knock = event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, on_knock, handover);
    event_add(handover->knock, NULL);
    return handover;
}

void handover_free(struct handover *handover)
{
    if (!handover)
        return;
    forget_successor(handover);
    event_free(handover->knock);
    close(handover->fd);
    free(handover);
}

/* proxy/socket.h - a non-blocking stream socket and what we know about its readiness.
 *
 * Readiness is edge-triggered: an event sets a mark, a call that comes back short clears it, and no
 * system call is made that is known to answer "again". EV_CLOSED is watched too, because a FIN that
 * arrives together with data gives no edge of its own. A reset is told by libevent as "readable and
 * writable", which is also what ordinary data looks like: so after a short count we are `unsure`,
 * and whoever still waits for bytes asks the kernel once more; but not after something could be sent,
 * which is what a client that waits for its next answer is spared by. */
#ifndef PROXY_SOCKET_H
#define PROXY_SOCKET_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "config/address.h"

struct loop;

struct stream_socket {
    int fd; /* -1: not open */
    bool readable, writable;
    bool unsure;  /* drained, unless a reset hid behind the last data */
    bool hung_up; /* the peer sends no more */
    bool more;    /* set by the owner: what is sent now is followed by more at once */
    bool corked;  /* and so the kernel may still wait for that */
    size_t sent;  /* bytes that the kernel took; wraps */
    struct event event;
};

enum { SOCKET_AGAIN = -1, SOCKET_FAILED = -2 }; /* of socket_receive, socket_send */

/* Watches `fd`, which it owns from now on; `callback` gets `context` after the marks are set by
 * socket_note(). False if the system has no memory or no watch left for it: then nothing will ever be
 * told, and it is only to be closed. */
bool socket_watch(struct stream_socket *socket, struct loop *loop, int fd,
                  void (*callback)(int fd, short what, void *context), void *context);
/* To be called first in the callback. */
void socket_note(struct stream_socket *socket, short what);
void socket_close(struct stream_socket *socket);
/* Watches it no more and gives its descriptor back, open. */
int socket_release(struct stream_socket *socket);
/* Ends with a reset, so that the peer cannot take what it has for complete. */
void socket_abort(struct stream_socket *socket);

/* Bytes moved; 0 from socket_receive is the end; or one of the values above. No system call is made
 * where the marks know the answer. */
ssize_t socket_receive(struct stream_socket *socket, void *bytes, size_t len);
ssize_t socket_send(struct stream_socket *socket, const struct iovec *pieces, int n);
/* Nothing follows after all: what the kernel held back for `more` leaves. */
void socket_push(struct stream_socket *socket);

/* Asks the kernel whether something has come of which no event has told yet, and sets the marks. */
void socket_look(struct stream_socket *socket);
/* Sent bytes that the other end's kernel has not acknowledged. Asks ours. */
size_t socket_unacknowledged(const struct stream_socket *socket);

/* What has become of the other end? Asks the kernel only if there may be something to read. */
enum socket_peer {
    PEER_THERE, /* it is connected, or bytes of it wait to be read */
    PEER_DONE,  /* it sends no more */
    PEER_RESET,
};
enum socket_peer socket_peer(struct stream_socket *socket);

/* A listening TCP socket, or -1 with errno. */
int socket_listen(const struct listen_address *address, int backlog);
/* Another one at the address of `fd`, for another loop: the kernel spreads clients over both. It is ours
 * alone to share; an address that somebody else listens on was refused before. -1 with errno. */
int socket_listen_beside(int fd, int backlog);
/* What the kernel takes for a reader that is slow, on each connection that `listening` accepts from now on (TCP;
 * a Unix socket has its own fixed size). Otherwise it grows to some MiB each. */
void socket_limit_sending(int listening, int bytes);
/* Begins to connect; -1 with errno if that failed at once. */
int socket_connect(const struct sockaddr *address, socklen_t len);

enum { ADDRESS_TEXT_MAX = 128 };
/* "127.0.0.1:8380", "[::1]:8380", "unix:/run/janus.sock" */
void address_text(const struct sockaddr *address, char out[ADDRESS_TEXT_MAX]);
/* The same host whatever the port; an IPv4 address and its IPv4-mapped IPv6 form are the same. */
bool address_same_host(const struct sockaddr *a, const struct sockaddr *b);
/* An address of this machine (of this network namespace). Asks the kernel. */
bool address_is_local(const struct sockaddr *address);
/* The port that a Host gives who means the listener at this address. Behind a Unix socket no port is
 * known, so `http://localhost/` names us: 80. */
uint16_t address_host_port(const struct sockaddr *address);
uint16_t address_port(const struct sockaddr *address);
void address_set_port(struct sockaddr *address, uint16_t port);

#endif

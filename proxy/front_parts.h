/* proxy/front_parts.h - what front.c and client.c share; nobody else includes it.
 *
 *   front.c    listeners, accepting, draining
 *   client.c   the life of one client connection */
#ifndef PROXY_FRONT_PARTS_H
#define PROXY_FRONT_PARTS_H

#include <sys/queue.h>

#include "proxy/front.h"
#include "proxy/loop.h"

enum client_state { IDLE, BUSY, LINGERING, CLOSED };

struct client {
    LIST_ENTRY(client) link;
    struct front *front;
    void *exchange; /* while BUSY, once begin() has returned */
    struct stream_socket socket;
    struct intake intake;
    struct head_scan scan;
    struct deadline deadline;
    struct job job; /* goes on reading in the next turn; frees */
    struct sockaddr_storage
        *peer;        /* elsewhere only; NULL is 127.0.0.1 and peer_id, or a Unix socket */
    uint32_t peer_id; /* its port; on a Unix socket its uid */
    uint8_t state;    /* of enum client_state */
    bool on_unix;
    bool reading; /* inside read_heads(): whoever finishes an exchange returns there */
    bool head_begun;
};

struct listener;

struct front {
    struct loop *loop;
    struct log *log;
    const struct front_handler *handler;
    void *context;
    struct deadlines *head_deadlines, *idle_deadlines, *linger_deadlines, *pause_deadlines;
    struct deadline pause; /* while we cannot accept */
    size_t n_clients, max_clients;
    bool full;     /* max_clients are connected, all busy: not accepting */
    bool leaving;  /* nobody else comes */
    bool draining; /* and idle clients are closed */
    LIST_HEAD(, client) clients;
    LIST_HEAD(, listener) listeners;
};

/* client.c */
void client_new(struct front *front, int fd, const struct sockaddr_storage *peer, socklen_t len);
void client_close(struct client *client);
/* Closes the client that has waited longest between two requests, to make room for another; false if
 * there is none. */
bool client_close_idle(struct front *front);
/* Closes it whatever it does; an exchange under way is told. */
void client_drop(struct client *client);

/* front.c: one client fewer. */
void front_client_left(struct front *front);
/* A client is idle, or has left: if others wait for room, they are let in. */
void front_room(struct front *front);

#endif

/* proxy/front.h - accepts clients and reads request heads; knows nothing of what happens to them.
 *
 *   IDLE --head--> BUSY (an exchange owns it) --finish--> IDLE | LINGERING | CLOSED
 *
 * One exchange a client at a time: pipelined requests wait in the client's intake, in order. */
#ifndef PROXY_FRONT_H
#define PROXY_FRONT_H

#include "proxy/http/head.h"
#include "proxy/http/intake.h"
#include "proxy/reply.h"
#include "proxy/socket.h"

struct loop;
struct log;
struct front;
struct client;

/* The floor above. What begin and refuse return is handed to the other two; NULL if the exchange
 * has finished already. */
struct front_handler {
    /* `head` borrows from client_intake(), where its bytes still stand. */
    void *(*begin)(void *context, struct client *client, const struct head *head);
    /* What came is not a head: answer and end. */
    void *(*refuse)(void *context, struct client *client, enum outcome outcome, const char *why);
    void (*io)(void *exchange);   /* the client may be readable or writable again */
    void (*gone)(void *exchange); /* the client has left; client_finish() is still to be called */
    void (*emptied)(
        void *context); /* after front_drain() or front_leave(): the last client has left */
};

struct front_limits {
    unsigned head_ms, idle_ms;
    unsigned max_clients; /* 0: as many as there are descriptors */
};

struct front *front_new(struct loop *loop, struct log *log, struct front_limits limits,
                        const struct front_handler *handler, void *context);
/* Closes everything. Exchanges under way are told that their client is gone. */
void front_free(struct front *front);

/* Takes a listening socket and begins to accept. `shared`: other fronts accept from it too, so that this one
 * takes one client a turn. */
void front_listen(struct front *front, int fd, bool shared);
/* No more clients; each is closed after its next response (the exchange sees to that). */
void front_leave(struct front *front);
/* No more clients; idle ones are closed now, busy ones after what they do. */
void front_drain(struct front *front);
void front_set_limits(struct front *front, struct front_limits limits);
size_t front_n_clients(const struct front *front);

/* ---- for the exchange ---- */
struct intake *client_intake(struct client *client);
/* Bytes put into the intake, 0 at the end, SOCKET_AGAIN (also when the intake is full),
 * SOCKET_FAILED. */
ssize_t client_receive(struct client *client);
/* The last receiving was not short: more is at hand, most likely. */
bool client_has_more(const struct client *client);
ssize_t client_send(struct client *client, const struct iovec *pieces, int n);
/* What it was sent last has nearly all arrived: it takes as much again at once. Asks the kernel. */
bool client_keeps_up(const struct client *client);
/* True if nobody is there to read an answer: closed or reset, with nothing unread before that. */
bool client_has_left(struct client *client);
/* For questions to the kernel about who is at the other end; borrowed. */
int client_descriptor(const struct client *client);
/* "127.0.0.1:51234", or "unix:uid=1000" */
void client_address(const struct client *client, char out[ADDRESS_TEXT_MAX]);

enum client_next {
    CLIENT_KEEP,   /* the next request may come */
    CLIENT_LINGER, /* close, but let what we sent arrive: read away what still comes */
    CLIENT_ABORT,  /* reset: what the client has must not look complete */
};
/* The exchange is over; it must not touch the client any more. */
void client_finish(struct client *client, enum client_next next);

#endif

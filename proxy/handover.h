/* proxy/handover.h - a successor takes over our listening sockets while we run, so that no connection is refused.
 *
 *   successor                                        the sidecar that runs, at --handover PATH
 *     connects to PATH     ------------------------>   the user must be ours, or root
 *     adopts what it needs <-- a message an address --
 *     gets ready           ------ one byte -------->   leaves: accepts no more, ends when its clients have
 *     (fails before that)  ------ the end --------->   goes on as if nothing had been
 *
 * Both hold the same sockets, and with them the same queues: whoever knocks is let in by one of them. */
#ifndef PROXY_HANDOVER_H
#define PROXY_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "proxy/fd_message.h"

struct loop;

/* Sockets at one address: one for each thread. */
enum { HANDOVER_AT_ONE_MAX = FD_MESSAGE_MAX };

enum handover_role { HANDOVER_LISTEN, HANDOVER_ADMIN, HANDOVER_GUARD, HANDOVER_SELF };

/* One address, as it goes over the wire, with the sockets that stand at it. */
struct handover_socket {
    enum handover_role role;
    struct sockaddr_storage bound;
};

/* ---- the successor ---- */
struct handover_taken;

/* What the one at `path` gives; NULL when nobody is there. */
struct handover_taken *handover_take(const char *path);
/* Those that are bound to `address` (port 0: to any port of that host), which are the caller's from now on: how many,
 * 0 if there is none. */
size_t handover_adopt(struct handover_taken *taken, enum handover_role role,
                      const struct sockaddr *address, int fds[HANDOVER_AT_ONE_MAX]);
void handover_ready(struct handover_taken *taken);
/* Closes what was not adopted. NULL is fine. */
void handover_taken_free(struct handover_taken *taken);

/* ---- the one that runs ---- */
struct handover;

struct handover_rules {
    /* Calls handover_give() for each address. */
    void (*give)(void *context, int channel);
    void (*succeeded)(void *context); /* the successor is ready */
    void *context;
};

/* Takes `fd`, which listens. */
struct handover *handover_new(struct loop *loop, int fd, const struct handover_rules *rules);
bool handover_give(int channel, enum handover_role role, const int *fds, size_t n);
int handover_descriptor(const struct handover *handover);
void handover_free(struct handover *handover); /* NULL is fine */

#endif

/* proxy/socket_unix.h - a listening Unix socket at a path of the file system, and its end.
 *
 *   nothing there                     bound, with no rights for anybody else
 *   a socket where nobody listens     removed, then bound: its sidecar died
 *   a socket where somebody listens   refused
 *   anything else, a link too         refused, and not touched
 *
 * Then group and mode are set, on the very file that was made, and only then it listens. */
#ifndef PROXY_SOCKET_UNIX_H
#define PROXY_SOCKET_UNIX_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "config/address.h"

/* The file that we made. Holding it open keeps its number from being given to another. */
struct unix_file {
    int fd; /* -1: none */
    struct sockaddr_un at;
};

enum { UNIX_WHY_MAX = 256 };

/* The listening socket, or -1 with a reason. Changes the process's umask for a moment: call it before
 * there are threads. */
int unix_listen(const struct listen_address *address, int backlog, struct unix_file *file,
                char why[UNIX_WHY_MAX]);
/* Holds the file of a socket that another process has bound for us. */
void unix_adopt(const struct listen_address *address, struct unix_file *file);
/* Removes the file if what stands at its path is still that. */
void unix_file_remove(struct unix_file *file);

/* It is somebody else's from now on. */
void unix_file_let_go(struct unix_file *file);

struct unix_peer {
    uid_t uid;
    gid_t gid;
};
/* Who has connected, as the kernel noted it then (SO_PEERCRED). False if it is no Unix socket. */
bool unix_peer_of(int fd, struct unix_peer *peer);
/* Both ends of a Unix socket: true if the other one has been closed, not only shut for writing. */
bool unix_peer_has_closed(int fd);

#endif

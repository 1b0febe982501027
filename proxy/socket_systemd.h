/* proxy/socket_systemd.h - listening sockets that a service manager made for us (sd_listen_fds(3)).
 *
 * LISTEN_PID says whom they are for, LISTEN_FDS how many there are from descriptor 3 on, LISTEN_FDNAMES
 * their names. Once read, the three are taken out of the environment: they are nobody else's. */
#ifndef PROXY_SOCKET_SYSTEMD_H
#define PROXY_SOCKET_SYSTEMD_H

#include <stddef.h>

#include "config/text.h"

struct handed_sockets;

/* Never NULL; without them it is empty. */
struct handed_sockets *handed_sockets_new(void);
/* Closes those that were not taken. */
void handed_sockets_free(struct handed_sockets *handed);

/* The next socket of that name that was not taken yet, or -1; then `*why` says what is wrong with it, or
 * is NULL if there is none. It is a listening stream socket, does not block and is closed on exec. */
int handed_sockets_take(struct handed_sockets *handed, const char *name, const char **why);
/* Names of those that nobody has taken, with blanks between; borrowed. */
const char *handed_sockets_left(struct handed_sockets *handed);

#endif

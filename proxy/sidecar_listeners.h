/* proxy/sidecar_listeners.h - every address that the process listens on, --listen first, --admin last. */
#ifndef PROXY_SIDECAR_LISTENERS_H
#define PROXY_SIDECAR_LISTENERS_H

#include <stdio.h>
#include <sys/socket.h>

#include "config/diag.h"
#include "config/settings.h"

struct listeners;

/* Opens them all; what cannot be opened is a fatal finding. Never NULL. Borrows `settings`. */
struct listeners *listeners_open(const struct settings *settings, struct diags *diags);
/* Closes what was not taken, and removes the files of Unix sockets that are still ours. */
void listeners_free(struct listeners *listeners);

/* How many there are; the last is the admin listener's. (systemd:NAME may be several.) */
size_t listeners_n(const struct listeners *listeners);
bool listeners_is_guard(const struct listeners *listeners, size_t i);
/* For `n` loops: each gets a socket of its own at the same port, or where that cannot be (a Unix socket, one of the
 * service manager's, one that another user has opened) the same once more, `*shared`. How many there are now: more
 * than `n` if whoever ran before us had more threads, less with errno. */
size_t listeners_spread(struct listeners *listeners, size_t i, size_t n, bool *shared);
/* The `k`-th of them, which is the caller's from now on; listeners_give() still hands copies out. */
int listeners_take(struct listeners *listeners, size_t i, size_t k);

/* The socket of --handover, which is the caller's from now on; -1: there is none. */
int listeners_take_handover(struct listeners *listeners);
/* All of them, over `channel`, to a successor; while they are open. */
void listeners_give(const struct listeners *listeners, int channel);
/* He is ready: the files of Unix sockets are his. */
void listeners_let_go(struct listeners *listeners);
/* We are the successor of somebody, and ready. */
void listeners_ready(struct listeners *listeners);

/* Addresses of this machine's network among them, the admin listener's too; borrowed. */
const struct sockaddr_storage *listeners_own(const struct listeners *listeners, size_t *n);
/* Ports that name us in a Host, without the admin listener's; borrowed. */
const uint16_t *listeners_ports(const struct listeners *listeners, size_t *n);

/* The first at a port, or for `admin` whatever it is: as text, or false. */
bool listeners_first(const struct listeners *listeners, bool admin, char *out, size_t size);

/* " listen=127.0.0.1:8380 listen=unix:/run/janus.sock admin=127.0.0.1:8381" */
void listeners_print(const struct listeners *listeners, FILE *out);

#endif

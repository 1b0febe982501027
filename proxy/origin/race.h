/* proxy/origin/race.h - which of a name's addresses answers first (Happy Eyeballs, RFC 8305, 4 and 5).
 *
 *   addresses --judged--> waiting --in turn, IPv6 and IPv4 by turns--> connecting --first--> won
 *                                   ^                                     |  `---refused, unreachable
 *                                   `-- one failed, or all were silent ---'
 *                                       for CONNECT_ATTEMPT_MS
 *
 * An address that is silent is not given up while the next one is tried; the first to answer wins, and the
 * rest is dropped. Circuits that are open are passed over. */
#ifndef PROXY_ORIGIN_RACE_H
#define PROXY_ORIGIN_RACE_H

#include "proxy/origin/resolve.h"
#include "proxy/origin/trial.h"
#include "proxy/reply.h"

struct race;

/* One of the two is called, once; race_add() itself may call `lost`. The race is still to be freed, and may
 * be in there. */
struct race_owner {
    /* `fd` is the owner's from now on, and so is the circuit's question what becomes of it. */
    void (*won)(void *owner, int fd, const struct trial *trial);
    void (*lost)(void *owner, enum outcome outcome, const char *detail); /* detail: borrowed */
};

/* Borrows all; `host` is whose circuits count. */
struct race *race_new(const struct origin_context *context, const char *host,
                      const struct race_owner *owner, void *arg);
/* More to try. Those that may not be connected to are left out. Without `more` they are the last. */
void race_add(struct race *race, const struct addresses *found, bool more);
/* Time is up: for circuits, every address that is silent now has failed. */
void race_stop(struct race *race, const char *why);
/* Drops what is under way. NULL is fine. */
void race_free(struct race *race);

#endif

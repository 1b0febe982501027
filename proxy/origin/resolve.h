/* proxy/origin/resolve.h - from a name to addresses, without blocking the loop; what is known is kept for its TTL.
 *
 *   unknown --asked--> asking --answer--> fresh --TTL over--> unknown
 *                        ^                  |
 *                        `-- nine tenths of the TTL over, and used since the last answer: asked ahead
 *
 * Both families are asked for at once. Whoever waits hears of the first addresses that are there, IPv4
 * alone after RESOLUTION_DELAY_MS (RFC 8305, 3), and of the rest when it comes. Who asks for a name that is
 * being asked for waits for the same answer. "No" is kept too (RFC 2308), and a failure for a second
 * (RFC 9520). An answer is never used for a new connection beyond its TTL. A name that nobody uses causes no
 * work: what was used since the last answer is asked for once more, and then let go.
 *
 * The hosts file comes first. Search domains are not applied: what is resolved is the name that was judged.
 * Addresses are not judged here: whoever connects judges them, each time. */
#ifndef PROXY_ORIGIN_RESOLVE_H
#define PROXY_ORIGIN_RESOLVE_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "proxy/limits.h"
#include "proxy/origin/ip.h"

struct helper;
struct loop;
struct tally_names;
struct name;
struct resolver;
struct resolution;
struct settings;

/* Borrows all; `helper` as for dns_new(). Belongs to one loop, as everything below. */
struct resolver *resolver_new(struct loop *loop, const struct settings *settings,
                              struct helper *helper, struct tally_names *counts);
/* No resolution may be under way and nothing watched. NULL is fine. */
void resolver_free(struct resolver *resolver);

/* ---- asking ---- */

struct addresses {
    struct sockaddr_storage items[N_IP_FAMILIES * LIMIT_ADDRESSES];
    size_t n;
    enum ip_family first; /* to begin with: IPv6, or the family that connected last */
};

enum resolved_outcome { RESOLVED, RESOLVED_NOTHING, RESOLVED_TOO_LATE };

struct resolved {
    enum resolved_outcome outcome;
    const struct addresses
        *found;      /* borrowed; none unless RESOLVED, or what came behind was none */
    const char *why; /* of the others, static */
    bool more;       /* the other family is still asked for: there will be another call */
};

/* Never called before resolve() returns. A resolution ends with the call without `more`, or with
 * resolution_cancel(). */
typedef void resolved(void *context, const struct resolved *result);
struct resolution *resolve(struct resolver *resolver, const char *host, uint16_t port,
                           resolved *done, void *context);
void resolution_cancel(struct resolution *resolution); /* NULL is fine */

/* A connection was made to an address of that family. */
void resolver_note_connected(struct resolver *resolver, const char *host,
                             const struct sockaddr *address);

/* ---- watching ---- */

/* Interest in where a name leads: it stays known, and while it is used it is asked for ahead of its end. */
struct name_watch {
    TAILQ_ENTRY(name_watch) link;
    struct name *name; /* NULL: a literal, which never moves */
    /* The name's current answer is another than before. Must not end a watch. */
    void (*moved)(struct name_watch *watch);
};

void name_watch_begin(struct name_watch *watch, struct resolver *resolver, const char *host);
void name_watch_end(struct name_watch *watch);
/* It is used, whether or not anybody has to resolve it for that. Cheap. */
void name_watch_use(struct name_watch *watch);
/* False if the last answer was one and does not have the address. */
bool name_watch_covers(const struct name_watch *watch, const struct sockaddr *address);
/* Goes up whenever `moved` is called. */
uint32_t name_watch_edition(const struct name_watch *watch);

#endif

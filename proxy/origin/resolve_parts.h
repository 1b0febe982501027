/* proxy/origin/resolve_parts.h - between resolve.c (names, and asking for them) and resolution.c (those who wait);
 * nobody else includes it. */
#ifndef PROXY_ORIGIN_RESOLVE_PARTS_H
#define PROXY_ORIGIN_RESOLVE_PARTS_H

#include <event2/event_struct.h>

#include "proxy/loop.h"
#include "proxy/origin/record.h"
#include "proxy/origin/resolve.h"
#include "proxy/tally.h"

enum { RESOLVER_BUCKETS = 256 };

struct name {
    LIST_ENTRY(name) bucket;
    TAILQ_ENTRY(name) age; /* in resolver->unused */
    struct resolver *resolver;
    struct record records[N_IP_FAMILIES];
    TAILQ_HEAD(, resolution) waiting;
    TAILQ_HEAD(, name_watch) watches;
    struct event ahead;          /* set while watched: time to ask again */
    uint64_t asked_ms, asked_us; /* the last time; by the loop's clock */
    unsigned n_holders;          /* waiting, watches, families being asked for */
    uint32_t hash, edition;
    unsigned hosts_edition; /* of the file in which it was not found */
    bool used;              /* since the last look at that */
    bool due; /* nobody used it when it was time to ask: the next one who does makes us ask */
    enum ip_family connected;
    uint64_t connected_until_ms;
    char host[];
};

struct resolver {
    struct loop *loop;
    struct dns *dns;
    struct deadlines *delays;           /* RESOLUTION_DELAY_MS */
    TAILQ_HEAD(name_list, name) unused; /* names without holders, oldest first */
    size_t n_unused;
    struct tally_names *counts; /* of the loop's tally */
    LIST_HEAD(, name) buckets[RESOLVER_BUCKETS];
};

/* One who waits. A family is `there` when its record is for him, whatever becomes of the record's TTL, and
 * `told` when he was called about it. */
struct resolution {
    TAILQ_ENTRY(resolution) link;
    struct name *name; /* NULL: a literal */
    struct resolver *resolver;
    resolved *done;
    void *context;
    struct job tell;
    struct deadline delay;
    struct sockaddr_storage literal;
    uint16_t port;
    bool there[N_IP_FAMILIES], told[N_IP_FAMILIES], delayed;
};

/* ---- resolve.c */

uint64_t resolver_now_ms(void);
/* Known by that name, from now on if need be; comes with one holder. */
struct name *name_hold(struct resolver *resolver, const char *host);
/* It may be forgotten from here on. */
void name_unhold(struct name *name);
/* Asks for what is not known, or is about to be no more, and is not asked for. Answers may come before it
 * returns. */
void name_ask(struct name *name);
/* Which family to begin with. */
enum ip_family name_first_family(const struct name *name);

/* ---- resolution.c */

/* The family's record is for all who wait. */
void name_tell(struct name *name, enum ip_family family);

#endif

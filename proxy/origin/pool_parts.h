/* proxy/origin/pool_parts.h - what the pool's own files share; nobody else includes it.
 *
 *   pool.c        hosts, connections that are lent and kept
 *   pool_warm.c   connections opened ahead: --warm */
#ifndef PROXY_ORIGIN_POOL_PARTS_H
#define PROXY_ORIGIN_POOL_PARTS_H

#include <sys/queue.h>

#include "proxy/loop.h"
#include "proxy/origin/pool.h"
#include "proxy/origin/resolve.h"

enum { BUCKETS = LIMIT_POOL_HOSTS }; /* a step along a list is a miss of the cache */

TAILQ_HEAD(pooled_list, pooled);

/* One scheme, host and port. Lives while it has connections; without any, it is kept for its TLS
 * session until there are too many hosts. */
struct pool_host {
    LIST_ENTRY(pool_host) bucket;
    TAILQ_ENTRY(pool_host) age; /* in pool->unused */
    struct pool *pool;
    struct tls_session session;
    struct name_watch name;
    struct pooled_list idle;    /* newest first */
    struct pooled_list warming; /* opened ahead, not ready yet */
    size_t n_open, n_idle, n_warming;
    uint64_t used_ms; /* a request went there */
    uint32_t hash;
    struct destination destination; /* path and query are not kept */
};

struct pooled {
    TAILQ_ENTRY(pooled)
    link, age; /* while idle: in host->idle and pool->idle; link also in host->warming */
    struct pool_host *host;
    struct origin *origin;
    struct deadline deadline; /* while idle */
    struct job job;
    uint32_t name_edition; /* of the name, when its address was last found among the name's */
    bool reused;
};

struct pool {
    const struct origin_context *context;
    struct deadlines *idle_deadlines;
    TAILQ_HEAD(, pool_host) unused; /* hosts without a connection, oldest first */
    struct pooled_list idle;        /* of all hosts, oldest first */
    size_t n_hosts, n_open, n_idle, max_idle;
    bool ending; /* nothing is opened ahead any more */
    LIST_HEAD(, pool_host) buckets[BUCKETS];
};

/* pool.c: a connection to the host, counted. `arg` NULL: `owner` gets the result itself. */
struct pooled *pool_connect(struct pool_host *host, const struct origin_owner *owner, void *arg);

/* pool_warm.c */
/* A request goes there, over a connection that was kept or a new one. */
void pool_warm_used(struct pool_host *host);
/* One was taken, or has come back: opens what is missing. */
void pool_warm_up(struct pool_host *host);
/* A connection that was kept has been closed, so long after it was opened, and no request took it. */
void pool_warm_closed(struct pool_host *host, uint64_t age_us);
/* Gives up what is not ready yet. */
void pool_warm_stop(struct pool_host *host);

#endif

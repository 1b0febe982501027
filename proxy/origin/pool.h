/* proxy/origin/pool.h - kept-alive connections and TLS sessions, by scheme, host and port.
 *
 * The connection that came back last is taken first, so that the others may grow old and go. A
 * connection that says anything while it is idle is closed, and so is one to an address that its name leads to
 * no more (resolve.h); one that is lent out ends when it comes back. */
#ifndef PROXY_ORIGIN_POOL_H
#define PROXY_ORIGIN_POOL_H

#include "proxy/origin/origin.h"

struct pool;
struct pooled; /* one origin, lent to one exchange */

struct pool *pool_new(const struct origin_context *context);
/* Its settings have changed. */
void pool_apply_settings(struct pool *pool);
/* Closes what is idle; nothing may be lent out. */
void pool_free(struct pool *pool);

/* An idle connection to that destination, or NULL. `owner` hears of it from now on. */
struct pooled *pool_take(struct pool *pool, const struct destination *destination,
                         const struct origin_owner *owner, void *arg);
/* A new connection, which will be ready later. */
struct pooled *pool_open(struct pool *pool, const struct destination *destination,
                         const struct origin_owner *owner, void *arg);
struct origin *pooled_origin(struct pooled *pooled);
bool pooled_is_reused(const struct pooled *pooled);

/* Back after a clean exchange: kept if it is quiet and there is room, else closed. */
void pool_give(struct pooled *pooled);
/* Closed at once. NULL is fine. */
void pool_drop(struct pooled *pooled);

#endif

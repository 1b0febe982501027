/* proxy/sidecar_origins.h - all that connections to origins need, in one hand. */
#ifndef PROXY_SIDECAR_ORIGINS_H
#define PROXY_SIDECAR_ORIGINS_H

#include "config/diag.h"
#include "proxy/origin/pool.h"

struct helper;
struct origins;
struct tally;

/* `own`: addresses of our listeners, which are never connected to; borrowed, as `settings`, `tls`, `helper`, who makes
 * the connections (NULL: nobody but us), and the loop's `tally`. `n_loops` have origins; each gets its part of the
 * descriptors. */
struct origins *origins_new(struct loop *loop, struct log *log, const struct settings *settings,
                            const struct tls *tls, const struct sockaddr_storage *own, size_t n_own,
                            unsigned n_loops, struct helper *helper, struct tally *tally);
struct pool *origins_pool(const struct origins *origins);
/* The settings have changed, where they stand. */
void origins_apply_settings(struct origins *origins);
unsigned origins_n_circuits_open(const struct origins *origins);

/* In two steps: nothing wakes up any more, then, when the loop has turned once more, the memory. */
void origins_silence(struct origins *origins);
void origins_free(struct origins *origins);

#endif

/* proxy/origin/resolve.h - from a name to addresses, without blocking the loop.
 *
 * libevent's evdns (resolv.conf, hosts file, A and AAAA). Search domains are not applied: what is
 * resolved is the name that was judged and nothing else. */
#ifndef PROXY_ORIGIN_RESOLVE_H
#define PROXY_ORIGIN_RESOLVE_H

#include <stdint.h>
#include <sys/socket.h>

#include "proxy/limits.h"

struct loop;
struct resolver;
struct resolution;

struct addresses {
    struct sockaddr_storage items[LIMIT_ADDRESSES];
    size_t n;
};

struct resolver *resolver_new(struct loop *loop);
void resolver_free(struct resolver *resolver); /* no resolution may be under way */

/* Never calls back before it returns. `found` is borrowed and empty when there is no such name;
 * then `why` says so. The result lives until the callback or resolution_cancel(). */
typedef void resolved(void *context, const struct addresses *found, const char *why);
struct resolution *resolve(struct resolver *resolver, const char *host, uint16_t port,
                           resolved *done, void *context);
void resolution_cancel(struct resolution *resolution);

#endif

/* proxy/admin.h - the operator's listener: is the process alive, is it ready, and if not, why; its numbers.
 *
 * libevhtp's server; loopback only. Nothing here changes anything by GET, and browsers are refused.
 */
#ifndef PROXY_ADMIN_H
#define PROXY_ADMIN_H

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct admin;

/* What /readyz asks. Writes the JSON body (cut at `size`); true if the sidecar can serve. */
typedef bool admin_readiness(void *context, char *body, size_t size);

/* What /metrics asks: OpenMetrics text, which the listener frees. */
typedef char *admin_metrics(void *context);

/* Takes the listening socket. */
struct admin *admin_new(struct loop *loop, int fd, admin_readiness *readiness,
                        admin_metrics *metrics, void *context);
void admin_free(struct admin *admin);

#endif

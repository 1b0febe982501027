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

/* Something to be read by GET. `write` returns the body, which the listener frees, and the status. */
struct admin_page {
    const char *path;
    char *(*write)(void *context, unsigned *status);
    const char *type; /* NULL: JSON */
};

/* Takes the listening socket. `pages` are borrowed; /healthz is always there. */
struct admin *admin_new(struct loop *loop, int fd, const struct admin_page *pages, size_t n_pages,
                        void *context);
void admin_free(struct admin *admin);

#endif

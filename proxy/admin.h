/* proxy/admin.h - the operator's listener: is the process alive, is it ready, and if not, why.
 *
 * libevhtp's server; loopback only. Nothing here changes anything by GET, and browsers are refused.
 */
#ifndef PROXY_ADMIN_H
#define PROXY_ADMIN_H

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct admin;

/* Something to be read by GET. `write` writes the JSON body (cut at `size`) and returns the status. */
struct admin_page {
    const char *path;
    unsigned (*write)(void *context, char *body, size_t size);
};
enum { ADMIN_BODY_MAX = 16 * 1024 };

/* Takes the listening socket. `pages` are borrowed; /healthz is always there. */
struct admin *admin_new(struct loop *loop, int fd, const struct admin_page *pages, size_t n_pages,
                        void *context);
void admin_free(struct admin *admin);

#endif

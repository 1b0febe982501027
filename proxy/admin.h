/* proxy/admin.h - the operator's listener: is the process alive, is it ready, and if not, why; its numbers.
 *
 * libevhtp's server. Nothing here changes anything by GET, and browsers are refused: by what they add to a
 * request, and by a Host that is a name. A page whose own name was made to lead here (DNS rebinding) sends
 * that name; an address cannot be rebound. */
#ifndef PROXY_ADMIN_H
#define PROXY_ADMIN_H

#include <stdbool.h>
#include <stddef.h>

#include "proxy/caller.h"

struct loop;
struct admin;

/* Something to be read by GET, or to be done by POST. `answer` returns the body, which the listener frees,
 * and the status; `query` is what stands behind the '?', as sent, or "". */
struct admin_page {
    const char *path;
    char *(*answer)(void *context, const char *query, unsigned *status);
    const char *type; /* NULL: JSON */
    bool action;      /* by POST only */
    /* Of several rows with one path the first that is wanted answers; NULL: always. `accept` is the header's
     * value, or NULL. */
    bool (*wanted)(const char *accept);
};

/* All borrowed. */
struct admin_rules {
    const struct admin_page *pages; /* /healthz is always there */
    size_t n_pages;
    void *context;               /* of the pages */
    const struct strings *hosts; /* names that a Host may have, beside localhost and any address */
    const struct callers *callers;
};

/* Takes the listening socket. */
struct admin *admin_new(struct loop *loop, int fd, const struct admin_rules *rules);
void admin_free(struct admin *admin);

#endif

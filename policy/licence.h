/* policy/licence.h - which resources a License Manager key opens: the documented table.
 *
 * A key without attrs in a manifest opens what VTEX's documentation lists for it; the full list of
 * keys is not public, and a key that is not here opens nothing. */
#ifndef POLICY_LICENCE_H
#define POLICY_LICENCE_H

#include <stddef.h>

#include "config/text.h"

enum licence_on {
    LICENCE_STABLE, /* {{account}}.vtexcommercestable.com.br, as the documentation writes */
    LICENCE_JANUS,  /* no host is written: the account's Janus hosts, stable and beta */
    LICENCE_VBASE,  /* the app's own buckets on infra.io.vtex.com/vbase */
};

struct licence_resource {
    const char *key;
    enum licence_on on;
    const char *path;    /* as documented; a pattern, but for {{orderId}} and its like */
    const char *methods; /* NULL: every one */
};

extern const struct licence_resource licence_resources[];
extern const size_t licence_n_resources;

/* The first row of `key`, or NULL; the rows of a key follow one another. Case counts. */
const struct licence_resource *licence_find(struct text key);

/* A policy of the platform that is known to be about something else than outbound requests. */
bool licence_is_inner(struct text name);

#endif

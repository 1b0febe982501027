/* proxy/sidecar_parts.h - what the sidecar's own files share; nobody else includes it.
 *
 *   sidecar.c         building, reload, draining, the end
 *   sidecar_admin.c   what the admin listener says and does
 *   sidecar_guest.c   beside an app: exec */
#ifndef PROXY_SIDECAR_PARTS_H
#define PROXY_SIDECAR_PARTS_H

#include "proxy/caller.h"
#include "proxy/crew.h"
#include "proxy/loop.h"
#include "proxy/sidecar.h"
#include "proxy/sidecar_policy.h"

struct sidecar {
    const struct settings *settings;
    struct loop *loop;
    struct notify *notify;
    struct log_sink *log_sink; /* until the log takes it */
    struct log *log;
    struct tally tally; /* of the main loop */
    struct lag *lag;
    struct self *self;

    struct live_policy *policy, *shadow; /* shadow: NULL without --shadow-manifest */
    struct live_providers *providers;    /* NULL without --provider-policies */

    /* identity */
    struct token_keeper *keeper;
    struct realms *realms;
    char *store_cookie;

    /* origins: the login's, and those of a crew without threads */
    struct tls *tls;
    struct origins *origins;

    /* clients */
    struct listeners *listeners;
    struct callers *callers;
    struct destination_rules destination_rules;
    struct crew *crew;
    struct admin *admin;

    /* GraphQL */
    struct graphql_catalog
        *schemas; /* until the crew has it, as the next one; NULL: there are none */
    struct graphql_gate *own_schema; /* NULL: there is no guard */

    int signals; /* a signalfd, once it runs; 0: not yet */
    struct event *signalled;
    struct deadlines *drain_deadlines;
    struct deadline drain_deadline;
    bool leaving, draining; /* as we told the crew */
    int exit_code;
};

/* sidecar.c */
int sidecar_serve(struct sidecar *sidecar);
/* The second time cuts what is still under way. */
void sidecar_drain(struct sidecar *sidecar, const char *why);
/* All that comes from files is read again; what is found is logged, and stands in `told`. */
void sidecar_reload(struct sidecar *sidecar, struct diags *told);

/* sidecar_admin.c: takes the listener. */
struct admin *sidecar_admin_new(struct sidecar *sidecar, int fd);

#endif

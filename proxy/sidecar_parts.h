/* proxy/sidecar_parts.h - what the sidecar's own files share; nobody else includes it.
 *
 *   sidecar.c         building, serving, the end
 *   sidecar_reload.c  all that comes from files, read again
 *   sidecar_ending.c  signals, draining, a successor
 *   sidecar_admin.c   what the admin listener says and does
 *   sidecar_guest.c   beside an app: exec */
#ifndef PROXY_SIDECAR_PARTS_H
#define PROXY_SIDECAR_PARTS_H

#include <sys/types.h>

#include "proxy/caller.h"
#include "proxy/crew.h"
#include "proxy/loop.h"
#include "proxy/sidecar.h"
#include "proxy/sidecar_policy.h"

enum { EXIT_UNUSABLE = 2 };

struct sidecar {
    struct settings *settings;              /* a reload changes them */
    struct settings_source settings_source; /* argv NULL: none */
    bool settings_failed;                   /* the last reload left those of before in force */
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
    struct tls_watch *tls_watch;
    struct helper *helper; /* NULL: --sandbox off */
    struct origins *origins;

    /* clients */
    struct listeners *listeners;
    struct callers *callers;
    struct destination_rules destination_rules;
    struct crew *crew;
    struct admin *admin;
    struct handover *handover;   /* NULL: no --handover, or we have been succeeded */
    struct companion *companion; /* NULL without --exit-with */

    /* GraphQL */
    struct graphql_catalog
        *schemas; /* until the crew has it, as the next one; NULL: there are none */
    struct graphql_gate *own_schema; /* NULL: there is no guard */

    int signals; /* a signalfd, once it runs; 0: not yet */
    struct event *signalled;
    struct deadlines *delay_deadlines, *drain_deadlines;
    struct deadline delay_deadline, drain_deadline;
    bool told_to_end;
    bool leaving, draining; /* as we told the crew */
    int exit_code;
};

/* sidecar.c; `app`: that exec runs, or 0. */
int sidecar_serve(struct sidecar *sidecar, pid_t app);

/* sidecar_reload.c: findings are logged, and stand in `told`. */
void sidecar_reload(struct sidecar *sidecar, struct diags *told);
void sidecar_reload_policies(void *context);
/* The files that the settings name now; frees the watch of before. */
void sidecar_watch_tls(struct sidecar *sidecar);
/* Borrows of the settings and the listeners. */
struct destination_rules sidecar_rules(const struct sidecar *sidecar);

/* sidecar_ending.c */
void sidecar_build_ending(struct sidecar *sidecar);
void sidecar_silence_ending(struct sidecar *sidecar);
void sidecar_watch_signals(struct sidecar *sidecar);
/* Connections are not kept any more. */
void sidecar_leave(struct sidecar *sidecar);
/* The second time cuts what is still under way. */
void sidecar_drain(struct sidecar *sidecar, const char *why);
/* After --drain-delay. Whoever balances between us and others learns it first: /readyz says so, connections are not
 * kept. */
void sidecar_begin_to_end(struct sidecar *sidecar, const char *why);
/* The last client has left. */
void sidecar_emptied(void *context);
/* As of handover.h. */
void sidecar_give(void *context, int channel);
void sidecar_succeeded(void *context);

/* sidecar_admin.c: takes the listener. */
struct admin *sidecar_admin_new(struct sidecar *sidecar, int fd);

#endif

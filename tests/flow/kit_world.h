/* tests/flow/kit_world.h - what most flow tests stand in: an origin, a sidecar that reaches every
 * host there, a manifest, a token, and a client when it is asked for.
 *
 *   client --- plain HTTP ---> sidecar --- TLS ---> origin
 *   (kit_client)               (a child)            (kit_origin)
 *
 * world_close() checks the sidecar's end: it must leave with exit code 0, sanitizers content. */
#ifndef TESTS_FLOW_KIT_WORLD_H
#define TESTS_FLOW_KIT_WORLD_H

#include "tests/flow/kit_client.h"
#include "tests/flow/kit_files.h"
#include "tests/flow/kit_origin.h"
#include "tests/flow/kit_process.h"
#include "tests/unit/stories.h"

#define TOKEN       "app-token-of-the-flow-tests"
#define PLACEHOLDER "janus-sidecar-placeholder"

enum { PLAN_OPTIONS_MAX = 20 };

struct plan {
    const char *policies;   /* lines of HOST TAB PATH; NULL: world_policies */
    const char *shadow;     /* the same for shadow.json, which --shadow-manifest may name */
    const char *token;      /* what stands in the token file; NULL: TOKEN, "": there is no file */
    const char *bin_folder; /* NULL: process_folder() */
    enum certificate_kind certificate;
    bool plain;                            /* an origin without TLS */
    bool closed;                           /* without --allow-address */
    const char *hosts;                     /* as in struct process_plan */
    unsigned max_files;                    /* as in struct process_plan */
    const char *const *environment;        /* as in struct process_plan */
    bool other_port;                       /* --connect-to leads to a port where nobody listens */
    const char *options[PLAN_OPTIONS_MAX]; /* more of them, ended by NULL */
};

struct world {
    struct folder *folder;
    struct origin *origin;
    struct process *sidecar;
    uint16_t port, admin_port;
};

extern const char world_policies[];

void world_open(struct world *world, const struct plan *plan);
void world_close(struct world *world);
/* The same without a word to the sidecar: it has ended, and its end was looked at. */
void world_forget(struct world *world);
/* Between two tests of one world: everybody leaves, and the sidecar has noticed. */
void world_settle(struct world *world);

struct client *world_client(const struct world *world);
/* One exchange over new connections: sends `request`, answers 200 at the origin, and returns the
 * head that the origin saw. The caller frees. */
char *world_exchange(struct world *world, const char *request);
/* Sends `request` over a new connection and returns the answer, with which the origin had nothing
 * to do. */
const struct response *world_refused(struct world *world, const char *request);

/* Asks /readyz: its status, and something that it says. */
void world_readyz(const struct world *world, unsigned status, const char *says);

/* Asks /metrics: a line of it, or several. */
void world_metrics(const struct world *world, const char *says);

/* Starts a sidecar with these options alone and waits until it is ready. */
struct process *sidecar_start(const struct process_plan *plan, uint16_t *port, uint16_t *admin);
/* SIGTERM and its end: fails the test unless that is 0. */
void sidecar_stop(struct process *sidecar);

/* A group of stories that share one world; it may be NULL. After each, world_settle(). */
int flow_run(const char *group, struct stories *stories, struct world *shared,
             const struct plan *plan);

#endif

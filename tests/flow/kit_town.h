/* tests/flow/kit_town.h - a sidecar that gets its app token from the simulator of VTEX's hosts.
 *
 *   client --- plain HTTP ---> sidecar --- TLS ---> simulator: VTEX ID, and all other hosts
 *
 * Towns that a test leaves open are discarded by flow_run()'s end of the test (towns_discard()). */
#ifndef TESTS_FLOW_KIT_TOWN_H
#define TESTS_FLOW_KIT_TOWN_H

#include "tests/flow/kit_files.h"
#include "tests/flow/kit_process.h"
#include "tests/flow/kit_sim.h"

/* The pair that the simulator knows. */
#define TOWN_APPKEY   "vtexappkey-acme-JANUS"
#define TOWN_APPTOKEN "janus-sim-apptoken"

enum { TOWN_OPTIONS_MAX = 24 };

struct town_plan {
    const char *sim_options[SIM_OPTIONS_MAX]; /* ended by NULL */
    const char *options[TOWN_OPTIONS_MAX];    /* the sidecar's, ended by NULL */
    bool no_login;                            /* without --appkey-file and --apptoken-file */
    const char *bin_folder;                   /* as in struct process_plan, and the next three */
    const char *const *environment;
    bool nobody, dumps;
    enum process_log log;
};

struct town {
    struct folder *folder; /* "appkey", "apptoken", "manifest.json"; the sidecar runs in it */
    struct sim *sim;
    struct process *sidecar;
    uint16_t port, admin_port;
};

/* Folder and simulator; then the sidecar, ready. `plan` may be NULL. */
void town_found(struct town *town, const struct town_plan *plan);
void town_start(struct town *town, const struct town_plan *plan);
void town_open(struct town *town, const struct town_plan *plan); /* both */
/* SIGTERM to the sidecar, whose end must be a good one; then all is gone. */
void town_close(struct town *town);
/* The same without a word to the sidecar: it has ended, and its end was looked at. */
void town_forget(struct town *town);
void towns_discard(void);

/* What any subcommand needs to ask the same sources: "token" and these options. `more` is ended by
 * NULL and goes in front. */
struct process *town_run(struct town *town, const struct town_plan *plan, const char *command,
                         const char *const *more);

/* The answer to `head` (with its empty line) and `body` over a new connection. Borrowed. */
const struct response *town_ask(const struct town *town, const char *head);
/* POST /_sim/private/`key` at the account's own host, with nobody's credentials. */
const struct response *town_private(const struct town *town, const char *key);
unsigned town_status(const struct town *town);
/* A page of the admin listener; the answer's JSON, or NULL if it has none. The caller drops the
 * reference. */
json_t *town_admin(const struct town *town, const char *path, unsigned *status);
/* Until the log says that a token of this generation is in use. */
void town_await_generation(const struct town *town, unsigned generation);

long long town_logins(const struct town *town);   /* attempts, whatever became of them */
long long town_rejected(const struct town *town); /* tokens that the private route refused */

#endif

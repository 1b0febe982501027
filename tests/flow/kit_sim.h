/* tests/flow/kit_sim.h - the simulator of VTEX's hosts (tests/janus), a child of the test.
 *
 * What it is asked goes beside the sidecar, over TLS that is checked against the simulator's own
 * authority. Simulators that a test leaves open are ended by sims_close(). */
#ifndef TESTS_FLOW_KIT_SIM_H
#define TESTS_FLOW_KIT_SIM_H

#include <jansson.h>

#include "tests/flow/kit_client.h"

enum { SIM_OPTIONS_MAX = 16 };

/* Any of VTEX's hosts would do. */
#define SIM_STORE "acme.vtexcommercestable.com.br"

struct sim;

/* `options`: more of them, ended by NULL; NULL: none. It is listening when this returns. */
struct sim *sim_start(const char *const *options);
/* SIGTERM and its end: fails the test unless that is 0. */
void sim_stop(struct sim *sim);
void sims_close(void);

uint16_t sim_port(const struct sim *sim);
/* Files: what --ca-file and --token-file of a sidecar want. Live as long as the simulator. */
const char *sim_ca_file(const struct sim *sim);
const char *sim_token_file(const struct sim *sim);
/* What stands in the token file now. The caller frees. */
char *sim_token(const struct sim *sim);

/* A connection to `host` that is the simulator; closed by clients_close(). */
struct client *sim_client(const struct sim *sim, const char *host);

/* Asks the simulator itself; fails the test unless the answer is 200 and JSON. The caller drops the
 * reference. */
json_t *sim_ask(const struct sim *sim, const char *method, const char *target);
/* The same, for those who need no answer. */
void sim_tell(const struct sim *sim, const char *target);

/* A new app token, which the caller frees; its serial is returned. */
long long sim_rotate(const struct sim *sim, char **token);

/* A POST over a new connection; `fields` are whole header lines. */
struct client *sim_post(const struct sim *sim, const char *target, const char *fields,
                        const char *body);
/* A login with the pair that the simulator knows; and the token that it gives, which the caller
 * frees. */
struct client *sim_login(const struct sim *sim);
char *sim_log_in(const struct sim *sim);
/* What the private route answers to a request with that token in that header; `more` are whole
 * lines. */
const struct response *sim_private(const struct sim *sim, const char *header, const char *token,
                                   const char *more);
/* Its status for whoever has that token as identity. */
unsigned sim_status(const struct sim *sim, const char *token);
/* A member of the answer that is text; the caller frees. Fails the test if it is not there. */
char *sim_member(const struct response *response, const char *name);

/* A number in the answer of /_sim/stats: "logins", "attempts"; as deep as there are names before
 * NULL. Fails the test if it is not there. */
long long sim_count(const struct sim *sim, const char *const *names);
#define SIM_COUNT(sim, ...) sim_count(sim, (const char *const[]){ __VA_ARGS__, NULL })

#endif

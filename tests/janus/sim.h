/* tests/janus/sim.h - what lives as long as the process. */
#ifndef TESTS_JANUS_SIM_H
#define TESTS_JANUS_SIM_H

#include <event2/event.h>
#include <jansson.h>

#include "tests/janus/issuer.h"
#include "tests/janus/record.h"
#include "tests/janus/token.h"

enum { HOSTS_MAX = 32, SEEN_TOKEN_MAX = 8192 };

struct options {
    const char *listen, *plain; /* plain: NULL: there is none */
    const char *ca_out, *token_out;
    const char *account, *workspace, *app_id;
    const char *appkey, *apptoken; /* the pair that apptoken/login knows */
    long token_life_s;
    long login_life_s; /* of what apptoken/login gives, and its kind */
    enum token_kind login_kind;
    const char *hosts[HOSTS_MAX]; /* further names of the certificate for clients without SNI */
    size_t n_hosts;
};

struct stats {
    unsigned long connections, open, full, resumed, failed; /* failed: TLS handshakes */
    unsigned long requests, malformed, aborted;
    json_t *routes; /* name -> count */
    struct {
        unsigned long attempts, succeeded;
    } logins;
    struct {
        unsigned long accepted, rejected;
        unsigned long marked, stale; /* with X-Sim-Newest; and of these, with an older token */
        json_t *keys;                /* key -> accepted, rejected */
    } private;
};

struct sim {
    const struct options *options;
    struct event_base *base;
    struct certificates *certificates;
    struct tokens *tokens;
    struct record *record;
    struct stats stats;
    struct issuer issuer;
    json_t *grants;                  /* grants.c */
    json_t *overrides;               /* overrides.c */
    char seen_token[SEEN_TOKEN_MAX]; /* by /_sim/401-until-rotate, "" before */
};

#endif

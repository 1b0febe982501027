/* tests/janus/routes.h - which function answers a request.
 *
 * Rows of tables, searched in order: the simulator's own /_sim/ on every host, then VTEX's routes
 * on VTEX's hosts; what no row knows is echoed on a foreign host and not found on VTEX's. */
#ifndef TESTS_JANUS_ROUTES_H
#define TESTS_JANUS_ROUTES_H

#include <evhtp/evhtp.h>

#include "tests/janus/exchange.h"

enum hosts { ON_ANY, ON_JANUS, ON_IO };

/* Who may call: nobody in particular; a live token in the Janus identity header (or the app-key
 * pair); a live app token as Bearer. */
enum admission { ADMIT_ALL, ADMIT_JANUS, ADMIT_IO };

/* Errors have no one shape at VTEX (docs: OMS and checkout, catalog and others, VTEX ID, IO). */
enum shape { SHAPE_OMS, SHAPE_MESSAGE, SHAPE_VTEXID, SHAPE_IO };

enum {
    ROUTE_CONTROL = 1, /* not recorded: the tests' own questions */
    ROUTE_EARLY = 2    /* answers before the body has arrived */
};

struct route {
    const char *name;    /* in the statistics and the record */
    const char *methods; /* "GET POST", "*"; GET includes HEAD */
    const char *pattern; /* case-blind; {} is one segment, a final * the rest */
    void (*answer)(struct exchange *x);
    enum hosts hosts;
    enum admission admission;
    enum shape shape;
    unsigned flags;
};

/* Tables end with a row without a name. */
extern const struct route routes_control[], routes_knobs[], routes_private[], routes_streams[];
extern const struct route routes_issuer[], routes_grants[], routes_overrides[];
extern const struct route routes_vtexid[], routes_commerce[], routes_data[], routes_io[];

/* Sets x->route and x->arguments. */
void routes_find(struct exchange *x);
/* Replaces the route by one that answers 400 with the arrival's fault. */
void routes_refuse(struct exchange *x);

/* The callback of libevhtp. `arg` is not used. */
void routes_dispatch(evhtp_request_t *request, void *arg);

/* An error in the shape of the route's family. `detail` is a code (OMS) or NULL. */
void answer_error(struct exchange *x, int status, const char *detail, const char *message);

/* The credential in the Janus identity place: header, else cookie, else the account's cookie. */
struct text janus_token(const struct exchange *x);
/* What follows "Bearer ", or the raw value, of Authorization. */
struct text bearer_token(const struct exchange *x);

/* The body as JSON, NULL if it is not. A new reference. */
json_t *body_as_json(const struct exchange *x);
/* Headers that VTEX's edge puts on everything. `backend` e.g. "oms-v2.14.3". */
void add_edge_fields(struct exchange *x, const char *backend);

#endif

/* tests/janus/issuer.h - the endpoint that gives tokens away, and its misfortunes.
 *
 * POST /api/vtexid/apptoken/login answers a live token to whoever knows the pair, until a test says
 * otherwise at /_sim/issuer. */
#ifndef TESTS_JANUS_ISSUER_H
#define TESTS_JANUS_ISSUER_H

/* How logins are answered. Zeroed: well, at once. */
struct issuer {
    unsigned mode; /* row of the table in issuer.c; 0 is ok */
    long delay_ms;
    unsigned long left; /* so many answers more, then ok again; 0: until a test says otherwise */
};

#endif

/* proxy/token/jwt.h - what a JWT says about itself (RFC 7519), its signature unread.
 *
 * Whether a token is genuine is for VTEX to say; here it is only asked how long it lives and whose
 * it is. Anything that is not a JWT says nothing: it is opaque. Pure. */
#ifndef PROXY_TOKEN_JWT_H
#define PROXY_TOKEN_JWT_H

#include <stdbool.h>
#include <time.h>

#include "config/text.h"

struct json_t;

/* The claims, a JSON object; NULL when `token` is no JWT or its payload cannot be read. The caller
 * drops the reference (json_decref). Claims are no secret; the signature is not among them. */
struct json_t *jwt_claims(struct text token);

/* `exp` in seconds of the wall clock; 0: it does not say. An exp of 0 or less is a second past, and
 * what no clock can show is far away. */
time_t jwt_expiry(struct text token);

/* A token for another account or workspace than ours: the claim's name ("account"), and in `theirs`,
 * printable, what it says. NULL: it is for us, or does not say. */
const char *jwt_is_for_another(struct text token, const char *account, const char *workspace,
                               char *theirs, size_t size);

/* It begins like a JWT and does not have all three parts: the front part must not pass for an
 * opaque token that never expires. */
bool jwt_is_cut(struct text token);

#endif

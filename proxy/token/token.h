/* proxy/token/token.h - one app token: counted, locked in memory, wiped when the last holder lets go.
 *
 * A struct and not a string, so that no %s can print it. Its text leaves by token_text() alone,
 * whose callers are the places that write it into a request head, and the scrubber. Immutable but
 * for its life, which its keeper sets. */
#ifndef PROXY_TOKEN_TOKEN_H
#define PROXY_TOKEN_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "config/text.h"
#include "proxy/clock.h"

struct token;

/* Copies `bytes`. Surrounding blanks and line ends are dropped; anything else that is not visible
 * ASCII, or that could end or split a header or a cookie, is refused: NULL, and `*why` is a
 * sentence that does not hold the value. `exp` of a JWT payload becomes the expiry. */
struct token *token_new(struct text bytes, const char **why);
/* As sources write it: bare, or a JSON object {"token": "...", "expires": seconds since 1970}. The
 * earlier of `expires` and `exp` counts. */
struct token *token_read(struct text bytes, const char **why);
struct token *token_ref(struct token *token);
void token_unref(struct token *token);
/* The same token once more, with the same life and generation, counted by itself: for another thread. */
struct token *token_copy(const struct token *token);

struct text token_text(const struct token *token);
bool token_equals(const struct token *a, const struct token *b);

/* Eight hex digits, keyed with a secret of this process: tells tokens apart in logs, and tells
 * nothing else about them. */
const char *token_fingerprint(const struct token *token);

/* Seconds of the wall clock; 0: it does not say (an opaque token). */
time_t token_expires_at(const struct token *token);
/* While nobody else holds it: the earlier counts. */
void token_limit(struct token *token, time_t expires_at);

/* It is live while both clocks stand before these: one may be set back, the other cannot. Until its
 * life is set, `exp` alone counts. */
void token_set_life(struct token *token, struct moment until);
/* As long as that one, which is the same. */
void token_live_like(struct token *token, const struct token *other);
bool token_is_live(const struct token *token, struct moment now);

/* Counted from 1 by whoever keeps it; names the token in logs. 0: not kept yet. */
unsigned token_generation(const struct token *token);
void token_set_generation(struct token *token, unsigned generation);

#endif

/* proxy/token/token.h - one app token: immutable, counted, wiped when the last holder lets go.
 *
 * A struct and not a string, so that no %s can print it. Its text leaves by token_text() alone,
 * whose callers are the two places that write it into a request head. */
#ifndef PROXY_TOKEN_TOKEN_H
#define PROXY_TOKEN_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "config/text.h"

struct token;

/* Copies `bytes`. Surrounding blanks and line ends are dropped; anything else that is not visible
 * ASCII, or that could end or split a header or a cookie, is refused: NULL, and `*why` is a
 * sentence that does not hold the value. `exp` of a JWT payload becomes the expiry. */
struct token *token_new(struct text bytes, const char **why);
struct token *token_ref(struct token *token);
void token_unref(struct token *token);

struct text token_text(const struct token *token);
bool token_equals(const struct token *a, const struct token *b);

/* Seconds of the wall clock; 0: it does not say (an opaque token). */
time_t token_expires_at(const struct token *token);
bool token_is_live(const struct token *token, time_t now);

/* Counted from 1 by whoever keeps it; names the token in logs. */
unsigned token_generation(const struct token *token);
void token_set_generation(struct token *token, unsigned generation);

#endif

/* tests/janus/token.h - mints tokens and knows which are alive.
 *
 * JSON Web Tokens with the claims of VTEX's, signed (ES256) with a key that dies with the process.
 * Whether a token is alive is looked up, not computed: only what was minted here is known. */
#ifndef TESTS_JANUS_TOKEN_H
#define TESTS_JANUS_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "config/text.h"

struct options;

enum token_kind { TOKEN_APP, TOKEN_ADMIN, TOKEN_STORE, N_TOKEN_KINDS };

/* So many are remembered: the rotations of a test under load, all of them. */
enum { TOKENS_MAX = 16384 };

struct minted {
    enum token_kind kind;
    char *text;
    char user[128];   /* of the app: its id */
    char account[64]; /* what VTEX ID says of it; "": ours */
    time_t expires;
    unsigned long serial; /* 1, 2, 3 ... over all kinds: the larger is the newer */
    int64_t minted_ms;    /* CLOCK_MONOTONIC */
};

struct tokens;

/* Mints the first app token and writes it to options->token_out. NULL if there are no keys or the
 * file cannot be written (said on standard error). */
struct tokens *tokens_new(const struct options *options);
void tokens_free(struct tokens *tokens);

/* Borrowed; lives until TOKENS_MAX later ones have been minted. `life_s` may be negative (expired). */
const struct minted *tokens_mint(struct tokens *tokens, enum token_kind kind, const char *user,
                                 long life_s);

/* VTEX ID says from now on that it is that account's; its claims say what they said. */
void tokens_set_account(const struct minted *token, const char *account);

/* Mints a new app token and replaces the file by rename. With `revoke` the older app tokens die
 * at once, else they live until they expire. NULL if the file could not be written. */
const struct minted *tokens_rotate(struct tokens *tokens, bool revoke);

/* The serial of the newest token, whatever its kind. */
unsigned long tokens_newest(const struct tokens *tokens);

/* From now on the tokens of this serial and all before it are dead, whatever their kind. */
void tokens_revoke(struct tokens *tokens, unsigned long upto);

/* A node of the issuer that hears late: tokens minted from now on count as unknown until `ms` after
 * their minting. 0: nothing is late, and what was is known at once. */
void tokens_lag(struct tokens *tokens, long ms);

/* NULL if it was not minted here; alive or not. */
const struct minted *tokens_find(const struct tokens *tokens, struct text token);

/* NULL if it was not minted here, has not come to this node yet, was revoked, or has expired. */
const struct minted *tokens_live(const struct tokens *tokens, struct text token);

#endif

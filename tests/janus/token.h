/* tests/janus/token.h - mints tokens and knows which are alive.
 *
 * JSON Web Tokens with the claims of VTEX's, signed (ES256) with a key that dies with the process.
 * Whether a token is alive is looked up, not computed: only what was minted here is known. */
#ifndef TESTS_JANUS_TOKEN_H
#define TESTS_JANUS_TOKEN_H

#include <time.h>

#include "tests/janus/sim.h"

enum token_kind { TOKEN_APP, TOKEN_ADMIN, TOKEN_STORE };

struct minted {
    enum token_kind kind;
    char *text;
    char user[128]; /* of the app: its id */
    bool app_key;   /* minted by apptoken/login */
    time_t expires;
};

struct tokens;

/* Mints the first app token and writes it to options->token_out. NULL if there are no keys or the
 * file cannot be written (said on standard error). */
struct tokens *tokens_new(const struct options *options);
void tokens_free(struct tokens *tokens);

/* Borrowed; lives until 256 later ones have been minted. `life_s` may be negative (expired). */
const struct minted *tokens_mint(struct tokens *tokens, enum token_kind kind, const char *user,
                                 long life_s);

/* Mints a new app token and replaces the file by rename. With `revoke` the older app tokens die
 * at once, else they live until they expire. NULL if the file could not be written. */
const struct minted *tokens_rotate(struct tokens *tokens, bool revoke);

/* NULL if it was not minted here, was revoked, or has expired. */
const struct minted *tokens_live(const struct tokens *tokens, struct text token);

#endif

/* proxy/token/scrub.h - finds the app token in what comes back, and masks it with `*`.
 *
 * An occurrence is a whole form of a token (proxy/token/forms.h). Masked bytes keep their number, so
 * every length stays right. A body is looked at as it goes by:
 *
 *      left                     what is here now
 *      ------------------|===========================|~~~~~~~~~~~~~~|
 *                     gone   may leave, masked          held: at least SCRUB_CERTAIN bytes that
 *                                                       begin a form; the next piece decides
 *
 * Up to three bytes that begin a form are not held, so that ordinary streams are not delayed by a
 * letter that happens to stand at the end of a piece; they are remembered, and the rest of the
 * occurrence is masked all the same. What is held is less than the longest form. Pure; fuzzed. */
#ifndef PROXY_TOKEN_SCRUB_H
#define PROXY_TOKEN_SCRUB_H

#include <stdint.h>

#include "config/text.h"

enum { SCRUB_CERTAIN = 4, SCRUB_GONE = SCRUB_CERTAIN - 1 };

/* What to look for; immutable, wiped when freed. */
struct scrub;

/* Copies what it needs of at most two tokens. NULL if none of them is long enough to be watched. */
struct scrub *scrub_new(const struct text *tokens, size_t n);
void scrub_free(struct scrub *scrub);

/* One body on its way; zero-initialise. The matcher may be another one from piece to piece. */
struct scrub_trail {
    char gone[SCRUB_GONE]; /* the last bytes that left, as they came; the latest at the end */
    uint8_t n_gone;
    size_t masked; /* of what is held, so many bytes belong to an occurrence that was found */
};

/* `bytes` begin with what the last call held. Masks, and returns how many of them may leave now: all
 * of them if this is the `last` piece, or `scrub` is NULL. `*found` grows by the occurrences. */
size_t scrub_piece(const struct scrub *scrub, struct scrub_trail *trail, char *bytes, size_t len,
                   bool last, unsigned *found);

/* The same for a text that is all here. */
void scrub_whole(const struct scrub *scrub, char *bytes, size_t len, unsigned *found);

#endif

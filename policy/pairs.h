/* policy/pairs.h - which pairs of neighbouring bytes a text holds, folded into 256 bits.
 *
 * A text that lacks a pair of a piece cannot hold the piece: a few instructions rule out most of
 * many wildcards whose ends are all alike, before anything is searched. */
#ifndef POLICY_PAIRS_H
#define POLICY_PAIRS_H

#include <stdint.h>

#include "config/text.h"

enum { PAIRS_WORDS = 4, PAIRS_TEXT_MAX = 512 /* bytes; longer texts hold almost any pair */ };

struct pairs {
    uint64_t bits[PAIRS_WORDS];
};

/* Adds what `value` holds. */
static inline void pairs_add(struct pairs *pairs, struct text value)
{
    for (size_t i = 1; i < value.len; i++) {
        unsigned pair = (unsigned char)value.at[i - 1] * 31u + (unsigned char)value.at[i];

        pairs->bits[pair / 64 % PAIRS_WORDS] |= (uint64_t)1 << pair % 64;
    }
}

static inline bool pairs_within(const struct pairs *part, const struct pairs *whole)
{
    uint64_t missing = 0;

    for (size_t i = 0; i < PAIRS_WORDS; i++)
        missing |= part->bits[i] & ~whole->bits[i];
    return missing == 0;
}

#endif

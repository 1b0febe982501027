/* policy/affixes.h - which of many texts begin a subject, or end it.
 *
 * The texts are sorted, and each knows the longest other one that begins (ends) it. Whatever begins
 * a subject is then the last text that is not greater than it, or an ancestor of that one: a binary
 * search and a step a match, however many texts there are. Pure; nothing is owned but the arrays
 * that the caller brings. */
#ifndef POLICY_AFFIXES_H
#define POLICY_AFFIXES_H

#include <stdint.h>

#include "config/text.h"

enum affix_side { AFFIX_FRONT, AFFIX_BACK };

struct affix {
    struct text text;
    const struct affix *parent; /* the longest other one that is an affix of this one, or NULL */
    uint32_t from, n;           /* the caller's: what belongs to this text */
};

/* How `a` and `b` are sorted: less than, equal to or greater than 0. */
int affix_compare(enum affix_side side, struct text a, struct text b);

/* Sets the parents of sorted texts, no two of them equal. They must not move from now on. */
void affixes_link(enum affix_side side, struct affix *texts, size_t n);

/* The longest that is an affix of `subject`; the others are its parents. NULL: none is. */
const struct affix *affixes_find(enum affix_side side, const struct affix *texts, size_t n,
                                 struct text subject);

#endif

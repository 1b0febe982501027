/* policy/wild_index.h - finds, among many wildcards, those that match a text.
 *
 * Only those are looked at whose text before the first star begins the subject and whose text
 * behind the last star ends it; the others cost a step of a binary search. Of many with both ends
 * alike, most are ruled out by what else they hold (policy/pairs.h). */
#ifndef POLICY_WILD_INDEX_H
#define POLICY_WILD_INDEX_H

#include "policy/affixes.h"
#include "policy/pairs.h"
#include "policy/pattern.h"

struct wild_index;

/* A pattern that is not literal, and whose it is. Both are borrowed and outlive the index. */
struct wild_item {
    const struct pattern *pattern;
    const void *owner;
};

/* `side` is where the patterns differ most: there the search begins. Copies `items`. */
struct wild_index *wild_index_new(enum affix_side side, const struct wild_item *items, size_t n);
void wild_index_free(struct wild_index *index);

/* A walk over the owners of all patterns that match. Those with the longest text on `side` come
 * first, among these those with the longest at the other end, and equals as they were given. */
struct wild_walk {
    const void *before; /* the caller's: owners are items of one array, and only those before this
                           one are wanted. NULL: all */
    const struct wild_index *index; /* private, as all below */
    struct text subject;
    struct pairs pairs;
    bool pairs_known;
    const struct affix *first, *second;
    size_t next;
};

void wild_walk_init(struct wild_walk *walk, const struct wild_index *index, struct text subject);
const void *wild_walk_next(struct wild_walk *walk); /* NULL: that was all */

#endif

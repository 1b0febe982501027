/* policy/wild_index.h - finds, among many wildcards, those that match a text.
 *
 * Only those are looked at whose text before the first star begins the subject and whose text
 * behind the last star ends it; the others cost a step of a binary search. */
#ifndef POLICY_WILD_INDEX_H
#define POLICY_WILD_INDEX_H

#include "policy/affixes.h"
#include "policy/pattern.h"

struct wild_index;

/* A pattern that is not literal, and whose it is. Both are borrowed and outlive the index. */
struct wild_item {
    const struct pattern *pattern;
    const void *owner;
};

/* `side` is where the patterns differ most: there the search begins. Takes `items`, which came from
 * malloc() or is NULL. */
struct wild_index *wild_index_new(enum affix_side side, struct wild_item *items, size_t n);
void wild_index_free(struct wild_index *index);

/* A walk over the owners of all patterns that match. Those with the longest text on `side` come
 * first, and equals of both ends in the order in which they were given. */
struct wild_walk {
    const struct wild_index *index; /* private, as all below */
    struct text subject;
    const struct affix *first, *second;
    size_t next;
};

void wild_walk_init(struct wild_walk *walk, const struct wild_index *index, struct text subject);
const void *wild_walk_next(struct wild_walk *walk); /* NULL: that was all */

#endif

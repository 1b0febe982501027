/* policy/host_index.h - finds the rule for a host and a path; other hosts' rules cost nothing.
 *
 *   literal host     one lookup by hash
 *   wildcard host    policy/wild_index.h: a binary search, and those that match
 *   literal path     binary search among the literal paths of that host
 *   wildcard path    policy/wild_index.h again
 *
 * A literal host comes before wildcards, a longer end of a wildcard before a shorter one, a literal
 * path before wildcards, and among these the first in the file. */
#ifndef POLICY_HOST_INDEX_H
#define POLICY_HOST_INDEX_H

#include "policy/rule.h"

struct host_index;

struct host_query {
    struct text host; /* canonical */
    bool is_address;  /* of the wildcards, only "*" itself covers an address */
    struct text path;
    uint16_t port;
};

/* Borrows the rules, which must neither move nor change while the index lives. */
struct host_index *host_index_new(const struct rule *rules, size_t n_rules);
void host_index_free(struct host_index *index);

/* A rule that covers the query, or NULL. Sets `*host_named` if any rule is for that host. */
const struct rule *host_index_find(const struct host_index *index, const struct host_query *query,
                                   bool *host_named);

#endif

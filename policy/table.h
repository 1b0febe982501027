/* policy/table.h - texts to pointers, by hash. Keys and values are borrowed and live longer. */
#ifndef POLICY_TABLE_H
#define POLICY_TABLE_H

#include "config/text.h"

struct table {
    struct table_slot *slots;
    size_t n, capacity; /* a power of two, or 0 */
};

void *table_get(const struct table *table, struct text key); /* NULL: not there */
/* Sets the value (not NULL) of `key`; the key text of the first call is the one that stays. */
void table_put(struct table *table, struct text key, void *value);
void table_fini(struct table *table);

#endif

/* Open addressing, linear probing, at most half full. Keys come from the operator's files only, so
 * a client cannot choose colliding ones. */
#include "policy/table.h"

#include <stdint.h>
#include <stdlib.h>

#include "config/memory.h"

struct table_slot {
    struct text key;
    void *value; /* NULL: free */
};

/* Where `key` is, or the free slot where it would go. */
static struct table_slot *slot_of(const struct table *table, struct text key)
{
    size_t at = text_hash(0, key) & (table->capacity - 1);

    while (table->slots[at].value && !text_eq(table->slots[at].key, key))
        at = (at + 1) & (table->capacity - 1);
    return &table->slots[at];
}

void *table_get(const struct table *table, struct text key)
{
    return table->capacity ? slot_of(table, key)->value : NULL;
}

static void grow(struct table *table)
{
    enum { FIRST = 16 };
    struct table old = *table;

    table->capacity = old.capacity ? old.capacity * 2 : FIRST;
    table->slots = mem_alloc(table->capacity, sizeof *table->slots);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].value)
            *slot_of(table, old.slots[i].key) = old.slots[i];
    free(old.slots);
}

void table_put(struct table *table, struct text key, void *value)
{
    struct table_slot *slot;

    if (table->n * 2 >= table->capacity)
        grow(table);
    slot = slot_of(table, key);
    if (!slot->value) {
        slot->key = key;
        table->n++;
    }
    slot->value = value;
}

void table_fini(struct table *table)
{
    free(table->slots);
    *table = (struct table){ 0 };
}

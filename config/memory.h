/* config/memory.h - memory that is there, or no process at all.
 *
 * Ceilings keep us from running out; if it happens all the same, nothing sensible can be answered,
 * so the process ends with a message. No function here returns NULL. free() frees. */
#ifndef CONFIG_MEMORY_H
#define CONFIG_MEMORY_H

#include <stddef.h>

/* `count` zeroed items of `size` bytes each; a product that overflows ends the process too. */
void *mem_alloc(size_t count, size_t size);
/* realloc() to `count` items of `size` bytes; what is new is not zeroed. */
void *mem_resize(void *memory, size_t count, size_t size);
/* Makes room for one more item behind the `n` that are there; capacities are powers of two. */
void *mem_grow(void *memory, size_t n, size_t size);

#endif

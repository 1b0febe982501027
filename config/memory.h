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

/* The struct of `type` that `at` points into, to its `member`. */
#define CONTAINER_OF(at, type, member) ((type *)(void *)((char *)(at)-offsetof(type, member)))

/* Rooms of one size for those who come and go in every turn of the loop: what is given back is kept, up
 * to `max`, for whoever comes next. Each thread has its own list (_Thread_local), that lives as long as the
 * thread. Under AddressSanitizer nothing is kept, so that it still sees who touches what is gone. */
struct mem_spares {
    size_t size; /* at least a pointer's */
    unsigned max, n;
    void *first;
};
void *mem_spare_take(struct mem_spares *spares); /* not zeroed */
void mem_spare_give(struct mem_spares *spares, void *memory);
void mem_spare_fini(struct mem_spares *spares); /* a thread ends: frees what was kept */

#endif

#include "config/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_end(void *memory)
{
    if (!memory) {
        fputs("janus-sidecar: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *mem_alloc(size_t count, size_t size)
{
    /* calloc(0) may return NULL, which is not a lack of memory */
    return or_end(calloc(count ? count : 1, size ? size : 1));
}

void *mem_resize(void *memory, size_t count, size_t size)
{
    return or_end(reallocarray(memory, count ? count : 1, size ? size : 1));
}

void *mem_grow(void *memory, size_t n, size_t size)
{
    enum { FIRST = 4 };

    if (n == 0)
        return mem_resize(memory, FIRST, size);
    if (n < FIRST || (n & (n - 1)) != 0)
        return memory;
    return mem_resize(memory, n * 2, size);
}

#ifdef __SANITIZE_ADDRESS__
static const bool keeps_spares = false;
#else
static const bool keeps_spares = true;
#endif

void *mem_spare_take(struct mem_spares *spares)
{
    void *memory = spares->first;

    if (!memory)
        return or_end(malloc(spares->size));
    memcpy(&spares->first, memory, sizeof(spares->first));
    spares->n--;
    return memory;
}

void mem_spare_give(struct mem_spares *spares, void *memory)
{
    if (!keeps_spares || spares->n == spares->max) {
        free(memory);
        return;
    }
    memcpy(memory, &spares->first, sizeof(spares->first));
    spares->first = memory;
    spares->n++;
}

void mem_spare_fini(struct mem_spares *spares)
{
    while (spares->n)
        free(mem_spare_take(spares));
}

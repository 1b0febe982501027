#include "config/memory.h"

#include <stdio.h>
#include <stdlib.h>

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

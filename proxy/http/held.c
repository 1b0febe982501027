#include "proxy/http/held.h"

#include <assert.h>

static _Thread_local uint64_t held, limit;

void held_set_limit(uint64_t bytes)
{
    limit = bytes;
}

bool held_is_full(void)
{
    return limit && held >= limit;
}

uint64_t held_bytes(void)
{
    return held;
}

void held_change(size_t from, size_t to)
{
    assert(from <= held);
    held = held - from + to;
}

#include "proxy/http/room.h"

#include <stdlib.h>

#include "config/memory.h"
#include "proxy/http/held.h"

static _Thread_local struct mem_spares small = { .size = ROOM_SMALL_BYTES,
                                                 .max = LIMIT_SPARE_ROOMS },
                                       usual = { .size = ROOM_BYTES, .max = LIMIT_SPARE_ROOMS },
                                       large = { .size = ROOM_GATHER_BYTES,
                                                 .max = LIMIT_SPARE_GATHERS };

static struct mem_spares *spares_of(size_t size)
{
    switch (size) {
    case ROOM_SMALL_BYTES:
        return &small;
    case ROOM_BYTES:
        return &usual;
    case ROOM_GATHER_BYTES:
        return &large;
    default:
        return NULL;
    }
}

char *room_take(size_t size)
{
    struct mem_spares *spares = spares_of(size);

    held_change(0, size);
    return spares ? mem_spare_take(spares) : mem_resize(NULL, size, 1);
}

void room_give(char *room, size_t size)
{
    struct mem_spares *spares = spares_of(size);

    if (room)
        held_change(size, 0);
    if (spares && room)
        mem_spare_give(spares, room);
    else
        free(room);
}

void room_thread_end(void)
{
    mem_spare_fini(&small);
    mem_spare_fini(&usual);
    mem_spare_fini(&large);
}

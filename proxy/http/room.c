#include "proxy/http/room.h"

#include <stdlib.h>

#include "config/memory.h"

static _Thread_local struct mem_spares spares = { .size = ROOM_BYTES, .max = LIMIT_SPARE_ROOMS };

char *room_take(size_t size)
{
    return size == ROOM_BYTES ? mem_spare_take(&spares) : mem_resize(NULL, size, 1);
}

void room_give(char *room, size_t size)
{
    if (room && size == ROOM_BYTES)
        mem_spare_give(&spares, room);
    else
        free(room);
}

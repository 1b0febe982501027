/* proxy/http/room.h - where the bytes of buffers and intakes stand. Three sizes, a head's, a TLS record's and
 * several records', are kept when they are given back; any other is malloc()'s. Whoever has a room knows its size. */
#ifndef PROXY_HTTP_ROOM_H
#define PROXY_HTTP_ROOM_H

#include <stddef.h>

#include "proxy/limits.h"

enum {
    ROOM_SMALL_BYTES = 4 * 1024,
    ROOM_BYTES = RELAY_BUFFER_BYTES,
    ROOM_GATHER_BYTES = RELAY_GATHER_BYTES,
};

char *room_take(size_t size); /* not zeroed */
void room_give(char *room, size_t size);
void room_thread_end(void); /* this thread ends: frees what was kept */

#endif

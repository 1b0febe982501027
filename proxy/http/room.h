/* proxy/http/room.h - where the bytes of buffers and intakes stand. The usual size, ROOM_BYTES, is kept
 * when it is given back; any other is malloc()'s. Whoever has a room knows its size. */
#ifndef PROXY_HTTP_ROOM_H
#define PROXY_HTTP_ROOM_H

#include <stddef.h>

#include "proxy/limits.h"

enum { ROOM_BYTES = RELAY_BUFFER_BYTES };

char *room_take(size_t size); /* not zeroed */
void room_give(char *room, size_t size);

#endif

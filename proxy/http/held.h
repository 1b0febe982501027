/* proxy/http/held.h - how many bytes all buffers and intakes of this thread hold together.
 *
 * Counted where memory is taken and given back, never by the byte. Beyond the limit nothing fails here:
 * those who begin something ask held_is_full() first, and what has begun goes on. */
#ifndef PROXY_HTTP_HELD_H
#define PROXY_HTTP_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For this thread; 0: no limit. */
void held_set_limit(uint64_t bytes);
bool held_is_full(void);
uint64_t held_bytes(void);

/* For room.c alone: a room of `from` bytes has become one of `to`. */
void held_change(size_t from, size_t to);

#endif

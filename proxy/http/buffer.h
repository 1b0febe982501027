/* proxy/http/buffer.h - bytes on their way out: grows to a stated maximum, is sent from the front.
 *
 * Embedded; owns its bytes. Passing the maximum marks it `overflowed` and adds nothing more: the
 * writer checks once, at the end. */
#ifndef PROXY_HTTP_BUFFER_H
#define PROXY_HTTP_BUFFER_H

#include "config/text.h"

struct buffer {
    char *bytes;
    size_t size, max;
    size_t start, end; /* bytes[start..end) are waiting */
    size_t used;       /* bytes[used..size) were never written */
    bool overflowed;
    bool keeps; /* what is sent stays, to be sent again; set by the owner */
};

void buffer_init(struct buffer *buffer, size_t max);
void buffer_fini(struct buffer *buffer); /* wipes: a head may hold a token */
void buffer_add(struct buffer *buffer, struct text bytes);
/* Adds `n` bytes that the caller writes at once where it points to; NULL if there is no room. */
char *buffer_extend(struct buffer *buffer, size_t n);
/* So much will be added: one room from the beginning, instead of a move later. A hint. */
void buffer_reserve(struct buffer *buffer, size_t n);
/* Of what waits only the first `n` bytes stay. */
void buffer_cut(struct buffer *buffer, size_t n);
void buffer_add_uint(struct buffer *buffer, unsigned long long value);
void buffer_add_hex(struct buffer *buffer, unsigned long long value);
/* "Name: value\r\n" */
void buffer_add_field(struct buffer *buffer, struct text name, struct text value);

static inline struct text buffer_waiting(const struct buffer *buffer)
{
    return (struct text){ buffer->bytes + buffer->start, buffer->end - buffer->start };
}

/* `n` bytes are gone; when all are, the room is used anew, unless it is kept. */
void buffer_sent(struct buffer *buffer, size_t n);

/* All that was kept waits to be sent again. */
void buffer_rewind(struct buffer *buffer);
/* Keeps no longer: only what waits stays, and a large room is given back. */
void buffer_forget(struct buffer *buffer);

#endif

#include "proxy/http/buffer.h"

#include <assert.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/http/held.h"

enum { FIRST_SIZE = 1024 };

void buffer_init(struct buffer *buffer, size_t max)
{
    *buffer = (struct buffer){ .max = max };
}

void buffer_fini(struct buffer *buffer)
{
    if (buffer->bytes)
        explicit_bzero(buffer->bytes, buffer->size);
    held_change(buffer->size, 0);
    free(buffer->bytes);
    *buffer = (struct buffer){ .max = buffer->max };
}

/* To a room of `size`. Not realloc: the old bytes may hold a token and must not stay behind. */
static void move_to(struct buffer *buffer, size_t size)
{
    char *bytes = mem_resize(NULL, size, 1);

    if (buffer->end)
        memcpy(bytes, buffer->bytes, buffer->end);
    if (buffer->bytes)
        explicit_bzero(buffer->bytes, buffer->size);
    held_change(buffer->size, size);
    free(buffer->bytes);
    buffer->bytes = bytes;
    buffer->size = size;
}

static bool make_room(struct buffer *buffer, size_t n)
{
    size_t size = buffer->size ? buffer->size : FIRST_SIZE;

    if (n <= buffer->size - buffer->end)
        return true;
    if (buffer->start > 0 && !buffer->keeps) { /* use the room of what has left */
        memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->end - buffer->start);
        buffer->end -= buffer->start;
        buffer->start = 0;
        return make_room(buffer, n);
    }
    if (n > buffer->max - buffer->end)
        return false;
    while (size < buffer->end + n)
        size *= 2;
    if (size > buffer->max)
        size = buffer->max;
    move_to(buffer, size);
    return true;
}

void buffer_add(struct buffer *buffer, struct text bytes)
{
    if (buffer->overflowed || !make_room(buffer, bytes.len)) {
        buffer->overflowed = true;
        return;
    }
    if (bytes.len)
        memcpy(buffer->bytes + buffer->end, bytes.at, bytes.len);
    buffer->end += bytes.len;
}

void buffer_cut(struct buffer *buffer, size_t n)
{
    assert(n <= buffer->end - buffer->start);
    buffer->end = buffer->start + n;
    if (n == 0)
        buffer->start = buffer->end = 0;
}

static void add_number(struct buffer *buffer, unsigned long long value, unsigned base)
{
    char digits[24];
    size_t at = sizeof(digits);

    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    buffer_add(buffer, (struct text){ digits + at, sizeof(digits) - at });
}

void buffer_add_uint(struct buffer *buffer, unsigned long long value)
{
    add_number(buffer, value, 10);
}

void buffer_add_hex(struct buffer *buffer, unsigned long long value)
{
    add_number(buffer, value, 16);
}

void buffer_add_field(struct buffer *buffer, struct text name, struct text value)
{
    buffer_add(buffer, name);
    buffer_add(buffer, TEXT(": "));
    buffer_add(buffer, value);
    buffer_add(buffer, TEXT("\r\n"));
}

void buffer_sent(struct buffer *buffer, size_t n)
{
    assert(n <= buffer->end - buffer->start);
    buffer->start += n;
    if (buffer->start == buffer->end && !buffer->keeps)
        buffer->start = buffer->end = 0;
}

void buffer_rewind(struct buffer *buffer)
{
    assert(buffer->keeps || buffer->start == 0);
    buffer->start = 0;
}

void buffer_forget(struct buffer *buffer)
{
    size_t waiting = buffer->end - buffer->start;

    buffer->keeps = false;
    if (waiting == 0) {
        buffer_fini(buffer);
        return;
    }
    memmove(buffer->bytes, buffer->bytes + buffer->start, waiting);
    buffer->start = 0;
    buffer->end = waiting;
    if (buffer->size > 4 * waiting && buffer->size > FIRST_SIZE)
        move_to(buffer, waiting > FIRST_SIZE ? waiting : FIRST_SIZE);
}

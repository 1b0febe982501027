#include "proxy/http/buffer.h"

#include <assert.h>

#include "proxy/http/room.h"

enum { FIRST_SIZE = 1024 };

void buffer_init(struct buffer *buffer, size_t max)
{
    *buffer = (struct buffer){ .max = max };
}

/* Wipes what was ever written there. */
static void leave_room(struct buffer *buffer)
{
    if (buffer->bytes)
        explicit_bzero(buffer->bytes, buffer->used);
    room_give(buffer->bytes, buffer->size);
}

void buffer_fini(struct buffer *buffer)
{
    leave_room(buffer);
    *buffer = (struct buffer){ .max = buffer->max };
}

/* To a room of `size`. Not realloc: the old bytes may hold a token and must not stay behind. */
static void move_to(struct buffer *buffer, size_t size)
{
    char *bytes = room_take(size);

    if (buffer->end)
        memcpy(bytes, buffer->bytes, buffer->end);
    leave_room(buffer);
    buffer->bytes = bytes;
    buffer->size = size;
    buffer->used = buffer->end;
}

/* At most three small steps, so that a head has a head's room; then it doubles. */
static size_t size_for(const struct buffer *buffer, size_t n)
{
    size_t size = FIRST_SIZE;

    while (size < n)
        size *= size < ROOM_BYTES ? 4 : 2;
    return size < buffer->max ? size : buffer->max;
}

static bool make_room(struct buffer *buffer, size_t n)
{
    if (buffer->start > 0 && !buffer->keeps) { /* use the room of what has left */
        memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->end - buffer->start);
        buffer->end -= buffer->start;
        buffer->start = 0;
        return n <= buffer->size - buffer->end || make_room(buffer, n);
    }
    if (n > buffer->max - buffer->end)
        return false;
    move_to(buffer, size_for(buffer, buffer->end + n));
    return true;
}

char *buffer_extend(struct buffer *buffer, size_t n)
{
    bool fits = n <= buffer->size - buffer->end;

    if (buffer->overflowed || (!fits && !make_room(buffer, n))) {
        buffer->overflowed = true;
        return NULL;
    }
    char *at = buffer->bytes + buffer->end;
    buffer->end += n;
    if (buffer->end > buffer->used)
        buffer->used = buffer->end;
    return at;
}

void buffer_reserve(struct buffer *buffer, size_t n)
{
    if (n > buffer->size - buffer->end && n <= buffer->max - buffer->end)
        make_room(buffer, n);
}

void buffer_add(struct buffer *buffer, struct text bytes)
{
    char *at = bytes.len ? buffer_extend(buffer, bytes.len) : NULL;

    if (at)
        memcpy(at, bytes.at, bytes.len);
}

void buffer_cut(struct buffer *buffer, size_t n)
{
    assert(n <= buffer->end - buffer->start);
    buffer->end = buffer->start + n;
    if (n == 0)
        buffer->start = buffer->end = 0;
}

void buffer_add_uint(struct buffer *buffer, unsigned long long value)
{
    char digits[UINT_TEXT_MAX];

    buffer_add(buffer, (struct text){ digits, text_put_uint(digits, value) });
}

void buffer_add_hex(struct buffer *buffer, unsigned long long value)
{
    char digits[2 * sizeof(value)];
    size_t at = sizeof(digits);

    do {
        digits[--at] = "0123456789abcdef"[value & 0xf];
        value >>= 4;
    } while (value);
    buffer_add(buffer, (struct text){ digits + at, sizeof(digits) - at });
}

static char *put(char *at, struct text bytes)
{
    if (bytes.len)
        memcpy(at, bytes.at, bytes.len);
    return at + bytes.len;
}

void buffer_add_field(struct buffer *buffer, struct text name, struct text value)
{
    char *at = buffer_extend(buffer, name.len + value.len + 4);

    if (at)
        put(put(put(put(at, name), TEXT(": ")), value), TEXT("\r\n"));
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

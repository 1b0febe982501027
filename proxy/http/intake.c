#include "proxy/http/intake.h"

#include <assert.h>

#include "proxy/http/room.h"

/* Wiped as far as it was ever written: a head or an echo may hold a token. */
static void leave_room(struct intake *intake)
{
    if (intake->bytes)
        explicit_bzero(intake->bytes, intake->used);
    room_give(intake->bytes, intake->size);
}

void intake_reset(struct intake *intake)
{
    leave_room(intake);
    *intake = (struct intake){ 0 };
}

/* Moves what is held to the front, closing the gap between content and raw bytes. */
static void close_gaps(struct intake *intake)
{
    uint32_t content = intake->content_end - intake->content, raw = intake->raw_end - intake->raw;

    if (content)
        memmove(intake->bytes, intake->bytes + intake->content, content);
    if (raw)
        memmove(intake->bytes + content, intake->bytes + intake->raw, raw);
    intake->content = 0;
    intake->content_end = intake->raw = content;
    intake->raw_end = content + raw;
}

/* Not realloc: the old bytes may hold a token and must not stay behind. */
static void move_to(struct intake *intake, uint32_t size)
{
    char *bytes = room_take(size);

    if (intake->raw_end)
        memcpy(bytes, intake->bytes, intake->raw_end);
    leave_room(intake);
    intake->bytes = bytes;
    intake->size = size;
    intake->used = intake->raw_end;
}

void intake_fit(struct intake *intake, uint32_t size)
{
    uint32_t held = intake->content_end - intake->content + intake->raw_end - intake->raw;

    if (held == 0) {
        intake_reset(intake);
    } else if (intake->size > size && held <= size) {
        close_gaps(intake);
        move_to(intake, size);
    }
}

char *intake_room(struct intake *intake, uint32_t size, size_t *room)
{
    if (intake->size < size)
        move_to(intake, size);
    if (intake_is_empty(intake) || intake->raw_end == intake->size)
        close_gaps(intake);
    *room = intake->size - intake->raw_end;
    return *room ? intake->bytes + intake->raw_end : NULL;
}

void intake_received(struct intake *intake, size_t n)
{
    assert(n <= intake->size - intake->raw_end);
    intake->raw_end += (uint32_t)n;
    if (intake->raw_end > intake->used)
        intake->used = intake->raw_end;
}

struct text intake_content(const struct intake *intake)
{
    return (struct text){ intake->bytes + intake->content, intake->content_end - intake->content };
}

struct text intake_raw(const struct intake *intake)
{
    return (struct text){ intake->bytes + intake->raw, intake->raw_end - intake->raw };
}

void intake_take_content(struct intake *intake, size_t n)
{
    assert(n <= intake->content_end - intake->content);
    intake->content += (uint32_t)n;
}

void intake_take_raw(struct intake *intake, size_t n)
{
    assert(n <= intake->raw_end - intake->raw);
    intake->raw += (uint32_t)n;
    if (intake->content == intake->content_end)
        intake->content = intake->content_end = intake->raw;
}

bool intake_is_empty(const struct intake *intake)
{
    return intake->content == intake->content_end && intake->raw == intake->raw_end;
}

void body_init(struct body *body, struct framing framing)
{
    *body = (struct body){ .framing = framing, .left = framing.length };
    body->done = framing.kind == FRAMING_NONE;
}

/* `n` raw bytes are content; they join what is already waiting. */
static void join_content(struct body *body, struct intake *intake, size_t n, size_t consumed)
{
    if (intake->content == intake->content_end)
        intake->content = intake->content_end = intake->raw;
    if (intake->content_end != intake->raw)
        memmove(intake->bytes + intake->content_end, intake->bytes + intake->raw, n);
    intake->content_end += (uint32_t)n;
    intake->raw += (uint32_t)consumed;
    body->bytes += n;
}

static enum body_result take_chunked(struct body *body, struct intake *intake)
{
    size_t n;
    bool alone = intake->content == intake->content_end;

    if (alone)
        intake->raw += (uint32_t)chunked_skip(&body->chunked, intake->bytes + intake->raw,
                                              intake->raw_end - intake->raw);
    size_t consumed = chunked_decode(&body->chunked, intake->bytes + intake->raw,
                                     intake->raw_end - intake->raw, &n);

    join_content(body, intake, n, consumed);
    body->done = body->chunked.state == CHUNK_DONE;
    return body->chunked.state == CHUNK_BAD ? BODY_BAD : BODY_OK;
}

enum body_result body_take(struct body *body, struct intake *intake)
{
    size_t n = intake->raw_end - intake->raw;

    if (body->done || n == 0)
        return BODY_OK;
    if (body->framing.kind == FRAMING_CHUNKED)
        return take_chunked(body, intake);
    if (body->framing.kind == FRAMING_LENGTH) {
        if (n > body->left)
            n = (size_t)body->left;
        body->left -= n;
        body->done = body->left == 0;
    }
    join_content(body, intake, n, n);
    return BODY_OK;
}

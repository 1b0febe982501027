/* proxy/http/intake.h - bytes received and not yet gone on: content first, then what is still raw.
 *
 *      bytes   content        content_end  raw           raw_end        size
 *        |--------|================|---------|#############|--------------|
 *                  ready to go on             not yet read   room
 *
 * body_take() turns raw bytes into content by the message's framing, in place. Embedded; owns its
 * bytes, which exist only while there is something to hold. Pure; fuzzed. */
#ifndef PROXY_HTTP_INTAKE_H
#define PROXY_HTTP_INTAKE_H

#include "proxy/http/chunked.h"
#include "proxy/http/framing.h"

struct intake {
    char *bytes;
    uint32_t size;
    uint32_t content, content_end;
    uint32_t raw, raw_end;
    uint32_t used; /* bytes[used..size) were never written */
};

/* Wipes the bytes, which may hold a token that came back, and frees them; the intake is empty and usable again. */
void intake_reset(struct intake *intake);

/* For an intake that will wait: in a room of `size` bytes at most, if what is held fits; in none if nothing is. */
void intake_fit(struct intake *intake, uint32_t size);

/* Room for more raw bytes, at least one byte, in a buffer of `size` bytes or more (it only
 * grows). NULL if it is full: somebody must take content away first. */
char *intake_room(struct intake *intake, uint32_t size, size_t *room);
void intake_received(struct intake *intake, size_t n);

struct text intake_content(const struct intake *intake);
struct text intake_raw(const struct intake *intake);
/* The same bytes, for whoever changes them in place. */
static inline char *intake_bytes(struct intake *intake, struct text part)
{
    return intake->bytes + (part.at - intake->bytes);
}
void intake_take_content(struct intake *intake, size_t n);
void intake_take_raw(struct intake *intake, size_t n);
bool intake_is_empty(const struct intake *intake);

/* One message's body as it comes in. */
struct body {
    struct framing framing;
    uint64_t left;  /* of FRAMING_LENGTH */
    uint64_t bytes; /* content so far */
    struct chunked chunked;
    bool done;
};

enum body_result { BODY_OK, BODY_BAD };

void body_init(struct body *body, struct framing framing);

/* Turns as many raw bytes into content as belong to this message; `body->done` when it is complete.
 * FRAMING_UNTIL_CLOSE is complete when the caller says so (body->done = true). */
enum body_result body_take(struct body *body, struct intake *intake);

#endif

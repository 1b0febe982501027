/* proxy/http/chunked.h - takes the chunked coding off (RFC 9112, section 7.1), in place.
 *
 * Extensions are read over, trailers are checked and dropped. A size line and a trailer section
 * have ceilings (limits.h). Pure; fuzzed. */
#ifndef PROXY_HTTP_CHUNKED_H
#define PROXY_HTTP_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum chunked_state {
    CHUNK_SIZE,      /* hex digits */
    CHUNK_BLANK,     /* behind the size */
    CHUNK_EXTENSION, /* from behind the size to the CR */
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER, /* at the start of a trailer line */
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_LAST_LF,
    CHUNK_DONE,
    CHUNK_BAD,
};

/* Zero-initialise for each message. */
struct chunked {
    uint64_t left; /* bytes of the chunk in progress */
    uint32_t line; /* bytes of the size line or trailer section so far */
    uint8_t digits;
    uint8_t state; /* of enum chunked_state */
    bool quoted;   /* inside a quoted extension value */
    bool escaped;
};

/* Reads bytes[0..len). Content is moved to the front: bytes[0..*content). Returns how many bytes
 * were read: all of them unless the message ended (CHUNK_DONE) or is broken (CHUNK_BAD). */
size_t chunked_decode(struct chunked *chunked, char *bytes, size_t len, size_t *content);

/* Reads only what stands before the next content, and returns how many bytes that were. Who looks for
 * content behind them spares it the move to the front. */
size_t chunked_skip(struct chunked *chunked, const char *bytes, size_t len);

#endif

/* tests/bench/response.h - reads one response after the other, only as far as a load generator must. */
#ifndef BENCH_RESPONSE_H
#define BENCH_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum response_state { RESPONSE_HEAD, RESPONSE_LENGTH, RESPONSE_CHUNK_LINE, RESPONSE_CHUNK };

struct response {
    enum response_state state;
    char line[4096]; /* the head, or a chunk's size line, so far */
    size_t line_len;
    uint64_t left;   /* of the body, or of the chunk and its line end */
    uint64_t bytes;  /* of content, so far */
    bool last_chunk; /* its trailer is being read */
};

enum response_result { RESPONSE_MORE, RESPONSE_DONE, RESPONSE_BAD };

/* Takes `n` bytes. DONE at the end of a response; it is ready for the next one then. */
enum response_result response_take(struct response *response, const char *bytes, size_t n);

/* So many bytes that come next are content that need not be looked at. */
static inline uint64_t response_opaque(const struct response *response)
{
    return response->state == RESPONSE_LENGTH ? response->left : 0;
}

/* They came. */
enum response_result response_skip(struct response *response, uint64_t n);

#endif

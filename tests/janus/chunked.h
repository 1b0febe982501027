/* tests/janus/chunked.h - takes the chunked coding off a request's body.
 *
 * Incremental and pure: fed spans of any size, it hands out spans of data and never copies. */
#ifndef TESTS_JANUS_CHUNKED_H
#define TESTS_JANUS_CHUNKED_H

#include <stdint.h>

#include "config/text.h"

enum chunked_result { CHUNKED_DATA, CHUNKED_MORE, CHUNKED_END, CHUNKED_FAULT };

struct chunked {
    int state; /* zero is the start */
    uint64_t left;
    unsigned digits, line; /* of the size; bytes of the extension or trailer line */
    unsigned trailer_bytes;
};

/* Takes from the front of `input`. CHUNKED_DATA: `data` is a span of the body; call again.
 * CHUNKED_MORE: all of `input` is used up. CHUNKED_END: what is left belongs to what follows. */
enum chunked_result chunked_take(struct chunked *c, struct text *input, struct text *data);

#endif

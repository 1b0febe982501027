/* Masking the token in what comes back. The input is a header of four bytes, two tokens, and a body:
 *
 *   byte 0, 1   lengths of the tokens (the second may be none)
 *   byte 2, 3   seed of the sizes of the pieces
 *
 * What must hold: what leaves, and when, is what the oracle says, which looks for every form at every
 * place of the whole; the number of bytes stays. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/scrub_oracle.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { HEADER = 4, BODY_MAX = 4096 };

static void pass(const struct scrub *scrub, struct oracle *oracle, unsigned seed)
{
    struct scrub_trail trail = { .n_gone = 0 };
    char *out = malloc(oracle->len + 1);
    size_t left = 0, end = 0;
    unsigned found = 0;

    do {
        seed = seed * 1103515245 + 12345;
        end += (seed >> 16) % (1 + (seed >> 8) % 64);
        end = end < oracle->len ? end : oracle->len;
        bool last = end == oracle->len;
        size_t len = end - left;
        char *piece = malloc(len ? len : 1);
        memcpy(piece, oracle->whole + left, len);
        size_t n = scrub_piece(scrub, &trail, piece, len, last, &found);
        CHECK(n <= len);
        memcpy(out + left, piece, n);
        CHECK(memcmp(piece + n, oracle->whole + left + n, len - n) == 0);
        free(piece);
        CHECK(left + n == (last ? end : oracle_piece(oracle, left, end)));
        left += n;
    } while (end < oracle->len);
    CHECK(oracle_agrees(oracle, out, left));
    CHECK((found > 0) == (memchr(oracle->covered, 1, oracle->len + 1) != NULL));
    free(out);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct forms forms = { .n = 0 };
    struct text tokens[2];
    struct oracle oracle;

    if (size < HEADER || size < (size_t)HEADER + data[0] + data[1] || size > BODY_MAX)
        return 0;
    const char *at = (const char *)data + HEADER;
    tokens[0] = (struct text){ at, data[0] };
    tokens[1] = (struct text){ at + data[0], data[1] };
    forms_add(&forms, tokens[0]);
    forms_add(&forms, tokens[1]);
    struct scrub *scrub = scrub_new(tokens, 2);
    CHECK((scrub != NULL) == (forms.n > 0));
    at += data[0] + data[1];
    oracle_init(&oracle, &forms, at, size - (size_t)(at - (const char *)data));
    pass(scrub, &oracle, data[2] | (unsigned)data[3] << 8);
    oracle_fini(&oracle);
    scrub_free(scrub);
    forms_fini(&forms);
    return 0;
}

/* tests/janus/bytes.h - the bytes that /_sim/bytes/{n} sends.
 *
 * Pure function of the offset (splitmix64 of offset / 8, little-endian), so that a test checks any
 * span of a download without keeping the rest. */
#ifndef TESTS_JANUS_BYTES_H
#define TESTS_JANUS_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t sim_bytes_word(uint64_t index)
{
    uint64_t z = (index + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline unsigned char sim_byte(uint64_t offset)
{
    return (unsigned char)(sim_bytes_word(offset / 8) >> (offset % 8 * 8));
}

/* The `len` bytes that stand at `offset`. */
static inline void sim_bytes_fill(unsigned char *out, uint64_t offset, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint64_t word = sim_bytes_word((offset + i) / 8);

        do {
            out[i] = (unsigned char)(word >> ((offset + i) % 8 * 8));
            i++;
        } while (i < len && (offset + i) % 8 != 0);
    }
}

#endif

/* policy/readings.h - every path that an origin might see in the path that was sent.
 *
 * Origins differ: one decodes %2e before it resolves "..", one after, one twice; one takes '\' for
 * '/', one drops ";parameters", one reads an encoded '?' as the start of the query. A request is
 * allowed only if every outcome is. The steps, in any order and any number, decoding at most twice
 * in all:
 *
 *   decode                 every escape; those that are malformed after the first time stay
 *   decode but slashes     every escape but %2F (origins that keep an encoded slash encoded)
 *   cut                    once decoded: what stands before the first '?' or '#'
 *   backslash              '\' becomes '/'
 *   parameters             ";..." is dropped from each segment
 *   merge                  a run of '/' becomes one
 *   resolve                "." and ".." segments are resolved (RFC 3986, 5.2.4)
 *   clean                  the same, but the last of them leaves no '/' ("/a/b/.." is "/a")
 *   overlong               %c0%ae and its like, forbidden UTF-8 for an ASCII letter, is that letter
 *
 * A plain path (path_is_plain) has one reading, itself: that costs one scan and no memory. */
#ifndef POLICY_READINGS_H
#define POLICY_READINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/text.h"

enum { PATH_MAX_BYTES = 16 * 1024, READINGS_MAX = 64, DECODINGS_MAX = 2 };

enum reading_step {
    READING_AS_SENT,
    READING_DECODED,
    READING_DECODED_BUT_SLASHES,
    READING_CUT,
    READING_BACKSLASH,
    READING_PARAMETERS,
    READING_MERGED,
    READING_RESOLVED,
    READING_CLEANED,
    READING_OVERLONG,
    N_READING_STEPS,
};

struct reading {
    struct text path;
    char *owned;              /* NULL for the path as sent */
    unsigned char from, step; /* which reading it was made of, by which enum reading_step */
    unsigned char decodings;
};

/* The first is the path as sent, borrowed; the others are owned. */
struct readings {
    size_t n;
    struct reading at[READINGS_MAX];
};

enum readings_result {
    READINGS_OK,
    READINGS_MALFORMED, /* no '/' at its start, '%' without two hex digits, NUL or a control byte */
    READINGS_TOO_LONG,
    READINGS_TOO_MANY, /* so twisted that judging it would cost too much */
};

/* Fills `out`; readings_fini() is due whatever the result is. `out` need not be initialised. */
enum readings_result readings_of(struct text path, struct readings *out);
void readings_fini(struct readings *readings);

/* No escape, backslash, ';', double slash, dot segment, overlong UTF-8 or control byte: it reads
 * one way only. */
bool path_is_plain(struct text path);

/* "decoded, dot segments resolved": how reading `i` came about. Cuts at `size`; returns `out`. */
char *reading_name(const struct readings *readings, size_t i, char *out, size_t size);

#endif

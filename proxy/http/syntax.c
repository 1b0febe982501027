#include "proxy/http/syntax.h"

#include <stdint.h>

enum {
    F = BYTE_FIELD,
    V = BYTE_FIELD | BYTE_TARGET,
    T = BYTE_FIELD | BYTE_TARGET | BYTE_TCHAR,
    N = BYTE_FIELD | BYTE_TCHAR, /* '#': a fragment is no part of a target (RFC 9112, 3.2) */
    X = T | BYTE_HEX,
    D = T | BYTE_HEX | BYTE_DIGIT,
};

/* clang-format off */
const unsigned char syntax_class[256] = {
    /* 00 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, F, 0, 0, 0, 0, 0, 0,
    /* 10 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    /* 20 */ F, T, V, N, T, T, T, T, V, V, T, T, V, T, T, V,
    /* 30 */ D, D, D, D, D, D, D, D, D, D, V, V, V, V, V, V,
    /* 40 */ V, X, X, X, X, X, X, T, T, T, T, T, T, T, T, T,
    /* 50 */ T, T, T, T, T, T, T, T, T, T, T, V, V, V, T, T,
    /* 60 */ T, X, X, X, X, X, X, T, T, T, T, T, T, T, T, T,
    /* 70 */ T, T, T, T, T, T, T, T, T, T, T, V, T, V, T, 0,
    /* 80 */ V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    /* 90 */ V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    /* a0 */ V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    /* b0 */ V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    /* c0 */ V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    /* d0 */ V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    /* e0 */ V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    /* f0 */ V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
};
/* clang-format on */

bool syntax_all(struct text value, enum byte_class kind)
{
    return value.len > 0 && syntax_span(value, kind) == value.len;
}

/* False if one of eight bytes is a control byte or DEL; HTAB, which a value may have, is one of them.
 * No carry leaves a byte: each has its top bit taken off first. */
static bool word_is_plain(const char *at)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x80 * ones;
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    uint64_t low = word & ~tops;
    uint64_t not_control = low + (0x80 - 0x20) * ones, is_del = low + ones;
    return (((not_control & ~is_del) | word) & tops) == tops;
}

bool syntax_is_field(struct text value)
{
    enum { WORD = sizeof(uint64_t) };

    while (value.len >= WORD && word_is_plain(value.at))
        value = (struct text){ value.at + WORD, value.len - WORD };
    return syntax_span(value, BYTE_FIELD) == value.len;
}

bool syntax_next_element(struct text *list, struct text *element)
{
    while (list->len > 0) {
        const char *comma = memchr(list->at, ',', list->len);
        size_t len = comma ? (size_t)(comma - list->at) : list->len;
        size_t skip = comma ? len + 1 : len;

        *element = text_trim((struct text){ list->at, len });
        *list = (struct text){ list->at + skip, list->len - skip };
        if (element->len > 0)
            return true;
    }
    return false;
}

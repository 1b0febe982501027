/* proxy/http/syntax.h - the byte classes of RFC 9110 section 5.6 and RFC 9112. Pure. */
#ifndef PROXY_HTTP_SYNTAX_H
#define PROXY_HTTP_SYNTAX_H

#include <stdbool.h>

#include "config/text.h"

enum byte_class {
    BYTE_TCHAR = 1 << 0,  /* of a token: field names, methods (RFC 9110, 5.6.2) */
    BYTE_FIELD = 1 << 1,  /* of a field value: HTAB, SP, VCHAR, obs-text (RFC 9110, 5.5) */
    BYTE_TARGET = 1 << 2, /* of a target: VCHAR and, as the node clients send them, 0x80-0xff */
    BYTE_DIGIT = 1 << 3,
    BYTE_HEX = 1 << 4,
};

extern const unsigned char syntax_class[256];

static inline bool syntax_is(char byte, enum byte_class kind)
{
    return (syntax_class[(unsigned char)byte] & kind) != 0;
}

/* How many bytes from the first on are of that class. */
static inline size_t syntax_span(struct text value, enum byte_class kind)
{
    size_t n = 0;

    while (n < value.len && syntax_is(value.at[n], kind))
        n++;
    return n;
}

/* True if there is at least one byte and all are of that class. */
bool syntax_all(struct text value, enum byte_class kind);

/* True if all are of BYTE_FIELD, which nearly all bytes are: eight at once. */
bool syntax_is_field(struct text value);

/* Takes the next element off a comma-separated list (RFC 9110, 5.6.1), trimmed; skips empty ones.
 * Returns false at the end. */
bool syntax_next_element(struct text *list, struct text *element);

#endif

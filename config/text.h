/* config/text.h - a span of bytes that somebody else owns.
 *
 * Not NUL-terminated; may hold any byte. `at == NULL` means "not there", which
 * differs from an empty text. ASCII rules only: no function here knows a locale. */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *at;
    size_t len;
};

#define TEXT(literal) ((struct text){ "" literal, sizeof(literal) - 1 })
/* The same for initialisers of static tables, where a compound literal is no constant. */
#define TEXT_INIT(literal)                                                                         \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define TEXT_NONE       ((struct text){ NULL, 0 })
#define TEXT_FMT        "%.*s" /* only for text already known to be printable */
#define TEXT_ARG(value) (int)(value).len, (value).at

static inline struct text text_of(const char *string)
{
    return (struct text){ string, string ? strlen(string) : 0 };
}

static inline struct text text_span(const char *from, const char *to)
{
    return (struct text){ from, (size_t)(to - from) };
}

static inline bool text_eq(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline char ascii_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* What a hex digit of either case stands for, or -1. */
static inline int ascii_hex(char c)
{
    char low = ascii_lower(c);

    if (c >= '0' && c <= '9')
        return c - '0';
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* Equal but for the case of ASCII letters. */
bool text_eq_nocase(struct text a, struct text b);
bool text_starts(struct text whole, struct text start);
bool text_ends(struct text whole, struct text end);

/* Without leading and trailing SP and HTAB (OWS of RFC 9110, 5.6.3). */
struct text text_trim(struct text value);

/* Without blanks and line ends at both ends: what a person or an editor leaves around a value in a file. */
struct text text_trim_lines(struct text value);
/* Every byte is visible ASCII (VCHAR of RFC 5234): no blank, no control, nothing beyond. */
bool text_is_visible(struct text value);

/* For tables in memory; not for what an enemy may choose freely and without a limit. `begin`: 0, or the hash of what
 * stands before. */
uint64_t text_hash(uint64_t begin, struct text value);

/* An unsigned decimal of digits only, at most `max`. False if it is anything else. */
bool text_to_uint(struct text digits, unsigned long long max, unsigned long long *out);

/* Writes `value` in decimal, without a NUL, and returns how many digits that took. */
enum { UINT_TEXT_MAX = 20 };
size_t text_put_uint(char out[UINT_TEXT_MAX], unsigned long long value);

/* A copy with a NUL behind it; the caller frees it. Ends the process when memory is gone. */
char *text_dup(struct text value);

/* Puts `value` into `out` in a printable form: bytes outside 0x20..0x7e and the backslash become
 * \xHH, and what does not fit is cut. Always NUL-terminated. Returns `out`. */
char *text_printable(struct text value, char *out, size_t size);

#endif

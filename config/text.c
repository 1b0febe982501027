#include "config/text.h"

#include <stdint.h>

#include "config/memory.h"

/* Eight letters at once: bytes of 'A' to 'Z' get the bit that makes them small. */
static uint64_t lower_word(const char *at)
{
    const uint64_t ones = 0x0101010101010101;
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    uint64_t low = word & 0x7f * ones;
    uint64_t from_a = low + (0x80 - 'A') * ones, behind_z = low + (0x7f - 'Z') * ones;
    uint64_t capital = from_a & ~behind_z & ~word & 0x80 * ones;
    return word | capital >> 2;
}

bool text_eq_nocase(struct text a, struct text b)
{
    enum { WORD = sizeof(uint64_t) };

    if (a.len != b.len)
        return false;
    if (a.len < WORD) {
        for (size_t i = 0; i < a.len; i++)
            if (ascii_lower(a.at[i]) != ascii_lower(b.at[i]))
                return false;
        return true;
    }
    for (size_t i = 0; i + WORD < a.len; i += WORD)
        if (lower_word(a.at + i) != lower_word(b.at + i))
            return false;
    /* The last word may hold bytes that were compared before. */
    return lower_word(a.at + a.len - WORD) == lower_word(b.at + b.len - WORD);
}

bool text_starts(struct text whole, struct text start)
{
    return whole.len >= start.len && text_eq((struct text){ whole.at, start.len }, start);
}

bool text_ends(struct text whole, struct text end)
{
    if (whole.len < end.len)
        return false;
    if (end.len == 0)
        return true; /* also spares arithmetic on whole.at == NULL */
    return text_eq((struct text){ whole.at + (whole.len - end.len), end.len }, end);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct text text_trim(struct text value)
{
    while (value.len > 0 && is_blank(value.at[0])) {
        value.at++;
        value.len--;
    }
    while (value.len > 0 && is_blank(value.at[value.len - 1]))
        value.len--;
    return value;
}

static bool is_around(char c)
{
    return is_blank(c) || c == '\r' || c == '\n';
}

struct text text_trim_lines(struct text value)
{
    while (value.len > 0 && is_around(value.at[value.len - 1]))
        value.len--;
    while (value.len > 0 && is_around(value.at[0]))
        value = (struct text){ value.at + 1, value.len - 1 };
    return value;
}

bool text_is_visible(struct text value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] <= ' ' || value.at[i] >= 0x7f)
            return false;
    }
    return true;
}

/* Eight bytes a step: the host of every request comes through here, more than once. */
uint64_t text_hash(uint64_t begin, struct text value)
{
    const uint64_t odd = 0x9e3779b97f4a7c15u; /* 2^64 by the golden ratio */
    uint64_t sum = begin ^ value.len, word;
    const char *at = value.at, *end = value.at + value.len;

    for (; end - at >= (ptrdiff_t)sizeof word; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        sum = (sum ^ word) * odd;
        sum ^= sum >> 32;
    }
    for (word = 0; at < end; at++)
        word = word << 8 | (unsigned char)*at;
    sum = (sum ^ word) * odd;
    return sum ^ (sum >> 32);
}

bool text_to_uint(struct text digits, unsigned long long max, unsigned long long *out)
{
    unsigned long long sum = 0;

    if (digits.len == 0)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned char)digits.at[i] - (unsigned)'0';

        if (digit > 9 || sum > max / 10 || digit > max - sum * 10)
            return false;
        sum = sum * 10 + digit;
    }
    *out = sum;
    return true;
}

size_t text_put_uint(char out[UINT_TEXT_MAX], unsigned long long value)
{
    char digits[UINT_TEXT_MAX];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    memcpy(out, digits + at, sizeof(digits) - at);
    return sizeof(digits) - at;
}

char *text_dup(struct text value)
{
    char *copy = mem_alloc(value.len + 1, 1);

    if (value.len > 0)
        memcpy(copy, value.at, value.len);
    return copy;
}

char *text_printable(struct text value, char *out, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;

    if (size == 0)
        return out;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.at[i];
        bool plain = byte >= 0x20 && byte <= 0x7e && byte != '\\';

        if (used + (plain ? 1 : 4) >= size)
            break;
        if (plain) {
            out[used++] = (char)byte;
            continue;
        }
        out[used++] = '\\';
        out[used++] = 'x';
        out[used++] = hex[byte >> 4];
        out[used++] = hex[byte & 15];
    }
    out[used] = '\0';
    return out;
}

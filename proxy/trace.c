#include "proxy/trace.h"

#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* version "-" trace-id "-" parent-id "-" flags */
enum { ID_AT = 3, PARENT_AT = 36, FLAGS_AT = 53 };

/* Small letters only. */
static bool is_hex(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!((at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f')))
            return false;
    }
    return true;
}

static bool is_zero(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (at[i] != '0')
            return false;
    }
    return true;
}

static bool has_form(const char *at)
{
    return is_hex(at, 2) && at[ID_AT - 1] == '-' && is_hex(at + ID_AT, TRACE_ID_CHARS) &&
           at[PARENT_AT - 1] == '-' && is_hex(at + PARENT_AT, TRACE_PARENT_CHARS) &&
           at[FLAGS_AT - 1] == '-' && is_hex(at + FLAGS_AT, 2);
}

/* Version 00 has no more than that; a later one may go on behind a dash; ff is none. */
static bool has_length(struct text value)
{
    bool first = memcmp(value.at, "00", 2) == 0;

    if (value.len == TRACE_TEXT_CHARS)
        return true;
    return !first && value.at[TRACE_TEXT_CHARS] == '-';
}

bool trace_parse(struct text value, struct trace *out)
{
    out->id[0] = out->parent[0] = '\0';
    if (value.len < TRACE_TEXT_CHARS || !has_form(value.at) || !has_length(value) ||
        memcmp(value.at, "ff", 2) == 0 || is_zero(value.at + ID_AT, TRACE_ID_CHARS) ||
        is_zero(value.at + PARENT_AT, TRACE_PARENT_CHARS))
        return false;
    memcpy(out->id, value.at + ID_AT, TRACE_ID_CHARS);
    out->id[TRACE_ID_CHARS] = '\0';
    memcpy(out->parent, value.at + PARENT_AT, TRACE_PARENT_CHARS);
    out->parent[TRACE_PARENT_CHARS] = '\0';
    return true;
}

static void put_hex(char *out, const uint8_t *bytes, size_t n)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = hex[bytes[i] >> 4];
        out[2 * i + 1] = hex[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

/* All zeros would be invalid: a bit that is always set costs nothing. */
void trace_make(struct trace *out)
{
    uint8_t bytes[(TRACE_ID_CHARS + TRACE_PARENT_CHARS) / 2];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        abort();
    bytes[0] |= 1;
    bytes[TRACE_ID_CHARS / 2] |= 1;
    put_hex(out->id, bytes, TRACE_ID_CHARS / 2);
    put_hex(out->parent, bytes + TRACE_ID_CHARS / 2, TRACE_PARENT_CHARS / 2);
}

struct text trace_text(const struct trace *trace, char out[TRACE_TEXT_CHARS + 1])
{
    snprintf(out, TRACE_TEXT_CHARS + 1, "00-%s-%s-01", trace->id, trace->parent);
    return (struct text){ out, TRACE_TEXT_CHARS };
}

/* c-ares parses answers, but not the authority section of one that says no. Only names are stepped over and
 * fixed fields read (RFC 1035, 4.1); no compression pointer is ever followed. */
#include "proxy/origin/dns_negative.h"

enum {
    HEADER_BYTES = 12,
    QUESTION_BYTES = 4, /* behind its name: type, class */
    RECORD_BYTES = 10,  /* behind its name: type, class, TTL, length of data */
    POINTER_BYTES = 2,
    TYPE_SOA = 6,
    SOA_BYTES_MIN = 22, /* two names of one byte, five numbers; the last is MINIMUM */
};

struct cursor {
    const uint8_t *at, *end;
};

static size_t left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static bool skip(struct cursor *cursor, size_t n)
{
    if (left(cursor) < n)
        return false;
    cursor->at += n;
    return true;
}

static unsigned u16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* RFC 2181, 8: a TTL with its highest bit set is none. */
static uint32_t ttl_at(const uint8_t *at)
{
    uint32_t value = (uint32_t)u16(at) << 16 | u16(at + 2);

    return value > INT32_MAX ? 0 : value;
}

static bool skip_name(struct cursor *cursor)
{
    while (left(cursor) > 0) {
        uint8_t length = *cursor->at;

        if (length >= 0xc0)
            return skip(cursor, POINTER_BYTES);
        if (length >= 0x40 || !skip(cursor, 1 + (size_t)length))
            return false;
        if (length == 0)
            return true;
    }
    return false;
}

/* The record's fixed part, or NULL; the cursor goes behind its data, which begins at RECORD_BYTES. */
static const uint8_t *take_record(struct cursor *cursor)
{
    const uint8_t *record;

    if (!skip_name(cursor) || left(cursor) < RECORD_BYTES)
        return NULL;
    record = cursor->at;
    return skip(cursor, RECORD_BYTES + (size_t)u16(record + 8)) ? record : NULL;
}

static bool soa_ttl(const uint8_t *record, uint32_t *ttl_s)
{
    unsigned length = u16(record + 8);

    if (u16(record) != TYPE_SOA || length < SOA_BYTES_MIN)
        return false;
    uint32_t own = ttl_at(record + 4), minimum = ttl_at(record + RECORD_BYTES + length - 4);
    *ttl_s = own < minimum ? own : minimum;
    return true;
}

bool dns_negative_ttl(const uint8_t *message, size_t len, uint32_t *ttl_s)
{
    struct cursor cursor = { message, message + len };
    const uint8_t *record;

    if (len < HEADER_BYTES)
        return false;
    unsigned questions = u16(message + 4), answers = u16(message + 6), authority = u16(message + 8);
    cursor.at += HEADER_BYTES;
    for (unsigned i = 0; i < questions; i++) {
        if (!skip_name(&cursor) || !skip(&cursor, QUESTION_BYTES))
            return false;
    }
    for (unsigned i = 0; i < answers; i++) {
        if (!take_record(&cursor))
            return false;
    }
    for (unsigned i = 0; i < authority && (record = take_record(&cursor)); i++) {
        if (soa_ttl(record, ttl_s))
            return true;
    }
    return false;
}

#include "config/place.h"

#include <assert.h>
#include <stdlib.h>

#include "config/memory.h"

static size_t count_lines(struct text bytes)
{
    size_t n = 1;

    for (size_t i = 0; i < bytes.len; i++)
        n += bytes.at[i] == '\n';
    return n;
}

void place_index_init(struct place_index *index, const char *file, struct text bytes)
{
    size_t n = 0;

    assert(bytes.len < UINT32_MAX);
    *index = (struct place_index){ .file = file, .bytes = bytes, .n_lines = count_lines(bytes) };
    index->lines = mem_alloc(index->n_lines, sizeof(*index->lines));
    index->lines[n++] = 0;
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.at[i] == '\n')
            index->lines[n++] = (uint32_t)i + 1;
}

void place_index_fini(struct place_index *index)
{
    free(index->lines);
    *index = (struct place_index){ 0 };
}

struct place place_of(const struct place_index *index, const char *at)
{
    size_t offset = (size_t)(at - index->bytes.at), low = 0, high = index->n_lines;

    /* lines[low] <= offset < lines[high] */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (index->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return (struct place){ .file = index->file,
                           .line = (unsigned)low + 1,
                           .column = (unsigned)(offset - index->lines[low]) + 1 };
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* `at` is behind the opening quote; returns the closing one, or `end`. */
static const char *string_end(const char *at, const char *end)
{
    while (at < end && *at != '"')
        at += *at == '\\' && end - at > 1 ? 2 : 1;
    return at;
}

static const char *skip_string(const char *at, const char *end)
{
    at = string_end(at + 1, end);
    return at < end ? at + 1 : end;
}

static const char *skip_container(const char *at, const char *end)
{
    size_t depth = 0;

    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if ((*at == '}' || *at == ']') && --depth == 0)
            return at + 1;
        at++;
    }
    return end;
}

static bool ends_scalar(char c)
{
    return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_value(const char *at, const char *end)
{
    if (at == end)
        return end;
    if (*at == '"')
        return skip_string(at, end);
    if (*at == '{' || *at == '[')
        return skip_container(at, end);
    while (at < end && !ends_scalar(*at))
        at++;
    return at;
}

const char *place_root(struct text bytes)
{
    return skip_blanks(bytes.at, bytes.at + bytes.len);
}

void place_walk_init(struct place_walk *walk, const char *container, const char *end)
{
    *walk = (struct place_walk){ .at = container, .end = end };
}

/* A string with a ':' behind it is a key. Leaves `at` at the member's value. */
static const char *read_key(struct place_walk *walk, const char *at)
{
    const char *close, *colon;

    walk->key = TEXT_NONE;
    if (at == walk->end || *at != '"')
        return at;
    close = string_end(at + 1, walk->end);
    colon = skip_blanks(close < walk->end ? close + 1 : close, walk->end);
    if (colon == walk->end || *colon != ':')
        return at;
    walk->key = text_span(at + 1, close);
    return skip_blanks(colon + 1, walk->end);
}

bool place_walk_next(struct place_walk *walk)
{
    const char *at = skip_blanks(walk->at, walk->end);

    /* at the opening bracket, a comma, or the closing bracket */
    if (at == walk->end || (*at != '{' && *at != '[' && *at != ','))
        return false;
    at = skip_blanks(at + 1, walk->end);
    if (at == walk->end || *at == '}' || *at == ']')
        return false;
    walk->value = read_key(walk, at);
    walk->at = skip_value(walk->value, walk->end);
    return true;
}

/* Takes "\\uXXXX" from the front of `key`; false if that is not what stands there. */
static bool take_unit(struct text *key, uint32_t *unit)
{
    *unit = 0;
    if (key->len < 6 || key->at[0] != '\\' || key->at[1] != 'u')
        return false;
    for (int i = 2; i < 6; i++) {
        if (ascii_hex(key->at[i]) < 0)
            return false;
        *unit = *unit * 16 + (uint32_t)ascii_hex(key->at[i]);
    }
    *key = text_span(key->at + 6, key->at + key->len);
    return true;
}

static size_t put_utf8(uint32_t c, char out[4])
{
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

    for (size_t i = len; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[len] | c);
    return len;
}

/* Takes one byte, or one escape, from the front of `key`; returns its length in UTF-8. */
static size_t take_char(struct text *key, char out[4])
{
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *escape;
    uint32_t unit, low;

    if (take_unit(key, &unit)) {
        if (unit >> 10 == 0xd800 >> 10 && take_unit(key, &low))
            unit = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
        return put_utf8(unit, out);
    }
    out[0] = key->at[0];
    if (key->at[0] == '\\' && key->len > 1) {
        escape = key->at[1] ? strchr(escapes, key->at[1]) : NULL;
        out[0] = escape ? meant[escape - escapes] : key->at[1];
        *key = text_span(key->at + 1, key->at + key->len);
    }
    *key = text_span(key->at + 1, key->at + key->len);
    return 1;
}

bool place_key_is(struct text key, const char *name)
{
    struct text rest = text_of(name);
    char bytes[4];

    while (key.len > 0) {
        struct text piece = { bytes, take_char(&key, bytes) };

        if (!text_starts(rest, piece))
            return false;
        rest = text_span(rest.at + piece.len, rest.at + rest.len);
    }
    return rest.len == 0;
}

const char *place_too_deep(struct text bytes, unsigned max)
{
    const char *at = bytes.at, *end = bytes.at + bytes.len;
    unsigned depth = 0;

    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if ((*at == '{' || *at == '[') && ++depth > max)
            return at;
        if ((*at == '}' || *at == ']') && depth > 0)
            depth--;
        at++;
    }
    return NULL;
}

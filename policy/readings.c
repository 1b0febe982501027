#include "policy/readings.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"

/* ---- plain paths ---- */

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool has_control(struct text path)
{
    for (size_t i = 0; i < path.len; i++)
        if (is_control(path.at[i]))
            return true;
    return false;
}

static bool is_dot_segment(struct text segment)
{
    return text_eq(segment, TEXT(".")) || text_eq(segment, TEXT(".."));
}

static const char *segment_end(const char *from, const char *end)
{
    const char *slash = memchr(from, '/', (size_t)(end - from));

    return slash ? slash : end;
}

/* `at` stands on a '/': does an empty or a dot segment that means something follow? */
static bool odd_segment_follows(const char *at, const char *end)
{
    if (at + 1 == end)
        return false;
    if (at[1] == '/')
        return true;
    return at[1] == '.' && is_dot_segment(text_span(at + 1, segment_end(at + 1, end)));
}

/* The ASCII byte for which the two, three or four bytes at `at` are overlong UTF-8, or -1. */
static int overlong_byte(const char *at, const char *end, size_t *len)
{
    const unsigned char *byte = (const unsigned char *)at;
    unsigned value = byte[0] & 1;

    *len = (byte[0] & 0xfe) == 0xc0 ? 2 : byte[0] == 0xe0 ? 3 : byte[0] == 0xf0 ? 4 : 0;
    if (*len == 0 || *len > (size_t)(end - at))
        return -1;
    for (size_t i = 1; i < *len; i++) {
        if ((byte[i] & 0xc0) != 0x80)
            return -1;
        value = value << 6 | (byte[i] & 0x3f);
    }
    return value < 0x80 ? (int)value : -1;
}

/* Does the special byte at `at` give a second reading here? */
static bool is_odd(const char *at, const char *end)
{
    size_t len;

    if (*at == '/')
        return odd_segment_follows(at, end);
    return (unsigned char)*at < 0x80 || overlong_byte(at, end, &len) >= 0;
}

/* Bytes that may give a path a second reading; the others, most of a path, cost one look here. */
#define SIXTEEN                                                                                    \
    true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true
static const bool is_special[256] = {
    SIXTEEN,       SIXTEEN, /* controls */
    ['%'] = true,  ['/'] = true,  [';'] = true,  ['\\'] = true, [0x7f] = true,
    [0xc0] = true, [0xc1] = true, [0xe0] = true, [0xf0] = true, /* overlong UTF-8 begins so */
};

bool path_is_plain(struct text path)
{
    const char *end = path.at + path.len;

    for (const char *at = path.at; at < end; at++)
        if (is_special[(unsigned char)*at] && is_odd(at, end))
            return false;
    return true;
}

/* ---- the steps: each writes at most as many bytes as it reads ---- */

/* The byte that the escape at `at` stands for, or -1. */
static int escaped_byte(const char *at, const char *end)
{
    int high, low;

    if (*at != '%' || end - at < 3)
        return -1;
    high = ascii_hex(at[1]);
    low = ascii_hex(at[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static size_t decode(struct text in, char *out, bool keep_slashes)
{
    const char *end = in.at + in.len;
    size_t used = 0;

    for (const char *at = in.at; at < end; at++) {
        int byte = escaped_byte(at, end);

        if (byte < 0 || (byte == '/' && keep_slashes)) {
            out[used++] = *at;
            continue;
        }
        out[used++] = (char)byte;
        at += 2;
    }
    return used;
}

static size_t decode_all(struct text in, char *out)
{
    return decode(in, out, false);
}

static size_t decode_but_slashes(struct text in, char *out)
{
    return decode(in, out, true);
}

static size_t cut(struct text in, char *out)
{
    size_t used = 0;

    while (used < in.len && in.at[used] != '?' && in.at[used] != '#')
        used++;
    memcpy(out, in.at, used);
    return used;
}

static size_t backslash(struct text in, char *out)
{
    for (size_t i = 0; i < in.len; i++)
        out[i] = (char)(in.at[i] == '\\' ? '/' : in.at[i]);
    return in.len;
}

static size_t drop_parameters(struct text in, char *out)
{
    bool dropping = false;
    size_t used = 0;

    for (size_t i = 0; i < in.len; i++) {
        if (in.at[i] == '/')
            dropping = false;
        else if (in.at[i] == ';')
            dropping = true;
        if (!dropping)
            out[used++] = in.at[i];
    }
    return used;
}

static size_t merge(struct text in, char *out)
{
    size_t used = 0;

    for (size_t i = 0; i < in.len; i++)
        if (in.at[i] != '/' || used == 0 || out[used - 1] != '/')
            out[used++] = in.at[i];
    return used;
}

/* Back to the '/' that begins the last segment written; a climb above the root stays there. */
static size_t drop_last_segment(const char *out, size_t used)
{
    while (used > 0 && out[--used] != '/')
        continue;
    return used;
}

static size_t resolve_as(struct text in, char *out, bool slash_behind)
{
    const char *at = in.at, *end = in.at + in.len;
    size_t used = 0;

    while (at < end) { /* *at == '/' */
        const char *next = segment_end(at + 1, end);
        struct text segment = text_span(at + 1, next);

        if (text_eq(segment, TEXT("..")))
            used = drop_last_segment(out, used);
        if (!is_dot_segment(segment)) {
            memcpy(out + used, at, segment.len + 1);
            used += segment.len + 1;
        } else if (next == end && (slash_behind || used == 0)) {
            out[used++] = '/';
        }
        at = next;
    }
    return used;
}

static size_t resolve(struct text in, char *out)
{
    return resolve_as(in, out, true);
}

static size_t clean(struct text in, char *out)
{
    return resolve_as(in, out, false);
}

static size_t shorten(struct text in, char *out)
{
    const char *end = in.at + in.len;
    size_t used = 0, len;

    for (const char *at = in.at; at < end; at += len) {
        int byte = overlong_byte(at, end, &len);

        len = byte < 0 ? 1 : len;
        out[used++] = byte < 0 ? *at : (char)byte;
    }
    return used;
}

static const struct {
    size_t (*apply)(struct text in, char *out);
    const char *trigger; /* the step changes nothing in a path that has none of these bytes */
    const char *name;
    unsigned char decodings;
    bool only_decoded;
} steps[N_READING_STEPS] = {
    [READING_DECODED] = { decode_all, "%", "decoded", 1, false },
    [READING_DECODED_BUT_SLASHES] = { decode_but_slashes, "%", "decoded except %2F", 1, false },
    [READING_CUT] = { cut, "?#", "cut at the decoded '?' or '#'", 0, true },
    [READING_BACKSLASH] = { backslash, "\\", "'\\' taken as '/'", 0, false },
    [READING_PARAMETERS] = { drop_parameters, ";", "parameters dropped", 0, false },
    [READING_MERGED] = { merge, "/", "slashes merged", 0, false },
    [READING_RESOLVED] = { resolve, ".", "dot segments resolved", 0, false },
    [READING_CLEANED] = { clean, ".", "dot segments resolved, no '/' left behind", 0, false },
    [READING_OVERLONG] = { shorten, "\xc0\xc1\xe0\xf0", "overlong UTF-8 decoded", 0, false },
};

/* ---- all of them ---- */

static bool known(const struct readings *readings, struct text path, unsigned decodings)
{
    for (size_t i = 0; i < readings->n; i++)
        if (readings->at[i].decodings <= decodings && text_eq(readings->at[i].path, path))
            return true;
    return false;
}

static bool applies(const struct reading *from, enum reading_step step)
{
    if (from->decodings + steps[step].decodings > DECODINGS_MAX)
        return false;
    if (steps[step].only_decoded && from->decodings == 0)
        return false;
    for (const char *trigger = steps[step].trigger; *trigger; trigger++)
        if (memchr(from->path.at, *trigger, from->path.len))
            return true;
    return false;
}

static enum readings_result take_step(struct readings *out, size_t i, enum reading_step step,
                                      char *scratch)
{
    const struct reading *from = &out->at[i];
    unsigned decodings = from->decodings + steps[step].decodings;
    struct text made = { scratch, steps[step].apply(from->path, scratch) };
    char *owned;

    if (has_control(made))
        return READINGS_MALFORMED;
    if (known(out, made, decodings))
        return READINGS_OK;
    if (out->n == READINGS_MAX)
        return READINGS_TOO_MANY;
    owned = text_dup(made);
    out->at[out->n++] = (struct reading){
        .path = { owned, made.len },
        .owned = owned,
        .from = (unsigned char)i,
        .step = (unsigned char)step,
        .decodings = (unsigned char)decodings,
    };
    return READINGS_OK;
}

static enum readings_result take_all_steps(struct readings *out)
{
    char *scratch = mem_alloc(out->at[0].path.len, 1);
    enum readings_result result = READINGS_OK;

    for (size_t i = 0; i < out->n && result == READINGS_OK; i++)
        for (int step = READING_DECODED; step < N_READING_STEPS && result == READINGS_OK; step++)
            if (applies(&out->at[i], (enum reading_step)step))
                result = take_step(out, i, (enum reading_step)step, scratch);
    free(scratch);
    return result;
}

static bool well_formed(struct text path)
{
    const char *end = path.at + path.len;

    for (const char *at = path.at; at < end; at++)
        if (is_control(*at) || (*at == '%' && escaped_byte(at, end) < 0))
            return false;
    return true;
}

enum readings_result readings_of(struct text path, struct readings *out)
{
    out->n = 1;
    out->at[0] = (struct reading){ .path = path };
    if (path.len > PATH_MAX_BYTES)
        return READINGS_TOO_LONG;
    if (path.len == 0 || path.at[0] != '/')
        return READINGS_MALFORMED;
    if (path_is_plain(path))
        return READINGS_OK;
    return well_formed(path) ? take_all_steps(out) : READINGS_MALFORMED;
}

void readings_fini(struct readings *readings)
{
    for (size_t i = 1; i < readings->n; i++)
        free(readings->at[i].owned);
    readings->n = 0;
}

char *reading_name(const struct readings *readings, size_t i, char *out, size_t size)
{
    unsigned char chain[READINGS_MAX];
    size_t n = 0, used = 0;

    for (; i > 0; i = readings->at[i].from)
        chain[n++] = readings->at[i].step;
    snprintf(out, size, "%s", n == 0 ? "as sent" : "");
    while (n-- > 0 && used < size) {
        const char *name = steps[chain[n]].name;

        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", name);
    }
    return out;
}

/* First line: a pattern; the rest: a path. What must hold:
 *
 *   a plain path has one reading; every reading begins with '/' and holds no control byte
 *   no two readings are the same path made by as many decodings
 *   what an origin looks up that does everything (decodes twice, turns '\', drops parameters,
 *     merges slashes, resolves dots; written a second time here) is among the readings
 *   the pattern agrees with its definition, for small inputs */
#include <stdio.h>
#include <stdlib.h>

#include "policy/pattern.h"
#include "policy/readings.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static bool slow(struct text p, struct text s)
{
    if (p.len == 0)
        return s.len == 0;
    if (p.at[0] != '*')
        return s.len > 0 && p.at[0] == s.at[0] &&
               slow((struct text){ p.at + 1, p.len - 1 }, (struct text){ s.at + 1, s.len - 1 });
    for (size_t take = 0; take <= s.len; take++)
        if (slow((struct text){ p.at + 1, p.len - 1 }, (struct text){ s.at + take, s.len - take }))
            return true;
    return false;
}

static void check_pattern(struct text source, struct text path)
{
    enum { SMALL = 12 };
    struct pattern *pattern = pattern_new(PATTERN_PATH, source);
    struct pattern *host = pattern_new(PATTERN_HOST, source);
    bool matches = pattern_matches(pattern, path);

    CHECK(!pattern_is_literal(pattern) || matches == text_eq(source, path));
    CHECK(pattern_is_literal(host) || !pattern_matches(host, path) ||
          !memchr(path.at, '/', path.len));
    if (source.len <= SMALL && path.len <= SMALL)
        CHECK(matches == slow(source, path));
    pattern_free(pattern);
    pattern_free(host);
}

static void check_reading(const struct readings *readings, size_t i)
{
    const struct reading *one = &readings->at[i];
    char name[64];

    CHECK(one->path.len > 0 && one->path.at[0] == '/' && one->decodings <= DECODINGS_MAX);
    for (size_t j = 0; j < one->path.len; j++)
        CHECK((unsigned char)one->path.at[j] >= 0x20 && one->path.at[j] != 0x7f);
    for (size_t j = 0; j < i; j++)
        CHECK(!text_eq(readings->at[j].path, one->path) ||
              readings->at[j].decodings > one->decodings);
    CHECK(i == 0 || one->from < i);
    CHECK(strlen(reading_name(readings, i, name, sizeof name)) > 0);
}

/* ---- the same once more, written for clarity only: what a thorough origin would look up ---- */

static int hex(char c)
{
    const char *found = c ? strchr("0123456789abcdef", ascii_lower(c)) : NULL;

    return found ? (int)(found - "0123456789abcdef") : -1;
}

static size_t decode_once(char *at, size_t len)
{
    size_t used = 0;

    for (size_t i = 0; i < len; i++) {
        bool escape = at[i] == '%' && i + 2 < len && hex(at[i + 1]) >= 0 && hex(at[i + 2]) >= 0;

        at[used++] = escape ? (char)(hex(at[i + 1]) * 16 + hex(at[i + 2])) : at[i];
        i += escape ? 2 : 0;
    }
    return used;
}

/* Segment by segment: parameters off, empty ones and "." dropped, ".." taken back. */
static struct text look_up(char *at, size_t len, char *out)
{
    size_t used = 0;

    for (size_t i = 0; i < len;) {
        size_t from = i + 1, to = from;
        struct text segment;
        bool last;

        while (to < len && at[to] != '/' && at[to] != '\\')
            to++;
        last = to == len;
        segment = text_span(at + from, at + to);
        if (memchr(segment.at, ';', segment.len))
            segment.len = (size_t)((const char *)memchr(segment.at, ';', segment.len) - segment.at);
        if (text_eq(segment, TEXT("..")))
            while (used > 0 && out[--used] != '/')
                continue;
        if (segment.len > 0 && !text_eq(segment, TEXT(".")) && !text_eq(segment, TEXT(".."))) {
            out[used++] = '/';
            memcpy(out + used, segment.at, segment.len);
            used += segment.len;
        } else if (last) {
            out[used++] = '/';
        }
        i = to;
    }
    return (struct text){ out, used };
}

static void check_thorough(const struct readings *readings)
{
    struct text sent = readings->at[0].path, found;
    char *at = malloc(sent.len + 1), *out = malloc(sent.len + 1);
    size_t len = sent.len;
    bool there = false;

    CHECK(at && out);
    memcpy(at, sent.at, len);
    len = decode_once(at, decode_once(at, len));
    found = look_up(at, len, out);
    for (size_t i = 0; i < readings->n; i++)
        there = there || text_eq(readings->at[i].path, found);
    CHECK(there);
    free(at);
    free(out);
}

static void check_readings(struct text path)
{
    struct readings readings;

    if (readings_of(path, &readings) == READINGS_OK) {
        CHECK(!path_is_plain(path) || readings.n == 1);
        for (size_t i = 0; i < readings.n; i++)
            check_reading(&readings, i);
        check_thorough(&readings);
    }
    readings_fini(&readings);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct text all = { (const char *)data, size };
    const char *end = size ? memchr(all.at, '\n', size) : NULL;

    if (!end)
        return 0;
    check_readings(text_span(end + 1, all.at + size));
    check_pattern(text_span(all.at, end), text_span(end + 1, all.at + size));
    return 0;
}

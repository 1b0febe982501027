/* A pattern is the literal pieces between its stars. The first piece must begin the subject, the
 * last must end it, and each one between is taken where it first occurs behind the one before: with
 * `*` as the only wildcard that choice never costs a match. So the search walks it only once. */
#include "policy/pattern.h"

#include <stdint.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/host.h"

struct pattern {
    enum pattern_kind kind;
    bool literal;
    uint32_t head, tail; /* bytes before the first star, and behind the last; else the whole */
    uint32_t len;
    char source[]; /* runs of stars made one; hosts in lower case; NUL behind */
};

static void find_ends(struct pattern *made)
{
    const char *first = memchr(made->source, '*', made->len);
    const char *last = memrchr(made->source, '*', made->len);

    made->literal = !first;
    made->head = first ? (uint32_t)(first - made->source) : made->len;
    made->tail = last ? (uint32_t)(made->source + made->len - last - 1) : made->len;
}

struct pattern *pattern_new(enum pattern_kind kind, struct text source)
{
    struct pattern *made = mem_alloc(1, sizeof *made + source.len + 1);

    made->kind = kind;
    for (size_t i = 0; i < source.len; i++) {
        char c = source.at[i];

        if (c == '*' && made->len > 0 && made->source[made->len - 1] == '*')
            continue;
        made->source[made->len++] = kind == PATTERN_HOST ? ascii_lower(c) : c;
    }
    find_ends(made);
    return made;
}

void pattern_free(struct pattern *pattern)
{
    free(pattern);
}

bool pattern_is_literal(const struct pattern *pattern)
{
    return pattern->literal;
}

struct text pattern_source(const struct pattern *pattern)
{
    return (struct text){ pattern->source, pattern->len };
}

struct text pattern_head(const struct pattern *pattern)
{
    return (struct text){ pattern->source, pattern->head };
}

struct text pattern_tail(const struct pattern *pattern)
{
    return (struct text){ pattern->source + pattern->len - pattern->tail, pattern->tail };
}

static bool is_host_text(struct text subject)
{
    for (size_t i = 0; i < subject.len; i++)
        if (!host_is_name_byte(subject.at[i]))
            return false;
    return true;
}

/* Takes `piece` out of the front of `rest`, at least `gap` bytes in. False if it is not there. */
static bool skip_past(struct text *rest, struct text piece, size_t gap)
{
    const char *found;

    if (rest->len < gap)
        return false;
    found = memmem(rest->at + gap, rest->len - gap, piece.at, piece.len);
    if (!found)
        return false;
    *rest = text_span(found + piece.len, rest->at + rest->len);
    return true;
}

/* The pieces between the first star and the last one, each behind the one before it. `rest` has
 * neither head nor tail; `gap` is how short the run of a `*` may be. */
static bool matches_between(const struct pattern *pattern, struct text rest, size_t gap)
{
    const char *star = pattern->source + pattern->head;
    const char *last = pattern->source + pattern->len - pattern->tail - 1;

    while (star != last) {
        const char *next = memchr(star + 1, '*', (size_t)(last - star));

        if (!skip_past(&rest, text_span(star + 1, next), gap))
            return false;
        star = next;
    }
    return rest.len >= gap;
}

static bool matches_wild(const struct pattern *pattern, struct text subject)
{
    struct text head = pattern_head(pattern), tail = pattern_tail(pattern), rest;

    if (subject.len < head.len + tail.len || !text_starts(subject, head) ||
        !text_ends(subject, tail))
        return false;
    rest = (struct text){ subject.at + head.len, subject.len - head.len - tail.len };
    if (pattern->kind == PATTERN_SEGMENT)
        return rest.len > 0 && !memchr(rest.at, '/', rest.len);
    return matches_between(pattern, rest, pattern->kind == PATTERN_HOST ? 1 : 0);
}

bool pattern_matches(const struct pattern *pattern, struct text subject)
{
    if (pattern->literal)
        return text_eq(pattern_source(pattern), subject);
    if (pattern->kind == PATTERN_HOST && !is_host_text(subject))
        return false;
    if (subject.len == 0)
        subject = TEXT(""); /* so that nobody computes with a NULL */
    return matches_wild(pattern, subject);
}

/* A star of the inner one is a byte that no piece of the outer one holds, so only a star can take it. */
bool pattern_covers(const struct pattern *outer, const struct pattern *inner)
{
    if (outer->kind == PATTERN_SEGMENT && !inner->literal)
        return inner->kind == PATTERN_SEGMENT &&
               text_eq(pattern_source(outer), pattern_source(inner));
    return pattern_matches(outer, pattern_source(inner));
}

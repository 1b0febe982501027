/* A pattern is the literal pieces between its stars. The first piece must begin the subject, the
 * last must end it, and each one between is taken where it first occurs behind the one before: with
 * `*` as the only wildcard that choice never costs a match. So the search walks it only once. */
#include "policy/pattern.h"

#include <stdlib.h>

#include "config/memory.h"
#include "policy/host.h"

struct pattern {
    enum pattern_kind kind;
    bool literal;
    size_t len;
    char source[]; /* runs of stars made one; hosts in lower case; NUL behind */
};

struct pattern *pattern_new(enum pattern_kind kind, struct text source)
{
    struct pattern *made = mem_alloc(1, sizeof *made + source.len + 1);

    made->kind = kind;
    made->literal = true;
    for (size_t i = 0; i < source.len; i++) {
        char c = source.at[i];

        if (c == '*') {
            made->literal = false;
            if (made->len > 0 && made->source[made->len - 1] == '*')
                continue;
        }
        made->source[made->len++] = kind == PATTERN_HOST ? ascii_lower(c) : c;
    }
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

/* All but the last `n_tail` bytes. */
static bool is_one_segment(struct text rest, size_t n_tail)
{
    return rest.len > n_tail && !memchr(rest.at, '/', rest.len - n_tail);
}

static bool matches_wild(const struct pattern *pattern, struct text rest)
{
    const char *at = pattern->source, *end = at + pattern->len;
    const char *star = memchr(at, '*', pattern->len), *last = memrchr(at, '*', pattern->len);
    struct text head = text_span(at, star), tail = text_span(last + 1, end);
    size_t gap = pattern->kind == PATTERN_HOST ? 1 : 0; /* how short a run of `*` may be */

    if (!text_starts(rest, head))
        return false;
    rest = (struct text){ rest.at + head.len, rest.len - head.len };
    if (pattern->kind == PATTERN_SEGMENT && !is_one_segment(rest, tail.len))
        return false;
    while (star != last) {
        const char *next = memchr(star + 1, '*', (size_t)(end - star - 1));

        if (!skip_past(&rest, text_span(star + 1, next), gap))
            return false;
        star = next;
    }
    return rest.len >= gap + tail.len && text_ends(rest, tail);
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

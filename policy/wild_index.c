/*   first     what stands at the one end of the patterns, each text once
 *     `--->   second    what stands at their other ends, for each of these
 *               `--->   items    the patterns with both, as given */
#include "policy/wild_index.h"

#include <stdlib.h>

#include "config/memory.h"

struct filed {
    struct wild_item item;
    size_t number;      /* qsort() does not keep the order of equals */
    struct pairs pairs; /* of what stands between the ends */
};

struct level {
    struct affix *at;
    size_t n;
};

struct wild_index {
    enum affix_side side;
    struct level first, second;
    struct filed *items;
};

static enum affix_side other(enum affix_side side)
{
    return side == AFFIX_FRONT ? AFFIX_BACK : AFFIX_FRONT;
}

static struct text end_of(enum affix_side side, const struct wild_item *item)
{
    return side == AFFIX_FRONT ? pattern_head(item->pattern) : pattern_tail(item->pattern);
}

/* ---- building ---- */

static int compare(const void *left, const void *right, void *context)
{
    const struct filed *a = left, *b = right;
    enum affix_side side = *(const enum affix_side *)context;
    int order = affix_compare(side, end_of(side, &a->item), end_of(side, &b->item));

    side = other(side);
    if (order == 0)
        order = affix_compare(side, end_of(side, &a->item), end_of(side, &b->item));
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static struct pairs pairs_between(const struct pattern *pattern)
{
    struct text source = pattern_source(pattern);
    const char *at = source.at + pattern_head(pattern).len + 1;
    const char *end = source.at + source.len - pattern_tail(pattern).len;
    struct pairs pairs = { 0 };

    while (at < end) { /* a star stands before `end` */
        const char *star = memchr(at, '*', (size_t)(end - at));

        pairs_add(&pairs, text_span(at, star));
        at = star + 1;
    }
    return pairs;
}

static struct filed *sorted(enum affix_side side, const struct wild_item *items, size_t n)
{
    struct filed *out = mem_alloc(n, sizeof *out);

    for (size_t i = 0; i < n; i++)
        out[i] = (struct filed){ items[i], i, pairs_between(items[i].pattern) };
    qsort_r(out, n, sizeof *out, compare, &side);
    return out;
}

static bool is_last(const struct level *level, struct text text)
{
    return level->n > 0 && text_eq(level->at[level->n - 1].text, text);
}

/* A new text, to which entry `from` of the level below belongs. */
static void push(struct level *level, struct text text, size_t from)
{
    level->at = mem_grow(level->at, level->n, sizeof *level->at);
    level->at[level->n++] = (struct affix){ .text = text, .from = (uint32_t)from, .n = 1 };
}

static void file(struct wild_index *index, size_t i)
{
    struct text here = end_of(index->side, &index->items[i].item);
    struct text there = end_of(other(index->side), &index->items[i].item);
    struct level *first = &index->first, *second = &index->second;
    bool same = is_last(first, here);

    if (same && is_last(second, there)) {
        second->at[second->n - 1].n++;
        return;
    }
    push(second, there, i);
    if (same)
        first->at[first->n - 1].n++;
    else
        push(first, here, second->n - 1);
}

static void link_all(struct wild_index *index)
{
    struct level *first = &index->first, *second = &index->second;

    first->at = mem_resize(first->at, first->n, sizeof *first->at);
    second->at = mem_resize(second->at, second->n, sizeof *second->at);
    affixes_link(index->side, first->at, first->n);
    for (size_t i = 0; i < first->n; i++)
        affixes_link(other(index->side), &second->at[first->at[i].from], first->at[i].n);
}

struct wild_index *wild_index_new(enum affix_side side, const struct wild_item *items, size_t n)
{
    struct wild_index *index = mem_alloc(1, sizeof *index);

    index->side = side;
    if (n == 0)
        return index;
    index->items = sorted(side, items, n);
    for (size_t i = 0; i < n; i++)
        file(index, i);
    link_all(index);
    return index;
}

void wild_index_free(struct wild_index *index)
{
    if (!index)
        return;
    free(index->first.at);
    free(index->second.at);
    free(index->items);
    free(index);
}

/* ---- finding ---- */

static void enter(struct wild_walk *walk, const struct affix *first)
{
    const struct wild_index *index = walk->index;

    walk->first = first;
    walk->next = 0;
    walk->second = first ? affixes_find(other(index->side), &index->second.at[first->from],
                                        first->n, walk->subject)
                         : NULL;
}

void wild_walk_init(struct wild_walk *walk, const struct wild_index *index, struct text subject)
{
    *walk = (struct wild_walk){ .index = index, .subject = subject };
    enter(walk, affixes_find(index->side, index->first.at, index->first.n, subject));
}

/* Finding out what the subject holds pays only for many. */
static bool may_match(struct wild_walk *walk, const struct filed *filed)
{
    enum { MANY = 4 };

    if (walk->before && filed->item.owner >= walk->before)
        return false;
    if (walk->second->n < MANY || walk->subject.len > PAIRS_TEXT_MAX)
        return true;
    if (!walk->pairs_known)
        pairs_add(&walk->pairs, walk->subject);
    walk->pairs_known = true;
    return pairs_within(&filed->pairs, &walk->pairs);
}

/* The next one of those with both ends alike. */
static const void *next_of_equals(struct wild_walk *walk)
{
    while (walk->next < walk->second->n) {
        const struct filed *filed = &walk->index->items[walk->second->from + walk->next++];

        if (may_match(walk, filed) && pattern_matches(filed->item.pattern, walk->subject))
            return filed->item.owner;
    }
    return NULL;
}

const void *wild_walk_next(struct wild_walk *walk)
{
    while (walk->first) {
        for (; walk->second; walk->second = walk->second->parent, walk->next = 0) {
            const void *found = next_of_equals(walk);

            if (found)
                return found;
        }
        enter(walk, walk->first->parent);
    }
    return NULL;
}

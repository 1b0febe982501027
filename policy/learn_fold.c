/* From many paths to few patterns, segment by segment from the left.
 *
 * Among the paths that share what stands before, segments that look like ids become one `*` as soon
 * as enough distinct ones were seen; others stay. Those at the end of a path are counted apart from
 * those in the middle, because a `*` at the end opens everything below as well:
 *
 *   /orders/1 /orders/2 /orders/3               /orders/ *
 *   /orders/1/items ... /orders/3/items         /orders/ * /items
 *   /orders/1 /orders/2 /orders/3/items         as they are: two and one
 *
 * Readings that no client sent are folded along, but count for nothing. */
#include <stdlib.h>

#include "config/memory.h"
#include "policy/learn_parts.h"

enum { DEPTH_MAX = 200, TOKEN_MIN = 16, HEX_MIN = 8, RUN_MIN = 3, SEGMENT_SHOWN_MAX = 256 };

/* ---- what looks like an id ---- */

/* Undoes escapes, also those of escapes, so that all readings of a segment look alike. */
static size_t undo_escapes(struct text segment, char out[SEGMENT_SHOWN_MAX])
{
    size_t n = segment.len < SEGMENT_SHOWN_MAX ? segment.len : SEGMENT_SHOWN_MAX;

    memcpy(out, segment.at, n);
    for (int round = 0; round < DECODINGS_MAX; round++) {
        size_t used = 0;

        for (size_t i = 0; i < n; i++) {
            bool escape = out[i] == '%' && i + 2 < n && ascii_hex(out[i + 1]) >= 0 &&
                          ascii_hex(out[i + 2]) >= 0;

            out[used++] =
                escape ? (char)(ascii_hex(out[i + 1]) * 16 + ascii_hex(out[i + 2])) : out[i];
            i += escape ? 2 : 0;
        }
        n = used;
    }
    return n;
}

struct looks {
    size_t digits, letters, hex, dashes, others, run; /* run: the longest one of digits */
    bool at_sign;
};

static struct looks looks_of(struct text value)
{
    struct looks looks = { 0 };
    size_t run = 0;

    for (size_t i = 0; i < value.len; i++) {
        char c = ascii_lower(value.at[i]);
        bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'z';

        run = digit ? run + 1 : 0;
        looks.run = run > looks.run ? run : looks.run;
        looks.digits += digit;
        looks.letters += letter;
        looks.hex += ascii_hex(c) >= 0;
        looks.dashes += c == '-';
        looks.others += !digit && !letter && c != '-';
        looks.at_sign = looks.at_sign || c == '@';
    }
    return looks;
}

/* "v2", "v1.1": the version of an interface, which nobody wants to see folded. */
static bool is_version(struct text value)
{
    if (value.len < 2 || ascii_lower(value.at[0]) != 'v')
        return false;
    for (size_t i = 1; i < value.len; i++)
        if (value.at[i] != '.' && (value.at[i] < '0' || value.at[i] > '9'))
            return false;
    return true;
}

bool fold_is_id(struct text segment)
{
    char plain[SEGMENT_SHOWN_MAX];
    struct text value;
    struct looks looks;

    if (segment.len == 0)
        return false;
    value = (struct text){ plain, undo_escapes(segment, plain) };
    looks = looks_of(value);
    if (is_version(value))
        return false;
    return looks.at_sign || looks.run >= RUN_MIN || (looks.digits > 0 && looks.letters == 0) ||
           (looks.digits > 0 && looks.hex >= HEX_MIN && looks.hex + looks.dashes == value.len) ||
           (looks.digits > 1 && value.len >= TOKEN_MIN);
}

/* ---- walking ---- */

struct walk {
    const struct folding *folding;
    char *front; /* the pattern so far, ended by '/' */
    size_t len, room;
    size_t values[DEPTH_MAX + 1];
    size_t n_values;
};

static void walk(struct walk *in, struct fold_path *paths, size_t n, unsigned depth);

static struct text rest_of(const struct fold_path *path)
{
    return (struct text){ path->path.at + path->at, path->path.len - path->at };
}

/* Far down, the rest counts as one. */
static struct text segment_of(const struct fold_path *path, unsigned depth)
{
    struct text rest = rest_of(path);
    const char *slash = depth < DEPTH_MAX && rest.len > 0 ? memchr(rest.at, '/', rest.len) : NULL;

    return slash ? text_span(rest.at, slash) : rest;
}

static bool is_last(const struct fold_path *path, struct text segment)
{
    return path->at + segment.len == path->path.len;
}

/* Folded ones first, then by segment, whole paths before longer ones. The depth does not matter:
 * what stands behind a first '/' decides only between those that share it. */
static int compare(const void *left, const void *right)
{
    const struct fold_path *a = left, *b = right;
    struct text x = segment_of(a, 0), y = segment_of(b, 0);
    int order;

    if (a->folded != b->folded)
        return a->folded ? -1 : 1;
    order = memcmp(x.at, y.at, x.len < y.len ? x.len : y.len);
    if (order == 0)
        order = (x.len > y.len) - (x.len < y.len);
    if (order == 0)
        order = is_last(b, y) - is_last(a, x);
    return order;
}

static void push(struct walk *in, struct text segment)
{
    if (in->len + segment.len + 1 > in->room) {
        in->room = 2 * (in->len + segment.len + 1);
        in->front = mem_resize(in->front, in->room, 1);
    }
    if (segment.len > 0)
        memcpy(in->front + in->len, segment.at, segment.len);
    in->len += segment.len;
}

static void found(struct walk *in, struct text last)
{
    size_t len = in->len;

    push(in, last);
    in->folding->found(in->folding->context, (struct text){ in->front, in->len }, in->values,
                       in->n_values);
    in->len = len;
}

/* ---- counting ---- */

enum kind { ID, WORD, N_KINDS };

struct census {
    size_t n[N_KINDS][2]; /* distinct segments that were sent: in the middle, at the end */
    bool folds[N_KINDS][2];
};

static bool is_same(const struct fold_path *a, const struct fold_path *b, unsigned depth)
{
    struct text x = segment_of(a, depth), y = segment_of(b, depth);

    return text_eq(x, y) && is_last(a, x) == is_last(b, y);
}

static bool has_enough(size_t n, unsigned least)
{
    return least > 0 && n >= least;
}

static struct census take_census(const struct walk *in, const struct fold_path *paths, size_t n,
                                 unsigned depth)
{
    struct census census = { 0 };

    for (size_t i = 0, end; i < n; i = end) {
        struct text segment = segment_of(&paths[i], depth);
        bool sent = false;

        for (end = i; end < n && is_same(&paths[i], &paths[end], depth); end++)
            sent = sent || paths[end].sent;
        census.n[fold_is_id(segment) ? ID : WORD][is_last(&paths[i], segment)] += sent;
    }
    for (int last = 0; last < 2 && depth >= in->folding->skip; last++) {
        census.folds[ID][last] = has_enough(census.n[ID][last], in->folding->ids);
        census.folds[WORD][last] = has_enough(census.n[WORD][last], in->folding->words);
    }
    return census;
}

/* A `*` at the end of what stands before covers all the paths here. */
static bool fold_at_end(struct walk *in, const struct census *census)
{
    size_t n = 0;

    for (int kind = 0; kind < N_KINDS; kind++)
        n += census->folds[kind][1] ? census->n[kind][1] : 0;
    if (n == 0)
        return false;
    in->values[in->n_values++] = n;
    found(in, TEXT("*"));
    in->n_values--;
    return true;
}

static void note_words(struct walk *in, const struct census *census)
{
    size_t n = census->n[WORD][0] + census->n[WORD][1], len = in->len;

    if (n < LEARN_WORDS_HINT || census->folds[WORD][0] || census->folds[WORD][1])
        return;
    push(in, TEXT("*"));
    in->folding->many_words(in->folding->context, (struct text){ in->front, in->len }, n);
    in->len = len;
}

/* ---- going on ---- */

static void go_down(struct walk *in, struct text as, struct fold_path *paths, size_t n,
                    unsigned depth)
{
    size_t len = in->len;

    for (size_t i = 0; i < n; i++) {
        paths[i].at += segment_of(&paths[i], depth).len + 1;
        paths[i].folded = false;
    }
    push(in, as);
    push(in, TEXT("/"));
    walk(in, paths, n, depth + 1);
    in->len = len;
}

/* Those that fold in the middle come to the front; how many there are. */
static size_t gather_folded(const struct census *census, struct fold_path *paths, size_t n,
                            unsigned depth)
{
    size_t n_folded = 0;

    for (size_t i = 0; i < n; i++) {
        struct text segment = segment_of(&paths[i], depth);

        paths[i].folded =
            !is_last(&paths[i], segment) && census->folds[fold_is_id(segment) ? ID : WORD][0];
        n_folded += paths[i].folded;
    }
    if (n_folded > 0)
        qsort(paths, n, sizeof *paths, compare);
    return n_folded;
}

static void walk_folded(struct walk *in, const struct census *census, struct fold_path *paths,
                        size_t n, unsigned depth)
{
    size_t values = 0;

    for (int kind = 0; kind < N_KINDS; kind++)
        values += census->folds[kind][0] ? census->n[kind][0] : 0;
    in->values[in->n_values++] = values;
    go_down(in, TEXT("*"), paths, n, depth);
    in->n_values--;
}

static void walk(struct walk *in, struct fold_path *paths, size_t n, unsigned depth)
{
    struct census census;
    size_t from;

    qsort(paths, n, sizeof *paths, compare);
    census = take_census(in, paths, n, depth);
    if (fold_at_end(in, &census))
        return;
    note_words(in, &census);
    from = gather_folded(&census, paths, n, depth);
    if (from > 0)
        walk_folded(in, &census, paths, from, depth);
    for (size_t end; from < n; from = end) {
        struct text segment = segment_of(&paths[from], depth);

        for (end = from; end < n && is_same(&paths[from], &paths[end], depth); end++)
            ;
        if (is_last(&paths[from], segment))
            found(in, segment);
        else
            go_down(in, segment, paths + from, end - from, depth);
    }
}

void fold_paths(const struct folding *folding, struct fold_path *paths, size_t n)
{
    struct walk in = { .folding = folding };

    for (size_t i = 0; i < n; i++) {
        paths[i].at = 1;
        paths[i].folded = false;
    }
    push(&in, TEXT("/"));
    if (n > 0)
        walk(&in, paths, n, 0);
    free(in.front);
}

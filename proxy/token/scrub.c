/* Boyer and Moore's idea for many needles (Wu and Manber): a window slides over the bytes, and the four
 * bytes at its end say how far it may go. Bytes that stand in no needle let it go its whole width.
 *
 *      form      |o o o|. . . . . . . . . . . . . .|. . . .      o: may have left already
 *                      `-------- window -----------'
 *
 * Each form's window begins behind its first three bytes, because those may have left. */
#include "proxy/token/scrub.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/token/forms.h"

enum {
    BLOCK = 4,
    WINDOW_MAX = 256, /* wider would only fill the table */
    TABLE_BITS = 13,
};

#define NOWHERE PTRDIFF_MAX

_Static_assert((int)FORM_TOKEN_MIN >= SCRUB_GONE + BLOCK, "the window holds a block");
_Static_assert((int)BLOCK == SCRUB_CERTAIN, "a beginning is recognised by one block");

struct needle {
    struct text form;
    uint32_t first, last; /* its first block, and the last of its window */
};

struct scrub {
    size_t window;
    size_t n;
    struct needle needles[FORMS_MAX];
    struct forms forms;
    uint8_t skips[1 << TABLE_BITS];
};

static uint32_t block_at(const char *at)
{
    uint32_t block;

    memcpy(&block, at, sizeof(block));
    return block;
}

static size_t slot_of(uint32_t block)
{
    return block * 0x9e3779b1U >> (32 - TABLE_BITS);
}

/* ---- building ---- */

static void add_needle(struct scrub *scrub, struct text form)
{
    const char *window = form.at + SCRUB_GONE;
    size_t last = scrub->window - BLOCK;

    scrub->needles[scrub->n++] =
        (struct needle){ form, block_at(form.at), block_at(window + last) };
    for (size_t i = 0; i <= last; i++) {
        uint8_t *skip = &scrub->skips[slot_of(block_at(window + i))];
        if (*skip > last - i)
            *skip = (uint8_t)(last - i);
    }
}

struct scrub *scrub_new(const struct text *tokens, size_t n)
{
    struct scrub *scrub = mem_alloc(1, sizeof(*scrub));

    assert(n <= 2);
    for (size_t i = 0; i < n; i++)
        forms_add(&scrub->forms, tokens[i]);
    if (!scrub->forms.n) {
        scrub_free(scrub);
        return NULL;
    }
    scrub->window = WINDOW_MAX;
    for (size_t i = 0; i < scrub->forms.n; i++) {
        size_t width = scrub->forms.items[i].len - SCRUB_GONE;
        scrub->window = width < scrub->window ? width : scrub->window;
    }
    memset(scrub->skips, (int)(scrub->window - BLOCK + 1), sizeof(scrub->skips));
    for (size_t i = 0; i < scrub->forms.n; i++)
        add_needle(scrub, scrub->forms.items[i]);
    return scrub;
}

void scrub_free(struct scrub *scrub)
{
    if (!scrub)
        return;
    forms_fini(&scrub->forms);
    OPENSSL_cleanse(scrub, sizeof(*scrub));
    free(scrub);
}

/* ---- looking ---- */

/* Positions count from the beginning of the piece; what has left stands before it, at -1, -2, -3.
 * Occurrences are found in order, and masked when no other can begin in them any more: until then
 * [mask, mask_end) stays as it came. */
struct look {
    const struct scrub *scrub;
    const struct scrub_trail *trail;
    char *bytes;
    ptrdiff_t len;
    bool last;
    ptrdiff_t mask, mask_end;
    ptrdiff_t hold; /* where something unfinished begins, or NOWHERE */
    unsigned found;
};

/* The bytes from `start` on are the form's, as far as they are here. */
static bool agrees(const struct look *look, struct text form, ptrdiff_t start)
{
    const struct scrub_trail *trail = look->trail;
    size_t n = 0;

    for (; start < 0; start++, n++) {
        if (-start > trail->n_gone || trail->gone[SCRUB_GONE + start] != form.at[n])
            return false;
    }
    size_t left = form.len - n, here = (size_t)(look->len - start);
    return memcmp(look->bytes + start, form.at + n, left < here ? left : here) == 0;
}

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b)
{
    return a < b ? a : b;
}

static void mask_until(struct look *look, ptrdiff_t end)
{
    end = least(look->mask_end, end);
    if (end > look->mask)
        memset(look->bytes + look->mask, '*', (size_t)(end - look->mask));
}

static void note_occurrence(struct look *look, ptrdiff_t start, ptrdiff_t end)
{
    ptrdiff_t from = start < 0 ? 0 : start;

    look->found++;
    if (from > look->mask_end) {
        mask_until(look, look->mask_end);
        look->mask = from;
    }
    if (end > look->mask_end)
        look->mask_end = end;
}

/* The window stands at `window`, and its end looks like a needle's. False if something unfinished begins
 * here: nothing behind it can be decided now. */
static bool look_closely(struct look *look, ptrdiff_t window)
{
    const struct scrub *scrub = look->scrub;
    uint32_t last = block_at(look->bytes + window + scrub->window - BLOCK);
    ptrdiff_t start = window - SCRUB_GONE, end = start;

    for (size_t i = 0; i < scrub->n; i++) {
        const struct needle *needle = &scrub->needles[i];
        ptrdiff_t needle_end = start + (ptrdiff_t)needle->form.len;
        if (needle->last != last || !agrees(look, needle->form, start))
            continue;
        if (needle_end > look->len) {
            if (look->last)
                continue;
            look->hold = start;
            return false;
        }
        end = needle_end > end ? needle_end : end;
    }
    if (end > start)
        note_occurrence(look, start, end);
    return true;
}

/* Where the window stands when it has left the piece, or where it found something unfinished. */
static ptrdiff_t slide(struct look *look)
{
    const uint8_t *skips = look->scrub->skips;
    ptrdiff_t window = (ptrdiff_t)look->scrub->window, end = window;

    while (end <= look->len) {
        uint8_t skip = skips[slot_of(block_at(look->bytes + end - BLOCK))];
        if (skip) {
            end += skip;
            continue;
        }
        if (!look_closely(look, end - window))
            break;
        end++;
    }
    return end - window;
}

static bool begins_form(const struct look *look, ptrdiff_t start)
{
    const struct scrub *scrub = look->scrub;

    for (size_t i = 0; i < scrub->n; i++) {
        const struct needle *needle = &scrub->needles[i];
        if ((start < 0 || block_at(look->bytes + start) == needle->first) &&
            agrees(look, needle->form, start))
            return true;
    }
    return false;
}

/* What begins a form at the end of the piece, too short for the window: the window's skip over the
 * piece's last block says where it can begin at the earliest. */
static void look_at_end(struct look *look, ptrdiff_t window)
{
    const struct scrub *scrub = look->scrub;
    ptrdiff_t start = window - SCRUB_GONE;

    if (look->len >= BLOCK) {
        size_t slot = slot_of(block_at(look->bytes + look->len - BLOCK));
        ptrdiff_t earliest = look->len - (ptrdiff_t)scrub->window + scrub->skips[slot];
        if (start < earliest - SCRUB_GONE)
            start = earliest - SCRUB_GONE;
    }
    for (; start <= look->len - SCRUB_CERTAIN; start++) {
        if (begins_form(look, start)) {
            look->hold = start;
            return;
        }
    }
}

/* Only what begins less than SCRUB_CERTAIN bytes before the end can still become an occurrence
 * without being held; where something is held, nothing that left can. */
static void remember(struct scrub_trail *trail, const char *bytes, size_t left, bool held)
{
    if (held && left) {
        trail->n_gone = 0;
        return;
    }
    size_t keep = left < SCRUB_GONE ? left : SCRUB_GONE, older = SCRUB_GONE - keep;
    memmove(trail->gone, trail->gone + keep, older);
    if (keep)
        memcpy(trail->gone + older, bytes + left - keep, keep);
    size_t n = trail->n_gone + keep;
    trail->n_gone = (uint8_t)(n < SCRUB_GONE ? n : SCRUB_GONE);
}

size_t scrub_piece(const struct scrub *scrub, struct scrub_trail *trail, char *bytes, size_t len,
                   bool last, unsigned *found)
{
    struct look look = { .scrub = scrub,
                         .trail = trail,
                         .bytes = bytes,
                         .len = (ptrdiff_t)len,
                         .last = last,
                         .mask_end = (ptrdiff_t)trail->masked,
                         .hold = NOWHERE };

    if (scrub && len) {
        ptrdiff_t window = slide(&look);
        if (look.hold == NOWHERE && !last)
            look_at_end(&look, window);
    }
    ptrdiff_t leaves = look.hold < 0 ? 0 : least(look.hold, look.len);
    remember(trail, bytes, (size_t)leaves, leaves < look.len);
    mask_until(&look, leaves);
    trail->masked = look.mask_end > leaves ? (size_t)(look.mask_end - leaves) : 0;
    *found += look.found;
    return (size_t)leaves;
}

void scrub_whole(const struct scrub *scrub, char *bytes, size_t len, unsigned *found)
{
    struct scrub_trail trail = { .n_gone = 0 };

    scrub_piece(scrub, &trail, bytes, len, true, found);
}

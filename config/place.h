/* config/place.h - where things stand in a JSON text.
 *
 * jansson decodes, but forgets where a value stood. These functions walk the same text again,
 * without decoding it and without building anything but a list of lines: one walk over an object or
 * array is linear in its text, so 100,000 policies cost a few passes over the file. The text must
 * have been accepted by a JSON parser for the answers to mean anything; on any other bytes they
 * mean nothing, but never read outside the text. */
#ifndef CONFIG_PLACE_H
#define CONFIG_PLACE_H

#include <stdint.h>

#include "config/diag.h"
#include "config/text.h"

/* Turns an offset into line and column. Borrows `file` and `bytes`; texts of 4 GiB and more are not
 * for this. */
struct place_index {
    const char *file;
    struct text bytes;
    uint32_t *lines; /* offset of each line's first byte */
    size_t n_lines;
};

void place_index_init(struct place_index *index, const char *file, struct text bytes);
void place_index_fini(struct place_index *index);
/* `at` points into the bytes, or right behind them. */
struct place place_of(const struct place_index *index, const char *at);

/* A walk over the members of one object or the items of one array, in the order of the text. */
struct place_walk {
    struct text key;   /* as written between the quotes, escapes and all; at == NULL in an array */
    const char *value; /* the member's value */
    const char *at, *end; /* private */
};

/* `container` points at the '{' or '['. */
void place_walk_init(struct place_walk *walk, const char *container, const char *end);
bool place_walk_next(struct place_walk *walk);

/* True if a key as written ("h\u006fst") means `name`. */
bool place_key_is(struct text key, const char *name);

/* The root value: behind leading blanks. */
const char *place_root(struct text bytes);

/* The first bracket that opens a level deeper than `max`, or NULL. */
const char *place_too_deep(struct text bytes, unsigned max);

#endif

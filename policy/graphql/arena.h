/* policy/graphql/arena.h - memory for one tree: taken piece by piece, given back at once.
 *
 * Nothing taken here is freed on its own. How much is taken is the caller's to bound: the parser
 * counts its nodes, and what it decodes is never longer than the document. */
#ifndef POLICY_GRAPHQL_ARENA_H
#define POLICY_GRAPHQL_ARENA_H

#include <stddef.h>

struct arena_block;

/* Zero-initialised is empty. */
struct arena {
    struct arena_block *blocks; /* the newest first */
    char *at, *end;             /* what is free in the newest */
};

void arena_fini(struct arena *arena);
/* As after fini, but the first block stays for the next document. */
void arena_clear(struct arena *arena);

/* `size` bytes, aligned for any of our structs, not zeroed. */
void *arena_take_slowly(struct arena *arena, size_t size);

static inline void *arena_take(struct arena *arena, size_t size)
{
    size_t rounded = (size + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
    void *taken = arena->at;

    if (rounded > (size_t)(arena->end - arena->at))
        return arena_take_slowly(arena, rounded);
    arena->at += rounded;
    return taken;
}

#endif

#include "policy/graphql/arena.h"

#include <stdlib.h>

#include "config/memory.h"

enum { FIRST_BYTES = 32 * 1024, MOST_BYTES = 1024 * 1024 };

struct arena_block {
    struct arena_block *older;
    size_t size;
    void *bytes[]; /* void *: for the alignment */
};

static void use_block(struct arena *arena, struct arena_block *block)
{
    arena->at = (char *)block->bytes;
    arena->end = arena->at + block->size;
}

static size_t next_size(const struct arena *arena, size_t least)
{
    size_t size = arena->blocks ? 2 * arena->blocks->size : FIRST_BYTES;

    if (size > MOST_BYTES)
        size = MOST_BYTES;
    return size > least ? size : least;
}

void *arena_take_slowly(struct arena *arena, size_t size)
{
    size_t room = next_size(arena, size);
    struct arena_block *block = mem_resize(NULL, sizeof(*block) + room, 1);
    void *taken;

    *block = (struct arena_block){ .older = arena->blocks, .size = room };
    arena->blocks = block;
    use_block(arena, block);
    taken = arena->at;
    arena->at += size;
    return taken;
}

void arena_clear(struct arena *arena)
{
    if (!arena->blocks)
        return;
    while (arena->blocks->older) {
        struct arena_block *block = arena->blocks;

        arena->blocks = block->older;
        free(block);
    }
    use_block(arena, arena->blocks);
}

void arena_fini(struct arena *arena)
{
    arena_clear(arena);
    free(arena->blocks);
    *arena = (struct arena){ 0 };
}

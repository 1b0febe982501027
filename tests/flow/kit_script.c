#include "tests/flow/kit_script.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

void script_write(const struct script *script, char text[SCRIPT_TEXT_MAX])
{
    snprintf(text, SCRIPT_TEXT_MAX, "%u,%u,%u,%u,%c,%c,%u,%u,%u,%u,%d,%d", script->status,
             script->seed, script->size, script->chunk, script->framing, script->fault,
             script->fault_at, script->delay_ms, script->interim, script->pieces, script->leaves,
             script->early);
}

bool script_read(const char *text, struct script *script)
{
    char framing, fault;
    int leaves, early;

    if (sscanf(text, "%u,%u,%u,%u,%c,%c,%u,%u,%u,%u,%d,%d", &script->status, &script->seed,
               &script->size, &script->chunk, &framing, &fault, &script->fault_at,
               &script->delay_ms, &script->interim, &script->pieces, &leaves, &early) != 12)
        return false;
    script->framing = (enum script_framing)framing;
    script->fault = (enum script_fault)fault;
    script->leaves = leaves;
    script->early = early;
    return script->size <= CONTENT_MAX;
}

/* ---- content ---- */

enum { PERIOD = 65521, STEP = 7919, PIECE = 16 * 1024 }; /* primes: no buffer's size divides them */

static char pattern[PERIOD + PIECE];

static void make_pattern(void)
{
    struct dice dice = { 1 };

    for (size_t i = 0; i < PERIOD; i++)
        pattern[i] = (char)('!' + dice_of(&dice, 90));
    memcpy(pattern + PERIOD, pattern, PIECE);
}

static const char *content_at(unsigned seed, size_t at)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_pattern);
    return pattern + ((uint64_t)seed * STEP + at) % PERIOD;
}

static size_t piece_of(size_t n)
{
    return n < PIECE ? n : PIECE;
}

void content_write(unsigned seed, size_t from, char *bytes, size_t n)
{
    for (size_t at = 0; at < n; at += PIECE)
        memcpy(bytes + at, content_at(seed, from + at), piece_of(n - at));
}

bool content_is(unsigned seed, size_t from, const char *bytes, size_t n)
{
    for (size_t at = 0; at < n; at += PIECE) {
        if (memcmp(bytes + at, content_at(seed, from + at), piece_of(n - at)) != 0)
            return false;
    }
    return true;
}

/* ---- dice: splitmix64 ---- */

uint64_t dice_roll(struct dice *dice)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

unsigned dice_of(struct dice *dice, unsigned n)
{
    return (unsigned)(dice_roll(dice) % n);
}

bool dice_one_in(struct dice *dice, unsigned n)
{
    return dice_of(dice, n) == 0;
}

#include "tests/flow/kit_script.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void script_write(const struct script *script, char text[SCRIPT_TEXT_MAX])
{
    snprintf(text, SCRIPT_TEXT_MAX, "%u,%u,%u,%u,%c,%c,%u,%u,%u,%u,%d,%d", script->status,
             script->seed, script->size, script->chunk, script->framing, script->fault,
             script->fault_at, script->delay_ms, script->interim, script->pieces, script->leaves,
             script->early);
}

/* The next field, a number or a letter, and the comma behind it. */
static bool next_field(const char **at, bool letter, unsigned *value)
{
    char *end = (char *)(uintptr_t)*at;

    if (letter && *end)
        *value = (unsigned char)*end++;
    else if (!letter)
        *value = (unsigned)strtoul(*at, &end, 10);
    if (end == *at || (*end && *end != ','))
        return false;
    *at = *end ? end + 1 : end;
    return true;
}

bool script_read(const char *text, struct script *script)
{
    unsigned framing, fault, leaves, early;
    struct {
        unsigned *value;
        bool letter;
    } fields[] = {
        { &script->status, false },   { &script->seed, false },     { &script->size, false },
        { &script->chunk, false },    { &framing, true },           { &fault, true },
        { &script->fault_at, false }, { &script->delay_ms, false }, { &script->interim, false },
        { &script->pieces, false },   { &leaves, false },           { &early, false },
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (!next_field(&text, fields[i].letter, fields[i].value))
            return false;
    }
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

/* ---- the response ---- */

static const char *reason_of(unsigned status)
{
    return status == 200 ? "OK" : "As Told";
}

static void write_head(const struct script *script, bool to_head, struct bytes *out)
{
    for (unsigned i = 0; i < script->interim; i++)
        bytes_print(out, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    bytes_print(out, "HTTP/1.1 %u %s\r\nX-Robot: %u\r\n", script->status, reason_of(script->status),
                script->seed);
    if (script->framing == FRAMED_BY_LENGTH && script->status != 204)
        bytes_print(out, "Content-Length: %u\r\n", script->size);
    else if (script->framing == FRAMED_BY_CHUNKS && script->status != 204 && !to_head)
        bytes_print(out, "Transfer-Encoding: chunked\r\n");
    else if (script->framing == FRAMED_BY_END)
        bytes_print(out, "Connection: close\r\n");
    bytes_print(out, "\r\n");
}

static void add_content(struct bytes *out, const struct script *script, size_t from, size_t n)
{
    content_write(script->seed, from, bytes_room(out, n), n);
    out->n += n;
    out->at[out->n] = '\0';
}

static void add_chunks(struct bytes *out, const struct script *script)
{
    for (size_t at = 0; at < script->size; at += script->chunk) {
        size_t n = script->size - at < script->chunk ? script->size - at : script->chunk;
        bytes_print(out, "%zx\r\n", n);
        add_content(out, script, at, n);
        bytes_print(out, "\r\n");
    }
    bytes_print(out, "0\r\n\r\n");
}

void script_response(const struct script *script, bool to_head, struct bytes *out)
{
    write_head(script, to_head, out);
    if (to_head || script->status == 204 || script->status == 304)
        return;
    if (script->framing == FRAMED_BY_CHUNKS)
        add_chunks(out, script);
    else
        add_content(out, script, 0, script->size);
}

size_t script_head_size(const struct script *script)
{
    struct bytes out = { 0 };

    write_head(script, false, &out);
    size_t n = out.n;
    bytes_free(&out);
    return n;
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

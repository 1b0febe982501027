/* What watching responses for the app token costs. `bench_scrub [ROUNDS]` prints rows of JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/token/scrub.h"
#include "tests/bench/rows.h"

enum { LONG = 1024 * 1024, AGAIN = 8 };

static char bytes[LONG];

static unsigned seed;

static unsigned dice(unsigned sides)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % sides;
}

/* What APIs answer. */
static void fill_json(char *at, size_t size)
{
    size_t n = 0;

    while (n < size) {
        char row[160];
        int len = snprintf(row, sizeof(row),
                           "{\"id\":%u,\"name\":\"Item %u\",\"price\":%u.%02u,\"imageUrl\":"
                           "\"https://x.vteximg.com.br/arquivos/ids/%u/a.jpg\",\"isActive\":true},",
                           dice(100000), dice(1000), dice(500), dice(100), dice(1000000));
        size_t part = (size_t)len < size - n ? (size_t)len : size - n;
        memcpy(at + n, row, part);
        n += part;
    }
}

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Images in JSON, other people's tokens: the same letters as ours. */
static void fill_base64(char *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = letters[dice(64)];
}

static void make_jwt(char *token, size_t len, unsigned start)
{
    static const char head[] = "eyJhbGciOiJFUzI1NiIsImtpZCI6IjM5RkE2NzQ2NDM4NkQ5QUE2MEI2In0.";

    seed = start;
    fill_base64(token, len);
    memcpy(token, head, sizeof(head) - 1);
}

static struct measure {
    const char *name;
    size_t token_len; /* 36: opaque; else a JWT */
    size_t piece;
    void (*fill)(char *at, size_t size);
} measures[] = {
    { "JSON, two JWTs of 1 KiB", 1024, 2048, fill_json },
    { "JSON, two JWTs of 1 KiB", 1024, 16384, fill_json },
    { "JSON, two opaque tokens of 36 bytes", 36, 2048, fill_json },
    { "JSON, two tokens of 8 bytes", 8, 2048, fill_json },
    { "JSON, two JWTs of 16 KiB", 16384, 2048, fill_json },
    { "base64, two JWTs of 1 KiB", 1024, 2048, fill_base64 },
    { "base64, two JWTs of 1 KiB", 1024, 16384, fill_base64 },
    { "a head, two JWTs of 1 KiB", 1024, 400, fill_json },
};

enum { N_MEASURES = sizeof(measures) / sizeof(measures[0]) };

static struct scrub *matcher_of(const struct measure *measure)
{
    static char tokens[2][16384];
    struct text texts[2];

    for (unsigned i = 0; i < 2; i++) {
        make_jwt(tokens[i], measure->token_len, i + 1);
        if (measure->token_len < 100)
            fill_base64(tokens[i], measure->token_len);
        texts[i] = (struct text){ tokens[i], measure->token_len };
    }
    return scrub_new(texts, 2);
}

/* Nanoseconds a piece. Every piece of the long text once, so that each is cold in the first cache, as
 * in life. */
static double once(void *context)
{
    const struct measure *measure = context;
    struct scrub *scrub = matcher_of(measure);
    size_t pieces = LONG / measure->piece;
    unsigned found = 0;

    seed = 3;
    measure->fill(bytes, LONG);
    double before = bench_now_ns();
    for (unsigned again = 0; again < AGAIN; again++) {
        struct scrub_trail trail = { .n_gone = 0 };
        for (size_t i = 0; i < pieces; i++)
            scrub_piece(scrub, &trail, bytes + i * measure->piece, measure->piece, true, &found);
    }
    double took = bench_now_ns() - before;
    scrub_free(scrub);
    if (found)
        abort();
    return took / AGAIN / (double)pieces;
}

static double build_once(void *context)
{
    double before = bench_now_ns();

    scrub_free(matcher_of(context));
    return bench_now_ns() - before;
}

int main(int argc, char **argv)
{
    static struct bench bench = { .suite = "scrub" };
    size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 15;

    bench.n_rounds = rounds < 1 ? 1 : rounds > BENCH_ROUNDS_MAX ? BENCH_ROUNDS_MAX : rounds;
    for (size_t i = 0; i < N_MEASURES; i++)
        bench_add(&bench, "ns", once, &measures[i], "%zu bytes of %s", measures[i].piece,
                  measures[i].name);
    bench_add(&bench, "ns", build_once, &measures[0], "building the matcher of two JWTs");
    bench_run(&bench);
    bench_print(&bench, stdout);
    return 0;
}

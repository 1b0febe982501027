/* What watching responses costs: ns for a piece of a body, MB/s for a long one. Prints the rounds' least,
 * median and most. Build it with the release preset; `bench_scrub [ROUNDS]`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/token/scrub.h"

enum { ROUNDS_MAX = 99, LONG = 1024 * 1024 };

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static unsigned seed;

static unsigned dice(unsigned sides)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % sides;
}

/* What APIs answer. */
static void fill_json(char *bytes, size_t size)
{
    size_t n = 0;

    while (n < size) {
        char row[160];
        int len = snprintf(row, sizeof(row),
                           "{\"id\":%u,\"name\":\"Item %u\",\"price\":%u.%02u,\"imageUrl\":"
                           "\"https://x.vteximg.com.br/arquivos/ids/%u/a.jpg\",\"isActive\":true},",
                           dice(100000), dice(1000), dice(500), dice(100), dice(1000000));
        size_t part = (size_t)len < size - n ? (size_t)len : size - n;
        memcpy(bytes + n, row, part);
        n += part;
    }
}

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Images in JSON, other people's tokens: the same letters as ours. */
static void fill_base64(char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = letters[dice(64)];
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
    void (*fill)(char *bytes, size_t size);
    double rounds[ROUNDS_MAX]; /* ns a piece */
} measures[] = {
    { "JSON, two JWTs of 1 KiB", 1024, 2048, fill_json, { 0 } },
    { "JSON, two JWTs of 1 KiB", 1024, 16384, fill_json, { 0 } },
    { "JSON, two opaque tokens of 36 bytes", 36, 2048, fill_json, { 0 } },
    { "JSON, two tokens of 8 bytes", 8, 2048, fill_json, { 0 } },
    { "JSON, two JWTs of 16 KiB", 16384, 2048, fill_json, { 0 } },
    { "base64, two JWTs of 1 KiB", 1024, 2048, fill_base64, { 0 } },
    { "base64, two JWTs of 1 KiB", 1024, 16384, fill_base64, { 0 } },
    { "a head of 400 bytes, two JWTs of 1 KiB", 1024, 400, fill_json, { 0 } },
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

/* Every piece of the long text once, so that each is cold in the first cache, as in life. */
static double once(const struct measure *measure, char *bytes)
{
    struct scrub *scrub = matcher_of(measure);
    size_t pieces = LONG / measure->piece;
    unsigned found = 0;

    seed = 3;
    measure->fill(bytes, LONG);
    double before = now_ns();
    for (unsigned again = 0; again < 8; again++) {
        struct scrub_trail trail = { .n_gone = 0 };
        for (size_t i = 0; i < pieces; i++)
            scrub_piece(scrub, &trail, bytes + i * measure->piece, measure->piece, true, &found);
    }
    double took = now_ns() - before;
    scrub_free(scrub);
    if (found)
        abort();
    return took / 8 / (double)pieces;
}

static double build_once(void)
{
    const struct measure usual = { .token_len = 1024 };
    double before = now_ns();

    scrub_free(matcher_of(&usual));
    return now_ns() - before;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

static void print_row(const char *name, size_t piece, double *rounds, size_t n)
{
    qsort(rounds, n, sizeof(*rounds), compare);
    printf("%-42s %6zu B  %9.0f %9.0f %9.0f ns", name, piece, rounds[0], rounds[n / 2],
           rounds[n - 1]);
    if (piece)
        printf("  %7.0f MB/s", (double)piece / rounds[n / 2] * 1000);
    printf("\n");
}

int main(int argc, char **argv)
{
    static double builds[ROUNDS_MAX];
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 15;
    char *bytes = malloc(LONG);

    n = n < 1 ? 1 : n > ROUNDS_MAX ? ROUNDS_MAX : n;
    for (size_t round = 0; round < n; round++) { /* a slow moment slows all of them */
        for (size_t i = 0; i < N_MEASURES; i++)
            measures[i].rounds[round] = once(&measures[i], bytes);
        builds[round] = build_once();
    }
    printf("%-42s %8s  %9s %9s %9s\n", "", "piece", "min", "median", "max");
    for (size_t i = 0; i < N_MEASURES; i++)
        print_row(measures[i].name, measures[i].piece, measures[i].rounds, n);
    print_row("building the matcher of two JWTs", 0, builds, n);
    free(bytes);
    return 0;
}

/* tests/bench/rows.h - what is measured, in interleaved rounds, and the rows that come of it.
 *
 * One row is one figure: {suite, name, unit, rounds[], min, median, max, peer, ratio}; the last two
 * are null until a peer's figure stands beside it (tests/dev/bench.sh). Lower is better. */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <stddef.h>
#include <stdio.h>

enum { BENCH_NAME_MAX = 96, BENCH_ROUNDS_MAX = 99, BENCH_MEASURES_MAX = 200 };

struct bench_measure {
    char name[BENCH_NAME_MAX];
    const char *unit;
    double (*once)(void *context); /* one figure */
    void *context;
    double rounds[BENCH_ROUNDS_MAX];
};

struct bench {
    const char *suite;
    size_t n_rounds, n;
    struct bench_measure measures[BENCH_MEASURES_MAX];
};

/* The name is printf's. */
void bench_add(struct bench *bench, const char *unit, double (*once)(void *), void *context,
               const char *name, ...) __attribute__((format(printf, 5, 6)));
/* Every measure once a round, so that a machine that slows down slows all of them. */
void bench_run(struct bench *bench);
/* The rows as a JSON array. */
void bench_print(const struct bench *bench, FILE *out);

/* Processor time of this process, in nanoseconds. */
double bench_now_ns(void);
/* Nanoseconds of processor time a call of `work`, repeated for at least 10 ms. */
double bench_ns_per_call(void (*work)(void *context), void *context);

#endif

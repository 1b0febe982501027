#include "tests/bench/rows.h"

#include <assert.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void bench_add(struct bench *bench, const char *unit, double (*once)(void *), void *context,
               const char *name, ...)
{
    struct bench_measure *measure = &bench->measures[bench->n++];
    va_list args;

    assert(bench->n <= BENCH_MEASURES_MAX);
    measure->unit = unit;
    measure->once = once;
    measure->context = context;
    va_start(args, name);
    vsnprintf(measure->name, sizeof measure->name, name, args);
    va_end(args);
}

void bench_run(struct bench *bench)
{
    assert(bench->n_rounds > 0 && bench->n_rounds <= BENCH_ROUNDS_MAX);
    for (size_t round = 0; round < bench->n_rounds; round++)
        for (size_t i = 0; i < bench->n; i++)
            bench->measures[i].rounds[round] = bench->measures[i].once(bench->measures[i].context);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static json_t *row_of(const struct bench *bench, const struct bench_measure *measure)
{
    size_t n = bench->n_rounds;
    double sorted[BENCH_ROUNDS_MAX];
    json_t *rounds = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(rounds, json_real(measure->rounds[i]));
    memcpy(sorted, measure->rounds, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    return json_pack("{s:s, s:s, s:s, s:o, s:f, s:f, s:f, s:n, s:n}", "suite", bench->suite, "name",
                     measure->name, "unit", measure->unit, "rounds", rounds, "min", sorted[0],
                     "median", (sorted[(n - 1) / 2] + sorted[n / 2]) / 2, "max", sorted[n - 1],
                     "peer", "ratio");
}

void bench_print(const struct bench *bench, FILE *out)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < bench->n; i++)
        json_array_append_new(rows, row_of(bench, &bench->measures[i]));
    json_dumpf(rows, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    fputc('\n', out);
    json_decref(rows);
}

double bench_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double bench_ns_per_call(void (*work)(void *context), void *context)
{
    enum { ENOUGH_NS = 10 * 1000 * 1000 };
    double started = bench_now_ns(), spent;
    size_t calls = 0, more = 1;

    do {
        for (size_t i = 0; i < more; i++)
            work(context);
        calls += more;
        more = calls;
        spent = bench_now_ns() - started;
    } while (spent < ENOUGH_NS);
    return spent / (double)calls;
}

/* tests/bench/histogram.h - times by powers of two, each in 128 steps: a value is known to 1 %. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_STEPS = 128, HISTOGRAM_ROWS = 40 };

struct histogram {
    uint64_t n;
    uint64_t counts[HISTOGRAM_ROWS * HISTOGRAM_STEPS];
};

static inline size_t histogram_slot(uint64_t value)
{
    unsigned row = 0;

    while (value >= 2 * HISTOGRAM_STEPS) {
        value >>= 1;
        row++;
    }
    if (value < HISTOGRAM_STEPS)
        return (size_t)value;
    size_t slot = (size_t)row * HISTOGRAM_STEPS + (size_t)value;
    return slot < HISTOGRAM_ROWS * HISTOGRAM_STEPS ? slot : HISTOGRAM_ROWS * HISTOGRAM_STEPS - 1;
}

static inline void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->counts[histogram_slot(value)]++;
    histogram->n++;
}

/* The value that `share` of all are not above; 0 when there is none. */
static inline uint64_t histogram_at(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)((double)histogram->n * share), seen = 0;

    for (size_t slot = 0; slot < HISTOGRAM_ROWS * HISTOGRAM_STEPS; slot++) {
        seen += histogram->counts[slot];
        if (seen > wanted)
            return slot < HISTOGRAM_STEPS ? slot
                                          : (uint64_t)(slot % HISTOGRAM_STEPS + HISTOGRAM_STEPS)
                                                << (slot / HISTOGRAM_STEPS - 1);
    }
    return 0;
}

#endif

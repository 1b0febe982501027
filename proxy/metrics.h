/* proxy/metrics.h - numbers for a scraper, as OpenMetrics text. Pure.
 *
 * Each number is a row of a table; rows of one name follow one another and differ in their labels. Whoever
 * has the numbers has the table. */
#ifndef PROXY_METRICS_H
#define PROXY_METRICS_H

#include <stdbool.h>
#include <stddef.h>

enum metric_type {
    METRIC_GAUGE,
    METRIC_COUNTER, /* only grows; "_total" is put behind its name */
    METRIC_INFO,    /* always 1, its labels tell; "_info" is put behind its name */
};

struct metric {
    const char *name; /* "janus_sidecar_would_deny": letters, digits, '_' */
    enum metric_type type;
    const char *help;   /* one sentence without a line break */
    const char *labels; /* "policy=\"shadow\"", or NULL */
    /* False: there is no such number now, and the row is left out. */
    bool (*get)(const void *facts, double *value);
};

extern const char METRICS_CONTENT_TYPE[];

/* The whole text, which the caller frees. */
char *metrics_text(const struct metric *rows, size_t n, const void *facts);

#endif

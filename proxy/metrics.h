/* proxy/metrics.h - numbers for a scraper, as OpenMetrics text or as the older text of Prometheus. Pure.
 *
 * Each number is a row of a table; rows of one name follow one another and differ in their labels. Whoever
 * has the numbers has the table; docs/metrics.md is printed from it too.
 *
 * OpenMetrics 1.0 and exposition format 0.0.4 differ in their ends and in what a family is called; the
 * samples are the same. */
#ifndef PROXY_METRICS_H
#define PROXY_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "config/text.h"

enum metric_type {
    METRIC_GAUGE,
    METRIC_COUNTER,   /* only grows; "_total" is put behind its name */
    METRIC_INFO,      /* always 1, its labels tell; "_info" is put behind its name */
    METRIC_HISTOGRAM, /* of seconds; "_bucket", "_count" and "_sum" */
};

enum metrics_form { METRICS_TEXT, METRICS_OPEN };

struct metrics_out;
struct tally_times;

struct metric {
    const char *name; /* "janus_sidecar_would_deny": letters, digits, '_'; ends in its unit */
    enum metric_type type;
    const char *unit;   /* "seconds", "bytes"; NULL: a plain number */
    const char *help;   /* one sentence without a line break */
    const char *labels; /* "policy=\"shadow\"", or NULL; of `each`: the labels' names, for people */
    /* One of the two. False: there is no such number now, and the row is left out. */
    bool (*get)(const void *facts, double *value);
    /* Any number of samples, with the two functions below. */
    void (*each)(const void *facts, struct metrics_out *out);
};

/* `labels` as above, or "". */
void metrics_sample(struct metrics_out *out, const char *labels, double value);
void metrics_times(struct metrics_out *out, const char *labels, const struct tally_times *times);
/* Puts a label's value between quotes into `labels`; what does not fit is cut. Returns `labels`. */
char *metrics_label(char *labels, size_t size, const char *name, const char *value);

extern const char METRICS_OPEN_TYPE[], METRICS_TEXT_TYPE[];
/* What an Accept header asks for (RFC 9110, 12.5.1); NULL: there is none. */
enum metrics_form metrics_wanted(const char *accept);

/* The whole text, which the caller frees. */
char *metrics_text(enum metrics_form form, const struct metric *rows, size_t n, const void *facts);

/* The table for people: Markdown, a row a family. */
void metrics_print_markdown(FILE *out, const struct metric *rows, size_t n);
/* True if `sample` ("x_total", "x_bucket") is one that a row of the table makes. */
bool metrics_has_sample(const struct metric *rows, size_t n, const char *sample);

#endif

/* OpenMetrics 1.0: https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md */
#include "proxy/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char METRICS_CONTENT_TYPE[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";

static const struct {
    const char *name, *suffix;
} types[] = { [METRIC_GAUGE] = { "gauge", "" },
              [METRIC_COUNTER] = { "counter", "_total" },
              [METRIC_INFO] = { "info", "_info" } };

static void write_head(FILE *out, const struct metric *row)
{
    fprintf(out, "# TYPE %s %s\n# HELP %s ", row->name, types[row->type].name, row->name);
    for (const char *at = row->help; *at; at++)
        fprintf(out, *at == '\\' || *at == '"' ? "\\%c" : "%c", *at);
    fputc('\n', out);
}

/* 15 digits: what a double holds exactly. */
static void write_sample(FILE *out, const struct metric *row, double value)
{
    const char *suffix = types[row->type].suffix;

    if (row->labels)
        fprintf(out, "%s%s{%s} %.15g\n", row->name, suffix, row->labels, value);
    else
        fprintf(out, "%s%s %.15g\n", row->name, suffix, value);
}

char *metrics_text(const struct metric *rows, size_t n, const void *facts)
{
    const char *family = "";
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        abort();
    for (size_t i = 0; i < n; i++) {
        double value = 0;

        if (!rows[i].get(facts, &value))
            continue;
        if (strcmp(family, rows[i].name) != 0)
            write_head(out, &rows[i]);
        family = rows[i].name;
        write_sample(out, &rows[i], value);
    }
    fputs("# EOF\n", out);
    if (fclose(out) != 0)
        abort();
    return text;
}

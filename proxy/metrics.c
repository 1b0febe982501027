/* OpenMetrics 1.0: https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 * Exposition format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ */
#include "proxy/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/tally.h"

const char METRICS_OPEN_TYPE[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const char METRICS_TEXT_TYPE[] = "text/plain; version=0.0.4; charset=utf-8";

struct metrics_out {
    FILE *to;
    enum metrics_form form;
    const struct metric *row;
};

static const struct {
    const char *name, *old_name, *suffix;
} types[] = { [METRIC_GAUGE] = { "gauge", "gauge", "" },
              [METRIC_COUNTER] = { "counter", "counter", "_total" },
              [METRIC_INFO] = { "info", "gauge", "_info" },
              [METRIC_HISTOGRAM] = { "histogram", "histogram", "" } };

/* The older form has no families: the sample's own name is what has a type. It escapes no quotes in a help. */
static void write_head(const struct metrics_out *out)
{
    const struct metric *row = out->row;
    bool open = out->form == METRICS_OPEN;
    const char *suffix = open ? "" : types[row->type].suffix;

    fprintf(out->to, "# TYPE %s%s %s\n", row->name, suffix,
            open ? types[row->type].name : types[row->type].old_name);
    if (open && row->unit)
        fprintf(out->to, "# UNIT %s %s\n", row->name, row->unit);
    fprintf(out->to, "# HELP %s%s ", row->name, suffix);
    for (const char *at = row->help; *at; at++)
        fprintf(out->to, *at == '\\' || (open && *at == '"') ? "\\%c" : "%c", *at);
    fputc('\n', out->to);
}

/* ---- samples ---- */

/* 15 digits: what a double holds exactly. */
void metrics_sample(struct metrics_out *out, const char *labels, double value)
{
    const char *suffix = types[out->row->type].suffix;

    if (labels && *labels)
        fprintf(out->to, "%s%s{%s} %.15g\n", out->row->name, suffix, labels, value);
    else
        fprintf(out->to, "%s%s %.15g\n", out->row->name, suffix, value);
}

/* Seconds as both forms want them: 1 is "1.0". */
static void put_bound(char out[24], uint64_t us)
{
    snprintf(out, 24, us % 1000000 ? "%.6g" : "%.1f", (double)us / 1e6);
}

void metrics_times(struct metrics_out *out, const char *labels, const struct tally_times *times)
{
    const char *name = out->row->name, *comma = *labels ? "," : "", *open = *labels ? "{" : "",
               *close = *labels ? "}" : "";
    unsigned long long n = 0;
    char bound[24];

    for (size_t i = 0; i <= TALLY_BOUNDS; i++) {
        n += times->n[i];
        put_bound(bound, tally_bounds_us[i]);
        fprintf(out->to, "%s_bucket{%s%sle=\"%s\"} %llu\n", name, labels, comma,
                i == TALLY_BOUNDS ? "+Inf" : bound, n);
    }
    fprintf(out->to, "%s_count%s%s%s %llu\n", name, open, labels, close, n);
    fprintf(out->to, "%s_sum%s%s%s %.15g\n", name, open, labels, close,
            (double)times->sum_us / 1e6);
}

char *metrics_label(char *labels, size_t size, const char *name, const char *value)
{
    size_t used = strlen(labels);
    int n = snprintf(labels + used, size - used, "%s%s=\"", used ? "," : "", name);

    if (n < 0 || (size_t)n + 3 > size - used) {
        labels[used] = '\0';
        return labels;
    }
    used += (size_t)n;
    for (; *value && used + 4 <= size; value++) {
        if (*value == '"' || *value == '\\' || *value == '\n')
            labels[used++] = '\\';
        labels[used++] = (char)(*value == '\n' ? 'n' : *value);
    }
    memcpy(labels + used, "\"", 2);
    return labels;
}

/* ---- the text ---- */

static bool begins_family(const struct metric *rows, size_t i)
{
    return i == 0 || strcmp(rows[i - 1].name, rows[i].name) != 0;
}

/* Whether a family has samples is known when they are written; its head comes first. */
static void write_family(struct metrics_out *out, const struct metric *rows, size_t n,
                         const void *facts)
{
    bool headed = false;

    for (size_t i = 0; i < n && (i == 0 || !begins_family(rows, i)); i++) {
        double value = 0;

        if (rows[i].get && !rows[i].get(facts, &value))
            continue;
        out->row = &rows[i];
        if (!headed)
            write_head(out);
        headed = true;
        if (rows[i].get)
            metrics_sample(out, rows[i].labels, value);
        else
            rows[i].each(facts, out);
    }
}

char *metrics_text(enum metrics_form form, const struct metric *rows, size_t n, const void *facts)
{
    char *text = NULL;
    size_t size = 0;
    struct metrics_out out = { open_memstream(&text, &size), form, NULL };

    if (!out.to)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (begins_family(rows, i))
            write_family(&out, rows + i, n - i, facts);
    }
    if (form == METRICS_OPEN)
        fputs("# EOF\n", out.to);
    if (fclose(out.to) != 0)
        abort();
    return text;
}

/* ---- for people ---- */

static void print_labels(FILE *out, const struct metric *rows, size_t n)
{
    for (size_t i = 0; i < n && (i == 0 || !begins_family(rows, i)); i++) {
        if (rows[i].labels)
            fprintf(out, "%s`%s`", i ? ", " : "", rows[i].labels);
    }
}

void metrics_print_markdown(FILE *out, const struct metric *rows, size_t n)
{
    fputs("| name | type | labels | |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < n; i++) {
        if (!begins_family(rows, i))
            continue;
        bool many = rows[i].type == METRIC_HISTOGRAM;
        fprintf(out, "| `%s%s`%s | %s | ", rows[i].name,
                many ? "_bucket" : types[rows[i].type].suffix, many ? ", `_count`, `_sum`" : "",
                types[rows[i].type].name);
        print_labels(out, rows + i, n - i);
        fprintf(out, " | %s |\n", rows[i].help);
    }
}

static bool makes_sample(const struct metric *row, const char *suffix)
{
    if (row->type == METRIC_HISTOGRAM)
        return strcmp(suffix, "_bucket") == 0 || strcmp(suffix, "_count") == 0 ||
               strcmp(suffix, "_sum") == 0;
    return strcmp(suffix, types[row->type].suffix) == 0;
}

bool metrics_has_sample(const struct metric *rows, size_t n, const char *sample)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(rows[i].name);
        if (strncmp(rows[i].name, sample, len) == 0 && makes_sample(&rows[i], sample + len))
            return true;
    }
    return false;
}

/* ---- what is asked for ---- */

static bool starts_nocase(struct text whole, struct text start)
{
    return whole.len >= start.len && text_eq_nocase((struct text){ whole.at, start.len }, start);
}

/* In thousandths; what is no weight counts as 0, so that nobody gets what he may not read. */
static int weight_of(struct text value)
{
    int weight, place = 100;

    if (value.len == 0 || value.len > 5 || (value.at[0] != '0' && value.at[0] != '1'))
        return 0;
    weight = (value.at[0] - '0') * 1000;
    if (value.len > 1 && value.at[1] != '.')
        return 0;
    for (size_t i = 2; i < value.len; i++, place /= 10) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return 0;
        weight += (value.at[i] - '0') * place;
    }
    return weight > 1000 ? 0 : weight;
}

/* Takes what stands before `end` off the front, trimmed. */
static struct text take(struct text *rest, char end)
{
    const char *found = rest->len ? memchr(rest->at, end, rest->len) : NULL;
    struct text taken = { rest->at, found ? (size_t)(found - rest->at) : rest->len };

    *rest = found ? text_span(found + 1, rest->at + rest->len) : (struct text){ rest->at, 0 };
    return text_trim(taken);
}

/* "type/sub; version=1.0.0; q=0.5": its weight if it is of that type, else -1. A version that we do not
 * write is not accepted by what we write. */
static int weight_for(struct text range, struct text type, struct text version)
{
    int weight = 1000;

    if (!text_eq_nocase(take(&range, ';'), type))
        return -1;
    while (range.len) {
        struct text parameter = take(&range, ';');
        if (starts_nocase(parameter, TEXT("q=")))
            weight = weight_of(text_span(parameter.at + 2, parameter.at + parameter.len));
        else if (starts_nocase(parameter, TEXT("version=")) && version.len &&
                 !text_starts(version, text_span(parameter.at + 8, parameter.at + parameter.len)))
            return -1;
    }
    return weight;
}

/* OpenMetrics to those who name it and want it no less than the text; the text to everybody else: it is what
 * a person with curl, and every older scraper, can read. */
enum metrics_form metrics_wanted(const char *accept)
{
    struct text rest = text_of(accept);
    int open = 0, plain = -1;

    while (rest.len) {
        struct text range = take(&rest, ',');
        int weight = weight_for(range, TEXT("application/openmetrics-text"), TEXT("1.0.0"));

        open = weight > open ? weight : open;
        weight = weight_for(range, TEXT("text/plain"), TEXT_NONE);
        plain = weight > plain ? weight : plain;
    }
    return open > 0 && open >= plain ? METRICS_OPEN : METRICS_TEXT;
}

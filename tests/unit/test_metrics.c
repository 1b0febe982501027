/* OpenMetrics and the older text: heads once a family, samples, the end, and who gets which. */
#include <stdlib.h>
#include <string.h>

#include "proxy/metrics.h"
#include "proxy/tally.h"
#include "tests/unit/stories.h"

static bool number(const void *facts, double *value)
{
    *value = *(const double *)facts;
    return true;
}

static bool nothing(const void *facts, double *value)
{
    (void)facts;
    (void)value;
    return false;
}

static void hosts(const void *facts, struct metrics_out *out)
{
    char labels[64] = "";

    metrics_sample(out, metrics_label(labels, sizeof(labels), "h", "a"), *(const double *)facts);
    labels[0] = '\0';
    metrics_sample(out, metrics_label(labels, sizeof(labels), "h", "b"), 7);
}

static void no_hosts(const void *facts, struct metrics_out *out)
{
    (void)facts;
    (void)out;
}

static void times(const void *facts, struct metrics_out *out)
{
    struct tally_times some = { 0 };

    (void)facts;
    tally_time(&some, 90);
    tally_time(&some, 1000000);
    tally_time(&some, 70000000);
    metrics_times(out, "", &some);
    metrics_times(out, "h=\"a\"", &some);
}

#define X                                                                                          \
    {                                                                                              \
        "x", METRIC_COUNTER, NULL, "Help.", NULL, number, NULL                                     \
    }
#define GAUGE(labels, getter)                                                                      \
    {                                                                                              \
        "g", METRIC_GAUGE, NULL, "Help.", labels, getter, NULL                                     \
    }

static struct story {
    const char *name;
    struct metric rows[3];
    size_t n;
    double value;
    const char *want, *old; /* old: NULL: the same */
} stories[] = {
    { "no rows", { X }, 0, 0, "# EOF\n", "" },
    { "a counter",
      { X },
      1,
      3,
      "# TYPE x counter\n# HELP x Help.\nx_total 3\n# EOF\n",
      "# TYPE x_total counter\n# HELP x_total Help.\nx_total 3\n" },
    { "a gauge", { GAUGE(NULL, number) }, 1, 0.5, "# TYPE g gauge\n# HELP g Help.\ng 0.5\n", NULL },
    { "a unit",
      { { "g_bytes", METRIC_GAUGE, "bytes", "Help.", NULL, number, NULL } },
      1,
      5,
      "# TYPE g_bytes gauge\n# UNIT g_bytes bytes\n# HELP g_bytes Help.\ng_bytes 5\n",
      "# TYPE g_bytes gauge\n# HELP g_bytes Help.\ng_bytes 5\n" },
    { "labels of one family",
      { GAUGE("p=\"a\"", number), GAUGE("p=\"b\"", number), X },
      3,
      1,
      "# TYPE g gauge\n# HELP g Help.\ng{p=\"a\"} 1\ng{p=\"b\"} 1\n"
      "# TYPE x counter\n# HELP x Help.\nx_total 1\n# EOF\n",
      "# TYPE g gauge\n# HELP g Help.\ng{p=\"a\"} 1\ng{p=\"b\"} 1\n"
      "# TYPE x_total counter\n# HELP x_total Help.\nx_total 1\n" },
    { "what only its labels tell",
      { { "i", METRIC_INFO, NULL, "Help.", "n=\"1\"", number, NULL } },
      1,
      1,
      "# TYPE i info\n# HELP i Help.\ni_info{n=\"1\"} 1\n",
      "# TYPE i_info gauge\n# HELP i_info Help.\ni_info{n=\"1\"} 1\n" },
    { "any number of samples",
      { { "h", METRIC_GAUGE, NULL, "Help.", "h", NULL, hosts } },
      1,
      4,
      "# TYPE h gauge\n# HELP h Help.\nh{h=\"a\"} 4\nh{h=\"b\"} 7\n",
      NULL },
    { "none of them: the head stays",
      { { "h", METRIC_COUNTER, NULL, "Help.", "h", NULL, no_hosts } },
      1,
      4,
      "# TYPE h counter\n# HELP h Help.\n# EOF\n",
      "# TYPE h_total counter\n# HELP h_total Help.\n" },
    { "times are counted up to each bound",
      { { "t_seconds", METRIC_HISTOGRAM, "seconds", "Help.", NULL, NULL, times } },
      1,
      0,
      "t_seconds_bucket{le=\"0.0001\"} 1\nt_seconds_bucket{le=\"0.00025\"} 1\n",
      NULL },
    { "whole seconds as both forms want them",
      { { "t_seconds", METRIC_HISTOGRAM, "seconds", "Help.", NULL, NULL, times } },
      1,
      0,
      "t_seconds_bucket{le=\"0.5\"} 1\nt_seconds_bucket{le=\"1.0\"} 2\n",
      NULL },
    { "the last bound, the count and the sum",
      { { "t_seconds", METRIC_HISTOGRAM, "seconds", "Help.", NULL, NULL, times } },
      1,
      0,
      "t_seconds_bucket{le=\"60.0\"} 2\nt_seconds_bucket{le=\"+Inf\"} 3\nt_seconds_count 3\n"
      "t_seconds_sum 71.00009\n",
      NULL },
    { "times with labels",
      { { "t_seconds", METRIC_HISTOGRAM, "seconds", "Help.", NULL, NULL, times } },
      1,
      0,
      "t_seconds_bucket{h=\"a\",le=\"+Inf\"} 3\nt_seconds_count{h=\"a\"} 3\n"
      "t_seconds_sum{h=\"a\"} 71.00009\n",
      NULL },
    { "a number that is not there has no head",
      { GAUGE(NULL, nothing), X },
      2,
      1,
      "# TYPE x counter\n# HELP x Help.\nx_total 1\n# EOF\n",
      "# TYPE x_total counter\n# HELP x_total Help.\nx_total 1\n" },
    { "the first of a family is not there",
      { GAUGE("p=\"a\"", nothing), GAUGE("p=\"b\"", number) },
      2,
      1,
      "# TYPE g gauge\n# HELP g Help.\ng{p=\"b\"} 1\n",
      NULL },
    { "a time in seconds is exact", { X }, 1, 1795334400123, "x_total 1795334400123\n", NULL },
    { "quotes in a help",
      { { "g", METRIC_GAUGE, NULL, "A \"b\" \\.", NULL, number, NULL } },
      1,
      1,
      "# HELP g A \\\"b\\\" \\\\.\n",
      "# HELP g A \"b\" \\\\.\n" },
};

static void is_written(void **state)
{
    static const char end[] = "# EOF\n";
    const struct story *story = *state;
    char *text = metrics_text(METRICS_OPEN, story->rows, story->n, &story->value);
    char *old = metrics_text(METRICS_TEXT, story->rows, story->n, &story->value);

    if (!strstr(text, story->want))
        fail_msg("%s", text);
    if (!strstr(old, story->old ? story->old : story->want))
        fail_msg("%s", old);
    assert_string_equal(text + strlen(text) - strlen(end), end);
    assert_null(strstr(old, end));
    assert_null(strstr(old, "# UNIT"));
    free(text);
    free(old);
}

/* ---- labels ---- */

static struct label {
    const char *name, *before, *value, *want;
    size_t size;
} labels[] = {
    { "a name", "", "a.test", "l=\"a.test\"", 64 },
    { "behind another", "k=\"v\"", "a", "k=\"v\",l=\"a\"", 64 },
    { "nothing", "", "", "l=\"\"", 64 },
    { "a quote", "", "a\"b", "l=\"a\\\"b\"", 64 },
    { "a backslash", "", "a\\b", "l=\"a\\\\b\"", 64 },
    { "a line end", "", "a\nb 1\n", "l=\"a\\nb 1\\n\"", 64 },
    { "too long a value", "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "l=\"aaaaaaaaaa\"", 16 },
    { "never half an escape", "", "aaaaaaaaa\"\"\"\"", "l=\"aaaaaaaaa\\\"\"", 16 },
    { "no room at all", "k=\"vvvvvvvvv\"", "a", "k=\"vvvvvvvvv\"", 16 },
};

static void is_quoted(void **state)
{
    const struct label *row = *state;
    char out[64] = "";

    memcpy(out, row->before, strlen(row->before) + 1);
    assert_string_equal(metrics_label(out, row->size, "l", row->value), row->want);
    assert_true(strlen(out) < row->size);
}

/* ---- who gets which ---- */

#define PROMETHEUS                                                                                 \
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75" \
    ",text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

static struct wish {
    const char *name, *accept;
    enum metrics_form want;
} wishes[] = {
    { "Prometheus", PROMETHEUS, METRICS_OPEN },
    { "by name", "application/openmetrics-text", METRICS_OPEN },
    { "by name, in capitals", "Application/OpenMetrics-Text; Version=1.0.0", METRICS_OPEN },
    { "as much as the text", "text/plain, application/openmetrics-text", METRICS_OPEN },
    { "more than the text", "text/plain;q=0.4,application/openmetrics-text;q=0.5", METRICS_OPEN },
    { "a charset besides", "application/openmetrics-text; charset=utf-8; q=1.0", METRICS_OPEN },
    { "no header", NULL, METRICS_TEXT },
    { "an empty header", "", METRICS_TEXT },
    { "curl", "*/*", METRICS_TEXT },
    { "any application", "application/*", METRICS_TEXT },
    { "the text", "text/plain; version=0.0.4", METRICS_TEXT },
    { "less than the text", "application/openmetrics-text;q=0.1,text/plain", METRICS_TEXT },
    { "not at all", "application/openmetrics-text;q=0", METRICS_TEXT },
    { "not at all, at length", "application/openmetrics-text; q=0.000", METRICS_TEXT },
    { "another version", "application/openmetrics-text;version=2.0.0", METRICS_TEXT },
    { "an older version", "application/openmetrics-text;version=0.0.1", METRICS_TEXT },
    { "a weight that is none", "application/openmetrics-text;q=high", METRICS_TEXT },
    { "a weight beyond 1", "application/openmetrics-text;q=1.5", METRICS_TEXT },
    { "a weight of four digits", "application/openmetrics-text;q=0.5555", METRICS_TEXT },
    { "a negative weight", "application/openmetrics-text;q=-1", METRICS_TEXT },
    { "an empty weight", "application/openmetrics-text;q=", METRICS_TEXT },
    { "a longer name", "application/openmetrics-text2", METRICS_TEXT },
    { "commas", ",,,;;,", METRICS_TEXT },
};

static void is_given(void **state)
{
    const struct wish *row = *state;

    assert_int_equal(metrics_wanted(row->accept), row->want);
}

int main(void)
{
    static struct stories all;

    STORIES_ADD(&all, stories, is_written);
    STORIES_ADD(&all, labels, is_quoted);
    STORIES_ADD(&all, wishes, is_given);
    return stories_run("metrics", &all);
}

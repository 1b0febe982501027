/* OpenMetrics text: heads once a family, samples, the end. */
#include <stdlib.h>
#include <string.h>

#include "proxy/metrics.h"
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

#define X                                                                                          \
    {                                                                                              \
        "x", METRIC_COUNTER, "Help.", NULL, number                                                 \
    }

static struct story {
    const char *name;
    struct metric rows[3];
    size_t n;
    double value;
    const char *want;
} stories[] = {
    { "no rows", { X }, 0, 0, "# EOF\n" },
    { "a counter", { X }, 1, 3, "# TYPE x counter\n# HELP x Help.\nx_total 3\n# EOF\n" },
    { "a gauge",
      { { "g", METRIC_GAUGE, "Help.", NULL, number } },
      1,
      0.5,
      "# TYPE g gauge\n# HELP g Help.\ng 0.5\n# EOF\n" },
    { "labels of one family",
      { { "g", METRIC_GAUGE, "Help.", "p=\"a\"", number },
        { "g", METRIC_GAUGE, "Help.", "p=\"b\"", number },
        X },
      3,
      1,
      "# TYPE g gauge\n# HELP g Help.\ng{p=\"a\"} 1\ng{p=\"b\"} 1\n"
      "# TYPE x counter\n# HELP x Help.\nx_total 1\n# EOF\n" },
    { "what only its labels tell",
      { { "i", METRIC_INFO, "Help.", "n=\"1\"", number } },
      1,
      1,
      "# TYPE i info\n# HELP i Help.\ni_info{n=\"1\"} 1\n# EOF\n" },
    { "a number that is not there has no head",
      { { "g", METRIC_GAUGE, "Help.", NULL, nothing }, X },
      2,
      1,
      "# TYPE x counter\n# HELP x Help.\nx_total 1\n# EOF\n" },
    { "the first of a family is not there",
      { { "g", METRIC_GAUGE, "Help.", "p=\"a\"", nothing },
        { "g", METRIC_GAUGE, "Help.", "p=\"b\"", number } },
      2,
      1,
      "# TYPE g gauge\n# HELP g Help.\ng{p=\"b\"} 1\n# EOF\n" },
    { "a time in seconds is exact", { X }, 1, 1795334400123, "x_total 1795334400123\n" },
    { "quotes in a help",
      { { "g", METRIC_GAUGE, "A \"b\" \\.", NULL, number } },
      1,
      1,
      "# HELP g A \\\"b\\\" \\\\.\n" },
};

static void is_written(void **state)
{
    const struct story *story = *state;
    char *text = metrics_text(story->rows, story->n, &story->value);

    if (!strstr(text, story->want))
        fail_msg("%s", text);
    assert_string_equal(text + strlen(text) - strlen("# EOF\n"), "# EOF\n");
    free(text);
}

int main(void)
{
    static struct stories all;

    STORIES_ADD(&all, stories, is_written);
    return stories_run("metrics", &all);
}

#include "proxy/command_junit.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/command_report.h"

enum { COUNT_DIGITS = 20 };

struct junit {
    struct report_file *file;
    FILE *out; /* the file's */
    unsigned long n[N_JUNIT_KINDS];
};

/* ---- writing ---- */

static void write_count(const struct junit *junit, const char *name, unsigned long count)
{
    int width = fprintf(junit->out, " %s=\"%lu\"", name, count);

    fprintf(junit->out, "%*s", (int)(COUNT_DIGITS + strlen(name) + 4) - width, "");
}

static void write_element(const struct junit *junit, const char *element)
{
    const unsigned long *n = junit->n;

    fprintf(junit->out, "<%s name=\"janus-sidecar check\"", element);
    write_count(junit, "tests",
                n[JUNIT_PASSED] + n[JUNIT_FAILED] + n[JUNIT_SKIPPED] + n[JUNIT_ERROR]);
    write_count(junit, "failures", n[JUNIT_FAILED]);
    write_count(junit, "errors", n[JUNIT_ERROR]);
    write_count(junit, "skipped", n[JUNIT_SKIPPED]);
    fputs(">\n", junit->out);
}

/* Written twice, because the counts are known at the end only; as long both times, for XML does not
 * mind blanks between attributes. */
static void write_head(const struct junit *junit)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", junit->out);
    write_element(junit, "testsuites");
    write_element(junit, "testsuite");
}

static void write_escaped(const struct junit *junit, struct text value)
{
    char *shown = mem_alloc(4 * value.len + 1, 1);

    text_printable(value, shown, 4 * value.len + 1);
    for (const char *at = shown; *at; at++) {
        switch (*at) {
        case '&':
            fputs("&amp;", junit->out);
            break;
        case '<':
            fputs("&lt;", junit->out);
            break;
        case '>':
            fputs("&gt;", junit->out);
            break;
        case '"':
            fputs("&quot;", junit->out);
            break;
        case '\'':
            fputs("&apos;", junit->out);
            break;
        default:
            putc(*at, junit->out);
        }
    }
    free(shown);
}

static void write_attribute(const struct junit *junit, const char *name, struct text value)
{
    fprintf(junit->out, " %s=\"", name);
    write_escaped(junit, value);
    putc('"', junit->out);
}

void junit_case(struct junit *junit, enum junit_kind kind, const char *class_name, struct text name,
                const char *type, const char *message)
{
    static const char *const elements[] = {
        [JUNIT_FAILED] = "failure", [JUNIT_SKIPPED] = "skipped", [JUNIT_ERROR] = "error"
    };

    junit->n[kind]++;
    fputs("<testcase", junit->out);
    write_attribute(junit, "classname", text_of(class_name));
    write_attribute(junit, "name", name);
    if (kind == JUNIT_PASSED) {
        fputs("/>\n", junit->out);
        return;
    }
    fprintf(junit->out, "><%s", elements[kind]);
    if (kind != JUNIT_SKIPPED)
        write_attribute(junit, "type", text_of(type));
    write_attribute(junit, "message", text_of(message));
    fputs("/></testcase>\n", junit->out);
}

/* ---- the file ---- */

struct junit *junit_open(const char *file, struct diags *diags)
{
    struct report_file *report = report_file_open("--junit", file, diags);
    struct junit *junit;

    if (!report)
        return NULL;
    junit = mem_alloc(1, sizeof(*junit));
    junit->file = report;
    junit->out = report_file_stream(report);
    write_head(junit);
    return junit;
}

bool junit_close(struct junit *junit)
{
    struct report_file *report = junit->file;
    bool written;

    fputs("</testsuite>\n</testsuites>\n", junit->out);
    written = fflush(junit->out) == 0 && fseek(junit->out, 0, SEEK_SET) == 0;
    if (written)
        write_head(junit);
    free(junit);
    return report_file_close(report, written);
}

void junit_discard(struct junit *junit)
{
    if (!junit)
        return;
    report_file_discard(junit->file);
    free(junit);
}

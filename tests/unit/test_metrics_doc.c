/* docs/metrics.md is what the table of metrics says (JANUS_UPDATE_DOCS=1 writes its table anew), and the
 * dashboard and the alert rules of deploy/ name nothing that is not in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/sidecar_metrics.h"
#include "tests/unit/stories.h"

#define DOCUMENT JANUS_SOURCE_DIR "/docs/metrics.md"
#define BEGIN    "<!-- table: begin -->\n"
#define END      "<!-- table: end -->\n"

enum { FILE_MAX = 512 * 1024, NAME_MAX_BYTES = 128 };

static char *read_file(const char *path)
{
    FILE *in = fopen(path, "r");
    char *text = calloc(1, FILE_MAX);

    if (!in)
        fail_msg("there is no %s", path);
    size_t n = fread(text, 1, FILE_MAX - 1, in);
    fclose(in);
    assert_true(n < FILE_MAX - 1);
    return text;
}

/* ---- the document ---- */

static char *print_table(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    sidecar_metrics_print(out);
    fclose(out);
    return text;
}

/* Where the table stands in the document: from behind BEGIN to before END. */
static void find_table(char *document, char **from, char **to)
{
    *from = strstr(document, BEGIN);
    *to = strstr(document, END);
    assert_non_null(*from);
    assert_non_null(*to);
    *from += strlen(BEGIN);
    assert_true(*from <= *to);
}

static void write_table(const char *table)
{
    char *old = read_file(DOCUMENT), *from, *to;

    find_table(old, &from, &to);
    FILE *out = fopen(DOCUMENT, "w");
    assert_non_null(out);
    fprintf(out, "%.*s%s%s", (int)(from - old), old, table, to);
    fclose(out);
    free(old);
}

static void document_is_up_to_date(void **state)
{
    char *table = print_table(), *document, *from, *to;

    (void)state;
    if (getenv("JANUS_UPDATE_DOCS"))
        write_table(table);
    document = read_file(DOCUMENT);
    find_table(document, &from, &to);
    *to = '\0';
    assert_string_equal(from, table);
    free(document);
    free(table);
}

/* ---- who reads them ---- */

static struct reader {
    const char *name, *file;
    unsigned least; /* so many names are in it, or it was not read */
} readers[] = {
    { "the dashboard", JANUS_SOURCE_DIR "/deploy/grafana/janus-sidecar.json", 20 },
    { "the alert rules", JANUS_SOURCE_DIR "/deploy/prometheus/alerts.yml", 8 },
    { "their tests", JANUS_SOURCE_DIR "/deploy/prometheus/alerts_test.yml", 8 },
    { "docs/metrics.md", DOCUMENT, 20 },
};

/* A name of a metric is one of these beginnings and more of such letters. */
static const char *next_name(const char *text, char out[NAME_MAX_BYTES])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    const char *ours = strstr(text, "janus_sidecar_"), *process = strstr(text, "process_");
    const char *at = !ours || (process && process < ours) ? process : ours;

    if (!at)
        return NULL;
    size_t len = strspn(at, letters);
    assert_true(len < NAME_MAX_BYTES);
    memcpy(out, at, len);
    out[len] = '\0';
    return at + len;
}

static void names_exist(void **state)
{
    const struct reader *row = *state;
    char *text = read_file(row->file), name[NAME_MAX_BYTES];
    unsigned n = 0;

    for (const char *at = text; (at = next_name(at, name)); n++) {
        if (!sidecar_metrics_have(name))
            fail_msg("%s names %s, which /metrics does not have", row->file, name);
    }
    assert_true(n >= row->least);
    free(text);
}

static struct stranger {
    const char *name;
} strangers[] = {
    { "janus_sidecar_requests" },
    { "janus_sidecar_requests_totals" },
    { "janus_sidecar_clients_total" },
    { "janus_sidecar_build" },
    { "janus_sidecar_overhead_seconds" },
    { "janus_sidecar_" },
    { "" },
};

static void is_not_there(void **state)
{
    assert_false(sidecar_metrics_have(((const struct stranger *)*state)->name));
}

int main(void)
{
    static struct stories all;

    stories_add(&all, "the document is up to date", document_is_up_to_date, NULL);
    STORIES_ADD(&all, readers, names_exist);
    STORIES_ADD(&all, strangers, is_not_there);
    return stories_run("metrics_doc", &all);
}

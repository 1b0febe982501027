#include "proxy/graphql_counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/limits.h"

struct row {
    const char *type;
    char name[64], fields[GRAPHQL_SUMMARY_MAX];
    uint64_t n;
};

struct graphql_counts {
    struct row rows[LIMIT_GRAPHQL_COUNTS];
    size_t n_rows;
    uint64_t n_others;
};

struct graphql_counts *graphql_counts_new(void)
{
    return mem_alloc(1, sizeof(struct graphql_counts));
}

void graphql_counts_free(struct graphql_counts *counts)
{
    free(counts);
}

const char *graphql_counted_type(const struct graphql_judgement *judgement)
{
    return judgement->summary.n_operations ? graphql_operation_name(judgement->summary.operation)
                                           : "unread";
}

void graphql_counts_add(struct graphql_counts *counts, const struct graphql_judgement *judgement)
{
    const struct graphql_summary *summary = &judgement->summary;
    const char *type = graphql_counted_type(judgement);

    for (size_t i = 0; i < counts->n_rows; i++) {
        struct row *row = &counts->rows[i];

        if (strcmp(row->type, type) == 0 && strcmp(row->name, summary->name) == 0 &&
            strcmp(row->fields, summary->fields) == 0) {
            row->n++;
            return;
        }
    }
    if (counts->n_rows == LIMIT_GRAPHQL_COUNTS) {
        counts->n_others++;
        return;
    }
    struct row *row = &counts->rows[counts->n_rows++];
    *row = (struct row){ .type = type, .n = 1 };
    memcpy(row->name, summary->name, sizeof(row->name));
    memcpy(row->fields, summary->fields, sizeof(row->fields));
}

/* Names of GraphQL need no escapes. */
static void write_rows(const struct graphql_counts *counts, FILE *out)
{
    static const char name[] = "janus_sidecar_graphql_operations";

    fprintf(out, "# TYPE %s counter\n", name);
    fprintf(out, "# HELP %s GraphQL operations that were read, by type, name and root fields.\n",
            name);
    for (size_t i = 0; i < counts->n_rows; i++)
        fprintf(out, "%s_total{type=\"%s\",name=\"%s\",fields=\"%s\"} %" PRIu64 "\n", name,
                counts->rows[i].type, counts->rows[i].name, counts->rows[i].fields,
                counts->rows[i].n);
    if (counts->n_others)
        fprintf(out, "%s_total{type=\"other\",name=\"\",fields=\"\"} %" PRIu64 "\n", name,
                counts->n_others);
}

static void write_questions(const struct graphql_questions *questions, FILE *out)
{
    static const char asked[] = "janus_sidecar_guard_questions";
    static const char unclear[] = "janus_sidecar_guard_questions_unclear";

    fprintf(out,
            "# TYPE %s counter\n# HELP %s Questions of the guard to VTEX ID and License Manager.\n"
            "%s_total %" PRIu64 "\n",
            asked, asked, asked, questions->n_asked);
    fprintf(out,
            "# TYPE %s counter\n# HELP %s Those of them that brought no answer to go by.\n"
            "%s_total %" PRIu64 "\n",
            unclear, unclear, unclear, questions->n_unclear);
}

char *graphql_counts_write(const struct graphql_counts *counts,
                           const struct graphql_questions *questions, char *text)
{
    static const char end[] = "# EOF\n";
    struct text before = text_of(text);
    char *written = NULL;
    size_t len = 0;
    FILE *out;

    if (!text_ends(before, text_of(end)))
        return text;
    out = open_memstream(&written, &len);
    if (!out)
        return text;
    fwrite(text, 1, before.len - strlen(end), out);
    if (counts->n_rows)
        write_rows(counts, out);
    if (questions)
        write_questions(questions, out);
    fputs(end, out);
    fclose(out);
    free(text);
    return written;
}

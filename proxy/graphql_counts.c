#include "proxy/graphql_counts.h"

#include <stdlib.h>
#include <string.h>

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

static bool is_of(const struct row *row, const struct row *what)
{
    return strcmp(row->type, what->type) == 0 && strcmp(row->name, what->name) == 0 &&
           strcmp(row->fields, what->fields) == 0;
}

static void add(struct graphql_counts *counts, const struct row *what)
{
    for (size_t i = 0; i < counts->n_rows; i++) {
        if (is_of(&counts->rows[i], what)) {
            counts->rows[i].n += what->n;
            return;
        }
    }
    if (counts->n_rows == LIMIT_GRAPHQL_COUNTS)
        counts->n_others += what->n;
    else
        counts->rows[counts->n_rows++] = *what;
}

void graphql_counts_add(struct graphql_counts *counts, const struct graphql_judgement *judgement)
{
    const struct graphql_summary *summary = &judgement->summary;
    struct row row = { .type = graphql_counted_type(judgement), .n = 1 };

    memcpy(row.name, summary->name, sizeof(row.name));
    memcpy(row.fields, summary->fields, sizeof(row.fields));
    add(counts, &row);
}

void graphql_counts_clear(struct graphql_counts *counts)
{
    counts->n_rows = 0;
    counts->n_others = 0;
}

void graphql_counts_sum(struct graphql_counts *sum, const struct graphql_counts *one)
{
    for (size_t i = 0; i < one->n_rows; i++)
        add(sum, &one->rows[i]);
    sum->n_others += one->n_others;
}

bool graphql_counts_at(const struct graphql_counts *counts, size_t i, struct graphql_count *out)
{
    if (i == counts->n_rows) {
        *out = (struct graphql_count){ "other", "", "", counts->n_others };
        return counts->n_others > 0;
    }
    if (i > counts->n_rows)
        return false;
    const struct row *row = &counts->rows[i];
    *out = (struct graphql_count){ row->type, row->name, row->fields, row->n };
    return true;
}

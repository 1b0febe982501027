/* Rows of the manifest that stand there twice. What outbound-access repeats is found among the rules,
 * where two spellings of one host are one. */
#include <stdlib.h>

#include "config/memory.h"
#include "policy/compile.h"
#include "policy/lint.h"

static int compare_text(struct text x, struct text y)
{
    size_t shorter = x.len < y.len ? x.len : y.len;
    int order = shorter ? memcmp(x.at, y.at, shorter) : 0;

    return order ? order : (x.len > y.len) - (x.len < y.len);
}

static int compare(const void *left, const void *right)
{
    const struct manifest_policy *a = *(const struct manifest_policy *const *)left;
    const struct manifest_policy *b = *(const struct manifest_policy *const *)right;
    int order = compare_text(a->name, b->name);

    if (order == 0)
        order = compare_text(a->bucket, b->bucket);
    return order ? order : (a > b) - (a < b);
}

/* Other attributes ("entity") may tell two rows apart that look the same here. */
static bool is_looked_at(const struct manifest_policy *row, unsigned kinds)
{
    return row->name.len > 0 && !row->more_attrs && (policy_kind_of(row) & kinds) &&
           policy_kind_of(row) != POLICY_OUTBOUND_ACCESS;
}

void policy_lint_rows(const struct manifest *manifest, unsigned kinds, struct diags *diags)
{
    const struct manifest_policy **rows =
        mem_alloc(manifest->n_policies + 1, sizeof(const struct manifest_policy *));
    const struct manifest_policy *first = NULL;
    size_t n = 0;

    for (size_t i = 0; i < manifest->n_policies; i++)
        if (is_looked_at(&manifest->policies[i], kinds))
            rows[n++] = &manifest->policies[i];
    qsort(rows, n, sizeof(const struct manifest_policy *), compare);
    for (size_t i = 0; i < n; i++) {
        if (first && text_eq(first->name, rows[i]->name) && text_eq(first->bucket, rows[i]->bucket))
            diag_warning(diags, rows[i]->place, "\"%s\" repeats the policy at line %u; remove it",
                         show(rows[i]->name).text, first->place.line);
        else
            first = rows[i];
    }
    free(rows);
}

/* config/template.h - {{account}} and its like, as VTEX fills them in (vtex-facts: 3.3).
 *
 * Known names: account, workspace, region, appId, partialId. A value is put in as it is; only the
 * source is searched for templates. */
#ifndef CONFIG_TEMPLATE_H
#define CONFIG_TEMPLATE_H

#include "config/text.h"

struct template_values {
    struct text account, workspace, region, app_id, partial_id; /* at == NULL: not known here */
};

enum template_result {
    TEMPLATE_OK,
    TEMPLATE_UNKNOWN, /* a name that is not ours, or that has no value here: never matches */
    /* A brace that is not part of {{name}}, an empty name, ${...}, a NUL in the source (the result
     * is a C string), or a result of more than TEMPLATE_MAX bytes. */
    TEMPLATE_BROKEN,
};

enum { TEMPLATE_MAX = 64 * 1024 };

/* Writes the filled text to `*out` (the caller frees it) on TEMPLATE_OK; otherwise `*out` is NULL
 * and
 * `*culprit` is the span of `source` that is at fault. Blanks inside the braces are taken as
 * written by people: {{ account }} means {{account}}. */
enum template_result template_fill(struct text source, const struct template_values *values,
                                   char **out, struct text *culprit);

#endif

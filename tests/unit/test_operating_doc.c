/* docs/operating.md says what to do about every way in which an exchange can end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/reply.h"

#define DOC_PATH JANUS_SOURCE_DIR "/docs/operating.md"

enum { DOC_MAX = 256 * 1024 };

static char *read_document(void)
{
    FILE *in = fopen(DOC_PATH, "r");
    char *text = calloc(1, DOC_MAX);

    assert_non_null(in);
    assert_true(fread(text, 1, DOC_MAX - 1, in) > 0);
    fclose(in);
    return text;
}

/* "| 502 `OriginProtocol` | `http_protocol_error` |", or another beginning without a code. */
static void every_outcome_has_a_row(void **state)
{
    char *doc = read_document();

    (void)state;
    for (unsigned i = 0; i < N_OUTCOMES; i++) {
        const struct outcome_row *row = outcome_row(i);
        char cells[256];

        if (row->code)
            snprintf(cells, sizeof(cells), "\n| %u `%s` | `%s` |", row->status, row->code,
                     row->name);
        else
            snprintf(cells, sizeof(cells), " | `%s` |", row->name);
        if (!strstr(doc, cells))
            fail_msg("docs/operating.md has no row %s", cells);
    }
    free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_outcome_has_a_row) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

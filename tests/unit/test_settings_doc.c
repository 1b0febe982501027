/* docs/settings.md is what the table of settings says. JANUS_UPDATE_DOCS=1 writes it anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"

#define DOC_PATH JANUS_SOURCE_DIR "/docs/settings.md"

static char *expected_document(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    settings_print_markdown(out);
    fclose(out);
    return text;
}

static char *read_document(void)
{
    FILE *in = fopen(DOC_PATH, "r");
    char *text = calloc(1, 256 * 1024);

    if (in) {
        size_t n = fread(text, 1, 256 * 1024 - 1, in);
        text[n] = '\0';
        fclose(in);
    }
    return text;
}

static void write_document(const char *text)
{
    FILE *out = fopen(DOC_PATH, "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void settings_document_is_up_to_date(void **state)
{
    char *expected = expected_document();

    (void)state;
    if (getenv("JANUS_UPDATE_DOCS"))
        write_document(expected);
    char *found = read_document();
    assert_string_equal(found, expected);
    free(found);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(settings_document_is_up_to_date) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

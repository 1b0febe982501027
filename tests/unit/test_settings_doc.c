/* docs/settings.md and docs/janus-sidecar.1 are what the table of settings says.
 * JANUS_UPDATE_DOCS=1 writes them anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"

#define DOCS JANUS_SOURCE_DIR "/docs/"

static char *print(void (*document)(FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    document(out);
    fclose(out);
    return text;
}

static char *read_document(const char *path)
{
    FILE *in = fopen(path, "r");
    char *text = calloc(1, 256 * 1024);

    if (in) {
        size_t n = fread(text, 1, 256 * 1024 - 1, in);
        text[n] = '\0';
        fclose(in);
    }
    return text;
}

static void write_document(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void expect_document(const char *path, void (*document)(FILE *out))
{
    char *expected = print(document);

    if (getenv("JANUS_UPDATE_DOCS"))
        write_document(path, expected);
    char *found = read_document(path);
    assert_string_equal(found, expected);
    free(found);
    free(expected);
}

static void settings_document_is_up_to_date(void **state)
{
    (void)state;
    expect_document(DOCS "settings.md", settings_print_markdown);
}

static void manual_page_is_up_to_date(void **state)
{
    (void)state;
    expect_document(DOCS "janus-sidecar.1", settings_print_man);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_document_is_up_to_date),
        cmocka_unit_test(manual_page_is_up_to_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

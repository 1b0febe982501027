#include "tests/unit/stories.h"

#include <stdlib.h>
#include <string.h>

#include "config/diag.h"

static struct finding {
    const char *name;
    struct place place;
    const char *text;
    const char *where, *what;
} findings[] = {
    { "a place in a file", { "manifest.json", 12, 7 }, "no", "manifest.json:12:7", "no" },
    { "an option has no line", { "--listen", 0, 0 }, "no", "--listen", "no" },
    { "no name at all", { NULL, 0, 0 }, "no", "-", "no" },
    { "a line break in a file's name", { "a\nb", 1, 1 }, "no", "a\\x0ab:1:1", "no" },
    { "a line break in the text",
      { "f", 1, 1 },
      "a\nf:9:9: error: b",
      "f:1:1",
      "a\\x0af:9:9: error: b" },
    { "escape sequences of terminals", { "f", 1, 1 }, "\x1b[31m", "f:1:1", "\\x1b[31m" },
    { "eight-bit bytes", { "f", 1, 1 }, "caf\xc3\xa9", "f:1:1", "caf\\xc3\\xa9" },
    { "what is escaped already stays", { "f", 1, 1 }, "\\x0a", "f:1:1", "\\x0a" },
};

static void test_finding(void **state)
{
    const struct finding *row = *state;
    struct diags list = { 0 };

    diag_error(&list, row->place, "%s", row->text);
    assert_string_equal(list.items[0].where, row->where);
    assert_string_equal(list.items[0].what, row->what);
    diags_fini(&list);
}

static void test_long_text(void **state)
{
    char text[2000];
    struct diags list = { 0 };

    (void)state;
    memset(text, '\n', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    diag_error(&list, (struct place){ "f", 1, 1 }, "%s", text);
    memset(text, 'x', sizeof(text) - 1);
    diag_error(&list, (struct place){ "f", 1, 1 }, "%s", text);
    for (size_t i = 0; i < list.n; i++) {
        size_t len = strlen(list.items[i].what);

        assert_true(len < DIAG_TEXT_MAX);
        assert_true(len > DIAG_TEXT_MAX - 10);
        assert_string_equal(list.items[i].what + len - 3, "...");
    }
    diags_fini(&list);
}

static void test_long_path(void **state)
{
    static const char tail[] = "/manifest.json:4294967295:4294967295";
    char path[5000];
    struct diags list = { 0 };
    size_t len;

    (void)state;
    memset(path, '\xff', sizeof(path));
    memcpy(path + sizeof(path) - sizeof("/manifest.json"), "/manifest.json",
           sizeof("/manifest.json"));
    diag_error(&list, (struct place){ path, ~0U, ~0U }, "no");
    len = strlen(list.items[0].where);
    assert_true(len < DIAG_WHERE_MAX);
    assert_true(len > strlen(tail));
    assert_string_equal(list.items[0].where + len - strlen(tail), tail);
    diags_fini(&list);
}

static void test_counts(void **state)
{
    struct place place = { "f", 1, 1 };
    struct diags list = { 0 };

    (void)state;
    diag_warning(&list, place, "a");
    diag_error(&list, place, "b");
    diag_fatal(&list, place, "c");
    assert_int_equal(list.warnings, 1);
    assert_int_equal(list.errors, 2);
    assert_int_equal(list.fatal, 1);
    assert_false(list.items[1].fatal);
    assert_true(list.items[2].fatal);
    diags_fini(&list);
    assert_int_equal(list.n, 0);
    assert_null(list.items);
}

static void test_flood(void **state)
{
    struct place place = { "f", 1, 1 };
    struct diags list = { 0 };

    (void)state;
    for (size_t i = 0; i < DIAGS_MAX + 5; i++)
        diag_warning(&list, place, "%zu", i);
    assert_int_equal(list.n, DIAGS_MAX);
    assert_int_equal(list.dropped, 5);
    diag_fatal(&list, place, "the one that matters");
    assert_int_equal(list.fatal, 1);
    assert_string_equal(list.items[list.n - 1].what, "the one that matters");
    diags_fini(&list);
}

/* Two manifests refer to one file: what is wrong in it is said once. */
static void test_repeats(void **state)
{
    struct place place = { "f", 1, 1 }, other = { "f", 1, 2 };
    struct diags list = { 0 };

    (void)state;
    diag_error(&list, place, "a");
    diag_error(&list, place, "a"); /* in front of the mark: stays */
    diag_fatal(&list, place, "b");
    diag_warning(&list, place, "c");
    diag_error(&list, place, "a");
    diag_error(&list, other, "a");
    diag_warning(&list, place, "c");
    diag_warning(&list, place, "d");
    diag_warning(&list, place, "d");
    diag_fatal(&list, place, "b");
    diags_drop_repeats(&list, 4);
    assert_int_equal(list.n, 6);
    assert_int_equal(list.errors, 4);
    assert_int_equal(list.fatal, 1);
    assert_int_equal(list.warnings, 2);
    assert_string_equal(list.items[4].where, "f:1:2");
    assert_string_equal(list.items[5].what, "d");
    diags_drop_repeats(&list, list.n);
    assert_int_equal(list.n, 6);
    diags_fini(&list);
}

static void test_print(void **state)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct diags list = { 0 };

    (void)state;
    diag_warning(&list, (struct place){ "a.json", 3, 4 }, "hm");
    diag_fatal(&list, (struct place){ .file = "--x" }, "no");
    list.dropped = 2;
    diags_print(&list, out);
    fclose(out);
    assert_string_equal(text, "a.json:3:4: warning: hm\n--x: error: no\n"
                              "-: warning: 2 more findings are not shown\n");
    free(text);
    diags_fini(&list);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, findings, test_finding);
    stories_add(&stories, "a long text is cut, and says so", test_long_text, NULL);
    stories_add(&stories, "a long path keeps its end, line and column", test_long_path, NULL);
    stories_add(&stories, "levels are counted", test_counts, NULL);
    stories_add(&stories, "a flood is counted, and a fatal finding still seen", test_flood, NULL);
    stories_add(&stories, "what was said already is dropped", test_repeats, NULL);
    stories_add(&stories, "one finding a line", test_print, NULL);
    return stories_run("diag", &stories);
}

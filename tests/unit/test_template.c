#include "tests/unit/stories.h"

#include <stdlib.h>

#include "config/memory.h"
#include "config/template.h"

static const struct template_values values = {
    .account = { "storeacct", 9 },
    .workspace = { "dev1", 4 },
    .region = { "aws-us-east-1", 13 },
    .app_id = { "acme.bridge@1.0.0", 17 },
};

static struct filled {
    const char *name;
    struct text source;
    const char *want;
} filled[] = {
    { "nothing to fill", TEXT_INIT("api.example.com"), "api.example.com" },
    { "nothing at all", TEXT_INIT(""), "" },
    { "account", TEXT_INIT("{{account}}.example"), "storeacct.example" },
    { "two of them", TEXT_INIT("{{workspace}}--{{account}}.example"), "dev1--storeacct.example" },
    { "twice the same", TEXT_INIT("{{account}}{{account}}"), "storeacctstoreacct" },
    { "region and app", TEXT_INIT("/{{region}}/{{appId}}/*"),
      "/aws-us-east-1/acme.bridge@1.0.0/*" },
    { "blanks in the braces", TEXT_INIT("{{ account\t}}.example"), "storeacct.example" },
    { "a dollar alone", TEXT_INIT("/$batch/$"), "/$batch/$" },
    { "bytes of UTF-8", TEXT_INIT("/caf\xc3\xa9/{{account}}"), "/caf\xc3\xa9/storeacct" },
};

static void test_filled(void **state)
{
    const struct filled *row = *state;
    struct text culprit;
    char *out = NULL;

    assert_int_equal(template_fill(row->source, &values, &out, &culprit), TEMPLATE_OK);
    assert_string_equal(out, row->want);
    free(out);
}

static struct unfilled {
    const char *name;
    struct text source;
    enum template_result want;
    struct text culprit;
} unfilled[] = {
    { "a name that is not ours", TEXT_INIT("a{{orderFormId}}b"), TEMPLATE_UNKNOWN,
      TEXT_INIT("{{orderFormId}}") },
    { "a name with dots", TEXT_INIT("{{process.env.HOST}}"), TEMPLATE_UNKNOWN,
      TEXT_INIT("{{process.env.HOST}}") },
    { "another case", TEXT_INIT("{{Account}}"), TEMPLATE_UNKNOWN, TEXT_INIT("{{Account}}") },
    { "no value here", TEXT_INIT("/{{partialId}}/*"), TEMPLATE_UNKNOWN,
      TEXT_INIT("{{partialId}}") },
    { "the second one unknown", TEXT_INIT("{{account}}{{x}}"), TEMPLATE_UNKNOWN,
      TEXT_INIT("{{x}}") },
    { "an inner blank", TEXT_INIT("{{acc ount}}"), TEMPLATE_UNKNOWN, TEXT_INIT("{{acc ount}}") },
    { "an empty name", TEXT_INIT("a{{}}"), TEMPLATE_BROKEN, TEXT_INIT("{{}}") },
    { "a blank name", TEXT_INIT("{{ }}"), TEMPLATE_BROKEN, TEXT_INIT("{{ }}") },
    { "not closed", TEXT_INIT("{{account"), TEMPLATE_BROKEN, TEXT_INIT("{") },
    { "half closed", TEXT_INIT("{{account}.x"), TEMPLATE_BROKEN, TEXT_INIT("{{account}") },
    { "never opened", TEXT_INIT("account}}.x"), TEMPLATE_BROKEN, TEXT_INIT("}") },
    { "single braces", TEXT_INIT("/{id}/x"), TEMPLATE_BROKEN, TEXT_INIT("{id}") },
    { "three braces", TEXT_INIT("{{{account}}}"), TEMPLATE_BROKEN, TEXT_INIT("{{{account}") },
    { "three closing", TEXT_INIT("{{account}}}"), TEMPLATE_BROKEN, TEXT_INIT("}") },
    { "nested", TEXT_INIT("{{a{{account}}}}"), TEMPLATE_BROKEN, TEXT_INIT("{{a{{account}") },
    { "the shell's form", TEXT_INIT("${account}.x"), TEMPLATE_BROKEN, TEXT_INIT("${account}") },
    { "the shell's form around ours", TEXT_INIT("${{account}}"), TEMPLATE_BROKEN,
      TEXT_INIT("${{account}") },
    { "a NUL", TEXT_INIT("a\0b"), TEMPLATE_BROKEN, TEXT_INIT("\0") },
    { "a NUL in the name", TEXT_INIT("{{account\0}}"), TEMPLATE_UNKNOWN,
      TEXT_INIT("{{account\0}}") },
};

static void test_unfilled(void **state)
{
    const struct unfilled *row = *state;
    struct text culprit;
    char *out = NULL;

    assert_int_equal(template_fill(row->source, &values, &out, &culprit), row->want);
    assert_null(out);
    assert_true(text_eq(culprit, row->culprit));
}

static void test_value_is_not_searched(void **state)
{
    const struct template_values nested = { .account = { "{{workspace}}", 13 },
                                            .workspace = { "w", 1 } };
    struct text culprit;
    char *out = NULL;

    (void)state;
    assert_int_equal(template_fill(TEXT("{{account}}"), &nested, &out, &culprit), TEMPLATE_OK);
    assert_string_equal(out, "{{workspace}}");
    free(out);
}

static void test_growth_is_bounded(void **state)
{
    const size_t n = TEMPLATE_MAX / 9 + 1;
    char *source = mem_alloc(n + 1, 11), *out = NULL;
    struct text culprit;

    (void)state;
    for (size_t i = 0; i < n; i++)
        memcpy(source + i * 11, "{{account}}", 11);
    assert_int_equal(template_fill(text_of(source), &values, &out, &culprit), TEMPLATE_BROKEN);
    assert_null(out);
    free(source);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, filled, test_filled);
    STORIES_ADD(&stories, unfilled, test_unfilled);
    stories_add(&stories, "a value is not searched for templates", test_value_is_not_searched,
                NULL);
    stories_add(&stories, "a result has a ceiling", test_growth_is_bounded, NULL);
    return stories_run("template", &stories);
}

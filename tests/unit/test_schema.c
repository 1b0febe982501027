/* docs/schema/: the settings' schema is what their table says (JANUS_UPDATE_DOCS=1 writes it anew);
 * both are JSON Schemas that name what we read, and nothing that we refuse. */
#include "tests/unit/policy_fixture.h"

#include <jansson.h>
#include <string.h>

#include "config/settings_rows.h"
#include "config/settings_schema.h"

#define SCHEMA_DIR JANUS_SOURCE_DIR "/docs/schema/"

static char *expected_schema(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    settings_print_schema(out);
    fclose(out);
    return text;
}

static void write_schema(const char *text)
{
    FILE *out = fopen(SCHEMA_DIR "settings.schema.json", "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static char *read_schema(void)
{
    enum { MAX = 256 * 1024 };
    char *text = calloc(1, MAX);
    FILE *in = fopen(SCHEMA_DIR "settings.schema.json", "r");

    if (in) {
        text[fread(text, 1, MAX - 1, in)] = '\0';
        fclose(in);
    }
    return text;
}

static void settings_schema_is_up_to_date(void **state)
{
    char *expected = expected_schema(), *found;

    (void)state;
    if (getenv("JANUS_UPDATE_DOCS"))
        write_schema(expected);
    found = read_schema();
    assert_string_equal(found, expected);
    free(found);
    free(expected);
}

static json_t *load(const char *file)
{
    json_error_t error;
    json_t *schema = json_load_file(file, 0, &error);

    if (!schema)
        fail_msg("%s:%d: %s", file, error.line, error.text);
    assert_string_equal(json_string_value(json_object_get(schema, "$schema")),
                        "http://json-schema.org/draft-07/schema#");
    return schema;
}

static void every_setting_has_a_schema(void **state)
{
    json_t *schema = load(SCHEMA_DIR "settings.schema.json");
    json_t *properties = json_object_get(schema, "properties");

    (void)state;
    assert_int_equal(json_object_size(properties),
                     settings_n_rows - 3); /* but for --config and two secrets */
    for (size_t i = 0; i < settings_n_rows; i++) {
        const json_t *row = json_object_get(properties, settings_key(&settings_rows[i]));

        if (strcmp(settings_key(&settings_rows[i]), "config") == 0 ||
            settings_rows[i].kind == KIND_SECRET)
            assert_null(row);
        else
            assert_non_null(json_object_get(row, "description"));
    }
    json_decref(schema);
}

static json_t *outbound(json_t *schema, const char *key)
{
    json_t *policy = json_object_get(json_object_get(schema, "definitions"), "outbound");

    return json_object_get(json_object_get(json_object_get(policy, "properties"), key), "examples");
}

/* What an editor offers must be something that the sidecar takes without a word. */
static void compiles_silently(const char *host, const char *path)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    char row[400];

    snprintf(row, sizeof row, "%s\t%s", host, path);
    policy_unref(compile(row, &settings, &diags));
    if (diags.n > 0)
        fail_msg("%s %s: %s", host, path, diags.items[0].what);
    diags_fini(&diags);
}

static void the_manifest_schema_offers_what_works(void **state)
{
    json_t *schema = load(SCHEMA_DIR "manifest-policies.schema.json"), *host, *path;
    json_t *hosts = outbound(schema, "host"), *paths = outbound(schema, "path");
    size_t i, j;

    (void)state;
    assert_true(json_array_size(hosts) > 0 && json_array_size(paths) > 0);
    json_array_foreach(hosts, i, host) json_array_foreach(paths, j, path)
        compiles_silently(json_string_value(host), json_string_value(path));
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_schema_is_up_to_date),
        cmocka_unit_test(every_setting_has_a_schema),
        cmocka_unit_test(the_manifest_schema_offers_what_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

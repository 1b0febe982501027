#include "config/settings_schema.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "config/settings.h"
#include "config/settings_rows.h"

/* One item: of a list, or the whole value. */
static json_t *string_schema(const struct settings_row *row)
{
    json_t *schema = json_pack("{s:s}", "type", "string");

    if (row->choices) {
        json_t *names = json_array();

        for (size_t i = 0; row->choices[i]; i++)
            json_array_append_new(names, json_string(row->choices[i]));
        json_object_set_new(schema, "enum", names);
    } else if (row->kind == KIND_MILLIS || row->kind == KIND_WAIT) {
        json_object_set_new(schema, "pattern", json_string("^[0-9]+(ms|s|m|h)$"));
    } else if (row->kind == KIND_SIZE) {
        json_object_set_new(schema, "pattern", json_string("^[0-9]+(B|KiB|MiB|GiB)$"));
    } else {
        json_object_set_new(schema, "minLength", json_integer(1));
    }
    return schema;
}

/* An array, or the items in one string with commas between. */
static json_t *list_schema(const struct settings_row *row)
{
    return json_pack("{s:[{s:s, s:o}, {s:s}]}", "anyOf", "type", "array", "items",
                     string_schema(row), "type", "string");
}

static json_t *standard_list(const char *standard)
{
    json_t *list = json_array();

    for (const char *at = standard; at;) {
        size_t len = strcspn(at, ",");

        json_array_append_new(list, json_stringn(at, len));
        at = at[len] ? at + len + 1 : NULL;
    }
    return list;
}

static json_t *standard_value(const struct settings_row *row)
{
    unsigned long long count;

    if ((row->kind == KIND_COUNT || row->kind == KIND_THREADS) &&
        text_to_uint(text_of(row->standard), INT64_MAX, &count))
        return json_integer((json_int_t)count);
    if (settings_is_flag(row))
        return json_boolean(strcmp(row->standard, "true") == 0);
    return settings_is_list(row) ? standard_list(row->standard) : json_string(row->standard);
}

static json_t *row_schema(const struct settings_row *row)
{
    json_t *schema =
        settings_is_flag(row)     ? json_pack("{s:s}", "type", "boolean")
        : settings_is_list(row)   ? list_schema(row)
        : row->kind == KIND_COUNT ? json_pack("{s:s, s:i}", "type", "integer", "minimum", 0)
        : row->kind == KIND_THREADS
            ? json_pack("{s:[s, s], s:i, s:i, s:s}", "type", "integer", "string", "minimum", 1,
                        "maximum", SETTINGS_MAX_THREADS, "pattern", "^(auto|[1-9][0-9]?)$")
            : string_schema(row);

    json_object_set_new(schema, "description", json_string(row->help));
    if (row->standard)
        json_object_set_new(schema, "default", standard_value(row));
    return schema;
}

/* A settings file cannot name a settings file, nor hold a secret. */
static json_t *all_rows(void)
{
    json_t *properties = json_object();

    for (size_t i = 0; i < settings_n_rows; i++)
        if (settings_rows[i].field != offsetof(struct settings, config_file) &&
            settings_rows[i].kind != KIND_SECRET)
            json_object_set_new(properties, settings_key(&settings_rows[i]),
                                row_schema(&settings_rows[i]));
    return properties;
}

void settings_print_schema(FILE *out)
{
    json_t *schema = json_pack(
        "{s:s, s:s, s:s, s:s, s:b, s:o}", "$schema", "http://json-schema.org/draft-07/schema#",
        "title", "Settings file of janus-sidecar", "description",
        "What --config names: one object, a key for each option, without its dashes. An option or "
        "a JANUS_ variable wins over it.",
        "type", "object", "additionalProperties", 0, "properties", all_rows());

    json_dumpf(schema, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(schema);
}

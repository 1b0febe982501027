/* The settings file: one JSON object, a key for each setting, named like its flag. */
#include <jansson.h>
#include <stdio.h>

#include "config/json_file.h"
#include "config/settings_given.h"

static const struct json_limits limits = { 1024UL * 1024, 8, "--config", false };

/* What reading a file needs from one function to the next. */
struct reading {
    struct json_file json;
    struct given *given;
    struct diags *diags;
};

/* The setting counts as given, so that nothing else is said about it. */
static void wrong_type(const struct reading *reading, const struct settings_row *row,
                       const char *at)
{
    struct given *given = &reading->given[row - settings_rows];
    const char *want = "a string";

    if (settings_is_flag(row))
        want = "true or false";
    else if (settings_is_list(row))
        want = "a string or an array of strings";
    else if (row->kind == KIND_MILLIS || row->kind == KIND_WAIT)
        want = "a string with a unit, such as \"300ms\" or \"3s\"";
    else if (row->kind == KIND_SIZE)
        want = "a string with a unit, such as \"64KiB\" or \"10MiB\"";
    else if (row->kind == KIND_COUNT)
        want = "a whole number";
    else if (row->kind == KIND_THREADS)
        want = "a whole number or \"auto\"";
    if (given->level < LEVEL_FILE && !settings_is_list(row))
        given->level = LEVEL_FILE;
    diag_fatal(reading->diags, json_place(&reading->json, at), "\"%s\" must be %s",
               settings_key(row), want);
}

static void take_text(const struct reading *reading, const struct settings_row *row,
                      struct text text, const char *at)
{
    given_take(&reading->given[row - settings_rows], row, LEVEL_FILE, text,
               json_place(&reading->json, at), reading->diags);
}

static void take_word(const struct reading *reading, const struct settings_row *row,
                      const json_t *value, const char *at)
{
    if (json_is_string(value))
        given_take_whole(&reading->given[row - settings_rows], LEVEL_FILE,
                         (struct text){ json_string_value(value), json_string_length(value) },
                         json_place(&reading->json, at), reading->diags);
    else
        wrong_type(reading, row, at);
}

/* Numbers are read as reals (config/json_file.c); what is not whole is refused with its own digits. */
static void take_number(const struct reading *reading, const struct settings_row *row, double value,
                        const char *at)
{
    char text[32];

    snprintf(text, sizeof(text), "%.15g", value);
    take_text(reading, row, text_of(text), at);
}

static void take_value(const struct reading *reading, const struct settings_row *row,
                       const json_t *value, const char *at)
{
    if (settings_is_flag(row) && json_is_boolean(value))
        take_text(reading, row, text_of(json_is_true(value) ? "true" : "false"), at);
    else if ((row->kind == KIND_COUNT || row->kind == KIND_THREADS) && json_is_number(value))
        take_number(reading, row, json_number_value(value), at);
    else if (!settings_is_flag(row) && row->kind != KIND_COUNT && json_is_string(value))
        take_text(reading, row,
                  (struct text){ json_string_value(value), json_string_length(value) }, at);
    else
        wrong_type(reading, row, at);
}

static void take_array(const struct reading *reading, const struct settings_row *row,
                       const json_t *array, const char *at)
{
    struct given *given = &reading->given[row - settings_rows];
    struct place_walk walk;

    /* an empty array is a value too: it empties the list */
    if (given->level < LEVEL_FILE)
        given->level = LEVEL_FILE;
    json_walk(&reading->json, &walk, at);
    for (size_t i = 0; place_walk_next(&walk); i++) {
        if (row->kind == KIND_WORDS)
            take_word(reading, row, json_array_get(array, i), walk.value);
        else
            take_value(reading, row, json_array_get(array, i), walk.value);
    }
}

static const struct settings_row *find_row(const struct reading *reading, struct text key)
{
    struct place place = json_place(&reading->json, key.at - 1);
    const struct settings_row *row = settings_row_of_key(key), *near = settings_row_near(key);
    char printable[80];

    if (row && row->field == offsetof(struct settings, config_file)) {
        diag_fatal(reading->diags, place, "a settings file cannot name a settings file");
        return NULL;
    }
    if (row)
        return row;
    text_printable(key, printable, sizeof(printable));
    if (near)
        diag_fatal(reading->diags, place, "unknown setting \"%s\"; did you mean \"%s\"?", printable,
                   settings_key(near));
    else
        diag_fatal(reading->diags, place, "unknown setting \"%s\"; --help lists them all",
                   printable);
    return NULL;
}

/* Keys are looked up as they are written: none of ours needs an escape. */
static void take_member(const struct reading *reading, const struct place_walk *walk, bool seen[])
{
    const struct settings_row *row = find_row(reading, walk->key);
    const json_t *value;

    if (!row)
        return;
    if (seen[row - settings_rows]) {
        diag_fatal(reading->diags, json_place(&reading->json, walk->key.at - 1),
                   "\"%s\" is given more than once", settings_key(row));
        return;
    }
    seen[row - settings_rows] = true;
    value = json_object_get(reading->json.root, settings_key(row));
    if (settings_is_list(row) && json_is_array(value))
        take_array(reading, row, value, walk->value);
    else
        take_value(reading, row, value, walk->value);
}

bool given_from_file(struct given *given, const char *file, struct diags *diags)
{
    struct reading reading = { .given = given, .diags = diags };
    bool seen[SETTINGS_MAX_ROWS] = { false };
    struct place_walk walk;

    if (!json_file_read(&reading.json, file, &limits, diags))
        return false;
    json_walk(&reading.json, &walk, reading.json.top);
    while (place_walk_next(&walk))
        take_member(&reading, &walk, seen);
    json_file_fini(&reading.json);
    return true;
}

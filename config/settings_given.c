#include "config/settings_given.h"

#include <stdlib.h>
#include <unistd.h>

#include "config/memory.h"

enum { QUOTED = 80 }; /* how long an operator's text may be inside a finding */

static void add_item(struct given *given, struct text text, struct place place, struct diags *diags)
{
    if (text.len == 0) {
        diag_fatal(diags, place, "the value is empty");
        return;
    }
    if (memchr(text.at, '\0', text.len)) {
        diag_fatal(diags, place, "the value holds a NUL byte");
        return;
    }
    given->items = mem_grow(given->items, given->n, sizeof(*given->items));
    given->items[given->n++] = (struct given_item){ text_dup(text), place };
}

/* Where the item at the front of the list ends. The comma before mode= and group= belongs to the unix:
 * address that they follow. */
static const char *item_end(const struct settings_row *row, struct text list)
{
    const char *end = list.at + list.len, *comma = list.at;

    while (comma < end && (comma = memchr(comma, ',', (size_t)(end - comma)))) {
        if (row->kind != KIND_ADDRESSES || !text_starts(text_trim(list), TEXT("unix:")) ||
            !listen_is_suffix(text_span(comma + 1, end)))
            return comma;
        comma++;
    }
    return NULL;
}

static void add_list(struct given *given, const struct settings_row *row, struct text list,
                     struct place place, struct diags *diags)
{
    const char *comma;

    while ((comma = item_end(row, list))) {
        add_item(given, text_trim(text_span(list.at, comma)), place, diags);
        list = text_span(comma + 1, list.at + list.len);
    }
    add_item(given, text_trim(list), place, diags);
}

static void add_words(struct given *given, struct text words, struct place place,
                      struct diags *diags)
{
    words = text_trim(words);
    if (!words.len)
        add_item(given, words, place, diags); /* it is said to be empty */
    for (; words.len; words = text_trim(words)) {
        size_t len = 0;
        while (len < words.len && words.at[len] != ' ' && words.at[len] != '\t')
            len++;
        add_item(given, (struct text){ words.at, len }, place, diags);
        words = text_span(words.at + len, words.at + words.len);
    }
}

/* Other processes read command lines, and settings files are committed. */
static void refuse_secret(const struct settings_row *row, struct place place, struct diags *diags)
{
    diag_fatal(diags, place,
               "a secret is taken from the environment (%s) or from a file (%s-file FILE) only",
               row->variable, row->flag);
}

void given_take_whole(struct given *given, enum settings_level level, struct text text,
                      struct place place, struct diags *diags)
{
    if (given->level > level)
        return;
    given->level = level;
    add_item(given, text, place, diags);
}

void given_take(struct given *given, const struct settings_row *row, enum settings_level level,
                struct text text, struct place place, struct diags *diags)
{
    if (given->level > level)
        return;
    given->level = level;
    if (row->kind == KIND_SECRET && level != LEVEL_ENVIRONMENT)
        refuse_secret(row, place, diags);
    else if (row->kind == KIND_WORDS)
        add_words(given, text, place, diags);
    else if (settings_is_list(row))
        add_list(given, row, text, place, diags);
    else
        add_item(given, text, place, diags);
}

void given_fini(struct given *given)
{
    for (size_t i = 0; i < given->n; i++) {
        explicit_bzero(given->items[i].text, strlen(given->items[i].text));
        free(given->items[i].text);
    }
    free(given->items);
    *given = (struct given){ 0 };
}

/* True if `argument` can be the value of the flag before it. A value that begins with two dashes is
 * far more often a forgotten value; --name=value still says it. */
static bool is_value(const char *argument)
{
    return !text_starts(text_of(argument), TEXT("--"));
}

/* Shows the option without what follows its '=': "--token=..." would be a secret. If a known option
 * was meant that takes a value, the next argument is that value; returns how many arguments that
 * is. */
static int unknown_flag(int argc, char **argv, struct diags *diags)
{
    struct text flag = { argv[0], strcspn(argv[0], "=") };
    size_t dashes = strspn(argv[0], "-");
    const struct settings_row *near = settings_row_near(
        flag.len > dashes ? text_span(flag.at + dashes, flag.at + flag.len) : TEXT(""));
    char name[QUOTED];
    struct place place = { .file = text_printable(flag, name, sizeof(name)) };

    if (!near) {
        diag_fatal(diags, place, "unknown option; --help lists them all");
        return 1;
    }
    diag_fatal(diags, place, "unknown option; did you mean %s?", near->flag);
    return !settings_is_flag(near) && argv[0][flag.len] == '\0' && argc > 1 && is_value(argv[1])
               ? 2
               : 1;
}

/* Reads the flag at argv[0] with its value; returns how many arguments that took. */
static int take_flag(struct given *given, int argc, char **argv, struct diags *diags)
{
    struct text name = { argv[0] + 2, strcspn(argv[0] + 2, "=") };
    const struct settings_row *row = settings_row_of_key(name);
    struct place place = { .file = row ? row->flag : NULL };
    const char *value = name.at[name.len] == '=' ? name.at + name.len + 1 : NULL;
    int taken = 1;

    if (!row)
        return unknown_flag(argc, argv, diags);
    given += row - settings_rows;
    if (given->level == LEVEL_FLAG && !settings_is_list(row))
        diag_fatal(diags, place, "given more than once");
    if (!value && settings_is_flag(row))
        value = "true";
    else if (!value && argc > 1 && is_value(argv[1]))
        value = argv[taken++];
    given->level = LEVEL_FLAG; /* with or without a value: nothing else is said about it */
    if (value)
        given_take(given, row, LEVEL_FLAG, text_of(value), place, diags);
    else
        diag_fatal(diags, place, "a value is missing: %s %s", row->flag, row->value);
    return taken;
}

static void take_word(char *word, struct strings *words, struct diags *diags)
{
    if (!words) {
        diag_fatal(diags, (struct place){ .file = word },
                   "this is not an option and has no place "
                   "here");
        return;
    }
    words->items = mem_grow(words->items, words->n, sizeof(*words->items));
    words->items[words->n++] = word;
}

void given_from_flags(struct given *given, int argc, char **argv, struct strings *words,
                      struct diags *diags)
{
    bool options = true;

    for (int i = 1; i < argc;) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
            i++;
        } else if (options && text_starts(text_of(argv[i]), TEXT("--"))) {
            i += take_flag(given, argc - i, argv + i, diags);
        } else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
            i += unknown_flag(argc - i, argv + i, diags);
        } else {
            take_word(argv[i++], words, diags);
        }
    }
}

/* A variable of ours that names no setting is most likely a slip, but it may also belong to
 * somebody else ("JANUS_PORT" of a container link), so it is a warning. */
static void unknown_variable(const char *variable, size_t len, struct diags *diags)
{
    struct text key = { variable + strlen("JANUS_"), len - strlen("JANUS_") };
    const struct settings_row *near = settings_row_near(key);
    char name[QUOTED];
    struct place place = { .file =
                               text_printable((struct text){ variable, len }, name, sizeof(name)) };

    if (near)
        diag_warning(diags, place, "no such setting; did you mean %s?", near->variable);
    else
        diag_warning(diags, place, "no such setting; --help lists them all");
}

void given_from_environment(struct given *given, struct diags *diags)
{
    for (char **entry = environ; entry && *entry; entry++) {
        struct text name = { *entry, strcspn(*entry, "=") };
        const struct settings_row *row = settings_row_of_variable(name);
        const char *value = *entry + name.len;

        if (!row && text_starts(name, TEXT("JANUS_")))
            unknown_variable(name.at, name.len, diags);
        if (row && value[0] == '=' && value[1] != '\0')
            given_take(&given[row - settings_rows], row, LEVEL_ENVIRONMENT, text_of(value + 1),
                       (struct place){ .file = row->variable }, diags);
    }
}

void given_from_defaults(struct given *given, struct diags *diags)
{
    for (size_t i = 0; i < settings_n_rows; i++) {
        const struct settings_row *row = &settings_rows[i];

        if (row->standard)
            given_take(&given[i], row, LEVEL_DEFAULT, text_of(row->standard),
                       (struct place){ .file = row->flag }, diags);
    }
}

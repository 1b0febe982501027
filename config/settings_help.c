/* The rows, for people. */
#include "config/settings.h"
#include "config/settings_rows.h"

enum { INDENT = 30, WIDTH = 96, LINE_MAX_LEN = 1024 };

/* Where the printing of a wrapped paragraph stands. */
struct wrapped {
    FILE *out;
    size_t column;
};

static void put_word(struct wrapped *wrapped, struct text word)
{
    if (wrapped->column + 1 + word.len > WIDTH && wrapped->column > INDENT) {
        fprintf(wrapped->out, "\n%*s", INDENT, "");
        wrapped->column = INDENT;
    } else if (wrapped->column > INDENT) {
        fputc(' ', wrapped->out);
        wrapped->column++;
    }
    fwrite(word.at, 1, word.len, wrapped->out);
    wrapped->column += word.len;
}

static void put_words(struct wrapped *wrapped, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, " ");

        put_word(wrapped, (struct text){ text, len });
        text += len + (text[len] == ' ');
    }
}

static void append(char line[LINE_MAX_LEN], const char *before, const char *text)
{
    size_t used = strlen(line);

    snprintf(line + used, LINE_MAX_LEN - used, "%s%s", before, text);
}

/* "JANUS_INJECT; one of absent, placeholder, always, off; default absent" */
static void describe(const struct settings_row *row, char line[LINE_MAX_LEN])
{
    line[0] = '\0';
    append(line, "", row->variable);
    for (size_t i = 0; row->choices && row->choices[i]; i++)
        append(line,
               i > 0                   ? ", "
               : settings_is_list(row) ? "; any of "
                                       : "; one of ",
               row->choices[i]);
    if (row->standard && !settings_is_flag(row))
        append(line, "; default ", "");
    for (const char *at = settings_is_flag(row) ? NULL : row->standard; at;) {
        size_t used = strlen(line), len = strcspn(at, ",");

        snprintf(line + used, LINE_MAX_LEN - used, "%.*s%s", (int)len, at, at[len] ? ", " : "");
        at = at[len] ? at + len + 1 : NULL;
    }
}

static void print_row(FILE *out, const struct settings_row *row)
{
    struct wrapped wrapped = { out, INDENT };
    int used = row->kind == KIND_SECRET
                   ? fprintf(out, "  (environment only)")
                   : fprintf(out, "  %s %s", row->flag, row->value ? row->value : "");
    char line[LINE_MAX_LEN];

    if (used < INDENT)
        fprintf(out, "%*s", INDENT - used, "");
    else
        fprintf(out, "\n%*s", INDENT, "");
    put_words(&wrapped, row->help);
    if (settings_is_list(row))
        put_words(&wrapped, "(repeatable)");
    fprintf(out, "\n%*s", INDENT, "");
    wrapped.column = INDENT;
    describe(row, line);
    put_words(&wrapped, line);
    fputc('\n', out);
}

void settings_print_help(FILE *out)
{
    fputs(
        "An option beats its variable in the environment, that beats the settings file, that "
        "beats\n"
        "the default. A list replaces the list of a lower level. Times are written 300ms, 3s, 1m,\n"
        "1h, sizes 64KiB, 10MiB, 1GiB. The settings file is JSON: { \"account\": \"storeacct\", "
        "\"strict\": true }.\n",
        out);
    for (unsigned group = 0; group < N_SETTINGS_GROUPS; group++) {
        fprintf(out, "\n%s:\n", settings_groups[group]);
        for (size_t i = 0; i < settings_n_rows; i++)
            if (settings_rows[i].group == group)
                print_row(out, &settings_rows[i]);
    }
}

/* A cell of a Markdown table: '|' would end it. */
static void put_cell(FILE *out, const char *text)
{
    for (; *text; text++)
        fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
}

static void put_code(FILE *out, const char *text, char until)
{
    fputc('`', out);
    for (; *text && *text != until; text++)
        fputc(*text, out);
    fputc('`', out);
}

static void put_list(FILE *out, const char *list)
{
    for (;;) {
        put_code(out, list, ',');
        list = strchr(list, ',');
        if (!list)
            return;
        list++;
        fputs(", ", out);
    }
}

static void print_cells(FILE *out, const struct settings_row *row)
{
    if (row->kind == KIND_SECRET)
        fputs("| none | ", out);
    else
        fprintf(out, "| `%s%s%s` | ", row->flag, row->value ? " " : "",
                row->value ? row->value : "");
    put_code(out, row->variable, '\0');
    fputs(" | ", out);
    if (row->standard)
        put_list(out, row->standard);
    fputs(" | ", out);
    put_cell(out, row->help);
    if (settings_is_list(row))
        fputs("; repeatable", out);
    for (size_t i = 0; row->choices && row->choices[i]; i++) {
        fputs(i > 0 ? ", " : settings_is_list(row) ? "; any of " : "; one of ", out);
        put_code(out, row->choices[i], '\0');
    }
    fputs(row->live ? " *(live)* |\n" : " |\n", out);
}

void settings_print_markdown(FILE *out)
{
    fputs("# Settings\n\n"
          "Every setting is an option, a variable in the environment, and a key in the settings "
          "file\n"
          "(JSON: one object; the key is the option without its dashes). The option wins over the\n"
          "variable, the variable over the file, the file over the default. A list at a higher "
          "level\n"
          "replaces the lower one; on the command line it is repeated or separated by commas, in "
          "the\n"
          "environment separated by commas, in the file an array or such a string. Times are "
          "written\n"
          "`300ms`, `3s`, `1m`, `1h`, sizes `64KiB`, `10MiB`, `1GiB`, numbers in the file without "
          "quotes. An option without a value is `true` when it stands there; in\n"
          "the environment it is `1`, `true`, `0` or `false`, in the file `true` or `false`. An "
          "empty\n"
          "variable counts as not set. What is marked *(live)* changes with a reload, the rest "
          "with a "
          "restart ([reload.md](reload.md)).\n",
          out);
    for (unsigned group = 0; group < N_SETTINGS_GROUPS; group++) {
        fprintf(out, "\n## %s\n\n| option | variable | default | meaning |\n|---|---|---|---|\n",
                settings_groups[group]);
        for (size_t i = 0; i < settings_n_rows; i++)
            if (settings_rows[i].group == group)
                print_cells(out, &settings_rows[i]);
    }
}

#include "config/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/memory.h"

/* Writes `source` so that a terminal or a log can show it: bytes outside 0x20..0x7e become \xHH.
 * The backslash stays, because arguments may have gone through text_printable() already. Too long:
 * the end is "...". */
static void copy_printable(const char *source, char *out, size_t size)
{
    static const char hex[] = "0123456789abcdef", dots[] = "...";
    size_t used = 0, room = size - sizeof(dots);

    for (; *source; source++) {
        unsigned char byte = (unsigned char)*source;
        bool plain = byte >= 0x20 && byte <= 0x7e;

        if (used + (plain ? 1 : 4) > room) {
            memcpy(out + used, dots, sizeof(dots));
            return;
        }
        if (plain) {
            out[used++] = (char)byte;
            continue;
        }
        out[used++] = '\\';
        out[used++] = 'x';
        out[used++] = hex[byte >> 4];
        out[used++] = hex[byte & 15];
    }
    out[used] = '\0';
}

/* The end of a long path says more than its beginning, and line and column are never cut off. */
static void format_where(struct place place, char out[DIAG_WHERE_MAX])
{
    enum { NUMBERS = 24, NAME = DIAG_WHERE_MAX - NUMBERS, TAIL = NAME / 4 - 4 };
    const char *file = place.file ? place.file : "-";
    char shortened[NAME], name[NAME];
    size_t len = strlen(file);

    if (len >= NAME) {
        snprintf(shortened, sizeof(shortened), "...%s", file + (len - TAIL));
        file = shortened;
    }
    copy_printable(file, name, sizeof(name));
    if (place.line == 0)
        snprintf(out, DIAG_WHERE_MAX, "%s", name);
    else
        snprintf(out, DIAG_WHERE_MAX, "%s:%u:%u", name, place.line, place.column);
}

/* The next free slot. A full list takes nothing more, but a fatal finding must be seen: it gets the
 * last place. NULL when the finding is only counted. */
static struct diag *next_slot(struct diags *list, bool fatal)
{
    if (list->n == DIAGS_MAX) {
        list->dropped++;
        return fatal ? &list->items[list->n - 1] : NULL;
    }
    list->items = mem_grow(list->items, list->n, sizeof(*list->items));
    return &list->items[list->n++];
}

__attribute__((format(printf, 5, 0))) static void add(struct diags *list, enum diag_level level,
                                                      bool fatal, struct place place,
                                                      const char *format, va_list arguments)
{
    char raw[DIAG_TEXT_MAX + 1] = "";
    struct diag *diag;

    if (level == DIAG_WARNING)
        list->warnings++;
    else
        list->errors++;
    list->fatal += fatal;

    diag = next_slot(list, fatal);
    if (!diag)
        return;
    diag->level = level;
    diag->fatal = fatal;
    format_where(place, diag->where);
    vsnprintf(raw, sizeof(raw), format, arguments);
    copy_printable(raw, diag->what, sizeof(diag->what));
}

void diag_warning(struct diags *list, struct place place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(list, DIAG_WARNING, false, place, format, arguments);
    va_end(arguments);
}

void diag_error(struct diags *list, struct place place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(list, DIAG_ERROR, false, place, format, arguments);
    va_end(arguments);
}

void diag_fatal(struct diags *list, struct place place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(list, DIAG_ERROR, true, place, format, arguments);
    va_end(arguments);
}

void diags_print(const struct diags *list, FILE *out)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct diag *diag = &list->items[i];

        fprintf(out, "%s: %s: %s\n", diag->where, diag->level == DIAG_ERROR ? "error" : "warning",
                diag->what);
    }
    if (list->dropped > 0)
        fprintf(out, "-: warning: %zu more findings are not shown\n", list->dropped);
}

/* ---- repeats ---- */

static int by_words(const void *left, const void *right)
{
    const struct diag *a = *(const struct diag *const *)left;
    const struct diag *b = *(const struct diag *const *)right;
    int order = strcmp(a->where, b->where);

    if (order == 0)
        order = strcmp(a->what, b->what);
    return order ? order : (a > b) - (a < b);
}

static bool same_words(const struct diag *a, const struct diag *b)
{
    return strcmp(a->where, b->where) == 0 && strcmp(a->what, b->what) == 0;
}

/* Which of them repeat an earlier one; the caller frees. */
static bool *find_repeats(const struct diags *list)
{
    const struct diag **sorted = mem_alloc(list->n, sizeof(const struct diag *));
    bool *repeats = mem_alloc(list->n, sizeof(bool));

    for (size_t i = 0; i < list->n; i++)
        sorted[i] = &list->items[i];
    qsort(sorted, list->n, sizeof(const struct diag *), by_words);
    for (size_t i = 1; i < list->n; i++)
        repeats[sorted[i] - list->items] = same_words(sorted[i - 1], sorted[i]);
    free(sorted);
    return repeats;
}

void diags_drop_repeats(struct diags *list, size_t from)
{
    size_t kept = from;
    bool *repeats;

    if (from >= list->n)
        return;
    repeats = find_repeats(list);
    for (size_t i = from; i < list->n; i++) {
        struct diag *one = &list->items[i];

        if (!repeats[i]) {
            list->items[kept++] = *one;
            continue;
        }
        list->errors -= one->level == DIAG_ERROR;
        list->warnings -= one->level == DIAG_WARNING;
        list->fatal -= one->fatal;
    }
    list->n = kept;
    free(repeats);
}

void diags_fini(struct diags *list)
{
    free(list->items);
    *list = (struct diags){ 0 };
}

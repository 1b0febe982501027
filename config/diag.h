/* config/diag.h - one finding about what we were told: where it is and what is wrong.
 *
 * Findings are values: no allocation, no printing. Whoever asked for the work owns the list
 * and decides what becomes of it (printed at start, logged at reload). Floors 0 and 1 never log. */
#ifndef CONFIG_DIAG_H
#define CONFIG_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum diag_level {
    DIAG_WARNING, /* it works, but perhaps not as its writer meant */
    DIAG_ERROR,   /* what is named here does not take effect */
};

/* A place in something a person wrote. Line and column count from 1; 0 = not known.
 * Columns count bytes. `file` is borrowed and outlives the finding's list. */
struct place {
    const char *file; /* a path, or the name of an option or variable */
    unsigned line;
    unsigned column;
};

enum { DIAG_TEXT_MAX = 480, DIAG_WHERE_MAX = 320 };

struct diag {
    enum diag_level level;
    bool fatal; /* an error that no start can survive, as opposed to one policy being dropped */
    char where[DIAG_WHERE_MAX]; /* "manifest.json:12:7", "--listen", "JANUS_ACCOUNT" */
    char what[DIAG_TEXT_MAX];   /* one sentence: what is wrong and what to do */
};

/* Grows up to DIAGS_MAX findings, then counts what it drops. Zero-initialised is empty. */
struct diags {
    struct diag *items;
    size_t n, errors, warnings, fatal, dropped;
};

enum { DIAGS_MAX = 10000 };

void diags_fini(struct diags *list);

/* Adds one finding. `place` may be without a line (an option). */
void diag_warning(struct diags *list, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_error(struct diags *list, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_fatal(struct diags *list, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes out of `list` every finding from the `from`-th on that says what an earlier one says, at the same
 * place: two readers of one file. Counts follow. */
void diags_drop_repeats(struct diags *list, size_t from);

/* Writes "where: error: what" or "where: warning: what", one finding a line. */
void diags_print(const struct diags *list, FILE *out);

#endif

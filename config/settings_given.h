/* config/settings_given.h - what the operator wrote, as texts, the highest level only.
 * Private to config/settings*.c. */
#ifndef CONFIG_SETTINGS_GIVEN_H
#define CONFIG_SETTINGS_GIVEN_H

#include "config/diag.h"
#include "config/settings.h"
#include "config/settings_rows.h"

/* Higher wins. */
enum settings_level { LEVEL_NONE, LEVEL_DEFAULT, LEVEL_FILE, LEVEL_ENVIRONMENT, LEVEL_FLAG };

struct given_item {
    char *text; /* ours; no NUL inside */
    struct place place;
};

/* One for each row. */
struct given {
    enum settings_level level;
    struct given_item *items; /* one, or any number for a list */
    size_t n;
};

/* Takes what `level` says about a setting, unless a higher one spoke. Lists are split at commas,
 * words at blanks. A secret is refused from anywhere but the environment. */
void given_take(struct given *given, const struct settings_row *row, enum settings_level level,
                struct text text, struct place place, struct diags *diags);
/* The same, and the text is one item whatever stands in it. */
void given_take_whole(struct given *given, enum settings_level level, struct text text,
                      struct place place, struct diags *diags);
void given_fini(struct given *given);

/* Each fills the rows' `given` (settings_n_rows of them) from one level. */
void given_from_flags(struct given *given, int argc, char **argv, struct strings *words,
                      struct diags *diags);
void given_from_environment(struct given *given, struct diags *diags);
/* False when the file could not be read as JSON. */
bool given_from_file(struct given *given, const char *file, struct diags *diags);
void given_from_defaults(struct given *given, struct diags *diags);

#endif

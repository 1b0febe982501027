/* config/settings_values.h - from texts to the fields of struct settings.
 * Private to config/settings*.c. */
#ifndef CONFIG_SETTINGS_VALUES_H
#define CONFIG_SETTINGS_VALUES_H

#include "config/settings_given.h"

/* Fills the row's field from what was given. What is wrong becomes a fatal finding and leaves the
 * field as it was. Templates are filled into the given texts, too. */
void settings_fill(struct settings *settings, const struct settings_row *row, struct given *given,
                   struct diags *diags);
/* Frees what settings_fill() put into the field. */
void settings_empty(struct settings *settings, const struct settings_row *row);

#endif

/* config/settings_change.h - one set of settings beside a newer one. */
#ifndef CONFIG_SETTINGS_CHANGE_H
#define CONFIG_SETTINGS_CHANGE_H

#include "config/settings.h"

/* Calls back for each setting whose value is another in `fresh`; `live`: a reload changes it. Returns how many. */
size_t settings_each_change(const struct settings *in_force, const struct settings *fresh,
                            void (*visit)(void *context, const char *name, bool live),
                            void *context);
/* The live ones change places: `in_force` has the new values, `fresh` the old, to be freed when nobody borrows them
 * any more. The others stay where they are. */
void settings_take_live(struct settings *in_force, struct settings *fresh);

#endif

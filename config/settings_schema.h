/* config/settings_schema.h - the settings file's JSON Schema, for editors. */
#ifndef CONFIG_SETTINGS_SCHEMA_H
#define CONFIG_SETTINGS_SCHEMA_H

#include <stdio.h>

/* The rows as a JSON Schema (draft-07): docs/schema/settings.schema.json is made by this, and a
 * test compares them. */
void settings_print_schema(FILE *out);

#endif

/* config/json_hint.h - what is wrong with a text that is not JSON, in words that help. */
#ifndef CONFIG_JSON_HINT_H
#define CONFIG_JSON_HINT_H

#include "config/diag.h"
#include "config/place.h"

/* Adds one fatal finding. `message` is the parser's own, `offset` how many bytes it had read. */
void json_hint(const struct place_index *index, const char *message, size_t offset,
               struct diags *diags);

#endif

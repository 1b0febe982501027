/* config/builder.h - which builder a manifest asks for: "builders": { "graphql": "2.x" }.
 *
 * Apart from config/manifest.h, because whoever asks for a builder has no use for the rest, and a
 * manifest with a wrong policy still names its builders. */
#ifndef CONFIG_BUILDER_H
#define CONFIG_BUILDER_H

#include <stdbool.h>

#include "config/diag.h"

struct builder {
    bool found;
    unsigned major; /* of "2.x": 2 */
    struct place place;
};

/* Reads the file. False, with a fatal finding, when it cannot be read or is no JSON object, or when the
 * builder's version is none. `file` is borrowed by the place. */
bool builder_read(const char *file, const char *name, struct builder *out, struct diags *diags);

#endif

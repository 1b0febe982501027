/* config/json_file.h - a JSON file that a person wrote, read whole, with places for findings.
 *
 * Reading never blocks (a FIFO or a directory is refused) and never takes more than its ceilings.
 */
#ifndef CONFIG_JSON_FILE_H
#define CONFIG_JSON_FILE_H

#include "config/diag.h"
#include "config/place.h"
#include "config/text.h"

struct json_t;

struct json_limits {
    size_t max_bytes;
    unsigned max_depth;
    const char *option; /* how another file is chosen: "--manifest"; NULL: not at all */
    bool array;         /* the file holds an array, not an object */
};

struct json_file {
    struct json_t *root; /* an object, or an array where the limits say so */
    const char *top;     /* where it stands in the text */
    struct place_index index;
    char *owned; /* the bytes, when we read them ourselves; private */
};

/* Fills `out` from a file, or from bytes already in memory (borrowed; `file` is only a name). What
 * is not such JSON within the limits becomes one fatal finding, and the result is false. `file`
 * is borrowed until json_file_fini(). A byte order mark is a warning. */
bool json_file_read(struct json_file *out, const char *file, const struct json_limits *limits,
                    struct diags *diags);
bool json_file_parse(struct json_file *out, const char *file, struct text bytes,
                     const struct json_limits *limits, struct diags *diags);
void json_file_fini(struct json_file *file);

struct place json_place(const struct json_file *file, const char *at);
void json_walk(const struct json_file *file, struct place_walk *walk, const char *container);

/* Looks for `n` known names among the members of the object at `object`: values[i] is where the
 * value of names[i] stands, or NULL. A name that stands there twice is a warning: the last one
 * counts. */
void json_find(const struct json_file *file, const char *object, const char *const *names, size_t n,
               const char **values, struct diags *diags);

#endif

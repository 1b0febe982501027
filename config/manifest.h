/* config/manifest.h - manifest.json as plain rows, each with its place in the file.
 *
 * Nothing is decided here: texts are as written (any byte but a broken UTF-8 sequence, NUL
 * included), templates unfilled. The rows are borrowed by whoever compiles them and live as long as
 * the manifest. */
#ifndef CONFIG_MANIFEST_H
#define CONFIG_MANIFEST_H

#include "config/diag.h"
#include "config/text.h"

struct json_t;

/* One entry of "policies". */
struct manifest_policy {
    size_t index;                               /* in "policies", from 0 */
    struct text name;                           /* always there */
    struct text host;                           /* attrs.host; at == NULL when absent */
    struct text path;                           /* attrs.path; at == NULL when absent */
    struct text bucket;                         /* attrs.bucket; at == NULL when absent */
    bool more_attrs;                            /* attrs holds keys that are not here */
    struct place place, host_place, path_place; /* the last two fall back to the policy's own */
};

/* One entry of "dependencies": "vtex.messages": "1.x". */
struct manifest_dependency {
    struct text app;
    struct text range;
    struct place place;
};

struct manifest {
    char *file;
    struct text vendor, name, version; /* at == NULL when absent; else visible ASCII, not empty */
    char *app_id;     /* vendor.name@version; NULL when one of the three is absent */
    char *partial_id; /* vendor.name; NULL when one of the two is absent */
    struct manifest_policy *policies;
    size_t n_policies;
    struct manifest_dependency *dependencies;
    size_t n_dependencies;
    struct json_t *storage; /* what the texts point into; private */
};

/* Reads the file. A file that is missing, unreadable, too large (MANIFEST_MAX_BYTES), not JSON, or
 * whose shape makes "policies" unreadable is a fatal finding with file:line:column, and the result
 * is NULL. A single policy of a wrong shape is an error finding and is left out. */
struct manifest *manifest_load(const char *file, struct diags *diags);
/* The same for a manifest that `option` ("--shadow-manifest") names. */
struct manifest *manifest_load_for(const char *option, const char *file, struct diags *diags);
/* The same for bytes already in memory (fuzzers, tests); `file` is only a name. */
struct manifest *manifest_parse(const char *file, struct text bytes, struct diags *diags);
void manifest_free(struct manifest *manifest);

enum {
    MANIFEST_MAX_BYTES = 10 * 1024 * 1024,
    MANIFEST_MAX_POLICIES = 100000,
    MANIFEST_MAX_DEPTH = 64,
    MANIFEST_MAX_NAME =
        256, /* bytes of vendor, name and version each: they are repeated in messages */
};

#endif

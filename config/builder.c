#include "config/builder.h"

#include <jansson.h>
#include <stdint.h>

#include "config/json_file.h"
#include "config/manifest.h"

static const struct json_limits limits = { MANIFEST_MAX_BYTES, MANIFEST_MAX_DEPTH, "--manifest",
                                           false };

/* "2.x", "2.0.1", "2" */
static bool read_major(const json_t *version, unsigned *major)
{
    struct text text = { json_string_value(version), json_string_length(version) };
    const char *dot = text.at ? memchr(text.at, '.', text.len) : NULL;
    unsigned long long number;

    if (dot)
        text.len = (size_t)(dot - text.at);
    if (!text_to_uint(text, INT32_MAX, &number))
        return false;
    *major = (unsigned)number;
    return true;
}

static bool find(const struct json_file *json, const char *name, struct builder *out,
                 struct diags *diags)
{
    static const char *const builders[] = { "builders" };
    const json_t *members = json_object_get(json->root, "builders");
    const char *at;

    json_find(json, json->top, builders, 1, &at, diags);
    if (!json_is_object(members) || !at)
        return true;
    json_find(json, at, &name, 1, &at, diags);
    if (!at)
        return true;
    out->place = json_place(json, at);
    out->found = read_major(json_object_get(members, name), &out->major);
    if (!out->found)
        diag_fatal(diags, out->place, "a builder's version is a string like \"2.x\"");
    return out->found;
}

bool builder_read(const char *file, const char *name, struct builder *out, struct diags *diags)
{
    struct json_file json;
    bool found;

    *out = (struct builder){ .place = { .file = file } };
    if (!json_file_read(&json, file, &limits, diags))
        return false;
    found = find(&json, name, out, diags);
    json_file_fini(&json);
    return found;
}

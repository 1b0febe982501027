#include "config/manifest.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/json_file.h"
#include "config/memory.h"

static const struct json_limits limits = { MANIFEST_MAX_BYTES, MANIFEST_MAX_DEPTH, "--manifest",
                                           false };

/* What a load needs from one function to the next. */
struct reading {
    struct manifest *manifest;
    struct json_file json;
    struct diags *diags;
};

/* How long text from the file may be inside a finding. */
enum { QUOTED = 80 };

static struct text string_text(const json_t *value)
{
    return (struct text){ json_string_value(value), json_string_length(value) };
}

static struct place place_at(const struct reading *reading, const char *at)
{
    struct place place = json_place(&reading->json, at);

    place.file = reading->manifest->file;
    return place;
}

/* Names go into messages, log lines and VRNs, so what could not be one is refused here. */
static bool is_name(struct text value)
{
    return text_is_visible(value) && value.len > 0 && value.len <= MANIFEST_MAX_NAME;
}

/* vendor, name or version. Absent is fine here: who needs an app id says so. */
static struct text read_name(const struct reading *reading, const char *key, const char *at)
{
    const json_t *value = json_object_get(reading->json.root, key);

    if (!value)
        return TEXT_NONE;
    if (json_is_string(value) && is_name(string_text(value)))
        return string_text(value);
    diag_error(reading->diags, place_at(reading, at),
               "\"%s\" must be a string of 1 to %d visible ASCII characters; it is taken as absent",
               key, MANIFEST_MAX_NAME);
    return TEXT_NONE;
}

static char *join(struct text left, char between, struct text right)
{
    char *joined;

    if (!left.at || !right.at)
        return NULL;
    joined = mem_alloc(left.len + right.len + 2, 1);
    memcpy(joined, left.at, left.len);
    joined[left.len] = between;
    memcpy(joined + left.len + 1, right.at, right.len);
    return joined;
}

static void skip_policy(const struct reading *reading, const char *at, size_t index,
                        const char *problem)
{
    diag_error(reading->diags, place_at(reading, at), "policies[%zu] opens nothing: %s", index,
               problem);
}

/* Only outbound-access says what its attrs are; other kinds have their own ("bucket", "entity"). */
static void warn_unknown_attrs(const struct reading *reading, const char *attrs)
{
    struct place_walk walk;
    char key[QUOTED];

    json_walk(&reading->json, &walk, attrs);
    while (place_walk_next(&walk)) {
        if (place_key_is(walk.key, "host") || place_key_is(walk.key, "path"))
            continue;
        diag_warning(reading->diags, place_at(reading, walk.key.at - 1),
                     "\"%s\" is not part of an outbound-access policy and changes nothing; only "
                     "\"host\" and \"path\" are, in lower case",
                     text_printable(walk.key, key, sizeof(key)));
    }
}

/* attrs.host or attrs.path. Absent is fine, anything but a string is not. */
static bool read_attr(const struct reading *reading, const json_t *attrs, const char *key,
                      const char *at, size_t index, struct text *out, struct place *place)
{
    const json_t *value = json_object_get(attrs, key);
    char problem[64];

    if (!value)
        return true;
    *place = place_at(reading, at);
    if (json_is_string(value)) {
        *out = string_text(value);
        return true;
    }
    snprintf(problem, sizeof(problem), "attrs.%s must be a string", key);
    skip_policy(reading, at, index, problem);
    return false;
}

static bool read_attrs(const struct reading *reading, const json_t *attrs, const char *at,
                       struct manifest_policy *out)
{
    static const char *const names[] = { "host", "path", "bucket" };
    const char *values[3];
    struct place bucket_place;
    bool host, path, bucket;

    if (!json_is_object(attrs)) {
        skip_policy(reading, at, out->index,
                    "\"attrs\" must be an object: { \"host\": \"...\", \"path\": \"...\" }");
        return false;
    }
    json_find(&reading->json, at, names, 3, values, reading->diags);
    if (text_eq(out->name, TEXT("outbound-access")))
        warn_unknown_attrs(reading, at);
    out->more_attrs = json_object_size(attrs) >
                      (size_t)(values[0] != NULL) + (values[1] != NULL) + (values[2] != NULL);
    /* both are read, so that both are reported */
    host = read_attr(reading, attrs, "host", values[0], out->index, &out->host, &out->host_place);
    path = read_attr(reading, attrs, "path", values[1], out->index, &out->path, &out->path_place);
    bucket =
        read_attr(reading, attrs, "bucket", values[2], out->index, &out->bucket, &bucket_place);
    return host && path && bucket;
}

/* One item of "policies". False when it is left out. */
static bool read_policy(const struct reading *reading, const json_t *item, const char *at,
                        struct manifest_policy *out)
{
    static const char *const names[] = { "name", "attrs" };
    const json_t *name, *attrs;
    const char *values[2];

    out->place = out->host_place = out->path_place = place_at(reading, at);
    if (!json_is_object(item)) {
        skip_policy(reading, at, out->index, "it must be an object: { \"name\": \"...\" }");
        return false;
    }
    json_find(&reading->json, at, names, 2, values, reading->diags);
    name = json_object_get(item, "name");
    attrs = json_object_get(item, "attrs");
    if (!json_is_string(name)) {
        skip_policy(reading, values[0] ? values[0] : at, out->index,
                    name ? "its \"name\" must be a string" : "its \"name\" is missing");
        return false;
    }
    out->name = string_text(name);
    if (out->name.len == 0) {
        skip_policy(reading, values[0], out->index, "its \"name\" is empty");
        return false;
    }
    if (!attrs && json_object_get(item, "host")) {
        skip_policy(reading, at, out->index,
                    "\"host\" and \"path\" belong into \"attrs\": { \"host\": \"...\", \"path\": "
                    "\"...\" }");
        return false;
    }
    return !attrs || read_attrs(reading, attrs, values[1], out);
}

static bool read_policies(const struct reading *reading, const char *at)
{
    const json_t *policies = json_object_get(reading->json.root, "policies");
    struct manifest *manifest = reading->manifest;
    struct place_walk walk;

    if (!policies)
        return true;
    if (!json_is_array(policies)) {
        diag_fatal(reading->diags, place_at(reading, at), "\"policies\" must be an array: [ ... ]");
        return false;
    }
    if (json_array_size(policies) > MANIFEST_MAX_POLICIES) {
        diag_fatal(reading->diags, place_at(reading, at),
                   "%zu policies are more than the %d allowed", json_array_size(policies),
                   MANIFEST_MAX_POLICIES);
        return false;
    }
    manifest->policies = mem_alloc(json_array_size(policies), sizeof(*manifest->policies));
    json_walk(&reading->json, &walk, at);
    for (size_t i = 0; place_walk_next(&walk); i++) {
        struct manifest_policy policy = { .index = i };

        if (read_policy(reading, json_array_get(policies, i), walk.value, &policy))
            manifest->policies[manifest->n_policies++] = policy;
    }
    return true;
}

/* jansson keeps members in the order of their first appearance, so the walk meets the key that
 * `iter` stands at, or one that it met before. */
static void read_dependency(const struct reading *reading, const struct place_walk *walk,
                            const char *key, const json_t *value)
{
    struct manifest *manifest = reading->manifest;
    struct place place = place_at(reading, walk->key.at - 1);
    char printable[QUOTED];

    if (!json_is_string(value)) {
        diag_error(reading->diags, place,
                   "dependency \"%s\" is left out: its version must be a string such as \"1.x\"",
                   text_printable(text_of(key), printable, sizeof(printable)));
        return;
    }
    manifest->dependencies[manifest->n_dependencies++] = (struct manifest_dependency){
        .app = text_of(key), .range = string_text(value), .place = place
    };
}

static void read_dependencies(const struct reading *reading, const char *at)
{
    json_t *dependencies = json_object_get(reading->json.root, "dependencies");
    struct manifest *manifest = reading->manifest;
    struct place_walk walk;
    void *iter;

    if (!dependencies)
        return;
    if (!json_is_object(dependencies)) {
        diag_error(reading->diags, place_at(reading, at),
                   "\"dependencies\" must be an object; it is "
                   "ignored");
        return;
    }
    manifest->dependencies =
        mem_alloc(json_object_size(dependencies), sizeof(*manifest->dependencies));
    json_walk(&reading->json, &walk, at);
    iter = json_object_iter(dependencies);
    while (place_walk_next(&walk)) {
        if (!iter || !place_key_is(walk.key, json_object_iter_key(iter))) {
            diag_warning(reading->diags, place_at(reading, walk.key.at - 1),
                         "this dependency stands here a second time; the last one counts");
            continue;
        }
        read_dependency(reading, &walk, json_object_iter_key(iter), json_object_iter_value(iter));
        iter = json_object_iter_next(dependencies, iter);
    }
}

static bool read_manifest(const struct reading *reading)
{
    enum { VENDOR, NAME, VERSION, POLICIES, DEPENDENCIES, N_KEYS };
    static const char *const names[] = { "vendor", "name", "version", "policies", "dependencies" };
    struct manifest *manifest = reading->manifest;
    const char *values[N_KEYS];

    json_find(&reading->json, reading->json.top, names, N_KEYS, values, reading->diags);
    manifest->vendor = read_name(reading, "vendor", values[VENDOR]);
    manifest->name = read_name(reading, "name", values[NAME]);
    manifest->version = read_name(reading, "version", values[VERSION]);
    manifest->partial_id = join(manifest->vendor, '.', manifest->name);
    manifest->app_id = join(text_of(manifest->partial_id), '@', manifest->version);
    read_dependencies(reading, values[DEPENDENCIES]);
    return read_policies(reading, values[POLICIES]);
}

/* Takes the parsed JSON into a new manifest; the text itself is needed only for the places. */
static struct manifest *build(const char *file, struct json_file *json, struct diags *diags)
{
    struct manifest *manifest = mem_alloc(1, sizeof(*manifest));
    struct reading reading = { .manifest = manifest, .json = *json, .diags = diags };
    bool ok;

    manifest->file = text_dup(text_of(file));
    manifest->storage = json->root;
    ok = read_manifest(&reading);
    json->root = NULL;
    json_file_fini(json);
    if (ok)
        return manifest;
    manifest_free(manifest);
    return NULL;
}

struct manifest *manifest_load_for(const char *option, const char *file, struct diags *diags)
{
    struct json_limits with_option = limits;
    struct json_file json;

    with_option.option = option;
    return json_file_read(&json, file, &with_option, diags) ? build(file, &json, diags) : NULL;
}

struct manifest *manifest_load(const char *file, struct diags *diags)
{
    return manifest_load_for("--manifest", file, diags);
}

struct manifest *manifest_parse(const char *file, struct text bytes, struct diags *diags)
{
    struct json_file json;

    return json_file_parse(&json, file, bytes, &limits, diags) ? build(file, &json, diags) : NULL;
}

void manifest_free(struct manifest *manifest)
{
    if (!manifest)
        return;
    json_decref(manifest->storage);
    free(manifest->file);
    free(manifest->app_id);
    free(manifest->partial_id);
    free(manifest->policies);
    free(manifest->dependencies);
    free(manifest);
}

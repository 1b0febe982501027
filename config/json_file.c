#include "config/json_file.h"

#include <jansson.h>
#include <stdlib.h>

#include "config/file_bytes.h"
#include "config/json_hint.h"
#include "config/memory.h"

static bool refuse(struct diags *diags, const char *file, const struct json_limits *limits,
                   const char *reason)
{
    if (limits->option)
        diag_fatal(diags, (struct place){ .file = file }, "%s; name the file with %s FILE", reason,
                   limits->option);
    else
        diag_fatal(diags, (struct place){ .file = file }, "%s", reason);
    return false;
}

static bool refuse_size(struct diags *diags, const char *file, const struct json_limits *limits)
{
    diag_fatal(diags, (struct place){ .file = file },
               "the file is larger than the %zu bytes that are allowed", limits->max_bytes);
    return false;
}

static bool read_bytes(const char *file, const struct json_limits *limits, struct diags *diags,
                       char **bytes, size_t *len)
{
    char reason[FILE_BYTES_WHY_MAX];

    switch (file_bytes(file, limits->max_bytes, bytes, len, reason)) {
    case FILE_BYTES_OK:
        return true;
    case FILE_BYTES_TOO_MANY:
        return refuse_size(diags, file, limits);
    default:
        return refuse(diags, file, limits, reason);
    }
}

static struct text without_mark(const char *file, struct text bytes, struct diags *diags)
{
    if (!text_starts(bytes, TEXT("\xEF\xBB\xBF")))
        return bytes;
    diag_warning(diags, (struct place){ file, 1, 1 },
                 "the file begins with a byte order mark, which JSON does not have; it is ignored");
    return text_span(bytes.at + 3, bytes.at + bytes.len);
}

static bool is_root(const json_t *root, const struct json_limits *limits)
{
    return limits->array ? json_is_array(root) : json_is_object(root);
}

static bool accept_root(struct json_file *out, const struct json_limits *limits,
                        struct diags *diags)
{
    const char *deep = place_too_deep(out->index.bytes, limits->max_depth);

    out->top = place_root(out->index.bytes);
    if (deep)
        diag_fatal(diags, json_place(out, deep),
                   "nested deeper than the %u levels that are allowed", limits->max_depth);
    else if (!is_root(out->root, limits))
        diag_fatal(diags, json_place(out, out->top), "the file must hold one JSON %s",
                   limits->array ? "array: [ ... ]" : "object: { ... }");
    return !deep && is_root(out->root, limits);
}

/* Numbers become reals: nobody here needs them, and a huge integer in a settingsSchema is no reason
 * to refuse a manifest. */
static bool parse(struct json_file *out, const struct json_limits *limits, struct diags *diags)
{
    static const size_t flags = JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
    struct text bytes = out->index.bytes;
    json_error_t error;

    out->root = json_loadb(bytes.at, bytes.len, flags, &error);
    if (out->root)
        return accept_root(out, limits, diags);
    json_hint(&out->index, error.text, (size_t)(error.position < 0 ? 0 : error.position), diags);
    return false;
}

bool json_file_parse(struct json_file *out, const char *file, struct text bytes,
                     const struct json_limits *limits, struct diags *diags)
{
    *out = (struct json_file){ 0 };
    if (bytes.len > limits->max_bytes)
        return refuse_size(diags, file, limits);
    bytes = without_mark(file, bytes.at ? bytes : TEXT(""), diags);
    place_index_init(&out->index, file, bytes);
    if (parse(out, limits, diags))
        return true;
    json_file_fini(out);
    return false;
}

bool json_file_read(struct json_file *out, const char *file, const struct json_limits *limits,
                    struct diags *diags)
{
    char *bytes = NULL;
    size_t len = 0;

    *out = (struct json_file){ 0 };
    if (!read_bytes(file, limits, diags, &bytes, &len) ||
        !json_file_parse(out, file, (struct text){ bytes, len }, limits, diags)) {
        free(bytes);
        return false;
    }
    out->owned = bytes;
    return true;
}

void json_file_fini(struct json_file *file)
{
    json_decref(file->root);
    place_index_fini(&file->index);
    free(file->owned);
    *file = (struct json_file){ 0 };
}

struct place json_place(const struct json_file *file, const char *at)
{
    return place_of(&file->index, at);
}

void json_walk(const struct json_file *file, struct place_walk *walk, const char *container)
{
    struct text bytes = file->index.bytes;

    place_walk_init(walk, container, bytes.at + bytes.len);
}

static size_t index_of(struct text key, const char *const *names, size_t n)
{
    size_t i = 0;

    while (i < n && !place_key_is(key, names[i]))
        i++;
    return i;
}

void json_find(const struct json_file *file, const char *object, const char *const *names, size_t n,
               const char **values, struct diags *diags)
{
    struct place_walk walk;

    for (size_t i = 0; i < n; i++)
        values[i] = NULL;
    json_walk(file, &walk, object);
    while (place_walk_next(&walk)) {
        size_t i = index_of(walk.key, names, n);

        if (i == n)
            continue;
        if (values[i])
            diag_warning(diags, json_place(file, walk.key.at - 1),
                         "\"%s\" stands here a second time; this one counts", names[i]);
        values[i] = walk.value;
    }
}

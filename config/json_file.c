#include "config/json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Reads up to `room` bytes; true if all went well, end of file included. */
static bool read_all(int fd, char *buffer, size_t room, size_t *len)
{
    *len = 0;
    while (*len < room) {
        ssize_t n = read(fd, buffer + *len, room - *len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        *len += (size_t)n;
    }
    return true;
}

/* The size that fstat() tells is only a hint: the file may grow while we read. */
static bool read_descriptor(int fd, const char *file, const struct json_limits *limits,
                            struct diags *diags, char **bytes, size_t *len)
{
    struct stat status;
    size_t room;

    if (fstat(fd, &status) != 0)
        return refuse(diags, file, limits, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return refuse(diags, file, limits, "this is a directory, not a file");
    if (!S_ISREG(status.st_mode))
        return refuse(diags, file, limits, "this is not a regular file");
    if ((unsigned long long)status.st_size > limits->max_bytes)
        return refuse_size(diags, file, limits);
    room = (size_t)status.st_size + 1;
    *bytes = mem_alloc(room, 1);
    if (!read_all(fd, *bytes, room, len))
        return refuse(diags, file, limits, strerror(errno));
    if (*len == room)
        return refuse(diags, file, limits, "the file grew while it was read; try again");
    return true;
}

/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
static bool read_bytes(const char *file, const struct json_limits *limits, struct diags *diags,
                       char **bytes, size_t *len)
{
    int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    char reason[160];
    bool ok;

    if (fd < 0) {
        snprintf(reason, sizeof(reason), "cannot be opened: %s", strerror(errno));
        return refuse(diags, file, limits, reason);
    }
    ok = read_descriptor(fd, file, limits, diags, bytes, len);
    close(fd);
    return ok;
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

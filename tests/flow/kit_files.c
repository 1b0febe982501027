#include "tests/flow/kit_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/flow/kit_bytes.h"
#include "tests/unit/stories.h"

enum { NAMES_MAX = 64 };

struct folder {
    char path[64];
    char *names[NAMES_MAX];
    size_t n_names;
};

struct folder *folder_new(void)
{
    struct folder *folder = calloc(1, sizeof(*folder));

    assert_non_null(folder);
    snprintf(folder->path, sizeof(folder->path), "/tmp/janus-flow-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    return folder;
}

/* Two floors deep is all that a test builds. */
static void remove_all(int at, const char *name, int depth)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, entry->d_name, 0) != 0 && depth > 0)
            remove_all(fd, entry->d_name, depth - 1);
    }
    if (dir)
        closedir(dir);
    unlinkat(at, name, AT_REMOVEDIR);
}

void folder_free(struct folder *folder)
{
    if (!folder)
        return;
    remove_all(AT_FDCWD, folder->path, 2);
    for (size_t i = 0; i < folder->n_names; i++)
        free(folder->names[i]);
    free(folder);
}

void story_in_folder(struct folder **place, void **state, CMUnitTestFunction run)
{
    folder_free(*place); /* of a story that failed */
    *place = folder_new();
    run(state);
    folder_free(*place);
    *place = NULL;
}

const char *folder_path(const struct folder *folder)
{
    return folder->path;
}

const char *folder_name(struct folder *folder, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    for (size_t i = 0; i < folder->n_names; i++) {
        if (strcmp(folder->names[i], path) == 0)
            return folder->names[i];
    }
    assert_true(folder->n_names < NAMES_MAX);
    return folder->names[folder->n_names++] = text_copy(path, strlen(path));
}

const char *folder_write(struct folder *folder, const char *name, const char *text)
{
    const char *path = folder_name(folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

const char *folder_replace(struct folder *folder, const char *name, const char *text)
{
    const char *path = folder_name(folder, name);

    assert_int_equal(rename(folder_write(folder, ".new", text), path), 0);
    return path;
}

char *manifest_text(const char *rows)
{
    struct bytes json = { 0 };

    bytes_print(&json, "{\n  \"vendor\": \"acme\",\n  \"name\": \"bridge\",\n"
                       "  \"version\": \"1.4.0\",\n  \"policies\": [");
    for (const char *row = rows, *begun = ""; row && *row; begun = ",") {
        size_t line = strcspn(row, "\n"), host = strcspn(row, "\t");
        bytes_print(&json,
                    "%s\n    { \"name\": \"outbound-access\", \"attrs\": { \"host\": \"%.*s\", "
                    "\"path\": \"%.*s\" } }",
                    begun, (int)host, row, (int)(line - host - 1), row + host + 1);
        row += line + (row[line] == '\n');
    }
    bytes_print(&json, "\n  ]\n}\n");
    return json.at;
}

const char *folder_manifest(struct folder *folder, const char *rows)
{
    char *text = manifest_text(rows);
    const char *path = folder_write(folder, "manifest.json", text);

    free(text);
    return path;
}

static void add_base64url(struct bytes *out, const char *text)
{
    size_t n = strlen(text);
    char *encoded = malloc(n * 2 + 8);

    assert_non_null(encoded);
    EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)text, (int)n);
    for (char *c = encoded; *c && *c != '='; c++)
        bytes_add(out, *c == '+' ? "-" : *c == '/' ? "_" : c, 1);
    free(encoded);
}

char *jwt_text(const char *subject, time_t expires_at)
{
    struct bytes jwt = { 0 };
    char payload[256];

    snprintf(payload, sizeof(payload), "{\"sub\":\"%s\",\"exp\":%lld}", subject,
             (long long)expires_at);
    add_base64url(&jwt, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}");
    bytes_print(&jwt, ".");
    add_base64url(&jwt, payload);
    bytes_print(&jwt, ".c2lnbmF0dXJl");
    return jwt.at;
}

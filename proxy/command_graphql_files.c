/* The files of a schema, wherever they are. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "config/file_bytes.h"
#include "config/memory.h"
#include "proxy/command_graphql_parts.h"

struct identity {
    dev_t device;
    ino_t inode;
};

struct graphql_files {
    struct graphql_run *run;
    struct identity *read; /* the files */
    size_t n_read, n_bytes;
    struct identity open[GRAPHQL_FOLDERS_DEPTH_MAX]; /* the folders that we are in */
    size_t n_open;
    bool full;
};

struct graphql_files *graphql_files_new(struct graphql_run *run)
{
    struct graphql_files *files = mem_alloc(1, sizeof(*files));

    files->run = run;
    return files;
}

void graphql_files_free(struct graphql_files *files)
{
    free(files->read);
    free(files);
}

static void refuse(struct graphql_files *files, const char *path, const char *why)
{
    diag_fatal(&files->run->diags, (struct place){ .file = path }, "%s", why);
}

static bool holds(const struct identity *list, size_t n, struct identity one)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].device == one.device && list[i].inode == one.inode)
            return true;
    }
    return false;
}

/* ---- one file ---- */

static void refuse_amount(struct graphql_files *files, const char *path)
{
    if (!files->full)
        refuse(files, path,
               "with this file the schema has more files or bytes than are allowed "
               "(10000, 16 MiB); name the folder of the schema alone");
    files->full = true;
}

static void read_file(struct graphql_files *files, const char *path, struct identity identity)
{
    char why[FILE_BYTES_WHY_MAX], *bytes;
    size_t len;

    if (holds(files->read, files->n_read, identity))
        return;
    if (files->n_read == GRAPHQL_FILES_MAX || files->n_bytes > GRAPHQL_SCHEMA_BYTES_MAX) {
        refuse_amount(files, path);
        return;
    }
    files->read = mem_grow(files->read, files->n_read, sizeof(*files->read));
    files->read[files->n_read++] = identity;
    if (file_bytes(path, graphql_schema_limits.max_bytes, &bytes, &len, why) != FILE_BYTES_OK) {
        refuse(files, path, why);
        return;
    }
    files->n_bytes += len;
    graphql_schema_add(&files->run->schema, path, bytes, len, &files->run->report);
}

/* ---- folders ---- */

static bool is_wanted(const struct dirent *entry, const char *path)
{
    struct text name = text_of(entry->d_name);
    struct stat status;

    /* hidden ones, and what npm puts there, are no part of an app's schema */
    if (name.at[0] == '.' || text_eq(name, TEXT("node_modules")))
        return false;
    if (text_ends(name, TEXT(".graphql")))
        return true;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static char *join(const char *folder, const char *name)
{
    size_t len = strlen(folder);
    char *path = NULL;

    if (asprintf(&path, "%s%s%s", folder, len && folder[len - 1] == '/' ? "" : "/", name) < 0)
        abort();
    return path;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The paths of what is wanted in the folder, sorted. The caller frees each, and the list. */
static char **list_folder(struct graphql_files *files, const char *folder, size_t *n)
{
    DIR *stream = opendir(folder);
    const struct dirent *entry;
    char **paths = NULL;

    *n = 0;
    errno = stream ? 0 : errno;
    while (stream && (entry = readdir(stream))) {
        char *path = join(folder, entry->d_name);

        if (is_wanted(entry, path)) {
            paths = mem_grow(paths, *n, sizeof(*paths));
            paths[(*n)++] = path;
        } else {
            free(path);
        }
        errno = 0;
    }
    if (errno)
        refuse(files, folder, strerror(errno));
    if (stream)
        closedir(stream);
    if (*n > 1)
        qsort(paths, *n, sizeof(*paths), by_name);
    return paths;
}

static void read_folder(struct graphql_files *files, const char *folder, struct identity identity)
{
    char **paths;
    size_t n;

    if (holds(files->open, files->n_open, identity))
        return; /* a link to where we came from: what is there is being read */
    if (files->n_open == GRAPHQL_FOLDERS_DEPTH_MAX) {
        refuse(files, folder, "the folders are nested deeper than the 32 levels that are allowed");
        return;
    }
    files->open[files->n_open++] = identity;
    paths = list_folder(files, folder, &n);
    for (size_t i = 0; i < n; i++) {
        if (!files->full)
            graphql_files_read(files, paths[i]);
        free(paths[i]);
    }
    free(paths);
    files->n_open--;
}

void graphql_files_read(struct graphql_files *files, const char *path)
{
    struct stat status;
    struct identity identity;

    if (stat(path, &status) != 0) {
        refuse(files, path, strerror(errno));
        return;
    }
    identity = (struct identity){ status.st_dev, status.st_ino };
    if (S_ISDIR(status.st_mode))
        read_folder(files, path, identity);
    else
        read_file(files, path, identity);
}

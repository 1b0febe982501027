/* The folder of provider policies: which files are read, for which app. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "config/memory.h"
#include "config/provider.h"

static char *path_of(const char *dir, const char *name, const char *rest)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s%s", dir, name, rest) < 0)
        abort();
    return path;
}

static void add_provider(struct providers *providers, struct provider *provider)
{
    providers->items = mem_grow(providers->items, providers->n, sizeof(struct provider *));
    providers->items[providers->n++] = provider;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* "vtex.messages.json" and the folder "vtex.messages" are for vtex.messages: the file that counts, which
 * the caller frees, or NULL. */
static char *file_of_entry(const char *dir, const char *name, struct text *app)
{
    bool plain;
    char *path;

    *app = text_of(name);
    plain = text_ends(*app, TEXT(".json"));
    if (plain)
        app->len -= strlen(".json");
    if (!is_app_name(*app))
        return NULL;
    path = path_of(dir, name, "");
    if (is_folder(path) == plain) {
        free(path);
        return NULL;
    }
    if (plain)
        return path;
    free(path);
    return path_of(dir, name, "/policies.json");
}

/* A file that was meant and is not read would open a whole app instead of what it says. Hidden ones are
 * Kubernetes' and editors'. */
static void note_passed_over(const char *dir, const char *name, struct diags *diags)
{
    char *path;

    if (name[0] == '.' || !text_ends(text_of(name), TEXT(".json")))
        return;
    path = path_of(dir, name, "");
    diag_warning(
        diags, (struct place){ .file = path },
        "this is passed over: the file of an app is called VENDOR.APP.json, or policies.json "
        "in a folder VENDOR.APP");
    free(path);
}

static void read_entry(const char *dir, const char *name, struct providers *providers,
                       struct diags *diags)
{
    struct text app;
    char *path = file_of_entry(dir, name, &app), *app_name;

    if (!path) {
        note_passed_over(dir, name, diags);
        return;
    }
    app_name = text_dup(app);
    add_provider(providers, provider_read(app_name, path, diags));
    free(app_name);
    free(path);
}

static int by_app(const void *left, const void *right)
{
    const struct provider *a = *(struct provider *const *)left;
    const struct provider *b = *(struct provider *const *)right;
    int order = strcasecmp(a->app, b->app);

    return order != 0 ? order : strcmp(a->file, b->file);
}

/* Which of two files counts cannot be known, so neither does. */
static void join_twins(struct providers *providers, struct diags *diags)
{
    size_t kept = 0;

    for (size_t i = 0; i < providers->n; i++) {
        struct provider *one = providers->items[i];

        if (kept == 0 || strcasecmp(providers->items[kept - 1]->app, one->app) != 0) {
            providers->items[kept++] = one;
            continue;
        }
        diag_error(diags, (struct place){ .file = one->file },
                   "there is a second file for %s, %s; keep one of them, until then nothing of the "
                   "app is open",
                   one->app, providers->items[kept - 1]->file);
        providers->items[kept - 1]->broken = true;
        provider_free(one);
    }
    providers->n = kept;
}

static void refuse(struct diags *diags, const char *dir, const char *reason)
{
    diag_fatal(diags, (struct place){ .file = dir },
               "%s; name the folder with --provider-policies DIR", reason);
}

static void read_folder(DIR *folder, const char *dir, struct providers *out, struct diags *diags)
{
    const struct dirent *entry;

    errno = 0;
    while ((entry = readdir(folder))) {
        if (out->n == PROVIDERS_MAX) {
            refuse(diags, dir, "there are more than 10000 providers in it");
            return;
        }
        read_entry(dir, entry->d_name, out, diags);
        errno = 0;
    }
    if (errno)
        refuse(diags, dir, strerror(errno));
}

struct providers *providers_load(const char *dir, struct diags *diags)
{
    struct providers *providers = mem_alloc(1, sizeof *providers);
    DIR *folder = dir ? opendir(dir) : NULL;

    if (dir && !folder)
        refuse(diags, dir, strerror(errno));
    if (!folder)
        return providers;
    read_folder(folder, dir, providers, diags);
    closedir(folder);
    if (providers->n > 1)
        qsort(providers->items, providers->n, sizeof(struct provider *), by_app);
    join_twins(providers, diags);
    return providers;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

bool provider_files_list(const char *dir, struct provider_files *out)
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;

    *out = (struct provider_files){ 0 };
    if (!folder)
        return false;
    while (out->n < PROVIDERS_MAX && (entry = readdir(folder))) {
        struct text app;
        char *path = file_of_entry(dir, entry->d_name, &app);

        if (!path)
            continue;
        out->items = mem_grow(out->items, out->n, sizeof(char *));
        out->items[out->n++] = path;
    }
    closedir(folder);
    if (out->n > 1)
        qsort(out->items, out->n, sizeof(char *), by_name);
    return true;
}

void provider_files_fini(struct provider_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->items[i]);
    free(files->items);
    *files = (struct provider_files){ 0 };
}

void providers_free(struct providers *providers)
{
    if (!providers)
        return;
    for (size_t i = 0; i < providers->n; i++)
        provider_free(providers->items[i]);
    free(providers->items);
    free(providers);
}

static int order(struct text app, const char *other)
{
    size_t len = strlen(other), shorter = app.len < len ? app.len : len;
    int first = strncasecmp(app.at, other, shorter);

    return first != 0 ? first : (app.len > len) - (app.len < len);
}

const struct provider *providers_find(const struct providers *providers, struct text app)
{
    size_t low = 0, high = providers->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int side = order(app, providers->items[middle]->app);

        if (side == 0)
            return providers->items[middle];
        if (side > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

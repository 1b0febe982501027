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

static void add(struct providers *providers, struct provider *provider)
{
    providers->items = mem_grow(providers->items, providers->n, sizeof(struct provider *));
    providers->items[providers->n++] = provider;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* "vtex.messages.json" and the folder "vtex.messages" are for vtex.messages. */
static void read_entry(const char *dir, const char *name, struct providers *providers,
                       struct diags *diags)
{
    struct text app = text_of(name);
    bool plain = text_ends(app, TEXT(".json"));
    char *path, *app_name;

    if (plain)
        app.len -= strlen(".json");
    if (!is_app_name(app))
        return;
    path = path_of(dir, name, "");
    if (is_folder(path) == plain) {
        free(path);
        return;
    }
    if (!plain) {
        free(path);
        path = path_of(dir, name, "/policies.json");
    }
    app_name = text_dup(app);
    add(providers, provider_read(app_name, path, diags));
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

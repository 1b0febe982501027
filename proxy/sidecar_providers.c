#include "proxy/sidecar_providers.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/memory.h"
#include "config/provider.h"
#include "proxy/log.h"
#include "proxy/watch_folder.h"

enum { DIGEST_BYTES = 32, FRESH_S = 2 };

struct digest {
    unsigned char bytes[DIGEST_BYTES];
};

struct live_providers {
    const char *folder;
    struct digest
        marks; /* names, sizes and times, as of the last look; zero: look at the content */
    struct digest content; /* zero: any content is news */
    bool waiting;          /* somebody was writing: said once */
    struct log *log;
    struct watch_folder *watch;
    void (*changed)(void *context);
    void *context;
};

static bool same(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

static void put(EVP_MD_CTX *sum, const void *bytes, size_t len)
{
    EVP_DigestUpdate(sum, &len, sizeof(len)); /* so that no two lists of fields are one text */
    EVP_DigestUpdate(sum, bytes, len);
}

/* ---- marks ---- */

static void put_marks(EVP_MD_CTX *sum, const struct stat *status)
{
    long long marks[] = { (long long)status->st_dev,          (long long)status->st_ino,
                          (long long)status->st_size,         (long long)status->st_mtim.tv_sec,
                          (long long)status->st_mtim.tv_nsec, (long long)status->st_ctim.tv_sec,
                          (long long)status->st_ctim.tv_nsec };

    put(sum, marks, sizeof(marks));
}

/* A file's times are coarse: false if one changed just now, and can change again without showing it. */
static bool sum_marks(const struct provider_files *files, EVP_MD_CTX *sum)
{
    bool settled = true;

    for (size_t i = 0; i < files->n; i++) {
        struct stat status = { .st_ino = 0 };

        if (stat(files->items[i], &status) == 0 && status.st_ctim.tv_sec + FRESH_S > time(NULL))
            settled = false;
        put(sum, files->items[i], strlen(files->items[i]));
        put_marks(sum, &status);
    }
    return settled;
}

/* ---- content ---- */

static void put_file(EVP_MD_CTX *sum, int fd)
{
    char part[16384];
    size_t total = 0;
    ssize_t n;

    while (total <= PROVIDER_MAX_BYTES && (n = read(fd, part, sizeof(part))) > 0) {
        EVP_DigestUpdate(sum, part, (size_t)n);
        total += (size_t)n;
    }
    put(sum, &total, sizeof(total));
}

/* False: somebody is writing one of them. What cannot be read is a content too. */
static bool sum_content(const struct provider_files *files, EVP_MD_CTX *sum)
{
    for (size_t i = 0; i < files->n; i++) {
        const char *why = "";
        int fd = watch_open(files->items[i], &why);

        if (fd < 0 && why == WATCH_BEING_WRITTEN)
            return false;
        put(sum, files->items[i], strlen(files->items[i]));
        put(sum, why, fd < 0 ? strlen(why) : 0);
        if (fd < 0)
            continue;
        put_file(sum, fd);
        close(fd);
    }
    return true;
}

/* ---- looking ---- */

static struct digest digest_of(const struct provider_files *files, bool readable, bool *good,
                               bool (*add)(const struct provider_files *files, EVP_MD_CTX *sum))
{
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    struct digest out;

    EVP_DigestInit_ex(sum, EVP_sha256(), NULL);
    put(sum, &readable, sizeof(readable));
    *good = add(files, sum);
    EVP_DigestFinal_ex(sum, out.bytes, NULL);
    EVP_MD_CTX_free(sum);
    return out;
}

enum look { NO_NEWS, NEWS, BEING_WRITTEN };

static enum look look_now(struct live_providers *live)
{
    struct provider_files files;
    bool readable = provider_files_list(live->folder, &files), settled, whole = true;
    struct digest marks = digest_of(&files, readable, &settled, sum_marks), content = live->content;

    if (!same(&marks, &live->marks))
        content = digest_of(&files, readable, &whole, sum_content);
    provider_files_fini(&files);
    live->marks = settled && whole ? marks : (struct digest){ { 0 } };
    if (!whole)
        return BEING_WRITTEN;
    if (same(&content, &live->content))
        return NO_NEWS;
    live->content = content;
    return NEWS;
}

static bool on_look(void *context)
{
    struct live_providers *live = context;

    switch (look_now(live)) {
    case BEING_WRITTEN:
        if (!live->waiting)
            log_message(live->log, LOG_INFO, "reload_waits", "%s: %s", live->folder,
                        WATCH_BEING_WRITTEN);
        live->waiting = true;
        return false;
    case NEWS:
        log_message(live->log, LOG_INFO, "providers_changed", "%s", live->folder);
        live->changed(live->context);
        break;
    case NO_NEWS:
        break;
    }
    live->waiting = false;
    return true;
}

void live_providers_note(struct live_providers *live)
{
    if (live && look_now(live) == BEING_WRITTEN)
        live->content = (struct digest){ { 0 } };
}

/* ---- its life ---- */

struct live_providers *live_providers_new(const char *folder)
{
    struct live_providers *live;

    if (!folder)
        return NULL;
    live = mem_alloc(1, sizeof(*live));
    live->folder = folder;
    live_providers_note(live);
    return live;
}

void live_providers_follow(struct live_providers *live, struct loop *loop, struct log *log,
                           void (*changed)(void *context), void *context)
{
    if (!live)
        return;
    live->log = log;
    live->changed = changed;
    live->context = context;
    live->watch = watch_folder_new(loop, live->folder, on_look, live);
}

void live_providers_free(struct live_providers *live)
{
    if (!live)
        return;
    watch_folder_free(live->watch);
    free(live);
}

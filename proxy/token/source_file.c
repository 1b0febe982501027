#include "proxy/token/source_file.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/limits.h"
#include "proxy/loop.h"
#include "proxy/watch.h"

enum { LABEL_MAX = 300, FILE_MAX_BYTES = LIMIT_TOKEN_BYTES + 1024 }; /* JSON around it */

struct source_file {
    struct token_source source;
    struct loop *loop;
    char *path;
    struct watch *watch;
    struct job job; /* answers a question */
    char label[LABEL_MAX];
};

/* Where we may not ask whether somebody is writing, token_read() still refuses a JWT without all its
 * parts. */
struct token *source_file_read(const char *path, const char **why)
{
    char bytes[FILE_MAX_BYTES];
    struct token *token = NULL;
    int fd = watch_open(path, why);

    if (fd < 0)
        return NULL;
    *why = "it cannot be read";
    ssize_t n = watch_read(fd, bytes, sizeof(bytes));
    if (n >= 0)
        token = token_read((struct text){ bytes, (size_t)n }, why);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    close(fd);
    return token;
}

static bool look(void *context)
{
    struct source_file *file = context;
    const char *why = NULL;
    struct token *token = source_file_read(file->path, &why);

    if (token)
        token_source_arrived(&file->source, token);
    else
        token_source_failed(&file->source, why, why == WATCH_BEING_WRITTEN);
    return token;
}

static void start(struct token_source *source)
{
    struct source_file *file = (struct source_file *)(void *)source;

    file->watch = watch_new(file->loop, file->path, look, file);
}

static void answer(struct job *job)
{
    look(CONTAINER_OF(job, struct source_file, job));
}

static void fetch(struct token_source *source)
{
    struct source_file *file = (struct source_file *)(void *)source;

    loop_defer(file->loop, &file->job);
}

static void free_file(struct token_source *source)
{
    struct source_file *file = (struct source_file *)(void *)source;

    loop_cancel(file->loop, &file->job);
    watch_free(file->watch);
    free(file->path);
    free(file);
}

struct token_source *source_file_new(struct loop *loop, const char *path)
{
    static const struct token_source_kind kind = { "file", start, fetch, free_file };
    struct source_file *file = mem_alloc(1, sizeof(*file));

    file->source.kind = &kind;
    file->source.label = file->label;
    file->loop = loop;
    file->path = text_dup(text_of(path));
    file->job.run = answer;
    snprintf(file->label, sizeof(file->label), "token file %s", path);
    return &file->source;
}

void source_file_check(const char *path, struct diags *diags)
{
    struct place place = { .file = "--token-file" };
    const char *why;

    struct token *token = source_file_read(path, &why);
    if (!token && access(path, F_OK) != 0 && errno == ENOENT)
        diag_warning(diags, place, "%s: there is no such file yet; it is watched", path);
    else if (!token)
        diag_fatal(diags, place, "%s: %s", path, why);
    else if (!token_is_live(token, clock_now()))
        diag_warning(diags, place, "%s: the token in it has expired; the file is watched", path);
    token_unref(token);
}

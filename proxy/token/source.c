#include "proxy/token/source.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/limits.h"
#include "proxy/log.h"
#include "proxy/watch.h"

struct token_source {
    struct log *log;
    char *path;
    token_arrived *arrived;
    void *context;
    struct token *last;   /* what was last told */
    const char *last_why; /* what was last complained of: once, not at every poll */
    struct watch *watch;
};

/* Where we may not ask whether somebody is writing, token_new() still refuses a JWT without all its
 * parts. */
struct token *token_read_file(const char *path, const char **why)
{
    char bytes[LIMIT_TOKEN_BYTES + 64];
    struct token *token = NULL;
    int fd = watch_open(path, why);

    if (fd < 0)
        return NULL;
    *why = "it cannot be read";
    ssize_t n = read(fd, bytes, sizeof(bytes));
    if (n >= 0)
        token = token_new((struct text){ bytes, (size_t)n }, why);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    close(fd);
    return token;
}

/* Once for each reason. A file that is being written is no news for anybody's pager. */
static void complain(struct token_source *source, const char *why)
{
    enum log_level level = why == WATCH_BEING_WRITTEN ? LOG_INFO : LOG_WARNING;

    if (source->last_why != why)
        log_message(source->log, level, "token_source", "token file %s: %s; %s", source->path, why,
                    source->last ? "the last token stays in use" : "there is no token yet");
    source->last_why = why;
}

static bool look(void *context)
{
    struct token_source *source = context;
    const char *why = NULL;
    struct token *token = token_read_file(source->path, &why);

    if (!token) {
        complain(source, why);
        return false;
    }
    source->last_why = NULL;
    if (source->last && token_equals(source->last, token)) {
        token_unref(token);
        return true;
    }
    token_unref(source->last);
    source->last = token_ref(token);
    source->arrived(source->context, token);
    return true;
}

struct token_source *token_source_file(struct loop *loop, struct log *log, const char *path,
                                       token_arrived *arrived, void *context)
{
    struct token_source *source = mem_alloc(1, sizeof(*source));

    source->log = log;
    source->path = text_dup(text_of(path));
    source->arrived = arrived;
    source->context = context;
    source->watch = watch_new(loop, path, look, source);
    return source;
}

void token_source_free(struct token_source *source)
{
    if (!source)
        return;
    watch_free(source->watch);
    token_unref(source->last);
    free(source->path);
    free(source);
}

void token_source_check(const char *path, struct diags *diags)
{
    struct place place = { .file = "--token-file" };
    const char *why;

    if (!path) {
        diag_warning(diags, place,
                     "no token source is set: requests that need the app token end with 503");
        return;
    }
    struct token *token = token_read_file(path, &why);
    if (!token && access(path, F_OK) != 0 && errno == ENOENT)
        diag_warning(diags, place, "%s: there is no such file yet; it is watched", path);
    else if (!token)
        diag_fatal(diags, place, "%s: %s", path, why);
    else if (!token_is_live(token, time(NULL)))
        diag_warning(diags, place, "%s: the token in it has expired; the file is watched", path);
    token_unref(token);
}

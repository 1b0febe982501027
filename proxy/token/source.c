#include "proxy/token/source.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/limits.h"
#include "proxy/log.h"
#include "proxy/loop.h"

struct token_source {
    struct loop *loop;
    struct log *log;
    char *path, *folder;
    token_arrived *arrived;
    void *context;
    struct token *last;   /* what was last told */
    const char *last_why; /* what was last complained of: once, not at every poll */
    int inotify;
    struct event *watch, *poll;
};

/* A read lease is given only while nobody has the file open for writing (fcntl(2)). Where we may not
 * ask for one, token_new() still refuses a JWT without all its parts. */
static bool is_being_written(int fd)
{
    fcntl(fd, F_SETSIG, SIGURG); /* should a writer come just now: a signal that is ignored */
    if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
        return errno == EAGAIN;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
}

static struct token *read_token(int fd, const char **why)
{
    char bytes[LIMIT_TOKEN_BYTES + 64];
    struct stat status;
    struct token *token = NULL;

    *why = "it is not a file that can be read";
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return NULL;
    if (is_being_written(fd)) {
        *why = "somebody is writing it";
        return NULL;
    }
    ssize_t n = read(fd, bytes, sizeof(bytes));
    if (n >= 0)
        token = token_new((struct text){ bytes, (size_t)n }, why);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return token;
}

struct token *token_read_file(const char *path, const char **why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        *why = errno == ENOENT   ? "there is no such file"
               : errno == EACCES ? "it may not be read"
                                 : "it cannot be opened";
        return NULL;
    }
    struct token *token = read_token(fd, why);
    close(fd);
    return token;
}

static void complain(struct token_source *source, const char *why)
{
    if (source->last_why != why)
        log_message(source->log, LOG_WARNING, "token_source", "token file %s: %s; %s", source->path,
                    why, source->last ? "the last token stays in use" : "there is no token yet");
    source->last_why = why;
}

static void look(struct token_source *source)
{
    const char *why = NULL;
    struct token *token = token_read_file(source->path, &why);

    if (!token) {
        complain(source, why);
        return;
    }
    source->last_why = NULL;
    if (source->last && token_equals(source->last, token)) {
        token_unref(token);
        return;
    }
    token_unref(source->last);
    source->last = token_ref(token);
    source->arrived(source->context, token);
}

/* Which file of the folder changed is not asked: ..data is not the file's name. */
static void on_change(evutil_socket_t fd, short what, void *arg)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

    (void)what;
    while (read(fd, events, sizeof(events)) > 0)
        ;
    look(arg);
}

/* The folder may be made later, or be replaced: watching it again is free if nothing changed. */
static void on_poll(evutil_socket_t fd, short what, void *arg)
{
    struct token_source *source = arg;
    static const struct timeval next = { TOKEN_POLL_MS / 1000, TOKEN_POLL_MS % 1000 * 1000 };

    (void)fd;
    (void)what;
    if (source->inotify >= 0)
        inotify_add_watch(source->inotify, source->folder,
                          IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR);
    look(source);
    event_add(source->poll, &next);
}

struct token_source *token_source_file(struct loop *loop, struct log *log, const char *path,
                                       token_arrived *arrived, void *context)
{
    struct token_source *source = mem_alloc(1, sizeof(*source));
    char *copy = text_dup(text_of(path));

    source->loop = loop;
    source->log = log;
    source->path = text_dup(text_of(path));
    source->folder = text_dup(text_of(dirname(copy)));
    free(copy);
    source->arrived = arrived;
    source->context = context;
    source->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    source->poll = event_new(loop_base(loop), -1, 0, on_poll, source);
    if (source->inotify >= 0) {
        source->watch =
            event_new(loop_base(loop), source->inotify, EV_READ | EV_PERSIST, on_change, source);
        event_add(source->watch, NULL);
    }
    event_active(source->poll, EV_TIMEOUT, 0); /* the first look, once the loop runs */
    return source;
}

void token_source_free(struct token_source *source)
{
    if (!source)
        return;
    if (source->watch)
        event_free(source->watch);
    event_free(source->poll);
    if (source->inotify >= 0)
        close(source->inotify);
    token_unref(source->last);
    free(source->path);
    free(source->folder);
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

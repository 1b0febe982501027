/* tests/unit/source_fixture.h - a loop, a folder, and somebody who asks a token source and notes its
 * answers. */
#ifndef TESTS_UNIT_SOURCE_FIXTURE_H
#define TESTS_UNIT_SOURCE_FIXTURE_H

#include "tests/unit/stories.h"

#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/loop.h"
#include "proxy/token/source.h"

enum { PATIENCE_S = 20 };

struct desk {
    struct loop *loop;
    struct token_source *source;
    char folder[64];
    bool inside; /* a function of source.h runs */
    int answers;
    char token[512]; /* of the last answer; empty: it was a failure */
    char why[2048];
    bool will_change;
    int again;            /* asks so many times from within the answer */
    bool frees;           /* lets go of the source from within the answer */
    const char *awaiting; /* goes on until an answer holds this */
};

static inline void desk_answered(struct desk *desk)
{
    const char *text = desk->token[0] ? desk->token : desk->why;

    assert_false(desk->inside);
    desk->answers++;
    if (desk->frees) {
        token_source_free(desk->source);
        desk->source = NULL;
    } else if (desk->again > 0) {
        desk->again--;
        token_source_fetch(desk->source);
        return;
    }
    if (!desk->awaiting || strstr(text, desk->awaiting))
        event_base_loopbreak(loop_base(desk->loop));
}

static inline void desk_arrived(void *owner, struct token *token)
{
    struct desk *desk = owner;

    desk->why[0] = '\0';
    snprintf(desk->token, sizeof(desk->token), TEXT_FMT, TEXT_ARG(token_text(token)));
    token_unref(token);
    desk_answered(desk);
}

static inline void desk_failed(void *owner, const char *why, bool will_change)
{
    struct desk *desk = owner;

    desk->token[0] = '\0';
    snprintf(desk->why, sizeof(desk->why), "%s", why);
    desk->will_change = will_change;
    desk_answered(desk);
}

static inline void desk_init(struct desk *desk)
{
    *desk = (struct desk){ .loop = loop_new(), .folder = "/tmp/janus-unit-XXXXXX" };
    assert_non_null(desk->loop);
    assert_non_null(mkdtemp(desk->folder));
}

static inline void desk_give(struct desk *desk, struct token_source *source)
{
    static const struct token_source_owner owner = { desk_arrived, desk_failed };

    desk->source = source;
    desk->inside = true;
    token_source_start(source, &owner, desk);
    desk->inside = false;
}

static inline void desk_fetch(struct desk *desk)
{
    desk->inside = true;
    token_source_fetch(desk->source);
    desk->inside = false;
}

/* The next answer, or the next that holds `text`. */
static inline void desk_await(struct desk *desk, const char *text)
{
    struct timeval patience = { PATIENCE_S, 0 };
    int before = desk->answers;

    desk->awaiting = text;
    event_base_loopexit(loop_base(desk->loop), &patience);
    event_base_dispatch(loop_base(desk->loop));
    desk->awaiting = NULL;
    if (desk->answers == before)
        fail_msg("no answer");
    if (text && !strstr(desk->token[0] ? desk->token : desk->why, text))
        fail_msg("no answer with %s: %s%s", text, desk->token, desk->why);
}

/* Some turns of the loop that wait for nothing. */
static inline void desk_spin(struct desk *desk)
{
    for (int i = 0; i < 10; i++)
        event_base_loop(loop_base(desk->loop), EVLOOP_NONBLOCK);
}

static inline const char *desk_path(const struct desk *desk, const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", desk->folder, name);
    return out;
}

static inline void desk_write(const struct desk *desk, const char *name, const char *text,
                              mode_t mode)
{
    char path[128];
    int fd = open(desk_path(desk, name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static inline void desk_replace(const struct desk *desk, const char *name, const char *text)
{
    char from[128], to[128];

    desk_write(desk, "replacement", text, 0600);
    assert_int_equal(rename(desk_path(desk, "replacement", from), desk_path(desk, name, to)), 0);
}

static inline void desk_empty(int at, const char *name, int depth)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlinkat(fd, entry->d_name, 0) != 0 && depth > 0)
            desk_empty(fd, entry->d_name, depth - 1);
    }
    if (dir)
        closedir(dir);
    unlinkat(at, name, AT_REMOVEDIR);
}

static inline void desk_fini(struct desk *desk)
{
    token_source_free(desk->source);
    loop_free(desk->loop);
    desk_empty(AT_FDCWD, desk->folder, 1);
}

#endif

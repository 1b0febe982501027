#include "proxy/watch_folder.h"

#include <dirent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "config/memory.h"
#include "config/text.h"
#include "proxy/limits.h"
#include "proxy/loop.h"

enum { MASK = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR };

struct watch_folder {
    char *path;
    watch_look *look;
    void *context;
    struct watch *way; /* to the folder itself */
    int inotify;       /* -1: the poll must do */
    struct event *event, *next;
    int wds[LIMIT_WATCH_FOLDERS];
    size_t n_wds;
    bool gathering;
    unsigned hurry; /* looks that may still follow soon */
};

/* ---- which folders are watched ---- */

static void add_folder(struct watch_folder *watch, const char *path)
{
    int wd;

    if (watch->n_wds == LIMIT_WATCH_FOLDERS)
        return;
    wd = inotify_add_watch(watch->inotify, path, MASK);
    for (size_t i = 0; i < watch->n_wds; i++)
        if (watch->wds[i] == wd)
            return;
    if (wd >= 0)
        watch->wds[watch->n_wds++] = wd;
}

static void add_entry(struct watch_folder *watch, const struct dirent *entry)
{
    char *path = NULL;

    if (entry->d_name[0] == '.' || entry->d_type == DT_REG)
        return;
    if (asprintf(&path, "%s/%s", watch->path, entry->d_name) < 0)
        abort();
    add_folder(watch, path); /* IN_ONLYDIR: what is none is refused */
    free(path);
}

static bool is_among(const int *wds, size_t n, int wd)
{
    for (size_t i = 0; i < n; i++)
        if (wds[i] == wd)
            return true;
    return false;
}

/* Watching a folder again is free; one that is gone from the tree must not stay. */
static void place_watches(struct watch_folder *watch)
{
    int old[LIMIT_WATCH_FOLDERS];
    size_t n_old = watch->n_wds;
    const struct dirent *entry;
    DIR *folder;

    if (watch->inotify < 0)
        return;
    memcpy(old, watch->wds, n_old * sizeof(*old));
    watch->n_wds = 0;
    add_folder(watch, watch->path);
    folder = opendir(watch->path);
    while (folder && (entry = readdir(folder)))
        add_entry(watch, entry);
    if (folder)
        closedir(folder);
    for (size_t i = 0; i < n_old; i++)
        if (!is_among(watch->wds, watch->n_wds, old[i]))
            inotify_rm_watch(watch->inotify, old[i]);
}

/* ---- looking ---- */

static void look_in(struct watch_folder *watch, unsigned ms)
{
    struct timeval next = { ms / 1000, ms % 1000 * 1000 };

    event_add(watch->next, &next);
}

/* One look for all that happens meanwhile; the first of it sets the time. */
static void look_soon(struct watch_folder *watch)
{
    watch->hurry = WATCH_HURRIES;
    if (!watch->gathering)
        look_in(watch, WATCH_GATHER_MS);
    watch->gathering = true;
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct watch_folder *watch = arg;
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

    (void)fd;
    (void)what;
    while (read(watch->inotify, events, sizeof(events)) > 0)
        continue;
    look_soon(watch);
}

static bool on_way(void *context)
{
    look_soon(context);
    return true;
}

/* First the watches, then the look: what happens after the look is not missed. */
static void on_next(evutil_socket_t fd, short what, void *arg)
{
    struct watch_folder *watch = arg;
    bool soon;

    (void)fd;
    (void)what;
    watch->gathering = false;
    place_watches(watch);
    soon = !watch->look(watch->context) && watch->hurry > 0;
    watch->hurry -= soon;
    if (!watch->gathering)
        look_in(watch, soon ? WATCH_HURRY_MS : WATCH_POLL_MS);
}

struct watch_folder *watch_folder_new(struct loop *loop, const char *path, watch_look *look,
                                      void *context)
{
    struct watch_folder *watch = mem_alloc(1, sizeof(*watch));

    watch->path = text_dup(text_of(path));
    watch->look = look;
    watch->context = context;
    watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->next = event_new(loop_base(loop), -1, 0, on_next, watch);
    if (watch->inotify >= 0) {
        watch->event =
            event_new(loop_base(loop), watch->inotify, EV_READ | EV_PERSIST, on_event, watch);
        event_add(watch->event, NULL);
    }
    watch->way = watch_new(loop, path, on_way, watch);
    event_active(watch->next, EV_TIMEOUT, 0); /* the first look, once the loop runs */
    return watch;
}

void watch_folder_free(struct watch_folder *watch)
{
    if (!watch)
        return;
    watch_free(watch->way);
    if (watch->event)
        event_free(watch->event);
    event_free(watch->next);
    if (watch->inotify >= 0)
        close(watch->inotify);
    free(watch->path);
    free(watch);
}

#include "proxy/watch.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/memory.h"
#include "config/text.h"
#include "proxy/limits.h"
#include "proxy/loop.h"

const char WATCH_BEING_WRITTEN[] = "somebody is writing it";

/* Removals are not among them: who removes a file is about to put another one there. */
enum { MASK = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR, FRESH_S = 2 };

/* A name that decides which file the path means, in the folder that holds it. */
struct spot {
    int wd; /* -1: this folder cannot be watched, or is not there yet */
    char *name;
};

struct watch {
    char *path;
    watch_look *look;
    void *context;
    int inotify; /* -1: the poll must do */
    struct event *event, *poll;
    struct spot spots[LIMIT_WATCH_SPOTS];
    size_t n_spots;
    struct stat seen; /* as of the last look */
    bool settled;     /* that look needs no other while nothing seems to change */
    bool usable;      /* what that look said */
    unsigned
        hurry; /* looks that may still follow soon, because the last one found nothing usable */
};

/* ---- the way to the file ---- */

struct way {
    char folder[PATH_MAX]; /* without links */
    char rest[PATH_MAX];   /* still to go */
    char name[NAME_MAX + 1];
};

/* The next name, empty ones left out. False at the end, or if it is longer than any name can be. */
static bool way_next(struct way *way)
{
    size_t skip = strspn(way->rest, "/"), len = strcspn(way->rest + skip, "/");

    if (len == 0 || len > NAME_MAX)
        return false;
    memcpy(way->name, way->rest + skip, len);
    way->name[len] = '\0';
    memmove(way->rest, way->rest + skip + len, strlen(way->rest + skip + len) + 1);
    return true;
}

static bool way_join(char out[PATH_MAX], const char *folder, const char *name)
{
    int len = snprintf(out, PATH_MAX, "%s/%s", folder, name);

    return len > 0 && len < PATH_MAX;
}

/* If the name is a link: what it says stands before the rest of the way. */
static bool way_follow(struct way *way, const char *here)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t len = readlink(here, target, sizeof(target) - 1);

    if (len <= 0)
        return false;
    target[len] = '\0';
    if (!way_join(rest, target, way->rest))
        return false;
    if (target[0] == '/')
        way->folder[0] = '\0';
    memcpy(way->rest, rest, sizeof(rest));
    return true;
}

static void add_spot(struct watch *watch, const struct way *way)
{
    const char *folder = way->folder[0] ? way->folder : "/";
    struct spot *spot = &watch->spots[watch->n_spots++];

    spot->name = text_dup(text_of(way->name));
    spot->wd = inotify_add_watch(watch->inotify, folder, MASK);
}

static void way_begin(struct way *way, const char *path)
{
    snprintf(way->folder, sizeof(way->folder), "%s", path[0] == '/' ? "" : ".");
    snprintf(way->rest, sizeof(way->rest), "%s", path);
}

static void find_spots(struct watch *watch)
{
    struct way way;
    char here[PATH_MAX];

    way_begin(&way, watch->path);
    while (watch->n_spots < LIMIT_WATCH_SPOTS && way_next(&way)) {
        if (!way_join(here, way.folder, way.name))
            return;
        bool last = way.rest[strspn(way.rest, "/")] == '\0';
        struct way before = way;
        bool is_link = way_follow(&way, here);
        if (is_link || last)
            add_spot(watch, &before);
        if (!is_link)
            memcpy(way.folder, here, sizeof(here));
    }
}

void watch_each_link(const char *path, void (*visit)(void *context, const char *link),
                     void *context)
{
    struct way way;
    char here[PATH_MAX];

    way_begin(&way, path);
    for (size_t n = 0; n < LIMIT_WATCH_SPOTS && way_next(&way);) {
        if (!way_join(here, way.folder, way.name))
            return;
        if (way_follow(&way, here)) {
            visit(context, here);
            n++;
        } else {
            memcpy(way.folder, here, sizeof(here));
        }
    }
}

static bool is_watched(const struct spot *spots, size_t n, int wd)
{
    for (size_t i = 0; i < n; i++) {
        if (spots[i].wd == wd)
            return true;
    }
    return false;
}

/* The way may lead elsewhere now. Watching a folder again is free; one that is no longer on the way
 * must not stay, or every swap would leave a watch behind. */
static void place_spots(struct watch *watch)
{
    struct spot old[LIMIT_WATCH_SPOTS];
    size_t n_old = watch->n_spots;

    if (watch->inotify < 0)
        return;
    memcpy(old, watch->spots, sizeof(old));
    watch->n_spots = 0;
    find_spots(watch);
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].wd >= 0 && !is_watched(old, i, old[i].wd) &&
            !is_watched(watch->spots, watch->n_spots, old[i].wd))
            inotify_rm_watch(watch->inotify, old[i].wd);
        free(old[i].name);
    }
}

/* ---- looking ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* A file's times are coarse: one that changed just now can change again without showing it. */
static void look_now(struct watch *watch)
{
    struct stat now;
    bool there = stat(watch->path, &now) == 0;
    bool fresh = there && now.st_ctim.tv_sec + FRESH_S > time(NULL);

    watch->usable = watch->look(watch->context);
    watch->settled = watch->usable && there && !fresh;
    if (there)
        watch->seen = now;
}

static bool is_ours(const struct watch *watch, const struct inotify_event *event)
{
    if (event->mask & (IN_Q_OVERFLOW | IN_IGNORED))
        return true;
    for (size_t i = 0; i < watch->n_spots; i++) {
        if (watch->spots[i].wd == event->wd && event->len &&
            strcmp(watch->spots[i].name, event->name) == 0)
            return true;
    }
    return false;
}

static bool read_events(const struct watch *watch)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool ours = false;
    ssize_t n;

    while ((n = read(watch->inotify, events, sizeof(events))) > 0) {
        const char *at = events;
        while (at < events + n) {
            const struct inotify_event *event = (const void *)at;
            ours = is_ours(watch, event) || ours;
            at += sizeof(*event) + event->len;
        }
    }
    return ours;
}

/* The kernel tells of a writer's end a moment before it stops counting that writer, so a look that comes
 * at once may still find the file being written: a few more follow soon, then the slow poll does. */
static void plan_next_look(struct watch *watch)
{
    bool soon = !watch->usable && watch->hurry > 0;
    unsigned in_ms = soon ? WATCH_HURRY_MS : WATCH_POLL_MS;
    struct timeval next = { in_ms / 1000, in_ms % 1000 * 1000 };

    watch->hurry -= soon;
    event_add(watch->poll, &next);
}

/* First the new way, then the look: what happens after the look is not missed. */
static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct watch *watch = arg;

    (void)fd;
    (void)what;
    if (!read_events(watch))
        return;
    place_spots(watch);
    look_now(watch);
    watch->hurry = WATCH_HURRIES;
    plan_next_look(watch);
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
    struct watch *watch = arg;
    struct stat now;

    (void)fd;
    (void)what;
    place_spots(watch);
    if (!watch->settled || stat(watch->path, &now) != 0 || !same_file(&now, &watch->seen))
        look_now(watch);
    plan_next_look(watch);
}

struct watch *watch_new(struct loop *loop, const char *path, watch_look *look, void *context)
{
    struct watch *watch = mem_alloc(1, sizeof(*watch));

    watch->path = text_dup(text_of(path));
    watch->look = look;
    watch->context = context;
    watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->poll = event_new(loop_base(loop), -1, 0, on_poll, watch);
    if (watch->inotify >= 0) {
        watch->event =
            event_new(loop_base(loop), watch->inotify, EV_READ | EV_PERSIST, on_event, watch);
        event_add(watch->event, NULL);
    }
    event_active(watch->poll, EV_TIMEOUT, 0); /* the first look, once the loop runs */
    return watch;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    if (watch->event)
        event_free(watch->event);
    event_free(watch->poll);
    if (watch->inotify >= 0)
        close(watch->inotify);
    for (size_t i = 0; i < watch->n_spots; i++)
        free(watch->spots[i].name);
    free(watch->path);
    free(watch);
}

/* ---- reading ---- */

/* A read lease is given only while nobody has the file open for writing (fcntl(2)). */
static bool is_being_written(int fd)
{
    fcntl(fd, F_SETSIG, SIGURG); /* should a writer come just now: a signal that is ignored */
    if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
        return errno == EAGAIN;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
}

static int refuse(int fd, const char **why, const char *reason)
{
    *why = reason;
    if (fd >= 0)
        close(fd);
    return -1;
}

int watch_open(const char *path, const char **why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    if (fd < 0)
        return refuse(fd, why,
                      errno == ENOENT   ? "there is no such file"
                      : errno == EACCES ? "it may not be read"
                                        : "it cannot be opened");
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return refuse(fd, why, "it is not a file that can be read");
    if (is_being_written(fd))
        return refuse(fd, why, WATCH_BEING_WRITTEN);
    return fd;
}

ssize_t watch_read(int fd, void *bytes, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t n = read(fd, (char *)bytes + len, size - len);
        if (n == 0)
            break;
        if (n > 0)
            len += (size_t)n;
        else if (errno != EINTR)
            return -1;
    }
    return (ssize_t)len;
}

#include "tests/flow/kit_wait.h"

#include <string.h>
#include <time.h>

#include "tests/unit/stories.h"

enum { WATCHED_MAX = 64, FDS_MAX = 16 };

static struct {
    int fd;
    watcher *readable;
    void *context;
} watched[WATCHED_MAX];
static size_t n_watched;

long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void watch(int fd, watcher *readable, void *context)
{
    assert_true(n_watched < WATCHED_MAX);
    watched[n_watched].fd = fd;
    watched[n_watched].readable = readable;
    watched[n_watched++].context = context;
}

void unwatch(int fd)
{
    for (size_t i = 0; i < n_watched; i++) {
        if (watched[i].fd == fd) {
            watched[i] = watched[--n_watched];
            return;
        }
    }
}

/* Backwards, because a watcher may take itself off. */
static void serve_watched(const struct pollfd *fds)
{
    for (size_t i = n_watched; i-- > 0;) {
        if (fds[i].revents)
            watched[i].readable(watched[i].context);
    }
}

bool wait_any(struct pollfd *fds, nfds_t n, long long deadline_ms)
{
    struct pollfd all[WATCHED_MAX + FDS_MAX];

    assert_true(n <= FDS_MAX);
    for (;;) {
        size_t n_all = n_watched;
        long long left = deadline_ms - now_ms();
        bool ready = false;

        for (size_t i = 0; i < n_watched; i++)
            all[i] = (struct pollfd){ .fd = watched[i].fd, .events = POLLIN };
        if (n)
            memcpy(all + n_all, fds, n * sizeof(*fds));
        poll(all, n_all + n, left > 0 ? (int)left : 0);
        for (nfds_t i = 0; i < n; i++) {
            fds[i].revents = all[n_all + i].revents;
            ready = ready || fds[i].revents;
        }
        bool served = false;
        for (size_t i = 0; i < n_all; i++)
            served = served || all[i].revents;
        serve_watched(all);
        if (ready || (served && n == 0))
            return true;
        if (left <= 0)
            return false;
    }
}

void wait_for(int fd, short events, const char *what)
{
    struct pollfd one = { .fd = fd, .events = events };

    if (!wait_any(&one, 1, now_ms() + PATIENCE_MS))
        fail_msg("waited %d ms in vain for %s", PATIENCE_MS, what);
}

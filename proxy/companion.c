#include "proxy/companion.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/loop.h"

struct companion {
    int pidfd; /* readable once it has ended */
    struct event *event;
    void (*ended)(void *context);
    void *context;
};

struct companion *companion_open(const struct settings *settings, struct diags *diags)
{
    if (!settings->exit_with)
        return NULL;
    int pidfd = pidfd_open((pid_t)settings->exit_with, 0);
    if (pidfd < 0) {
        struct place place = { .file = "--exit-with" };
        diag_fatal(diags, place, "process %u: %s", settings->exit_with, strerror(errno));
        return NULL;
    }
    struct companion *companion = mem_alloc(1, sizeof(*companion));
    companion->pidfd = pidfd;
    return companion;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    const struct companion *companion = arg;

    (void)fd;
    (void)what;
    companion->ended(companion->context);
}

void companion_watch(struct companion *companion, struct loop *loop, void (*ended)(void *context),
                     void *context)
{
    if (!companion)
        return;
    companion->ended = ended;
    companion->context = context;
    companion->event =
        event_new(loop_base(loop), companion->pidfd, EV_READ, on_readable, companion);
    event_add(companion->event, NULL);
}

void companion_free(struct companion *companion)
{
    if (!companion)
        return;
    if (companion->event)
        event_free(companion->event);
    close(companion->pidfd);
    free(companion);
}

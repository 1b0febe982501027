#include "proxy/notify.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/memory.h"
#include "config/text.h"
#include "proxy/loop.h"

enum { USEC = 1000000 };

struct notify {
    int fd; /* connected; -1: nobody listens. Open from the beginning, because the sandbox opens none */
    struct event *watchdog;
};

static void tell(const struct notify *notify, const char *state)
{
    if (notify->fd >= 0)
        send(notify->fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    tell(arg, "WATCHDOG=1");
}

/* A path, or a name in the abstract space after '@'. */
static int connect_to_manager(void)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t len = name ? strlen(name) : 0;
    int fd;

    if (len < 2 || len >= sizeof(to.sun_path) || (name[0] != '/' && name[0] != '@') ||
        (fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
        return -1;
    memcpy(to.sun_path, name, len);
    if (name[0] == '@')
        to.sun_path[0] = '\0';
    if (connect(fd, (const struct sockaddr *)&to,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
        return fd;
    close(fd);
    return -1;
}

static unsigned long long number_of(const char *variable)
{
    const char *value = getenv(variable);
    unsigned long long number;

    return value && text_to_uint(text_of(value), INT64_MAX, &number) ? number : 0;
}

static void start_watchdog(struct notify *notify, struct loop *loop)
{
    unsigned long long usec = number_of("WATCHDOG_USEC") / 2, pid = number_of("WATCHDOG_PID");
    struct timeval half = { (time_t)(usec / USEC), (suseconds_t)(usec % USEC) };

    if (!usec || notify->fd < 0 || (pid && pid != (unsigned long long)getpid()))
        return;
    notify->watchdog = event_new(loop_base(loop), -1, EV_PERSIST, on_watchdog, notify);
    event_add(notify->watchdog, &half);
}

struct notify *notify_new(struct loop *loop)
{
    struct notify *notify = mem_alloc(1, sizeof(*notify));

    notify->fd = connect_to_manager();
    start_watchdog(notify, loop);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return notify;
}

void notify_free(struct notify *notify)
{
    if (!notify)
        return;
    if (notify->watchdog)
        event_free(notify->watchdog);
    if (notify->fd >= 0)
        close(notify->fd);
    free(notify);
}

void notify_ready(struct notify *notify)
{
    tell(notify, "READY=1");
}

/* The time proves to the manager that the message belongs to its own request (Type=notify-reload). */
void notify_reloading(struct notify *notify)
{
    char state[80];

    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, loop_now_us());
    tell(notify, state);
}

void notify_stopping(struct notify *notify)
{
    tell(notify, "STOPPING=1");
}

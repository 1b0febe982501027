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
    struct sockaddr_un to;
    socklen_t to_len; /* 0: nobody listens */
    struct event *watchdog;
};

static void tell(const struct notify *notify, const char *state)
{
    int fd;

    if (!notify->to_len || (fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
        return;
    sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
           (const struct sockaddr *)&notify->to, notify->to_len);
    close(fd);
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    tell(arg, "WATCHDOG=1");
}

/* A path, or a name in the abstract space after '@'. */
static void read_address(struct notify *notify)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t len = name ? strlen(name) : 0;

    if (len < 2 || len >= sizeof(notify->to.sun_path) || (name[0] != '/' && name[0] != '@'))
        return;
    notify->to.sun_family = AF_UNIX;
    memcpy(notify->to.sun_path, name, len);
    if (name[0] == '@')
        notify->to.sun_path[0] = '\0';
    notify->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
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

    if (!usec || !notify->to_len || (pid && pid != (unsigned long long)getpid()))
        return;
    notify->watchdog = event_new(loop_base(loop), -1, EV_PERSIST, on_watchdog, notify);
    event_add(notify->watchdog, &half);
}

struct notify *notify_new(struct loop *loop)
{
    struct notify *notify = mem_alloc(1, sizeof(*notify));

    read_address(notify);
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

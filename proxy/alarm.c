#include "proxy/alarm.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/loop.h"

/* One descriptor for each clock. -1 where the system has none to give: then nothing rings, and
 * whoever asked is late, not wrong, because expiry is looked at when a token is used. */
struct alarm {
    void (*ring)(void *context);
    void *context;
    int boot, wall;
    struct event *boot_event, *wall_event;
};

/* As far away as it goes: it is only there to be cancelled when the clock is set. */
static void watch_wall(struct alarm *alarm)
{
    struct itimerspec far = { .it_value = { .tv_sec = INT32_MAX } };

    timerfd_settime(alarm->wall, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

static void on_event(evutil_socket_t fd, short what, void *context)
{
    struct alarm *alarm = context;
    uint64_t expirations;

    (void)what;
    /* Both a count and ECANCELED (the clock was set) mean: look. */
    if (read(fd, &expirations, sizeof(expirations)) < 0 && fd == alarm->wall)
        watch_wall(alarm);
    alarm->ring(alarm->context);
}

static struct event *listen_to(struct alarm *alarm, struct loop *loop, int fd)
{
    struct event *event;

    if (fd < 0)
        return NULL;
    event = event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, on_event, alarm);
    event_add(event, NULL);
    return event;
}

struct alarm *alarm_new(struct loop *loop, void (*ring)(void *context), void *context)
{
    struct alarm *alarm = mem_alloc(1, sizeof(*alarm));

    alarm->ring = ring;
    alarm->context = context;
    alarm->boot = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    alarm->wall = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    alarm->boot_event = listen_to(alarm, loop, alarm->boot);
    alarm->wall_event = listen_to(alarm, loop, alarm->wall);
    watch_wall(alarm);
    return alarm;
}

static void forget(struct event *event, int fd)
{
    if (event)
        event_free(event);
    if (fd >= 0)
        close(fd);
}

void alarm_free(struct alarm *alarm)
{
    if (!alarm)
        return;
    forget(alarm->boot_event, alarm->boot);
    forget(alarm->wall_event, alarm->wall);
    free(alarm);
}

void alarm_set(struct alarm *alarm, uint64_t boot_ms)
{
    struct itimerspec at = { .it_value = { .tv_sec = (time_t)(boot_ms / 1000),
                                           .tv_nsec = (long)(boot_ms % 1000) * 1000000 } };

    timerfd_settime(alarm->boot, TFD_TIMER_ABSTIME, &at, NULL);
}

#include "proxy/lag.h"

#include <event2/event.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/limits.h"
#include "proxy/loop.h"
#include "proxy/tally.h"

struct lag {
    struct event *timer;
    struct tally_times *times;
    uint64_t due_us;
    bool armed, worked;
};

static void arm(struct lag *lag)
{
    static const struct timeval in = { 0, LAG_PROBE_MS * 1000 };

    lag->due_us = loop_now_us() + LAG_PROBE_MS * 1000;
    lag->worked = false;
    lag->armed = event_add(lag->timer, &in) == 0;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct lag *lag = arg;
    uint64_t now = loop_now_us();

    (void)fd;
    (void)what;
    lag->armed = false;
    tally_time(lag->times, now > lag->due_us ? now - lag->due_us : 0);
    if (lag->worked)
        arm(lag);
}

struct lag *lag_new(struct loop *loop, struct tally_times *times)
{
    struct lag *lag = mem_alloc(1, sizeof(*lag));

    lag->times = times;
    lag->timer = evtimer_new(loop_base(loop), on_timer, lag);
    return lag;
}

void lag_free(struct lag *lag)
{
    if (!lag)
        return;
    event_free(lag->timer);
    free(lag);
}

void lag_note_work(struct lag *lag)
{
    lag->worked = true;
    if (!lag->armed)
        arm(lag);
}

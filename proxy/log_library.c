#include "proxy/log_library.h"

#include <event2/event.h>

#include "proxy/log.h"

static _Thread_local struct log *mine;

static void on_message(int severity, const char *message)
{
    if (mine && severity >= EVENT_LOG_MSG)
        log_message(mine, LOG_WARNING, "libevent", "%s", message);
}

__attribute__((constructor)) static void listen_to_it(void)
{
    event_set_log_callback(on_message);
}

void log_library(struct log *log)
{
    mine = log;
}

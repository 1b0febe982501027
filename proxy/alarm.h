/* proxy/alarm.h - "call me at that moment", on the clock that goes on while the machine sleeps.
 *
 * libevent's timers stand still during a suspend, so that what was due meanwhile would come late by
 * all that time. An alarm is a timerfd on CLOCK_BOOTTIME: it rings as soon as the machine is back.
 * It also rings when somebody sets the wall clock. */
#ifndef PROXY_ALARM_H
#define PROXY_ALARM_H

#include <stdint.h>

struct alarm;
struct loop;

enum { ALARM_NEVER = 0 };

/* `ring` may be called too early or once too often: whoever is called looks at the clock. */
struct alarm *alarm_new(struct loop *loop, void (*ring)(void *context), void *context);
void alarm_free(struct alarm *alarm); /* NULL is fine */

/* At `boot_ms` (proxy/clock.h), at once if that has passed; ALARM_NEVER: only when the wall clock is
 * set. Replaces what was set before. */
void alarm_set(struct alarm *alarm, uint64_t boot_ms);

#endif

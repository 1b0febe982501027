/* proxy/clock.h - what time it is, twice: for people and for durations.
 *
 * The wall clock is what a token's `exp` speaks of, and it may be set at any moment. The other clock
 * (CLOCK_BOOTTIME) never jumps and goes on while the machine sleeps. Whoever must not be fooled by
 * a suspended laptop or a wrong clock looks at both. */
#ifndef PROXY_CLOCK_H
#define PROXY_CLOCK_H

#include <stdint.h>

struct moment {
    int64_t wall_ms;  /* milliseconds since 1970 */
    uint64_t boot_ms; /* milliseconds since the machine started, sleep included */
};

struct moment clock_now(void);

#endif

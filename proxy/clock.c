#include "proxy/clock.h"

#include <time.h>

struct moment clock_now(void)
{
    struct timespec wall, boot;

    clock_gettime(CLOCK_REALTIME_COARSE, &wall); /* to 4 ms; ends of tokens are seconds */
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (struct moment){
        (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000,
        (uint64_t)boot.tv_sec * 1000 + (uint64_t)boot.tv_nsec / 1000000,
    };
}

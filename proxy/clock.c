#include "proxy/clock.h"

struct moment clock_now(void)
{
    struct timespec wall, boot;

    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (struct moment){ wall.tv_sec,
                            (uint64_t)boot.tv_sec * 1000 + (uint64_t)boot.tv_nsec / 1000000 };
}

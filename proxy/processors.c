#include "proxy/processors.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned by_affinity(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

/* "QUOTA PERIOD" in microseconds, or "max PERIOD". In a container its own group is the root that it sees. */
static unsigned by_group(unsigned otherwise)
{
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    char line[64] = "", *rest;

    if (!file)
        return otherwise;
    bool read = fgets(line, sizeof(line), file);
    fclose(file);
    unsigned long quota = strtoul(line, &rest, 10), period = strtoul(rest, NULL, 10);
    if (!read || !quota || !period)
        return otherwise;
    unsigned long whole = (quota + period - 1) / period;
    return whole < otherwise ? (unsigned)whole : otherwise;
}

unsigned processors_usable(void)
{
    unsigned n = by_group(by_affinity());

    return n ? n : 1;
}

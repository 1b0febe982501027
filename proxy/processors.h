/* proxy/processors.h - how many processors this process may use. */
#ifndef PROXY_PROCESSORS_H
#define PROXY_PROCESSORS_H

/* By its affinity (sched_getaffinity), and by what its control group may use (cgroup v2's cpu.max), rounded
 * up: a container with a limit of 2 gets 2, however many the machine has. At least 1. */
unsigned processors_usable(void);

#endif

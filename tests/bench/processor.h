/* tests/bench/processor.h - the processor time that another process has used. */
#ifndef BENCH_PROCESSOR_H
#define BENCH_PROCESSOR_H

#include <stdint.h>
#include <sys/types.h>

struct processor {
    uint64_t total_ns;           /* to the nanosecond */
    uint64_t user_ns, system_ns; /* as the kernel parts it: by sampling, so only a share */
};

/* Of all its threads; zero for pid 0. */
struct processor processor_of(pid_t pid);
struct processor processor_spent(const struct processor *before, const struct processor *after);

#endif

#include "proxy/self.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "config/memory.h"

struct self {
    double started_at;
    int memory;       /* /proc/self/statm; -1: there is none */
    DIR *descriptors; /* /proc/self/fd; NULL: there is none */
};

static double wall_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct self *self_new(void)
{
    struct self *self = mem_alloc(1, sizeof(*self));

    self->started_at = wall_clock();
    self->memory = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    self->descriptors = opendir("/proc/self/fd");
    return self;
}

void self_free(struct self *self)
{
    if (!self)
        return;
    if (self->memory >= 0)
        close(self->memory);
    if (self->descriptors)
        closedir(self->descriptors);
    free(self);
}

/* "SIZE RESIDENT ...", in pages */
static int64_t resident_bytes(const struct self *self)
{
    char text[128];
    ssize_t n = self->memory < 0 ? -1 : pread(self->memory, text, sizeof(text) - 1, 0);
    char *behind_size;

    if (n <= 0)
        return -1;
    text[n] = '\0';
    (void)strtoull(text, &behind_size, 10);
    return (int64_t)strtoull(behind_size, NULL, 10) * sysconf(_SC_PAGESIZE);
}

static int64_t count_descriptors(const struct self *self)
{
    int64_t n = 0;

    if (!self->descriptors)
        return -1;
    rewinddir(self->descriptors);
    for (const struct dirent *entry; (entry = readdir(self->descriptors));)
        n += entry->d_name[0] != '.';
    return n;
}

struct self_facts self_look(const struct self *self)
{
    struct rusage used = { 0 };
    struct rlimit limit;

    getrusage(RUSAGE_SELF, &used);
    return (struct self_facts){
        .started_at = self->started_at,
        .cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
        .resident_bytes = resident_bytes(self),
        .n_open = count_descriptors(self),
        .max_open = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
                        ? (int64_t)limit.rlim_cur
                        : -1,
    };
}

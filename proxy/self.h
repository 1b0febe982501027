/* proxy/self.h - what this process takes of the machine, as the kernel counts it.
 *
 * What it reads of /proc is opened once, at the start, so that a sandbox may close /proc afterwards. Asking
 * costs a few system calls; nothing is counted in between. */
#ifndef PROXY_SELF_H
#define PROXY_SELF_H

#include <stdint.h>

struct self;

struct self *self_new(void);
void self_free(struct self *self);

struct self_facts {
    double started_at;        /* seconds of the wall clock since 1970, when self_new() was called */
    double cpu_s;             /* user and system, of all threads */
    int64_t resident_bytes;   /* -1: the kernel does not say; the next two as well */
    int64_t n_open, max_open; /* descriptors */
};
struct self_facts self_look(const struct self *self);

#endif

#include "tests/flow/kit_faults.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/flow/kit_process.h"
#include "tests/unit/stories.h"

enum { TEXT_MAX = 4096 };

struct fault_kit {
    struct faults *page;
    char path[64], preload[TEXT_MAX], page_name[128];
    const char *environment[5];
};

/* The sanitizer wants to be the first library; here the shim must be. Its quarantine would look like
 * growth. */
#define SANITIZER                                                                                  \
    "ASAN_OPTIONS=verify_asan_link_order=0:quarantine_size_mb=1:thread_local_quarantine_size_kb="  \
    "64"

struct fault_kit *fault_kit_new(void)
{
    struct fault_kit *kit = calloc(1, sizeof(*kit));

    assert_non_null(kit);
    snprintf(kit->path, sizeof(kit->path), "/tmp/janus-faults-XXXXXX");
    int fd = mkostemp(kit->path, O_CLOEXEC);
    assert_true(fd >= 0 && ftruncate(fd, sizeof(*kit->page)) == 0);
    kit->page = mmap(NULL, sizeof(*kit->page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(kit->page != MAP_FAILED);
    close(fd);
    snprintf(kit->preload, sizeof(kit->preload), "LD_PRELOAD=%s/shim_faults.so", process_folder());
    snprintf(kit->page_name, sizeof(kit->page_name), "JANUS_FAULTS=%s", kit->path);
    kit->environment[0] = kit->preload;
    kit->environment[1] = kit->page_name;
    kit->environment[2] = SANITIZER;
    /* Calls that fail must be the sidecar's own, and not those of its helper. */
    kit->environment[3] = "JANUS_SANDBOX=off";
    return kit;
}

void fault_kit_free(struct fault_kit *kit)
{
    munmap(kit->page, sizeof(*kit->page));
    unlink(kit->path);
    free(kit);
}

const char *const *fault_kit_environment(const struct fault_kit *kit)
{
    return kit->environment;
}

static void arm(struct fault_kit *kit, enum fault_call call, int error, unsigned after,
                unsigned times)
{
    struct faults *page = kit->page;

    atomic_store(&page->armed, 0);
    atomic_store(&page->happened, 0);
    atomic_store(&page->error, error);
    atomic_store(&page->after, after);
    atomic_store(&page->times, times);
    atomic_store(&page->armed, (int)call + 1);
}

void fault_arm(struct fault_kit *kit, enum fault_call call, int error, unsigned after)
{
    arm(kit, call, error, after, 1);
}

void fault_arm_many(struct fault_kit *kit, enum fault_call call, int error, unsigned times)
{
    arm(kit, call, error, 0, times);
}

unsigned fault_disarm(struct fault_kit *kit)
{
    atomic_store(&kit->page->armed, 0);
    return atomic_exchange(&kit->page->happened, 0);
}

unsigned fault_calls(const struct fault_kit *kit, enum fault_call call)
{
    return atomic_load(&kit->page->calls[call]);
}

const char *fault_call_name(enum fault_call call)
{
#define NAME_OF(name) #name,
    static const char *const names[] = { FAULT_CALLS(NAME_OF) };

    return names[call];
}

void fault_clocks(struct fault_kit *kit, long long wall_ms, long long boot_ms)
{
    atomic_store(&kit->page->wall_ms, wall_ms);
    atomic_store(&kit->page->boot_ms, boot_ms);
}

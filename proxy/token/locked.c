#include "proxy/token/locked.h"

#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static atomic_bool refused;

static size_t in_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) / page * page;
}

void *locked_alloc(size_t size)
{
    size_t len = in_pages(size ? size : 1);
    void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        fputs("janus-sidecar: out of memory\n", stderr);
        abort();
    }
    if (mlock(memory, len) != 0)
        refused = true;
    madvise(memory, len, MADV_DONTDUMP);
    madvise(memory, len, MADV_WIPEONFORK);
    return memory;
}

void locked_free(void *memory, size_t size)
{
    if (!memory)
        return;
    OPENSSL_cleanse(memory, size);
    munmap(memory, in_pages(size ? size : 1));
}

bool locked_is_locked(void)
{
    return !refused;
}

static void wipe_and_free(void *memory)
{
    if (memory)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

void locked_harden_process(void)
{
    struct rlimit none = { 0, 0 };

    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
    json_set_alloc_funcs(malloc, wipe_and_free);
}

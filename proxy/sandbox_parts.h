/* proxy/sandbox_parts.h - what the sandbox's own files share; nobody else includes it.
 *
 *   sandbox.c         capabilities, and the order of things
 *   sandbox_files.c   Landlock
 *   sandbox_calls.c   seccomp */
#ifndef PROXY_SANDBOX_PARTS_H
#define PROXY_SANDBOX_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "proxy/sandbox.h"

/* A sanitizer looks into the process at its end, from a thread of its own kind. */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

/* A right on all that is below. */
struct sandbox_right {
    int fd; /* of the folder or file, O_PATH */
    uint64_t access;
};

struct sandbox {
    struct sandbox_needs needs;
    struct sandbox_right *rights;
    size_t n_rights;
};

/* The ABI that is in force now, or 0. */
int sandbox_restrict_files(const struct sandbox *sandbox);
bool sandbox_restrict_calls(const struct sandbox *sandbox);

#endif

/* proxy/token/locked.h - memory for secrets: never swapped out, never in a core dump, not inherited by a
 * child, wiped when it is freed.
 *
 * Each block has pages of its own, because that is what the kernel locks and hides. There are few
 * secrets, and their number has no ceiling here as it would have in OpenSSL's secure heap. */
#ifndef PROXY_TOKEN_LOCKED_H
#define PROXY_TOKEN_LOCKED_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed; never NULL: memory gone ends the process. */
void *locked_alloc(size_t size);
/* Wipes. `size` as it was asked for; NULL is fine. */
void locked_free(void *memory, size_t size);

/* False when the system refused to lock a block (RLIMIT_MEMLOCK): it works, and could be swapped. */
bool locked_is_locked(void);

/* No core dump of this process, and no other process of the same user may look into it (ptrace,
 * /proc/PID/mem). What jansson frees is wiped from here on: answers of an issuer and token files go
 * through it. Call it before any secret is read. */
void locked_harden_process(void);

#endif

#include "proxy/sandbox_parts.h"

#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config/memory.h"

struct sandbox *sandbox_new(struct sandbox_needs needs)
{
    struct sandbox *sandbox = mem_alloc(1, sizeof(*sandbox));

    sandbox->needs = needs;
    return sandbox;
}

void sandbox_free(struct sandbox *sandbox)
{
    if (!sandbox)
        return;
    for (size_t i = 0; i < sandbox->n_rights; i++)
        close(sandbox->rights[i].fd);
    free(sandbox->rights);
    free(sandbox);
}

/* Only root has any of these. A token file of another user is read and asked for its writer as before, and an app
 * that became another user is still told of signals. */
static uint64_t kept_capabilities(const struct sandbox *sandbox)
{
    uint64_t kept = UINT64_C(1) << CAP_DAC_READ_SEARCH | UINT64_C(1) << CAP_LEASE;

    return sandbox->needs.connects  ? 0
           : sandbox->needs.signals ? kept | UINT64_C(1) << CAP_KILL
                                    : kept;
}

/* Asked only where there is something to give up: a service manager may have taken the call away with the rest. */
static bool drop_capabilities(uint64_t kept)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { 0 } };

    for (int number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++) {
        if (!(kept >> number & 1))
            prctl(PR_CAPBSET_DROP, number, 0, 0, 0); /* refused where we have none to drop */
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capget, &header, data) != 0)
        return false;
    bool more = false;
    for (int i = 0; i < 2; i++) {
        more |= (data[i].permitted & ~(uint32_t)(kept >> 32 * i)) || data[i].inheritable;
        data[i].permitted &= (uint32_t)(kept >> 32 * i);
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    return !more || syscall(SYS_capset, &header, data) == 0;
}

bool sandbox_enter(struct sandbox *sandbox, char out[SANDBOX_TEXT_MAX])
{
    bool calls = false, dropped = drop_capabilities(kept_capabilities(sandbox));
    int abi = 0;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        abi = sandbox_restrict_files(sandbox);
        calls = sandbox_restrict_calls(sandbox); /* last: it forbids what the others need */
    }
    if (abi)
        snprintf(out, SANDBOX_TEXT_MAX, "landlock:%d%s", abi, calls ? ",seccomp" : "");
    else
        snprintf(out, SANDBOX_TEXT_MAX, "%s", calls ? "seccomp" : "none");
    return dropped && abi && calls;
}

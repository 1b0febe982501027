/* proxy/sidecar_policy.h - a manifest's policy while the process lives: built, watched, swapped.
 *
 *   the file changed, or SIGHUP --> read whole --> compiled beside the old --> swapped, generation + 1
 *                                     |                `-- findings that forbid it: the old one stays
 *                                     `-- somebody is writing it: when he has closed it
 *
 * Requests under way keep the policy that they pinned. Content that is the same as before does
 * nothing, unless SIGHUP asks. */
#ifndef PROXY_SIDECAR_POLICY_H
#define PROXY_SIDECAR_POLICY_H

#include <time.h>

#include "policy/policy.h"

struct loop;
struct log;
struct live_policy;

/* Reads and compiles the manifest, or the one of --shadow-manifest. NULL if a finding is fatal; with
 * --strict any error is. Borrows all but `diags`. */
struct live_policy *live_policy_new(const struct settings *settings, bool shadow,
                                    struct diags *diags);
void live_policy_free(struct live_policy *live);

/* Calls `changed` with the policy, borrowed, now and each time that the file's change puts another in force. */
void live_policy_follow(struct live_policy *live, struct loop *loop, struct log *log,
                        void (*changed)(void *context, struct policy *policy), void *context);
/* The one in force; borrowed until the next. */
const struct policy *live_policy_current(const struct live_policy *live);
/* Builds it anew, even if the file did not change: what it refers to may have. Findings go to the log, and
 * into `told`; those that are there already are not logged again. */
void live_policy_reload(struct live_policy *live, struct diags *told);

struct live_policy_state {
    size_t n_rules;
    unsigned generation; /* from 1 */
    unsigned n_failures; /* reloads that left the old policy in force */
    bool failed;         /* the last one did */
    time_t loaded_at;
};
struct live_policy_state live_policy_state(const struct live_policy *live);

#endif

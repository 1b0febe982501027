/* policy/snippet.h - the text that a manifest lacks. */
#ifndef POLICY_SNIPPET_H
#define POLICY_SNIPPET_H

#include "policy/policy.h"

/* A growing list of outbound-access policies, one for each path that must be opened.
 *
 * What is written is compiled again before it counts: a policy that would open anything but this
 * host and this path is never proposed. */
struct snippet {
    const struct policy *policy;
    const struct destination *where;
    char *text;      /* JSON objects joined by ", "; NULL: nothing yet */
    const char *why; /* set when a path cannot be expressed (static storage) */
};

/* The host as a manifest that serves many accounts has it: "{{account}}.myvtex.com"; an IPv6 address
 * in brackets. */
enum { SNIPPET_HOST_MAX = HOST_MAX + 64 };
void snippet_host(const struct policy *policy, const struct destination *where,
                  char out[SNIPPET_HOST_MAX]);
bool snippet_is_utf8(struct text path); /* else JSON cannot hold it */
/* What in `path`, which no policy can hold exactly, stands against it (static storage). */
const char *snippet_obstacle(struct text path);

/* False, with `why`, if no policy can hold exactly `path`. A path that stands there is not repeated
 * by whoever calls. */
bool snippet_add(struct snippet *snippet, struct text path);
void snippet_fini(struct snippet *snippet);

#endif

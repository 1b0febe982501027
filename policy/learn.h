/* policy/learn.h - the smallest policies that would have let observed traffic pass (docs/learn.md).
 *
 *   note ... note     requests, each distinct one kept once and counted
 *   conclude          which of today's policies opened them, and what the rest of them needs
 *
 * In this order, for what no policy of today opens: a License Manager key that opens a request
 * whole, a policy of an app whose file is known, outbound-access. What was denied is learned apart
 * and afterwards, so that it widens nothing. Everything proposed is compiled and every request
 * judged again by it; what still does not pass is in `left`. Same requests in any order, same
 * lesson. Pure. */
#ifndef POLICY_LEARN_H
#define POLICY_LEARN_H

#include "policy/policy.h"

enum {
    LEARN_REQUESTS_MAX = 250000, /* distinct ones; at worst 1.3 KiB each by the time of the proof */
    /* of readings that no client sent: a twisted path has up to READINGS_MAX of them */
    LEARN_READING_BYTES = 16 * 1024 * 1024,
    LEARN_FOLD = 3,
    LEARN_WORDS_HINT = 30, /* so many words at one place may be names of things, not of routes */
};

/* What the sidecar did with a request when it came. */
enum learn_seen { LEARN_ALLOWED, LEARN_WOULD_DENY, LEARN_DENIED, N_LEARN_SEEN };

struct learn_options {
    unsigned fold;       /* so many distinct ids at one place become a `*` */
    unsigned fold_words; /* the same for what does not look like an id; 0: never */
    bool fresh;          /* as if today's manifest had no policies */
};

struct learn_request {
    struct text method, host, path; /* the host canonical */
};

/* Numbers of requests; a request that two policies opened together counts for both. */
struct learn_evidence {
    unsigned long long requests[N_LEARN_SEEN];
    size_t paths;               /* distinct ones, with their host */
    struct learn_request first; /* in the order of host and path; host.at == NULL: none */
    size_t opens, used;         /* resources */
    bool wide;                  /* it opens a whole host, or hosts by a wildcard */
    const void *last;           /* private */
};

/* A policy to add. */
struct learned {
    char *name;        /* "outbound-access", a key, VENDOR.APP:POLICY */
    char *host, *path; /* as the manifest has them; NULL but for outbound-access */
    bool for_denied;   /* only requests that were denied ask for it */
    size_t *values;    /* of each `*` in the path, how many values were seen there */
    size_t n_values;
    struct learn_evidence evidence;
};

enum learn_fate {
    LEARN_KEPT,
    LEARN_REPLACED, /* what was learned takes its place: it is wide, or `fresh` was asked for */
    LEARN_UNUSED,   /* no request was opened by it */
    LEARN_MUTE, /* it opens nothing here: an unknown key, a policy of the platform, a broken one */
};

/* One of today's policies or dependencies. */
struct learn_today {
    struct place place;
    struct text name, host, path; /* as written; at == NULL: not there */
    enum learn_fate fate;
    struct learn_evidence evidence;
};

/* A request that nothing proposed lets pass. */
struct learn_left {
    struct learn_request request;
    unsigned long long requests[N_LEARN_SEEN];
    enum verdict_reason reason; /* REASON_RULE: a policy could, but none can be written */
    const char *why;            /* a sentence (static storage) */
};

/* A place where many words were seen: perhaps names of things. */
struct learn_words {
    char *host, *path; /* the path as a pattern */
    size_t n;
};

struct lesson {
    struct learned *learned;
    size_t n_learned;
    struct learn_today *today;
    size_t n_today;
    struct learn_left *left;
    size_t n_left;
    struct learn_words *words;
    size_t n_words;
};

struct learn;

/* Borrows all but the options; `today` may be NULL. What the compiler finds in today's manifest
 * goes into `diags`. */
struct learn *learn_new(const struct manifest *today, struct providers *providers,
                        const struct settings *settings, const struct learn_options *options,
                        struct diags *diags);
void learn_free(struct learn *learn);

/* False: it is a new one and there are LEARN_REQUESTS_MAX already. */
bool learn_note(struct learn *learn, struct text method, const struct destination *where,
                enum learn_seen seen);
/* Once. Borrowed: lives as long as `learn`. */
const struct lesson *learn_conclude(struct learn *learn);

#endif

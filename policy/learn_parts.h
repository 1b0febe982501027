/* policy/learn_parts.h - for policy/learn*.c only.
 *
 *   learn.c         the order of things, the proof
 *   learn_seen.c    the requests
 *   learn_today.c   today's policies
 *   learn_keys.c    which keys and which policies of apps
 *   learn_paths.c   hosts and paths for outbound-access
 *   learn_fold.c    from many paths to few patterns
 *   learn_credit.c  which policy opened what */
#ifndef POLICY_LEARN_PARTS_H
#define POLICY_LEARN_PARTS_H

#include "policy/compiled.h"
#include "policy/learn.h"
#include "policy/readings.h"
#include "policy/table.h"

struct observation {
    const char *host; /* NUL-terminated */
    struct text method, path, query;
    uint16_t port, host_len;
    bool host_is_address;
    bool open;                  /* no floor of the policy stands against it */
    bool kept;                  /* today's policies let it pass, those that are kept */
    bool covered;               /* they do, or what was learned does */
    enum verdict_reason reason; /* while !open */
    unsigned long long seen[N_LEARN_SEEN];
    char bytes[]; /* what the texts point into */
};

struct learn {
    const struct manifest *today;
    struct providers *providers;
    const struct settings *settings;
    struct learn_options options;
    struct diags *diags;
    struct policy *none; /* without a rule that opens anything */
    struct observation **seen;
    size_t n_seen;
    void *tree;           /* of the same */
    size_t reading_bytes; /* taken of LEARN_READING_BYTES */
    struct lesson lesson;
};

/* Borrows from `seen`. */
struct destination observation_where(const struct observation *seen);
bool observation_allowed(const struct policy *policy, const struct observation *seen);
/* Still to be learned, in the round of what was denied or in the one before. */
bool observation_is_due(const struct observation *seen, bool denied);
void observations_sort(struct learn *learn);
void observations_fini(struct learn *learn);

/* Compiles some of today's rows, and what was learned: learned[i] has the place line i + 1,
 * column 0. */
enum learn_rows {
    ROWS_TODAY = 1,
    ROWS_NARROW = 2, /* those of today that are not wide */
    ROWS_LEARNED = 4,
    ROWS_LEARNED_DENIED = 8,
};
struct policy *learn_policy(const struct learn *learn, unsigned rows, struct diags *diags);
struct policy *learn_policy_quietly(const struct learn *learn, unsigned rows);
/* Compiles these alone. */
struct policy *learn_compile(const struct learn *learn, const struct manifest_policy *rows,
                             size_t n_rows, struct diags *diags);
struct learned *learn_add(struct learn *learn, struct text name, bool denied);
void learned_fini(struct learned *learned);
/* It opens a whole host, or hosts by a wildcard. */
bool learn_rule_is_wide(const struct rule *rule);

/* learn_today.c: their fates; marks what those that stay let pass. */
void learn_judge_today(struct learn *learn);

/* learn_keys.c: proposes for what is due, and marks what that opens as covered. */
void learn_keys(struct learn *learn, bool denied);

/* learn_paths.c: the same, but marks nothing. */
void learn_paths(struct learn *learn, bool denied);

/* learn_fold.c */
struct fold_path {
    struct text path;
    bool sent;   /* by a client; else a reading that an origin may make of what one sent */
    bool folded; /* private */
    size_t at;   /* private: what stands before is behind us */
};

struct folding {
    unsigned ids, words; /* so many distinct ones become a `*`; 0: never */
    unsigned skip;       /* segments at the beginning that stay as they are */
    /* A pattern; `values` says of each of its stars how many were seen there. */
    void (*found)(void *context, struct text pattern, const size_t *values, size_t n_values);
    /* `n` words were seen where `pattern` has its last star, and kept. */
    void (*many_words)(void *context, struct text pattern, size_t n);
    void *context;
};

/* Moves the paths, each of which begins with '/'. */
void fold_paths(const struct folding *folding, struct fold_path *paths, size_t n);
bool fold_is_id(struct text segment);

/* learn_credit.c: which of the lesson's policies opened what. */
struct credit {
    const struct policy *policy;
    struct learn_evidence **of_rule; /* NULL: no policy of ours */
    bool *used;
};

void credit_init(struct credit *credit, const struct learn *learn, const struct policy *policy);
/* Gives it to each rule that opens a reading of the path. False, and nothing is given, if a reading
 * is closed: as `seen` is open, that is policy_judge()'s verdict. */
bool credit_give(struct credit *credit, const struct observation *seen);
void credit_fini(struct credit *credit);

#endif

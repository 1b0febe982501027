/* proxy/command_check.h - what the ways to check share: words, lines (command_check.c) and our own log
 * (command_replay.c). */
#ifndef PROXY_COMMAND_CHECK_H
#define PROXY_COMMAND_CHECK_H

#include <stdio.h>

#include "policy/policy.h"

struct junit;

enum { CHECK_REASON_MAX = 1024, N_VERDICTS = VERDICT_REFUSE + 1 };

/* One run. Borrows all that it points to. */
struct check {
    const struct policy *policy;
    const struct destination_rules *rules;
    const char *manifest_file;
    bool json;
    struct junit *junit; /* NULL: none was asked for */
    size_t n_judged, n_not_allowed;
};

/* What is said of one request. */
struct judgement {
    enum verdict_kind kind;
    struct text method, url; /* borrowed */
    struct place rule;       /* line 0: none decided */
    char reason[CHECK_REASON_MAX];
    /* Of a replay, else 0: how often the log has it, by what was said of it then. */
    unsigned long seen[N_VERDICTS];
};

void check_judge(const struct check *check, struct text method, struct text url,
                 struct judgement *out);
/* Prints and counts it. */
void check_say(struct check *check, const struct judgement *judgement);

/* Judges what the log `input` tells of. `name` is for people. False after an error of reading. */
bool check_replay(struct check *check, FILE *input, const char *name);

#endif

/* proxy/command_learn_parts.h - between command_learn.c, which reads, and command_learn_print.c. */
#ifndef PROXY_COMMAND_LEARN_PARTS_H
#define PROXY_COMMAND_LEARN_PARTS_H

#include "policy/learn.h"

enum { LEARN_TIME_MAX = 40 };

/* What the logs held. */
struct learn_source {
    size_t files;
    unsigned long long lines;
    unsigned long long requests[N_LEARN_SEEN]; /* that were learned from */
    unsigned long long exchanges;              /* lines of judged requests */
    /* lines that nothing was learned from */
    unsigned long long refused, unjudged, address, incomplete, broken, beyond;
    char first[LEARN_TIME_MAX], last[LEARN_TIME_MAX]; /* "" when nothing was learned from */
    const char *manifest;                             /* NULL: there was none */
};

void command_learn_print(const struct learn_source *source, const struct lesson *lesson);
void command_learn_print_json(const struct learn_source *source, const struct lesson *lesson);

#endif

/* proxy/command_learn_parts.h - between command_learn.c, which reads, command_learn_print.c and
 * command_learn_json.c. */
#ifndef PROXY_COMMAND_LEARN_PARTS_H
#define PROXY_COMMAND_LEARN_PARTS_H

#include "policy/learn.h"

enum { LEARN_TIME_MAX = 40, LEARN_LEFT_SHOWN_JSON = 1000 };

struct json_t;

/* What the logs held. */
struct learn_source {
    unsigned long long lines;
    unsigned long long requests[N_LEARN_SEEN]; /* that were learned from */
    unsigned long long exchanges;              /* lines of judged requests */
    /* lines that nothing was learned from */
    unsigned long long refused, unjudged, address, incomplete, broken, beyond;
    char first[LEARN_TIME_MAX], last[LEARN_TIME_MAX]; /* "" when nothing was learned from */
    const char *manifest;                             /* NULL: there was none */
};

unsigned long long command_learn_sum(const unsigned long long requests[N_LEARN_SEEN]);
/* No policy opens it, whatever it says. */
bool command_learn_is_closed(const struct learn_left *left);
/* As it stands in a manifest. The caller owns it. */
struct json_t *command_learn_policy(const struct learned *learned);

void command_learn_print(const struct learn_source *source, const struct lesson *lesson);
void command_learn_print_json(const struct learn_source *source, const struct lesson *lesson);

#endif

/* proxy/token/program.h - one run of another program whose output may be a secret.
 *
 *   RUNNING --its end------------------------------------------------> GONE, told
 *      `-----timeout, too much output--> STOPPING --its end----------> GONE, told
 *                                            `--no end in sight------> STUCK, told --its end--> GONE
 *
 * No shell, and nothing of ours but what is named here: standard input is empty, no other descriptor
 * and no signal setting is inherited, and a session of its own leaves it no terminal to ask at. What
 * it leaves in its process group is killed with its end, and so is all of it when it takes too long:
 * a child of its that keeps a pipe open keeps nobody waiting. */
#ifndef PROXY_TOKEN_PROGRAM_H
#define PROXY_TOKEN_PROGRAM_H

#include <stdbool.h>

#include "config/text.h"

struct helper;
struct loop;
struct program;

/* Borrowed for the call; both lists end with NULL. */
struct program_rules {
    char *const *argv; /* argv[0] is looked for on our PATH if it has no slash */
    char *const *environment;
    unsigned timeout_ms;
    size_t max_out, max_err;
    bool without_pidfd;    /* as on Linux before 5.3: tests ask for it */
    struct helper *helper; /* who starts it, with an argv and environment of its own; NULL: we do */
};

enum program_how {
    PROGRAM_EXITED,    /* `number`: its status */
    PROGRAM_SIGNALLED, /* `number`: by which signal */
    PROGRAM_TIMED_OUT,
    PROGRAM_FLOODED, /* it printed more than max_out */
    PROGRAM_STUCK,   /* it should have been killed, and is still there */
    PROGRAM_LOST,    /* nobody can say how it ended: somebody else took its status */
};

/* Lives until the callback returns, then it is wiped. */
struct program_end {
    enum program_how how;
    int number;
    struct text out, err; /* of standard error the first max_err bytes */
    bool err_is_cut;
};

/* Called once, from the loop; it may free the program. */
typedef void program_ended(void *context, const struct program_end *end);

/* NULL: it could not be started, `*error` is an errno. */
struct program *program_run(struct loop *loop, const struct program_rules *rules,
                            program_ended *ended, void *context, int *error);
/* It has ended and its status has been taken: no zombie is left. */
bool program_is_gone(const struct program *program);
/* Kills what still runs and waits for its end, a tenth of a second at most. NULL is fine. */
void program_free(struct program *program);

#endif

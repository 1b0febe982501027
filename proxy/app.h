/* proxy/app.h - the app as our child (janus-sidecar exec): started, sent what we are sent, and its end.
 *
 * Signals of the terminal reach it by themselves, for it stays in our process group; only those that
 * somebody sent are passed on. It dies with us (PR_SET_PDEATHSIG). */
#ifndef PROXY_APP_H
#define PROXY_APP_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct app;
struct loop;

struct app_plan {
    char *const *argv;
    char *const *variables;    /* "NAME=value", ended by NULL; put over what it inherits */
    const char *const *hidden; /* names that it does not inherit, ended by NULL */
    struct rlimit files, core; /* limits as they were before we changed ours */
};

/* Before anything else that makes a thread or a child: blocks the signals, which app_start() then reads. */
void app_hold_signals(void);

/* `ended` gets what a shell would say: the exit status, or 128 and the signal's number; 127 or 126 if the
 * program could not be run, which has been said then. After that signals come to `late`. NULL if there are no
 * processes left. */
struct app *app_start(struct loop *loop, const struct app_plan *plan,
                      void (*ended)(void *context, int status), void (*late)(void *context),
                      void *context);
pid_t app_pid(const struct app *app);
void app_free(struct app *app);

#endif

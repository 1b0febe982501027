/* proxy/helper.h - a second process of ours, for what the sandboxed one may not do itself.
 *
 *   sidecar                                          helper
 *   helper_connect(address)  ------- address ------>  judges it, as the sidecar did; begins to connect
 *                            <----- descriptor -----
 *   helper_run(out, err)     -- out, err, status -->  starts the program that it was given at the beginning, and
 *     status is readable     <- how it ended, once -  no other; kills it when the sidecar shuts down its status
 *
 *   helper_beside()          -- a channel ---------->  answers on that one, too
 *
 * A question and its answer are one after the other, so each thread has a channel of its own, and none waits for a
 * lock. So whoever takes over the sidecar connects to judged addresses and runs that program, and the helper, which can do
 * more, reads nothing that a client or an origin has written. It ends when the sidecar does. */
#ifndef PROXY_HELPER_H
#define PROXY_HELPER_H

#include <stdbool.h>
#include <sys/socket.h>

struct helper;
struct loop;

/* Of the process that begins here; lives as long as it. */
struct helper_rules {
    bool (*may_connect)(const void *context, const struct sockaddr *address);
    const void *context;
    char *const *argv, *const *environment; /* of the program; NULL: there is none */
};

/* Before there are threads, secrets and a loop. NULL with errno. */
struct helper *helper_new(const struct helper_rules *rules);
/* The same one, asked by another thread; SETTINGS_MAX_THREADS times at most. NULL with errno. */
struct helper *helper_beside(struct helper *helper);
/* It ends with the first of them, at once. NULL is fine. */
void helper_free(struct helper *helper);
/* `lost` is called from the loop should it end by itself. */
void helper_watch(struct helper *helper, struct loop *loop, void (*lost)(void *context),
                  void *context);

/* As socket_connect(); EACCES where it judges otherwise. */
int helper_connect(struct helper *helper, const struct sockaddr *address, socklen_t len);

/* The program, with these as its outputs; both stay the caller's. The descriptor of its status, or -1 with errno. */
int helper_run(struct helper *helper, int out, int err);
/* True once it has ended; then as waitid() says it: CLD_EXITED or another, and the number. */
bool helper_has_ended(int status, int *code, int *number);
/* Kills it and all of its group; its end is told as ever. */
void helper_kill(int status);

#endif

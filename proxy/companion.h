/* proxy/companion.h - a process beside us, with whose end ours begins: --exit-with.
 *
 * It need not be our child, but must be one that we see: of our PID namespace. Held by a pidfd, so another process that
 * gets its number later is not taken for it. */
#ifndef PROXY_COMPANION_H
#define PROXY_COMPANION_H

#include "config/diag.h"
#include "config/settings.h"

struct companion;
struct loop;

/* NULL without --exit-with, and with a finding if there is no such process. */
struct companion *companion_open(const struct settings *settings, struct diags *diags);
/* `ended` is called once, from the loop. NULL is fine for the companion. */
void companion_watch(struct companion *companion, struct loop *loop, void (*ended)(void *context),
                     void *context);
void companion_free(struct companion *companion);

#endif

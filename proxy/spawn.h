/* proxy/spawn.h - starts another program, with nothing of ours but what is named here: standard input is empty, no
 * other descriptor and no signal setting is inherited, and a session of its own leaves it no terminal to ask at. */
#ifndef PROXY_SPAWN_H
#define PROXY_SPAWN_H

#include <sys/types.h>

/* Both lists end with NULL; argv[0] is looked for on our PATH if it has no slash. 0 or an errno. */
int spawn_program(pid_t *pid, char *const *argv, char *const *environment, int out, int err);

#endif

/* proxy/commands.h - the subcommands of janus-sidecar. Each returns the process's exit code. */
#ifndef PROXY_COMMANDS_H
#define PROXY_COMMANDS_H

/* `argv[0]` is the subcommand's own name. */
int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_validate(int argc, char **argv);

#endif

/* proxy/commands.h - the subcommands of janus-sidecar. Each returns the process's exit code. */
#ifndef PROXY_COMMANDS_H
#define PROXY_COMMANDS_H

#include "config/diag.h"
#include "config/settings.h"

/* `argv[0]` is the subcommand's own name. */
int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_learn(int argc, char **argv);
int command_validate(int argc, char **argv);
int command_graphql(int argc, char **argv);
int command_token(int argc, char **argv);

/* Every finding that a start would have, but for the addresses to listen on; nothing is started. */
void command_inspect(const struct settings *settings, struct diags *diags);

#endif

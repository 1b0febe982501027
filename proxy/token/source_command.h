/* proxy/token/source_command.h - a program that prints a token: bare, or JSON.
 *
 * It runs when the source is asked, one at a time (proxy/token/program.h). Its environment is what
 * source_command_kept lists, as far as we have it ourselves, and JANUS_ACCOUNT and JANUS_WORKSPACE:
 * never an app key of ours, nor where our own traffic goes. It counts only if it ends with 0. What it
 * says on standard error goes into the complaint, without secrets (proxy/token/mask.h). */
#ifndef PROXY_TOKEN_SOURCE_COMMAND_H
#define PROXY_TOKEN_SOURCE_COMMAND_H

#include "config/diag.h"
#include "config/settings.h"
#include "proxy/token/source.h"

struct helper;
struct loop;

struct source_command_rules {
    unsigned timeout_ms;
    const char *account, *workspace; /* copied; NULL: not told */
    bool without_pidfd;              /* tests: program.h */
    struct helper *helper;           /* who runs it; NULL: we do */
};

/* Names of variables, NULL at the end. */
extern const char *const source_command_kept[];

/* What the program finds; the caller frees the list and its items. */
char **source_command_environment(const char *account, const char *workspace);

/* Copies `words`, a program and its arguments: at least one. */
struct token_source *source_command_new(struct loop *loop, const struct strings *words,
                                        const struct source_command_rules *rules);

/* A program that is not there or cannot be executed is fatal. Runs nothing. */
void source_command_check(const struct strings *words, struct diags *diags);

#endif

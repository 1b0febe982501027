/* proxy/token/source.h - where tokens come from. Today: a file that somebody else rewrites.
 *
 * The file is watched (proxy/watch.h); what counts is the content. */
#ifndef PROXY_TOKEN_SOURCE_H
#define PROXY_TOKEN_SOURCE_H

#include "config/diag.h"
#include "proxy/token/token.h"

struct loop;
struct log;
struct token_source;

/* Takes `token`, a new one; called in the loop, never from inside a function of this header. */
typedef void token_arrived(void *context, struct token *token);

/* Watches `path` from now on; tells of its first content too if that is a token. */
struct token_source *token_source_file(struct loop *loop, struct log *log, const char *path,
                                       token_arrived *arrived, void *context);
void token_source_free(struct token_source *source);

/* Reads a token file once. NULL: `*why` is a sentence, static storage. */
struct token *token_read_file(const char *path, const char **why);

/* What a start would find: a file that is not there yet is a warning, since it is watched; one that
 * holds no token is fatal. `path` may be NULL. */
void token_source_check(const char *path, struct diags *diags);

#endif

/* proxy/token/source_file.h - a token file that somebody else rewrites: bare, or JSON.
 *
 * The file is watched (proxy/watch.h); what counts is the content. Half a file is never taken. */
#ifndef PROXY_TOKEN_SOURCE_FILE_H
#define PROXY_TOKEN_SOURCE_FILE_H

#include "config/diag.h"
#include "proxy/token/source.h"

struct loop;

/* Asked, it reads the file again. */
struct token_source *source_file_new(struct loop *loop, const char *path);

/* Reads a token file once. NULL: `*why` is a sentence, static storage. */
struct token *source_file_read(const char *path, const char **why);

/* What a start would find: a file that is not there yet is a warning, since it is watched; one that
 * holds no token is fatal. */
void source_file_check(const char *path, struct diags *diags);

#endif

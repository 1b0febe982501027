/* proxy/token/source.h - one way to get an app token, whatever it is.
 *
 *   keeper --fetch--> source ......... arrived | failed --> keeper       once for each question
 *                     source ......... arrived | failed --> keeper       unasked: what it watches changed
 *
 * A source knows nothing of expiry, retries and generations: that is the keeper's (keeper.h). It is
 * asked again only after it has answered, and it never answers from inside a function of this
 * header. What it complains of never holds a secret.
 *
 *   file      proxy/token/source_file.h      a file that somebody else rewrites
 *   session   proxy/token/source_session.h   the toolbelt's session
 *   command   proxy/token/source_command.h   a program that prints one
 *   login     proxy/login.h                  a key pair, at VTEX ID */
#ifndef PROXY_TOKEN_SOURCE_H
#define PROXY_TOKEN_SOURCE_H

#include "proxy/token/token.h"

struct token_source;

struct token_source_owner {
    /* Takes `token`, which may be the same again. */
    void (*arrived)(void *owner, struct token *token);
    /* `why` is a sentence, borrowed. `will_change`: somebody is at work on it (a file being written),
     * so it is no news for anybody's pager, and whoever waits for a renewal waits on. */
    void (*failed)(void *owner, const char *why, bool will_change);
};

struct token_source_kind {
    const char *name; /* "file" */
    /* Begins to watch, if it watches anything; a first answer may follow unasked. NULL: nothing to do. */
    void (*start)(struct token_source *source);
    void (*fetch)(struct token_source *source);
    void (*free)(struct token_source *source); /* gives up a question under way; frees the memory */
};

/* Stands first in every source. */
struct token_source {
    const struct token_source_kind *kind;
    const char
        *label; /* what people call it: "token file /run/token"; lives as long as the source */
    const struct token_source_owner *owner;
    void *arg;
    bool asked;
};

void token_source_start(struct token_source *source, const struct token_source_owner *owner,
                        void *arg);
/* Asks, unless a question is under way. */
void token_source_fetch(struct token_source *source);
void token_source_free(struct token_source *source); /* NULL is fine */

/* For the sources: the answer. Before start there is nobody to tell. */
void token_source_arrived(struct token_source *source, struct token *token);
void token_source_failed(struct token_source *source, const char *why, bool will_change);

#endif

/* proxy/sidecar_tokens.h - the token sources that the settings name, in their order, with their keeper. */
#ifndef PROXY_SIDECAR_TOKENS_H
#define PROXY_SIDECAR_TOKENS_H

#include "config/diag.h"
#include "config/settings.h"
#include "proxy/token/keeper.h"

struct helper;
struct pool;

/* Not started yet. Borrows `settings`; `pool` is for a login, `helper` (NULL: nobody)
 * for a program; both outlive the keeper. */
struct token_keeper *sidecar_tokens_new(const struct settings *settings, struct loop *loop,
                                        struct log *log, struct pool *pool, struct helper *helper);

/* What a start would find about the sources; asks none of them. */
void sidecar_tokens_check(const struct settings *settings, struct diags *diags);

#endif

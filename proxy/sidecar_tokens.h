/* proxy/sidecar_tokens.h - the token sources that the settings name, in their order, with their keeper. */
#ifndef PROXY_SIDECAR_TOKENS_H
#define PROXY_SIDECAR_TOKENS_H

#include "config/diag.h"
#include "config/settings.h"
#include "proxy/token/keeper.h"

struct pool;

/* Not started yet. Borrows `settings`; `pool` is for a login, and outlives the keeper. */
struct token_keeper *sidecar_tokens_new(const struct settings *settings, struct loop *loop,
                                        struct log *log, struct pool *pool);

/* What a start would find about the sources; asks none of them. */
void sidecar_tokens_check(const struct settings *settings, struct diags *diags);

#endif

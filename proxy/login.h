/* proxy/login.h - the token source `login`: trades a key pair for a token at VTEX ID.
 *
 *   IDLE --fetch--> PREPARING --pair read--> ASKING --answer--> IDLE
 *                       `------- no pair: failed -----------------^
 *
 * POST /api/vtexid/apptoken/login at {account}.vtexcommercestable.com.br, over the sidecar's own
 * way to origins (proxy/ask.h). One login, one connection; redirects are not followed, so the pair
 * goes to that host alone. It stands above token/ and origin/, because it needs both. */
#ifndef PROXY_LOGIN_H
#define PROXY_LOGIN_H

#include "config/settings.h"
#include "proxy/token/source.h"

struct loop;
struct pool;

/* Whether any half of a pair is given. */
bool login_is_wanted(const struct settings *settings);

struct login_rules {
    struct loop *loop;
    struct pool *pool;
    const struct settings *settings; /* account, pair and --token-timeout; not kept */
};

/* Never NULL. It is freed before its pool, a login under way or not; its memory goes at the end of
 * that turn, so the loop goes last. */
struct token_source *login_source_new(const struct login_rules *rules);

/* What a start would find: half a pair, a half that cannot be used or is given twice. Nothing when
 * no login is wanted. Asks nobody. */
void login_check(const struct settings *settings, struct diags *diags);

#endif

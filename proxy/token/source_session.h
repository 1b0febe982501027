/* proxy/token/source_session.h - the VTEX toolbelt's session: the user who is logged in on this machine.
 *
 *   DIR/tokens.json    { "ACCOUNT": "<token>", "ACCOUNT_refresh_token": "...", ... }   looked at first
 *   DIR/session.json   { "account": "ACCOUNT", "login": "...", "token": "<token>" }
 *
 * Both are watched (proxy/watch.h) and never opened for writing; the folder need not be there yet. A
 * session of another account is never used. The token is a person's, good for a day as a rule. */
#ifndef PROXY_TOKEN_SOURCE_SESSION_H
#define PROXY_TOKEN_SOURCE_SESSION_H

#include "config/diag.h"
#include "proxy/token/source.h"

struct loop;

/* Copies both. A leading "~/" of `dir` is the folder HOME: settings files and container
 * environments know no shell that would have put it there. */
struct token_source *source_session_new(struct loop *loop, const char *dir, const char *account);

/* What a start would find. Whatever a login will mend is a warning, since the files are watched;
 * files that cannot be read or understood are fatal. */
void source_session_check(const char *dir, const char *account, struct diags *diags);

#endif

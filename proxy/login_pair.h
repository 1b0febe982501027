/* proxy/login_pair.h - the key pair to log in with: an app key, and the token that belongs to it.
 *
 * Each half stands in a file, which is read anew for every login so that it can be rotated, or in
 * the environment. Where both give it the file wins, also while it cannot be read: an old secret
 * must not come back in its place. What is complained of never holds a value. */
#ifndef PROXY_LOGIN_PAIR_H
#define PROXY_LOGIN_PAIR_H

#include "config/settings.h"
#include "config/text.h"
#include "proxy/limits.h"

struct login_pair; /* where the halves come from */

/* Copies what it needs; a value of the environment goes into locked memory. */
struct login_pair *login_pair_new(const struct settings *settings);
void login_pair_free(struct login_pair *pair); /* wipes; NULL is fine */

enum { LOGIN_WHY_MAX = 512 };

enum login_pair_result {
    LOGIN_PAIR_OK,
    LOGIN_PAIR_BUSY, /* somebody is writing a file of it */
    LOGIN_PAIR_BAD,
};

/* One reading of both halves, in locked memory. */
struct login_secrets {
    struct text appkey, apptoken; /* in `bytes` */
    char bytes[2][LIMIT_SECRET_BYTES + 1];
};

/* The caller frees `*out`, which is NULL on anything but LOGIN_PAIR_OK; then `why` is a sentence. */
enum login_pair_result login_pair_read(const struct login_pair *pair, struct login_secrets **out,
                                       char why[LOGIN_WHY_MAX]);
void login_secrets_free(struct login_secrets *secrets); /* wipes; NULL is fine */

/* What a start would find in the halves; a file that is not there yet is a warning. */
void login_pair_check(const struct settings *settings, struct diags *diags);

#endif

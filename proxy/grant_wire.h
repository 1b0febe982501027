/* proxy/grant_wire.h - the two questions of @auth as HTTP, and what their answers mean. Pure.
 *
 *   POST /api/vtexid/credential/validate {"token"}          whose token is this?
 *   GET  /api/license-manager/pvt/accounts/{account}/products/{productCode}/logins/{user}
 *            /resources/{resourceCode}/granted              has it been granted to them?
 *
 * Both at {account}.vtexcommercestable.com.br. The user's token stands in a body and nowhere else, the
 * sidecar's own in the header of the second question and nowhere else. */
#ifndef PROXY_GRANT_WIRE_H
#define PROXY_GRANT_WIRE_H

#include "config/text.h"
#include "proxy/grant_cache.h"
#include "proxy/http/buffer.h"

enum { GRANT_REQUEST_MAX = 64 * 1024 };

void grant_write_validate(struct buffer *out, const char *host, struct text token);

struct grant_question {
    const char *account, *user;
    struct text product, resource;
};
/* False if one of them makes no segment of a path. */
bool grant_can_ask(const struct grant_question *question);
void grant_write_granted(struct buffer *out, const char *host,
                         const struct grant_question *question, struct text app_token);

enum grant_reading {
    READING_YES,
    READING_NO,
    READING_NO_SHOPPERS, /* a token of the store: License Manager need not be asked */
    READING_UNCLEAR,     /* `*why` says why: static storage */
};

enum grant_reading grant_read_validate(unsigned status, struct text body, const char *account,
                                       char user[GRANT_USER_MAX + 1], const char **why);
/* Granted is what a body of `true` and a status of 200 say, and nothing else. */
enum grant_reading grant_read_granted(unsigned status, struct text body, const char **why);

#endif

/* proxy/token/presented.h - the identity that @auth finds in a request: the cookie VtexIdclientAutCookie, or
 * else the header of that name. Authorization only authorises the hop. Pure. */
#ifndef PROXY_TOKEN_PRESENTED_H
#define PROXY_TOKEN_PRESENTED_H

#include "proxy/token/identity.h"

enum presented {
    PRESENTED_NONE,
    PRESENTED_STORE, /* a shopper's, as its token says itself: License Manager knows no shoppers */
    PRESENTED_SOME,  /* whoever it is might be granted something */
};

/* What will leave, as `identity` says (it was chosen for this head). */
enum presented presented_by(const struct head *head, const struct identity *identity);

/* What came. At == NULL: none. False if it is there twice, with different values: nobody knows which one
 * the app would look at. Borrows from the head. */
bool presented_token(const struct head *head, struct text *token);

#endif

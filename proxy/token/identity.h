/* proxy/token/identity.h - whose credentials a request leaves with (contract: 5).
 *
 * Decides, from what the request carries and where it goes, what becomes of its credential headers
 * and what is added. Nothing is merged, and nothing of ours goes to a foreign host. Pure. */
#ifndef PROXY_TOKEN_IDENTITY_H
#define PROXY_TOKEN_IDENTITY_H

#include "proxy/http/head.h"
#include "proxy/reply.h"
#include "proxy/token/realm.h"

enum identity_kind {
    IDENTITY_NONE, /* anonymous */
    IDENTITY_OWN,  /* the request's own credentials, untouched */
    IDENTITY_APP,
    IDENTITY_ADMIN, /* the user's, chosen by X-Janus-Auth */
    IDENTITY_STORE,
};

/* What becomes of a credential that the request carries. */
enum fate { FATE_KEEP, FATE_DROP, FATE_APP_TOKEN };

struct identity {
    enum identity_kind kind;
    bool needs_app_token;                  /* some part below is the app token */
    enum fate authorization;               /* FATE_APP_TOKEN keeps the scheme as written */
    enum fate vtex_id;                     /* the header VtexIdclientAutCookie */
    enum fate cookie;                      /* the placeholder in the cookie of that name */
    bool add_authorization;                /* Authorization: Bearer {app token} */
    bool add_vtex_id;                      /* VtexIdclientAutCookie: {app token} */
    struct text user_token;                /* VtexIdclientAutCookie: {this}; at == NULL: none */
    bool rewrites_cookies;                 /* a placeholder stands in one of these cookies */
    struct text placeholder, store_cookie; /* what to look for there */
};

struct identity_rules {
    struct text placeholder;
    struct text store_cookie; /* VtexIdclientAutCookie_{account} */
    enum inject inject;
};

/* OUTCOME_RELAYED, or how the exchange ends instead; then `*why` is a sentence or NULL. */
enum outcome identity_choose(const struct identity_rules *rules, const struct head *head,
                             enum realm realm, struct identity *identity, const char **why);

const char *identity_name(enum identity_kind kind);

/* Takes the next name=value pair off a Cookie header's value (RFC 6265, 4.2.1). `whole` is the pair
 * with the separator that stood before it. */
bool cookie_next(struct text *cookies, struct text *whole, struct text *name, struct text *value);

/* What stands behind "Bearer " (any case), or the whole value. */
struct text authorization_credentials(struct text value);

#endif

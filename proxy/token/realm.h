/* proxy/token/realm.h - which hosts may see the app token, and in which header (contract: 5).
 *
 * Everything that is not in a list is foreign: another account's VTEX hosts too. Pure. */
#ifndef PROXY_TOKEN_REALM_H
#define PROXY_TOKEN_REALM_H

#include "config/settings.h"
#include "policy/destination.h"

enum realm {
    REALM_FOREIGN, /* the app token never goes there */
    REALM_JANUS,   /* VtexIdclientAutCookie */
    REALM_IO, /* Authorization: Bearer authorises the hop; VtexIdclientAutCookie is the identity */
};

struct realms;

struct realms *realms_new(const struct settings *settings);
void realms_free(struct realms *realms);
/* A plaintext destination is foreign whatever its name: a token never travels in the clear. */
enum realm realm_of(const struct realms *realms, const struct destination *destination);
const char *realm_name(enum realm realm);

#endif

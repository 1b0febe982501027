/* config/origin_rule.h - what the operator says about the TLS of some hosts: HOST=...
 *
 * HOST is a host without a port; `*` stands for any run of its characters. Pure parsing: no file is
 * opened. Every function returns false and fills `why` (static storage) when the text is not of
 * that form. */
#ifndef CONFIG_ORIGIN_RULE_H
#define CONFIG_ORIGIN_RULE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/address.h"
#include "config/text.h"

/* HOST=CERTIFICATE.pem or HOST=CERTIFICATE.pem;KEY.pem */
struct client_certificate {
    char host[HOST_MAX + 1]; /* lower case, no trailing dot */
    char certificate[PATH_MAX];
    char key[PATH_MAX]; /* the certificate's file when none was named */
};

enum { PIN_BYTES = 32, PINS_MAX = 16 };

/* HOST=sha256/BASE64, and more of them after ';': the SHA-256 of a SubjectPublicKeyInfo. */
struct pins {
    char host[HOST_MAX + 1];
    uint8_t digests[PINS_MAX][PIN_BYTES];
    size_t n; /* 1 or more */
};

bool client_certificate_parse(struct text text, struct client_certificate *out, const char **why);
bool pins_parse(struct text text, struct pins *out, const char **why);

#endif

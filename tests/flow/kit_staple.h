/* tests/flow/kit_staple.h - OCSP responses for kit_certificate, good ones and others. */
#ifndef TESTS_FLOW_KIT_STAPLE_H
#define TESTS_FLOW_KIT_STAPLE_H

#include "tests/flow/kit_certificate.h"

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
};

/* Lets the context send it with every certificate. */
void staple_serve(SSL_CTX *context, enum staple staple, X509 *leaf, const struct authority *signer,
                  const struct authority *stranger);

#endif

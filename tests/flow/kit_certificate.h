/* tests/flow/kit_certificate.h - an authority and its certificates, made in memory. */
#ifndef TESTS_FLOW_KIT_CERTIFICATE_H
#define TESTS_FLOW_KIT_CERTIFICATE_H

#include <openssl/ssl.h>

enum certificate_kind {
    CERTIFICATE_GOOD,       /* for every host that the tests call */
    CERTIFICATE_EXPIRED,    /* yesterday */
    CERTIFICATE_OTHER_NAME, /* for a host that nobody calls */
    CERTIFICATE_STRANGER,   /* signed by an authority that nobody trusts */
};

/* A server's context with a certificate of this kind. The caller frees. */
SSL_CTX *certificate_context(enum certificate_kind kind);

/* The trusted authority's certificate, PEM, into a new file. */
void certificate_write_authority(const char *path);

#endif

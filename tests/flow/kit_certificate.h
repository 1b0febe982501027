/* tests/flow/kit_certificate.h - authorities, their certificates and what they say about them, made
 * in memory. */
#ifndef TESTS_FLOW_KIT_CERTIFICATE_H
#define TESTS_FLOW_KIT_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>

enum certificate_kind {
    CERTIFICATE_GOOD,       /* for every host that the tests call */
    CERTIFICATE_EXPIRED,    /* yesterday */
    CERTIFICATE_OTHER_NAME, /* for a host that nobody calls */
    CERTIFICATE_STRANGER,   /* signed by an authority that nobody trusts */
};

/* A server's context with a certificate of this kind. The caller frees. */
SSL_CTX *certificate_context(enum certificate_kind kind);

enum signer {
    SIGNER_TRUSTED,
    SIGNER_STRANGER,
    SIGNER_BETWEEN,         /* by one that the trusted authority signed; both are sent */
    SIGNER_BETWEEN_MISSING, /* ... and is not sent */
    SIGNER_BETWEEN_EXPIRED,
    SIGNER_CONSTRAINED, /* ... for names below elsewhere.example only */
    SIGNER_ITSELF,
};

/* What is stapled to a certificate. */
enum staple {
    STAPLE_NONE,
    STAPLE_GOOD,
    STAPLE_GOOD_SHA256, /* names the certificate by another digest */
    STAPLE_REVOKED,
    STAPLE_UNKNOWN,
    STAPLE_EXPIRED,
    STAPLE_EARLY,
    STAPLE_OF_ANOTHER,
    STAPLE_OF_A_STRANGER, /* signed by somebody else */
    STAPLE_TRY_LATER,
    STAPLE_GARBAGE,
};

/* Zero-initialised: as CERTIFICATE_GOOD. */
struct recipe {
    const char *names;  /* subjectAltName as OpenSSL writes it; "": none */
    const char *common; /* CN */
    long from_s, to_s;  /* from now; both 0: from yesterday to tomorrow */
    const char *usage;  /* extendedKeyUsage */
    enum signer signer;
    int rsa_bits; /* 0: P-256 */
    bool sha1;    /* the signature on it */
    bool must_staple;
    enum staple staple;
    int version;         /* TLS1_2_VERSION: nothing else; 0: 1.2 and 1.3 */
    const char *ciphers; /* of TLS 1.2 */
    const char *alpn;    /* what it chooses, whatever was offered; NULL: it ignores ALPN */
    bool asks_client;    /* wants a certificate of the trusted authority */
    bool early_data;     /* would take it */
};
SSL_CTX *certificate_cook(const struct recipe *recipe);

/* The trusted authority's certificate, or the stranger's, PEM, into a file. */
void certificate_write_authority(const char *path);
void certificate_write_stranger(const char *path);
/* A certificate and its key, for clients; key == NULL: both in one file, which others may read. */
void certificate_write_pair(const struct recipe *recipe, const char *path, const char *key);

/* "sha256/...": of the key of every P-256 certificate here but the authorities', and of theirs. */
enum { PIN_TEXT_MAX = 80 };
void certificate_pin(char out[PIN_TEXT_MAX]);
void certificate_pin_of_authority(char out[PIN_TEXT_MAX]);

#endif

/* proxy/origin/tls_parts.h - what the files of proxy/origin/tls*.c share; for nobody else. */
#ifndef PROXY_ORIGIN_TLS_PARTS_H
#define PROXY_ORIGIN_TLS_PARTS_H

#include <stdatomic.h>

#include "policy/pattern.h"
#include "proxy/limits.h"
#include "proxy/origin/tls.h"

/* A certificate of ours, for the origins whose host matches. */
struct tls_identity {
    struct pattern *host;
    X509 *certificate;
    STACK_OF(X509) * chain; /* what stands behind it in its file */
    EVP_PKEY *key;
};

struct tls_pins {
    struct pattern *host;
    const struct pins *pins; /* of the settings */
};

enum { TLS_FINGERPRINT_BYTES = 32 };

/* What came from files: immutable, counted, of all threads. SSL_CTX counts for itself, and is locked
 * within where a connection begins, never where bytes move. */
struct tls_files {
    atomic_uint holders;
    SSL_CTX *context;
    uint8_t fingerprint[TLS_FINGERPRINT_BYTES]; /* of the files, before they were read */
    unsigned generation;                        /* one more with each reload */
    struct tls_identity *identities;
    size_t n_identities;
};

/* One thread's. */
struct tls {
    struct tls_files *files;
    uint8_t refused[TLS_FINGERPRINT_BYTES]; /* of files that could not be used last */
    BIO_METHOD *bio; /* a BIO that asks the socket's marks before it makes a system call */
    struct tls_pins *pins;
    size_t n_pins;
};

struct tls_stream {
    SSL *ssl;
    const struct tls *tls;
    struct tls_session *session;
    const struct destination *destination;
    unsigned generation; /* of the tls that it began with */
    time_t until;        /* what was verified is valid up to here */
    bool refused;        /* by us, because of a certificate */
    bool unwiped;        /* OpenSSL's buffer holds what was received */
    char *detail;        /* NULL, or LIMIT_DETAIL_BYTES */
};

/* The first reason stays. */
void tls_explain(struct tls_stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- tls_verify.c */

/* For SSL_CTX_set_cert_verify_callback(). */
int tls_verify(X509_STORE_CTX *store, void *unused);
void tls_valid_until(struct tls_stream *stream, const ASN1_TIME *end);

/* ---- tls_words.c: for people, printable and bounded; they return `out` */

enum { TLS_NAME_MAX = 96, TLS_DATE_MAX = 24 };
const char *tls_name_words(const X509_NAME *name, char out[TLS_NAME_MAX]);
const char *tls_date_words(const ASN1_TIME *date, char out[TLS_DATE_MAX]);
/* "a.example, b.example and 3 more": DNS names and addresses. */
const char *tls_names_words(const X509 *certificate, char *out, size_t size);

/* ---- tls_staple.c */

/* For SSL_CTX_set_tlsext_status_cb(). */
int tls_check_staple(SSL *ssl, void *unused);

/* ---- tls_identity.c */

/* False with a finding. `out` is to be finished either way. */
bool tls_identity_load(struct tls_identity *out, const struct client_certificate *rule,
                       struct diags *diags);
void tls_identity_fini(struct tls_identity *identity);
/* The one for this host, or NULL. */
const struct tls_identity *tls_identity_for(const struct tls *tls, struct text host);
bool tls_identity_use(const struct tls_identity *identity, SSL *ssl);

/* ---- tls_files.c */

/* Of all that tls_new() and tls_reload() read. */
void tls_fingerprint(const struct settings *settings, uint8_t out[TLS_FINGERPRINT_BYTES]);

/* ---- tls.c, for the context */

BIO_METHOD *tls_bio_method(void);

/* For SSL_CTX_sess_set_new_cb(). */
int tls_on_new_session(SSL *ssl, SSL_SESSION *session);

#endif

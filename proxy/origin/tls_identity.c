/* Certificates of ours, for origins that want to know who calls (--client-cert). */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/origin/tls_parts.h"

static const struct place place = { .file = "--client-cert" };

/* Nobody sits at our terminal: a key with a passphrase is a finding, not a prompt. */
static int no_passphrase(char *out, int size, int writing, void *asked)
{
    (void)out;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static bool complain(struct diags *diags, const char *file, const char *problem)
{
    diag_fatal(diags, place, "%s: %s", file, problem);
    ERR_clear_error();
    return false;
}

/* Opened once, so that what is judged is what is read; without a buffer in which a key would stay. */
static BIO *open_file(const char *path, struct stat *status, struct diags *diags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        complain(diags, path, strerror(errno));
        return NULL;
    }
    bool regular = fstat(fd, status) == 0 && S_ISREG(status->st_mode);
    FILE *file = regular ? fdopen(fd, "r") : NULL;
    if (file) {
        setvbuf(file, NULL, _IONBF, 0);
        return BIO_new_fp(file, BIO_CLOSE);
    }
    complain(diags, path, "it is not a regular file");
    close(fd);
    return NULL;
}

static bool read_certificates(struct tls_identity *out, BIO *from)
{
    X509 *next;

    out->chain = sk_X509_new_null();
    out->certificate = PEM_read_bio_X509(from, NULL, NULL, NULL);
    while (out->certificate && (next = PEM_read_bio_X509(from, NULL, NULL, NULL)))
        sk_X509_push(out->chain, next);
    ERR_clear_error();
    return out->certificate != NULL;
}

static bool load_certificates(struct tls_identity *out, const char *path, struct diags *diags)
{
    struct stat status;
    BIO *file = open_file(path, &status, diags);

    if (!file)
        return false;
    bool read = read_certificates(out, file);
    BIO_free(file);
    return read || complain(diags, path, "there is no PEM certificate in it");
}

static bool load_key(struct tls_identity *out, const char *path, struct diags *diags)
{
    struct stat status;
    bool asked = false;
    BIO *file = open_file(path, &status, diags);

    if (!file)
        return false;
    out->key = PEM_read_bio_PrivateKey(file, NULL, no_passphrase, &asked);
    BIO_free(file);
    if (!out->key)
        return complain(diags, path,
                        asked ? "its private key has a passphrase: write it without one, and "
                                "readable by its owner only"
                              : "there is no PEM private key in it");
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        diag_warning(diags, place, "%s: the private key is open to others (mode %04o): chmod 600",
                     path, (unsigned)status.st_mode & 07777);
    return true;
}

/* What an origin would refuse; it may be renewed before the next reload, so we do start. */
static void check_dates(const struct tls_identity *identity, const char *path, struct diags *diags)
{
    const ASN1_TIME *from = X509_get0_notBefore(identity->certificate);
    const ASN1_TIME *to = X509_get0_notAfter(identity->certificate);
    char date[TLS_DATE_MAX];

    if (X509_cmp_current_time(to) < 0)
        diag_error(diags, place, "%s: the certificate expired %s", path, tls_date_words(to, date));
    else if (X509_cmp_current_time(from) > 0)
        diag_error(diags, place, "%s: the certificate is not valid before %s", path,
                   tls_date_words(from, date));
}

bool tls_identity_load(struct tls_identity *out, const struct client_certificate *rule,
                       struct diags *diags)
{
    assert(rule);
    out->host = pattern_new(PATTERN_HOST, text_of(rule->host));
    if (!load_certificates(out, rule->certificate, diags) || !load_key(out, rule->key, diags))
        return false;
    if (X509_check_private_key(out->certificate, out->key) != 1)
        return complain(diags, rule->key,
                        "the private key does not belong to the first certificate");
    check_dates(out, rule->certificate, diags);
    return true;
}

void tls_identity_fini(struct tls_identity *identity)
{
    pattern_free(identity->host);
    X509_free(identity->certificate);
    sk_X509_pop_free(identity->chain, X509_free);
    EVP_PKEY_free(identity->key);
}

const struct tls_identity *tls_identity_for(const struct tls *tls, struct text host)
{
    for (size_t i = 0; i < tls->files->n_identities; i++) {
        if (pattern_matches(tls->files->identities[i].host, host))
            return &tls->files->identities[i];
    }
    return NULL;
}

bool tls_identity_use(const struct tls_identity *identity, SSL *ssl)
{
    return SSL_use_certificate(ssl, identity->certificate) == 1 &&
           SSL_use_PrivateKey(ssl, identity->key) == 1 && SSL_set1_chain(ssl, identity->chain) == 1;
}

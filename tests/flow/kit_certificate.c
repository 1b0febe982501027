#include "tests/flow/kit_certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>

#include "tests/unit/stories.h"

static const char good_names[] =
    "DNS:*.partner.example,DNS:*.vtexcommercestable.com.br,DNS:*.vtexcommercebeta.com.br,"
    "DNS:*.io.vtex.com,DNS:*.vtex.com.br,DNS:localhost,IP:127.0.0.1,IP:127.0.0.2";

enum { DAY_S = 24 * 3600 };

/* Made once a process; reachable at its end, so not a leak. */
static struct authority {
    EVP_PKEY *key;
    X509 *certificate;
} trusted, stranger;

static void add_extension(X509 *certificate, int id, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, id, value);

    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *draft(EVP_PKEY *key, const char *name, long from_s, long to_s)
{
    static long serial = 1;
    X509 *certificate = X509_new();

    assert_non_null(certificate);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), to_s);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    return certificate;
}

static const struct authority *authority(bool is_stranger)
{
    struct authority *made = is_stranger ? &stranger : &trusted;

    if (made->key)
        return made;
    made->key = EVP_EC_gen("P-256");
    made->certificate =
        draft(made->key, is_stranger ? "Strange Authority" : "Flow Test Authority", -DAY_S, DAY_S);
    X509_set_issuer_name(made->certificate, X509_get_subject_name(made->certificate));
    add_extension(made->certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(made->certificate, NID_key_usage, "critical,keyCertSign");
    assert_true(X509_sign(made->certificate, made->key, EVP_sha256()) > 0);
    return made;
}

SSL_CTX *certificate_context(enum certificate_kind kind)
{
    const struct authority *signer = authority(kind == CERTIFICATE_STRANGER);
    bool expired = kind == CERTIFICATE_EXPIRED;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *leaf = draft(key, "flow origin", expired ? -2 * DAY_S : -DAY_S, expired ? -DAY_S : DAY_S);

    X509_set_issuer_name(leaf, X509_get_subject_name(signer->certificate));
    add_extension(leaf, NID_subject_alt_name,
                  kind == CERTIFICATE_OTHER_NAME ? "DNS:nobody.test" : good_names);
    assert_true(X509_sign(leaf, signer->key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(context, leaf), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(leaf);
    EVP_PKEY_free(key);
    return context;
}

void certificate_write_authority(const char *path)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, authority(false)->certificate), 1);
    fclose(file);
}

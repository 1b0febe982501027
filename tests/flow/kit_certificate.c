#include "tests/flow/kit_certificate.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/flow/kit_staple.h"
#include "tests/unit/stories.h"

static const char good_names[] =
    "DNS:*.partner.example,DNS:*.vtexcommercestable.com.br,DNS:*.vtexcommercebeta.com.br,"
    "DNS:*.io.vtex.com,DNS:*.vtex.com.br,DNS:localhost,IP:127.0.0.1,IP:127.0.0.2";

enum { DAY_S = 24 * 3600 };

/* Made once a process; reachable at its end, so not a leak. */
static struct authority trusted, stranger, between[SIGNER_ITSELF];
static EVP_PKEY *leaf_key;

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

/* ---- authorities ---- */

static void make_authority(struct authority *made, const char *name, const struct authority *above,
                           long from_s, long to_s, const char *constraints)
{
    made->key = EVP_EC_gen("P-256");
    made->certificate = draft(made->key, name, from_s, to_s);
    X509_set_issuer_name(made->certificate,
                         X509_get_subject_name(above ? above->certificate : made->certificate));
    add_extension(made->certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(made->certificate, NID_key_usage, "critical,keyCertSign");
    if (constraints)
        add_extension(made->certificate, NID_name_constraints, constraints);
    assert_true(X509_sign(made->certificate, above ? above->key : made->key, EVP_sha256()) > 0);
}

static const struct authority *authority(bool is_stranger)
{
    struct authority *made = is_stranger ? &stranger : &trusted;

    if (!made->key)
        make_authority(made, is_stranger ? "Strange Authority" : "Flow Test Authority", NULL,
                       -DAY_S, DAY_S, NULL);
    return made;
}

static const struct authority *signer_of(enum signer signer)
{
    struct authority *made = &between[signer];
    bool expired = signer == SIGNER_BETWEEN_EXPIRED;

    if (signer == SIGNER_TRUSTED || signer == SIGNER_STRANGER || signer == SIGNER_ITSELF)
        return authority(signer == SIGNER_STRANGER);
    if (!made->key)
        make_authority(
            made, "Authority Between", authority(false), -2 * DAY_S, expired ? -DAY_S : DAY_S,
            signer == SIGNER_CONSTRAINED ? "critical,permitted;DNS:elsewhere.example" : NULL);
    return made;
}

/* ---- certificates ---- */

static EVP_PKEY *key_of(const struct recipe *recipe)
{
    if (recipe->rsa_bits)
        return EVP_RSA_gen((unsigned)recipe->rsa_bits);
    if (!leaf_key)
        leaf_key = EVP_EC_gen("P-256");
    EVP_PKEY_up_ref(leaf_key);
    return leaf_key;
}

static X509 *certificate_of(const struct recipe *recipe, EVP_PKEY *key)
{
    const struct authority *signer = signer_of(recipe->signer);
    bool usual = recipe->from_s == 0 && recipe->to_s == 0;
    bool own = recipe->signer == SIGNER_ITSELF;
    X509 *leaf = draft(key, recipe->common ? recipe->common : "flow origin",
                       usual ? -DAY_S : recipe->from_s, usual ? DAY_S : recipe->to_s);
    const char *names = recipe->names ? recipe->names : good_names;

    X509_set_issuer_name(leaf, X509_get_subject_name(own ? leaf : signer->certificate));
    if (*names)
        add_extension(leaf, NID_subject_alt_name, names);
    if (recipe->usage)
        add_extension(leaf, NID_ext_key_usage, recipe->usage);
    if (recipe->must_staple)
        add_extension(leaf, NID_tlsfeature, "status_request");
    assert_true(X509_sign(leaf, own ? key : signer->key, recipe->sha1 ? EVP_sha1() : EVP_sha256()) >
                0);
    return leaf;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *offered, unsigned offered_len, void *chosen)
{
    (void)ssl;
    (void)offered;
    (void)offered_len;
    *out = chosen;
    *out_len = (unsigned char)strlen(chosen);
    return SSL_TLSEXT_ERR_OK;
}

static void set_manners(SSL_CTX *context, const struct recipe *recipe)
{
    SSL_CTX_set_security_level(context, 0); /* the origins are worse than what we accept */
    if (recipe->version) {
        SSL_CTX_set_min_proto_version(context, recipe->version);
        SSL_CTX_set_max_proto_version(context, recipe->version);
    }
    if (recipe->ciphers)
        assert_int_equal(SSL_CTX_set_cipher_list(context, recipe->ciphers), 1);
    if (recipe->alpn)
        SSL_CTX_set_alpn_select_cb(context, on_alpn, (void *)(uintptr_t)recipe->alpn);
    if (recipe->early_data) {
        SSL_CTX_set_max_early_data(context, 16384);
        SSL_CTX_set_recv_max_early_data(context, 16384);
        SSL_CTX_set_options(context, SSL_OP_NO_ANTI_REPLAY);
    }
    if (recipe->asks_client) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority(false)->certificate);
        SSL_CTX_set_session_id_context(context, (const unsigned char *)"flow", 4);
    }
}

SSL_CTX *certificate_cook(const struct recipe *recipe)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = key_of(recipe);
    X509 *leaf = certificate_of(recipe, key);
    bool sends_between = recipe->signer == SIGNER_BETWEEN ||
                         recipe->signer == SIGNER_BETWEEN_EXPIRED ||
                         recipe->signer == SIGNER_CONSTRAINED;

    set_manners(context, recipe);
    assert_int_equal(SSL_CTX_use_certificate(context, leaf), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    if (sends_between)
        SSL_CTX_add1_chain_cert(context, signer_of(recipe->signer)->certificate);
    if (recipe->staple)
        staple_serve(context, recipe->staple, leaf, signer_of(recipe->signer), authority(true));
    X509_free(leaf);
    EVP_PKEY_free(key);
    return context;
}

SSL_CTX *certificate_context(enum certificate_kind kind)
{
    struct recipe recipe = { 0 };

    if (kind == CERTIFICATE_STRANGER)
        recipe.signer = SIGNER_STRANGER;
    if (kind == CERTIFICATE_OTHER_NAME)
        recipe.names = "DNS:nobody.test";
    if (kind == CERTIFICATE_EXPIRED) {
        recipe.from_s = -2 * DAY_S;
        recipe.to_s = -DAY_S;
    }
    return certificate_cook(&recipe);
}

/* ---- files ---- */

static void write_certificate(const char *path, X509 *certificate)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
}

void certificate_write_authority(const char *path)
{
    write_certificate(path, authority(false)->certificate);
}

void certificate_write_stranger(const char *path)
{
    write_certificate(path, authority(true)->certificate);
}

void certificate_write_pair(const struct recipe *recipe, const char *path, const char *key_path)
{
    EVP_PKEY *key = key_of(recipe);
    X509 *leaf = certificate_of(recipe, key);

    write_certificate(path, leaf);
    FILE *file = fopen(key_path ? key_path : path, key_path ? "we" : "ae");
    assert_non_null(file);
    chmod(key_path ? key_path : path, key_path ? 0600 : 0644);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    X509_free(leaf);
    EVP_PKEY_free(key);
}

/* ---- pins ---- */

static void pin_of(EVP_PKEY *key, char out[PIN_TEXT_MAX])
{
    unsigned char *bytes = NULL, digest[32], text[64];
    int len = i2d_PUBKEY(key, &bytes);

    assert_true(len > 0);
    EVP_Digest(bytes, (size_t)len, digest, NULL, EVP_sha256(), NULL);
    EVP_EncodeBlock(text, digest, sizeof(digest));
    snprintf(out, PIN_TEXT_MAX, "sha256/%s", text);
    OPENSSL_free(bytes);
}

void certificate_pin(char out[PIN_TEXT_MAX])
{
    static const struct recipe usual;
    EVP_PKEY *key = key_of(&usual);

    pin_of(key, out);
    EVP_PKEY_free(key);
}

void certificate_pin_of_authority(char out[PIN_TEXT_MAX])
{
    pin_of(authority(false)->key, out);
}

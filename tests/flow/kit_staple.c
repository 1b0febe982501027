#include "tests/flow/kit_staple.h"

#include <openssl/ocsp.h>
#include <string.h>

#include "tests/unit/stories.h"

enum { HOUR_S = 3600 };

struct der {
    unsigned char *bytes;
    int len;
};

/* What is wrong with each, if anything. */
static const struct flaw {
    int status;
    long from_s, to_s;
    bool sha256, another, by_stranger;
} flaws[] = {
    [STAPLE_GOOD] = { V_OCSP_CERTSTATUS_GOOD, -HOUR_S, HOUR_S, false, false, false },
    [STAPLE_GOOD_SHA256] = { V_OCSP_CERTSTATUS_GOOD, -HOUR_S, HOUR_S, true, false, false },
    [STAPLE_REVOKED] = { V_OCSP_CERTSTATUS_REVOKED, -HOUR_S, HOUR_S, false, false, false },
    [STAPLE_UNKNOWN] = { V_OCSP_CERTSTATUS_UNKNOWN, -HOUR_S, HOUR_S, false, false, false },
    [STAPLE_EXPIRED] = { V_OCSP_CERTSTATUS_GOOD, -2 * HOUR_S, -HOUR_S, false, false, false },
    [STAPLE_EARLY] = { V_OCSP_CERTSTATUS_GOOD, HOUR_S, 2 * HOUR_S, false, false, false },
    [STAPLE_OF_ANOTHER] = { V_OCSP_CERTSTATUS_GOOD, -HOUR_S, HOUR_S, false, true, false },
    [STAPLE_OF_A_STRANGER] = { V_OCSP_CERTSTATUS_GOOD, -HOUR_S, HOUR_S, false, false, true },
};

static OCSP_CERTID *id_of(const struct flaw *flaw, X509 *leaf, const struct authority *signer)
{
    const EVP_MD *digest = flaw->sha256 ? EVP_sha256() : EVP_sha1();

    return OCSP_cert_to_id(digest, flaw->another ? signer->certificate : leaf, signer->certificate);
}

static OCSP_BASICRESP *basic_of(const struct flaw *flaw, X509 *leaf, const struct authority *signer,
                                const struct authority *stranger)
{
    const struct authority *by = flaw->by_stranger ? stranger : signer;
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = id_of(flaw, leaf, signer);
    bool revoked = flaw->status == V_OCSP_CERTSTATUS_REVOKED;
    ASN1_TIME *since = X509_gmtime_adj(NULL, -HOUR_S), *from = X509_gmtime_adj(NULL, flaw->from_s),
              *to = X509_gmtime_adj(NULL, flaw->to_s);

    assert_non_null(OCSP_basic_add1_status(basic, id, flaw->status,
                                           OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                                           revoked ? since : NULL, from, to));
    assert_int_equal(OCSP_basic_sign(basic, by->certificate, by->key, EVP_sha256(), NULL, 0), 1);
    ASN1_TIME_free(since);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    OCSP_CERTID_free(id);
    return basic;
}

static struct der der_of(enum staple staple, X509 *leaf, const struct authority *signer,
                         const struct authority *stranger)
{
    struct der der = { NULL, 0 };

    if (staple == STAPLE_GARBAGE) {
        der.bytes = OPENSSL_memdup("\x30\x03\x0a\x01", 4);
        der.len = 4;
        return der;
    }
    OCSP_BASICRESP *basic =
        staple == STAPLE_TRY_LATER ? NULL : basic_of(&flaws[staple], leaf, signer, stranger);
    OCSP_RESPONSE *response = OCSP_response_create(
        basic ? OCSP_RESPONSE_STATUS_SUCCESSFUL : OCSP_RESPONSE_STATUS_TRYLATER, basic);
    der.len = i2d_OCSP_RESPONSE(response, &der.bytes);
    assert_true(der.len > 0);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    return der;
}

static int on_status(SSL *ssl, void *arg)
{
    const struct der *der = arg;

    SSL_set_tlsext_status_ocsp_resp(ssl, OPENSSL_memdup(der->bytes, (size_t)der->len), der->len);
    return SSL_TLSEXT_ERR_OK;
}

static void free_der(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long number,
                     void *more)
{
    struct der *der = pointer;

    (void)parent, (void)data, (void)index, (void)number, (void)more;
    if (der)
        OPENSSL_free(der->bytes);
    OPENSSL_free(der);
}

void staple_serve(SSL_CTX *context, enum staple staple, X509 *leaf, const struct authority *signer,
                  const struct authority *stranger)
{
    static int index = -1;
    struct der *der = OPENSSL_malloc(sizeof(*der));

    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_der);
    assert_non_null(der);
    *der = der_of(staple, leaf, signer, stranger);
    SSL_CTX_set_ex_data(context, index, der);
    SSL_CTX_set_tlsext_status_cb(context, on_status);
    SSL_CTX_set_tlsext_status_arg(context, der);
}

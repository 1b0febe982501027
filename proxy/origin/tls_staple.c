/* OCSP stapling (RFC 6066, 8): what the origin sends along about its own certificate.
 *
 *   nothing sent, or the responder does not say ------> passes, unless the certificate asks for
 *                                                        a staple (RFC 7633, "must-staple")
 *   good, signed by the issuer or on its behalf, ----->  passes; not resumed beyond its end
 *   about this certificate, and of now
 *   revoked, or anything else -----------------------> refused */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "proxy/origin/tls_parts.h"

enum { REFUSED = 0, ACCEPTED = 1 };
enum { CLOCKS_DIFFER_S = 300, STATUS_REQUEST = 5 /* the extension's number, RFC 7633 */ };

static int refuse(struct tls_stream *stream, const char *why)
{
    stream->refused = true;
    tls_explain(stream, "the stapled OCSP response %s", why);
    return REFUSED;
}

static bool must_staple(const X509 *certificate)
{
    TLS_FEATURE *features = X509_get_ext_d2i(certificate, NID_tlsfeature, NULL, NULL);
    bool found = false;

    for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
        found = found || ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == STATUS_REQUEST;
    TLS_FEATURE_free(features);
    return found;
}

static int without(struct tls_stream *stream, const X509 *certificate, const char *why)
{
    if (!must_staple(certificate))
        return ACCEPTED;
    stream->refused = true;
    tls_explain(stream, "the certificate asks for a stapled OCSP response (must-staple), and %s",
                why);
    return REFUSED;
}

/* The responder chooses the digest that certificates are named by. */
static bool is_about(const OCSP_CERTID *id, const X509 *certificate, const X509 *issuer)
{
    ASN1_OBJECT *algorithm = NULL;

    OCSP_id_get0_info(NULL, &algorithm, NULL, NULL, (OCSP_CERTID *)(uintptr_t)id);
    const EVP_MD *digest = EVP_get_digestbyobj(algorithm);
    OCSP_CERTID *own = digest ? OCSP_cert_to_id(digest, certificate, issuer) : NULL;
    bool same = own && OCSP_id_cmp(own, id) == 0;
    OCSP_CERTID_free(own);
    return same;
}

static OCSP_SINGLERESP *find(OCSP_BASICRESP *basic, STACK_OF(X509) * chain)
{
    const X509 *certificate = sk_X509_value(chain, 0);
    const X509 *issuer = sk_X509_value(chain, sk_X509_num(chain) > 1 ? 1 : 0);

    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        if (is_about(OCSP_SINGLERESP_get0_id(single), certificate, issuer))
            return single;
    }
    return NULL;
}

static int judge(struct tls_stream *stream, OCSP_SINGLERESP *single, const X509 *certificate)
{
    ASN1_GENERALIZEDTIME *since = NULL, *from = NULL, *to = NULL;
    char date[TLS_DATE_MAX];
    int reason, status = OCSP_single_get0_status(single, &reason, &since, &from, &to);

    if (OCSP_check_validity(from, to, CLOCKS_DIFFER_S, -1) != 1)
        return refuse(stream, "is not of now: its time is over or has not begun");
    if (status == V_OCSP_CERTSTATUS_UNKNOWN)
        return without(stream, certificate, "the responder does not know the certificate");
    if (status == V_OCSP_CERTSTATUS_GOOD) {
        if (to)
            tls_valid_until(stream, to);
        return ACCEPTED;
    }
    stream->refused = true;
    tls_explain(stream, "the certificate was revoked on %s (stapled OCSP response)",
                tls_date_words(since, date));
    return REFUSED;
}

static int judge_basic(struct tls_stream *stream, OCSP_BASICRESP *basic, STACK_OF(X509) * chain)
{
    X509_STORE *trust = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(stream->ssl));
    OCSP_SINGLERESP *single = find(basic, chain);

    if (OCSP_basic_verify(basic, chain, trust, 0) != 1)
        return refuse(stream, "is not signed by the certificate's issuer, nor on its behalf");
    if (!single)
        return refuse(stream, "is about another certificate");
    return judge(stream, single, sk_X509_value(chain, 0));
}

static int judge_response(struct tls_stream *stream, OCSP_RESPONSE *response,
                          STACK_OF(X509) * chain)
{
    if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return without(stream, sk_X509_value(chain, 0), "the responder gave no answer");
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    if (!basic)
        return refuse(stream, "cannot be read");
    int result = judge_basic(stream, basic, chain);
    OCSP_BASICRESP_free(basic);
    return result;
}

/* A resumed connection shows no certificate; its session is not used beyond what was checked. */
int tls_check_staple(SSL *ssl, void *unused)
{
    struct tls_stream *stream = SSL_get_app_data(ssl);
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    const unsigned char *bytes = NULL;
    long len = SSL_get_tlsext_status_ocsp_resp(ssl, &bytes);

    (void)unused;
    if (SSL_session_reused(ssl))
        return ACCEPTED;
    if (sk_X509_num(chain) < 1)
        return refuse(stream, "came without a certificate");
    if (!bytes || len <= 0)
        return without(stream, sk_X509_value(chain, 0), "none was sent");
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &bytes, len);
    if (!response)
        return refuse(stream, "cannot be read");
    int result = judge_response(stream, response, chain);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return result;
}

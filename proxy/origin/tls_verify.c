/* An origin's certificates: OpenSSL judges the chain, its dates, its strength and the name; then
 * come the pins. A refusal is put into words while the certificate is at hand. */
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "proxy/origin/tls_parts.h"

/* ---- in words ---- */

static void explain_names(struct tls_stream *stream, const X509 *certificate, const char *reason)
{
    char names[LIMIT_DETAIL_BYTES / 2];

    tls_explain(stream, "%s: expected %.120s, the certificate is for %s", reason,
                stream->destination->host, tls_names_words(certificate, names, sizeof(names)));
}

static void explain_issuer(struct tls_stream *stream, const X509 *certificate, const char *reason,
                           const char *name)
{
    char issuer[TLS_NAME_MAX];

    tls_explain(
        stream,
        "%s: %s is signed by %s, which is not trusted here, nor sent with a way to one that "
        "is",
        reason, name, tls_name_words(X509_get_issuer_name(certificate), issuer));
}

static void explain(struct tls_stream *stream, X509_STORE_CTX *store)
{
    int error = X509_STORE_CTX_get_error(store);
    const char *reason = X509_verify_cert_error_string(error);
    const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    char name[TLS_NAME_MAX], which[TLS_NAME_MAX + 16], date[TLS_DATE_MAX];

    if (!certificate) {
        tls_explain(stream, "%s", reason);
        return;
    }
    snprintf(which, sizeof(which), "%s (depth %d)",
             tls_name_words(X509_get_subject_name(certificate), name),
             X509_STORE_CTX_get_error_depth(store));
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        tls_explain(stream, "%s: %s was valid until %s", reason, which,
                    tls_date_words(X509_get0_notAfter(certificate), date));
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        tls_explain(stream, "%s: %s is valid from %s", reason, which,
                    tls_date_words(X509_get0_notBefore(certificate), date));
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        explain_names(stream, certificate, reason);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        explain_issuer(stream, certificate, reason, which);
        break;
    default:
        tls_explain(stream, "%s: %s", reason, which);
    }
}

/* ---- pins ---- */

static bool digest_of_key(const X509 *certificate, uint8_t out[PIN_BYTES])
{
    unsigned char *bytes = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &bytes);
    bool done = len > 0 && EVP_Digest(bytes, (size_t)len, out, NULL, EVP_sha256(), NULL) == 1;

    OPENSSL_free(bytes);
    return done;
}

static bool has_digest(const struct pins *pins, const uint8_t digest[PIN_BYTES])
{
    for (size_t i = 0; i < pins->n; i++) {
        if (memcmp(pins->digests[i], digest, PIN_BYTES) == 0)
            return true;
    }
    return false;
}

static bool names_host(const struct tls_pins *row, const struct tls_stream *stream)
{
    struct text host = { stream->destination->host, stream->destination->host_len };

    return pattern_matches(row->host, host);
}

static bool expects_pin(const struct tls_stream *stream)
{
    for (size_t i = 0; i < stream->tls->n_pins; i++) {
        if (names_host(&stream->tls->pins[i], stream))
            return true;
    }
    return false;
}

/* Every row that names the host adds to what may be in the chain. */
static bool is_pinned(const struct tls_stream *stream, const X509 *certificate)
{
    uint8_t digest[PIN_BYTES];

    if (!digest_of_key(certificate, digest))
        return false;
    for (size_t i = 0; i < stream->tls->n_pins; i++) {
        const struct tls_pins *row = &stream->tls->pins[i];
        if (names_host(row, stream) && has_digest(row->pins, digest))
            return true;
    }
    return false;
}

static bool check_pins(struct tls_stream *stream, STACK_OF(X509) * chain)
{
    uint8_t digest[PIN_BYTES] = { 0 };
    unsigned char own[4 * ((PIN_BYTES + 2) / 3) + 1];

    if (!expects_pin(stream))
        return true;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (is_pinned(stream, sk_X509_value(chain, i)))
            return true;
    }
    digest_of_key(sk_X509_value(chain, 0), digest);
    EVP_EncodeBlock(own, digest, PIN_BYTES);
    tls_explain(stream,
                "no pinned key is in the chain: --pin for %.120s names neither the origin's own, "
                "sha256/%s, nor one above it",
                stream->destination->host, own);
    return false;
}

/* ---- the verdict ---- */

void tls_valid_until(struct tls_stream *stream, const ASN1_TIME *end)
{
    struct tm parts;

    if (ASN1_TIME_to_tm(end, &parts) != 1)
        return;
    time_t until = timegm(&parts);
    if (until < stream->until)
        stream->until = until;
}

int tls_verify(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_stream *stream = SSL_get_app_data(ssl);
    int verified = X509_verify_cert(store);
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);

    (void)unused;
    stream->refused = true;
    if (verified <= 0) {
        explain(stream, store);
        return verified;
    }
    if (!check_pins(stream, chain)) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    stream->refused = false;
    stream->until = (time_t)((~0ULL) >> 1);
    for (int i = 0; i < sk_X509_num(chain); i++)
        tls_valid_until(stream, X509_get0_notAfter(sk_X509_value(chain, i)));
    return 1;
}

/* What all connections to origins share: parameters, trust, our certificates, pins. */
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/origin/tls_parts.h"

enum { SETTLING_MAX = 3 };

/* Why OpenSSL would not take the file; it has no words for what the system said. */
static const char *trust_problem(const char *path)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());

    if (access(path, R_OK) != 0)
        return strerror(errno);
    return reason ? reason : "there is no certificate in it";
}

static bool load_trust(SSL_CTX *context, const struct settings *settings, struct diags *diags)
{
    struct place place = { .file = "--ca-file" };
    bool loaded = true;

    if (SSL_CTX_set_default_verify_paths(context) != 1)
        diag_warning(diags, place, "the system's trusted certificates cannot be loaded");
    ERR_clear_error();
    if (settings->ca_file && SSL_CTX_load_verify_file(context, settings->ca_file) != 1) {
        loaded = false;
        diag_fatal(diags, place, "%s is not a readable file of PEM certificates: %s",
                   settings->ca_file, trust_problem(settings->ca_file));
    }
    ERR_clear_error();
    return loaded;
}

/* Forward secrecy and AEAD only. AES-128 first: it is the cheapest where the processor has AES
 * instructions. */
static void set_ciphers(SSL_CTX *context)
{
    int groups[] = { NID_X25519, NID_X9_62_prime256v1, NID_secp384r1 };

    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_security_level(context, 2); /* no SHA-1, no RSA below 2048 */
    if (SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                          "TLS_CHACHA20_POLY1305_SHA256") != 1 ||
        SSL_CTX_set_cipher_list(context,
                                "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305") != 1 ||
        SSL_CTX_set1_groups(context, groups, sizeof(groups) / sizeof(groups[0])) != 1)
        abort(); /* an OpenSSL without them: never go on with what it has instead */
}

/* The system's openssl.cnf may have said otherwise; a connection that was cut must look cut. */
static void set_options(SSL_CTX *context)
{
    SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_LEGACY_SERVER_CONNECT |
                                       SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
                                       SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    /* Without CLEANSE what was received last stays in the connection's memory for as long as it is
     * kept: the answer to a login, or a request of ours that an origin sent back. */
    SSL_CTX_set_options(context,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1); /* a record's header and body in one recv() */
}

static void set_parameters(SSL_CTX *context)
{
    static const unsigned char alpn[] = { 8, 'h', 't', 't', 'p', '/', '1', '.', '1' };

    set_ciphers(context);
    set_options(context);
    if (SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn)) != 0)
        abort();
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, tls_verify, NULL);
    SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp);
    SSL_CTX_set_tlsext_status_cb(context, tls_check_staple);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, tls_on_new_session);
}

static bool load_identities(struct tls_files *files, const struct settings *settings,
                            struct diags *diags)
{
    bool loaded = true;

    files->identities = mem_alloc(settings->n_client_certs + 1, sizeof(*files->identities));
    for (size_t i = 0; i < settings->n_client_certs; i++)
        loaded = tls_identity_load(&files->identities[files->n_identities++],
                                   &settings->client_certs[i], diags) &&
                 loaded;
    return loaded;
}

static void release_files(struct tls_files *files)
{
    if (!files || atomic_fetch_sub_explicit(&files->holders, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(files->context);
    for (size_t i = 0; i < files->n_identities; i++)
        tls_identity_fini(&files->identities[i]);
    free(files->identities);
    free(files);
}

/* NULL with a fatal finding. */
static struct tls_files *load_files(const struct settings *settings, struct diags *diags)
{
    struct tls_files *files = mem_alloc(1, sizeof(*files));

    atomic_init(&files->holders, 1);
    files->generation = 1;
    tls_fingerprint(settings, files->fingerprint);
    files->context = SSL_CTX_new(TLS_client_method());
    if (!files->context)
        abort();
    set_parameters(files->context);
    bool trusted = load_trust(files->context, settings, diags);
    if (load_identities(files, settings, diags) && trusted)
        return files;
    release_files(files);
    return NULL;
}

static void take_pins(struct tls *tls, const struct settings *settings)
{
    tls->pins = mem_alloc(settings->n_pins + 1, sizeof(*tls->pins));
    for (size_t i = 0; i < settings->n_pins; i++)
        tls->pins[i] =
            (struct tls_pins){ pattern_new(PATTERN_HOST, text_of(settings->pins[i].host)),
                               &settings->pins[i] };
    tls->n_pins = settings->n_pins;
}

/* Takes `files`. */
static struct tls *tls_of(struct tls_files *files, const struct settings *settings)
{
    struct tls *tls = mem_alloc(1, sizeof(*tls));

    tls->files = files;
    tls->bio = tls_bio_method();
    take_pins(tls, settings);
    return tls;
}

struct tls *tls_new(const struct settings *settings, struct diags *diags)
{
    struct tls_files *files = load_files(settings, diags);

    return files ? tls_of(files, settings) : NULL;
}

struct tls *tls_share(const struct tls *tls, const struct settings *settings)
{
    atomic_fetch_add_explicit(&tls->files->holders, 1, memory_order_relaxed);
    return tls_of(tls->files, settings);
}

/* Connections hold what they use of the old context. */
static void replace_files(struct tls *tls, struct tls_files *files)
{
    release_files(tls->files);
    tls->files = files;
}

void tls_adopt(struct tls *tls, struct tls *fresh)
{
    replace_files(tls, fresh->files);
    fresh->files = NULL;
    tls_free(fresh);
}

static bool is_of(const struct tls_files *files, const uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
    return memcmp(files->fingerprint, fingerprint, TLS_FINGERPRINT_BYTES) == 0;
}

/* A file that is written just now has one content for the fingerprint and another for us: then once more. */
static struct tls_files *load_settled(const struct settings *settings, struct diags *diags)
{
    uint8_t now[TLS_FINGERPRINT_BYTES];
    struct tls_files *files = load_files(settings, diags);

    for (int more = SETTLING_MAX; files && more > 0; more--) {
        tls_fingerprint(settings, now);
        if (is_of(files, now))
            break;
        release_files(files);
        files = load_files(settings, diags);
    }
    return files;
}

enum tls_reloaded tls_reload(struct tls *tls, const struct settings *settings, bool news_only,
                             struct diags *diags)
{
    uint8_t now[TLS_FINGERPRINT_BYTES];

    tls_fingerprint(settings, now);
    if (is_of(tls->files, now) || (news_only && memcmp(now, tls->refused, sizeof(now)) == 0))
        return TLS_SAME;
    struct tls_files *fresh = load_settled(settings, diags);
    if (!fresh) {
        memcpy(tls->refused, now, sizeof(now));
        return TLS_KEPT;
    }
    if (is_of(fresh, tls->files->fingerprint)) {
        release_files(fresh);
        return TLS_SAME;
    }
    fresh->generation = tls->files->generation + 1;
    replace_files(tls, fresh);
    return TLS_CHANGED;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    release_files(tls->files);
    for (size_t i = 0; i < tls->n_pins; i++)
        pattern_free(tls->pins[i].host);
    free(tls->pins);
    BIO_meth_free(tls->bio);
    free(tls);
}

#include "proxy/origin/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "config/memory.h"

struct tls {
    SSL_CTX *context;
    BIO_METHOD *bio; /* a BIO that asks the socket's marks before it makes a system call */
};

/* ---- the BIO ---- */

static int bio_read(BIO *bio, char *bytes, int len)
{
    struct stream_socket *socket = BIO_get_data(bio);
    ssize_t n = socket_receive(socket, bytes, (size_t)len);

    BIO_clear_retry_flags(bio);
    if (n == SOCKET_AGAIN)
        BIO_set_retry_read(bio);
    if (n == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return n > 0 ? (int)n : n == 0 ? 0 : -1;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
    struct stream_socket *socket = BIO_get_data(bio);
    struct iovec piece = { (void *)(uintptr_t)bytes, (size_t)len };
    ssize_t n = socket_send(socket, &piece, 1);

    BIO_clear_retry_flags(bio);
    if (n == SOCKET_AGAIN)
        BIO_set_retry_write(bio);
    return n >= 0 ? (int)n : -1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "marked socket");

    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
}

/* What is left in the queue would be taken for the next call's, of any connection. Nearly always there is
 * nothing, and looking costs a tenth of clearing. */
static void forget_errors(void)
{
    if (ERR_peek_error())
        ERR_clear_error();
}

/* ---- context ---- */

static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_session *keep = SSL_get_app_data(ssl);

    tls_session_fini(keep);
    keep->session = session;
    return 1; /* ours now */
}

void tls_session_fini(struct tls_session *session)
{
    SSL_SESSION_free(session->session);
    session->session = NULL;
}

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

/* AES-128 first: it is the cheapest where the processor has AES (stack: 22k instructions at 64 KB).
 */
static void set_parameters(SSL_CTX *context)
{
    static const unsigned char alpn[] = { 8, 'h', 't', 't', 'p', '/', '1', '.', '1' };

    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                      "TLS_CHACHA20_POLY1305_SHA256");
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES");
    /* Without CLEANSE what was received last stays in the connection's memory for as long as it is
     * kept: the answer to a login, or a request of ours that an origin sent back. */
    SSL_CTX_set_options(context,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1); /* a record's header and body in one recv() */
    SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_new_session);
}

struct tls *tls_new(const struct settings *settings, struct diags *diags)
{
    struct tls *tls = mem_alloc(1, sizeof(*tls));

    tls->context = SSL_CTX_new(TLS_client_method());
    tls->bio = bio_method();
    set_parameters(tls->context);
    if (!load_trust(tls->context, settings, diags)) {
        tls_free(tls);
        return NULL;
    }
    return tls;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->bio);
    free(tls);
}

/* ---- one connection ---- */

static bool expect_name(SSL *ssl, const struct destination *destination)
{
    X509_VERIFY_PARAM *verify = SSL_get0_param(ssl);

    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (destination->host_is_address)
        return X509_VERIFY_PARAM_set1_ip_asc(verify, destination->host) == 1;
    return X509_VERIFY_PARAM_set1_host(verify, destination->host, destination->host_len) == 1 &&
           SSL_set_tlsext_host_name(ssl, (char *)(uintptr_t)destination->host) == 1;
}

SSL *tls_begin(const struct tls *tls, const struct destination *destination,
               struct stream_socket *socket, struct tls_session *session)
{
    SSL *ssl = SSL_new(tls->context);
    BIO *bio = BIO_new(tls->bio);

    /* Both fail only when memory is gone or the name cannot be checked: never go on without. */
    if (!ssl || !bio || !expect_name(ssl, destination))
        abort();
    BIO_set_data(bio, socket);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_app_data(ssl, session);
    if (session->session)
        SSL_set_session(ssl, session->session);
    SSL_set_connect_state(ssl);
    return ssl;
}

void tls_end(SSL *ssl)
{
    if (!ssl)
        return;
    forget_errors();
    if (SSL_is_init_finished(ssl) && SSL_shutdown(ssl) < 0)
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    ERR_clear_error();
    SSL_free(ssl);
}

static void explain_failure(SSL *ssl, enum outcome *outcome, const char **detail)
{
    long verified = SSL_get_verify_result(ssl);
    unsigned long error = ERR_peek_error();

    *outcome = verified == X509_V_OK ? OUTCOME_TLS : OUTCOME_CERTIFICATE;
    *detail = verified == X509_V_OK ? ERR_reason_error_string(error)
                                    : X509_verify_cert_error_string(verified);
    if (!*detail)
        *detail = "the connection ended during the handshake";
}

static bool wants_more(SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);

    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

int tls_handshake(SSL *ssl, enum outcome *outcome, const char **detail)
{
    forget_errors();
    int result = SSL_do_handshake(ssl);
    if (result == 1)
        return 1;
    if (wants_more(ssl, result))
        return TLS_AGAIN;
    explain_failure(ssl, outcome, detail);
    ERR_clear_error();
    return TLS_FAILED;
}

ssize_t tls_receive(SSL *ssl, void *bytes, size_t len)
{
    size_t n;

    forget_errors();
    int result = SSL_read_ex(ssl, bytes, len, &n);
    if (result == 1)
        return (ssize_t)n;
    if (wants_more(ssl, result))
        return TLS_AGAIN;
    return SSL_get_error(ssl, result) == SSL_ERROR_ZERO_RETURN ? 0 : TLS_FAILED;
}

ssize_t tls_send(SSL *ssl, const void *bytes, size_t len)
{
    size_t n;

    forget_errors();
    int result = SSL_write_ex(ssl, bytes, len, &n);
    if (result == 1)
        return (ssize_t)n;
    return wants_more(ssl, result) ? TLS_AGAIN : TLS_FAILED;
}

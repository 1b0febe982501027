#include "proxy/origin/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/origin/tls_parts.h"

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

BIO_METHOD *tls_bio_method(void)
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

/* ---- sessions ---- */

/* A session that was resumed hands on how long it may be. */
int tls_on_new_session(SSL *ssl, SSL_SESSION *session)
{
    const struct tls_stream *stream = SSL_get_app_data(ssl);

    tls_session_fini(stream->session);
    *stream->session = (struct tls_session){ session, stream->until, stream->generation };
    return 1; /* ours now */
}

void tls_session_fini(struct tls_session *session)
{
    SSL_SESSION_free(session->session);
    session->session = NULL;
}

static void resume(struct tls_stream *stream)
{
    struct tls_session *session = stream->session;

    if (!session->session)
        return;
    if (session->generation != stream->generation || session->until <= time(NULL)) {
        tls_session_fini(session);
        return;
    }
    stream->until = session->until;
    SSL_set_session(stream->ssl, session->session);
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

static bool show_identity(const struct tls_stream *stream)
{
    struct text host = { stream->destination->host, stream->destination->host_len };
    const struct tls_identity *identity = tls_identity_for(stream->tls, host);

    return !identity || tls_identity_use(identity, stream->ssl);
}

struct tls_stream *tls_begin(const struct tls *tls, const struct destination *destination,
                             struct stream_socket *socket, struct tls_session *session)
{
    struct tls_stream *stream = mem_alloc(1, sizeof(*stream));
    BIO *bio = BIO_new(tls->bio);

    stream->tls = tls;
    stream->session = session;
    stream->destination = destination;
    stream->generation = tls->files->generation;
    stream->ssl = SSL_new(tls->files->context);
    /* These fail only when memory is gone or the name cannot be checked: never go on without. */
    if (!stream->ssl || !bio || !expect_name(stream->ssl, destination) || !show_identity(stream))
        abort();
    BIO_set_data(bio, socket);
    BIO_set_init(bio, 1);
    SSL_set_bio(stream->ssl, bio, bio);
    SSL_set_app_data(stream->ssl, stream);
    resume(stream);
    SSL_set_connect_state(stream->ssl);
    return stream;
}

void tls_end(struct tls_stream *stream)
{
    if (!stream)
        return;
    forget_errors();
    if (SSL_is_init_finished(stream->ssl) && SSL_shutdown(stream->ssl) < 0)
        SSL_set_shutdown(stream->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    ERR_clear_error();
    SSL_set_options(stream->ssl, SSL_OP_CLEANSE_PLAINTEXT); /* where wiping was deferred */
    SSL_free(stream->ssl);
    free(stream->detail);
    free(stream);
}

/* ---- failures ---- */

void tls_explain(struct tls_stream *stream, const char *format, ...)
{
    va_list values;

    if (stream->detail)
        return;
    stream->detail = mem_alloc(1, LIMIT_DETAIL_BYTES);
    va_start(values, format);
    vsnprintf(stream->detail, LIMIT_DETAIL_BYTES, format, values);
    va_end(values);
}

/* What people may do about what OpenSSL says. */
static const char *advice(int reason)
{
    switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return "; TLS 1.2 or 1.3 is needed";
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return "; its end was not announced (close_notify)";
    case SSL_R_BAD_EXTENSION:
        return "; the origin chose what was not offered: another protocol than http/1.1, as a rule "
               "(ALPN)";
    case SSL_R_WRONG_VERSION_NUMBER:
        return "; the origin does not speak TLS on this port";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY:
        return "; it accepts none of the ciphers with forward secrecy and AEAD, or wants a "
               "certificate of ours (--client-cert)";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "; the origin wants a certificate of ours: --client-cert names one";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        return "; the origin does not accept our certificate (--client-cert)";
    default:
        return "";
    }
}

static void explain_error(struct tls_stream *stream, const char *otherwise)
{
    unsigned long error = ERR_peek_error();
    const char *reason = ERR_reason_error_string(error);

    if (reason)
        tls_explain(stream, "%s%s", reason, advice(ERR_GET_REASON(error)));
    else if (otherwise)
        tls_explain(stream, "%s", otherwise);
}

static bool wants_more(SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);

    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static int give_up(struct tls_stream *stream, enum outcome *outcome)
{
    *outcome = stream->refused ? OUTCOME_CERTIFICATE : OUTCOME_TLS;
    explain_error(stream, "the connection ended during the handshake");
    ERR_clear_error();
    return TLS_FAILED;
}

/* Older releases of OpenSSL take what the origin chooses, even if nobody offered it. */
static bool is_http1(struct tls_stream *stream)
{
    const unsigned char *name;
    unsigned len;
    char printable[40];

    SSL_get0_alpn_selected(stream->ssl, &name, &len);
    struct text chosen = { (const char *)name, len };
    if (len == 0 || text_eq(chosen, TEXT("http/1.1")))
        return true;
    tls_explain(stream, "the origin chose the protocol \"%s\", and http/1.1 was offered (ALPN)",
                text_printable(chosen, printable, sizeof(printable)));
    return false;
}

/* ---- bytes ---- */

int tls_handshake(struct tls_stream *stream, enum outcome *outcome)
{
    forget_errors();
    int result = SSL_do_handshake(stream->ssl);
    if (result != 1 && wants_more(stream->ssl, result))
        return TLS_AGAIN;
    if (result == 1 && is_http1(stream))
        return 1;
    return give_up(stream, outcome);
}

ssize_t tls_receive(struct tls_stream *stream, void *bytes, size_t len)
{
    size_t n;

    forget_errors();
    int result = SSL_read_ex(stream->ssl, bytes, len, &n);
    if (result == 1)
        return (ssize_t)n;
    if (wants_more(stream->ssl, result))
        return TLS_AGAIN;
    if (SSL_get_error(stream->ssl, result) == SSL_ERROR_ZERO_RETURN)
        return 0;
    explain_error(stream, NULL);
    return TLS_FAILED;
}

ssize_t tls_send(struct tls_stream *stream, const void *bytes, size_t len)
{
    size_t n;

    forget_errors();
    int result = SSL_write_ex(stream->ssl, bytes, len, &n);
    if (result == 1)
        return (ssize_t)n;
    if (wants_more(stream->ssl, result))
        return TLS_AGAIN;
    explain_error(stream, "the connection broke while the request was sent");
    return TLS_FAILED;
}

void tls_defer_wiping(struct tls_stream *stream)
{
    if (!stream->unwiped)
        SSL_clear_options(stream->ssl, SSL_OP_CLEANSE_PLAINTEXT);
    stream->unwiped = true;
}

/* With that option a buffer is wiped, all of it, when it is given back. Where a part of a record stands in it
 * that is when the connection ends. */
void tls_wipe(struct tls_stream *stream)
{
    if (!stream || !stream->unwiped)
        return;
    SSL_set_options(stream->ssl, SSL_OP_CLEANSE_PLAINTEXT);
    stream->unwiped = !SSL_free_buffers(stream->ssl);
}

/* ---- facts ---- */

const char *tls_trouble(const struct tls_stream *stream)
{
    return stream->detail;
}

bool tls_has_pending(const struct tls_stream *stream)
{
    return SSL_has_pending(stream->ssl);
}

bool tls_is_resumed(const struct tls_stream *stream)
{
    return SSL_session_reused(stream->ssl);
}

bool tls_is_current(const struct tls_stream *stream)
{
    return stream->generation == stream->tls->files->generation && time(NULL) < stream->until;
}

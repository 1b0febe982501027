/* proxy/origin/tls.h - TLS towards origins: trust, names, sessions.
 *
 * TLS 1.2 or later, the system's trust plus --ca-file, SNI, and the name checked against the
 * certificate's DNS names (RFC 6125; never its CN). There is no switch that turns any of it off. */
#ifndef PROXY_ORIGIN_TLS_H
#define PROXY_ORIGIN_TLS_H

#include <openssl/ssl.h>

#include "config/diag.h"
#include "config/settings.h"
#include "policy/destination.h"
#include "proxy/reply.h"
#include "proxy/socket.h"

struct tls;

/* The newest session that a host gave us, for a cheaper handshake. Zero-initialised is empty. */
struct tls_session {
    SSL_SESSION *session;
};
void tls_session_fini(struct tls_session *session);

/* NULL with a fatal finding if the trust cannot be loaded. */
struct tls *tls_new(const struct settings *settings, struct diags *diags);
void tls_free(struct tls *tls);

/* A client side for this destination over `socket`, which it borrows; `session` is used and kept up
 * to date, and must outlive the result. The caller frees it with tls_end(). */
SSL *tls_begin(const struct tls *tls, const struct destination *destination,
               struct stream_socket *socket, struct tls_session *session);
/* Sends close_notify if that is possible at once; keeps the session resumable either way. */
void tls_end(SSL *ssl);

enum { TLS_AGAIN = -1, TLS_FAILED = -2 };

/* 1 when the handshake is complete, TLS_AGAIN, or TLS_FAILED with the outcome and a detail. */
int tls_handshake(SSL *ssl, enum outcome *outcome, const char **detail);
/* Bytes, 0 at an end that the peer announced (close_notify), TLS_AGAIN, TLS_FAILED (a cut is one).
 */
ssize_t tls_receive(SSL *ssl, void *bytes, size_t len);
ssize_t tls_send(SSL *ssl, const void *bytes, size_t len);

#endif

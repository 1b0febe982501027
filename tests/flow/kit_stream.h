/* tests/flow/kit_stream.h - the bytes of a connection, with TLS or (ssl NULL) without: the same for
 * the client's side and for the origin's. Nothing here waits but stream_await(). */
#ifndef TESTS_FLOW_KIT_STREAM_H
#define TESTS_FLOW_KIT_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

/* How a peer left. */
enum ending {
    ENDING_NONE,
    ENDING_CLEAN /* with close_notify, or FIN without TLS */,
    ENDING_CUT,
    ENDING_RESET
};

/* TLS on a connection that is there; the caller frees it. No handshake yet. */
SSL *stream_tls(SSL_CTX *context, int fd);

/* What has come; 0 when there is nothing yet, or with `ending` set. */
size_t stream_take(int fd, SSL *ssl, void *bytes, size_t room, enum ending *ending);
/* As much as goes without waiting; false when the peer has left. */
bool stream_offer(int fd, SSL *ssl, const void *bytes, size_t n, size_t *sent);

/* After a `result` of OpenSSL: true if there is something to wait for; the wait is over then. */
bool stream_await(int fd, SSL *ssl, int result, const char *what);

#endif

/* proxy/origin/tls.h - TLS towards origins: trust, names, pins, our own certificates, sessions.
 *
 * TLS 1.2 and 1.3, the system's trust plus --ca-file, SNI, and the name checked against the
 * certificate's names (RFC 6125; never its CN). Pins and a stapled OCSP response are checked
 * besides. There is no switch that turns any of it off, and nothing is sent before all of it has
 * passed: no early data either. */
#ifndef PROXY_ORIGIN_TLS_H
#define PROXY_ORIGIN_TLS_H

#include <openssl/ssl.h>
#include <sys/types.h>
#include <time.h>

#include "config/diag.h"
#include "config/settings.h"
#include "policy/destination.h"
#include "proxy/reply.h"
#include "proxy/socket.h"

struct tls;
struct tls_stream; /* one connection's side */

/* The newest session that a host gave us, for a cheaper handshake, which verifies nothing: it is
 * used only while what was verified when it began is valid, and under the same trust.
 * Zero-initialised is empty. */
struct tls_session {
    SSL_SESSION *session;
    time_t until;
    unsigned generation;
};
void tls_session_fini(struct tls_session *session);

/* NULL with a fatal finding if the trust or a certificate of ours cannot be loaded. Borrows
 * `settings`. */
struct tls *tls_new(const struct settings *settings, struct diags *diags);
void tls_free(struct tls *tls);
/* For another thread: what came from the files is one for all. */
struct tls *tls_share(const struct tls *tls, const struct settings *settings);
/* Goes by the files of `fresh`, which is freed, from now on. */
void tls_adopt(struct tls *tls, struct tls *fresh);
enum tls_reloaded {
    TLS_SAME,    /* no file has changed */
    TLS_CHANGED, /* connections from now on, and resumed sessions, go by what the files hold now */
    TLS_KEPT,    /* a fatal finding: all stays as it was */
};
/* `news_only`: what was refused last is not tried, and not told, again. */
enum tls_reloaded tls_reload(struct tls *tls, const struct settings *settings, bool news_only,
                             struct diags *diags);

/* A client side for this destination over `socket`; both are borrowed. `session` is used and kept
 * up to date, and must outlive the result. The caller frees it with tls_end(). */
struct tls_stream *tls_begin(const struct tls *tls, const struct destination *destination,
                             struct stream_socket *socket, struct tls_session *session);
/* Sends close_notify if that is possible at once; keeps the session resumable either way. NULL is
 * fine. */
void tls_end(struct tls_stream *stream);

enum { TLS_AGAIN = -1, TLS_FAILED = -2 };

/* 1 when the handshake is complete, TLS_AGAIN, or TLS_FAILED with the outcome: tls_trouble(). */
int tls_handshake(struct tls_stream *stream, enum outcome *outcome);
/* Bytes, 0 at an end that the peer announced (close_notify), TLS_AGAIN, TLS_FAILED (a cut is one).
 */
ssize_t tls_receive(struct tls_stream *stream, void *bytes, size_t len);
ssize_t tls_send(struct tls_stream *stream, const void *bytes, size_t len);

/* OpenSSL wipes each record in its buffer once it has been received from there. In a long body that is a
 * twentieth of all work: from now on the buffer is wiped once, and given back, by tls_wipe() or tls_end(). */
void tls_defer_wiping(struct tls_stream *stream);
/* Does what was deferred; NULL is fine. */
void tls_wipe(struct tls_stream *stream);

/* Why it failed: printable, borrowed, less than LIMIT_DETAIL_BYTES. NULL when nothing is known. */
const char *tls_trouble(const struct tls_stream *stream);
bool tls_has_pending(const struct tls_stream *stream);
bool tls_is_resumed(const struct tls_stream *stream);
/* Its certificates are still valid, and the trust and our certificates are those of now. */
bool tls_is_current(const struct tls_stream *stream);

#endif

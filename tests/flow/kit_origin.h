/* tests/flow/kit_origin.h - the origin's side of the dialogue: a TLS listener on loopback, and the
 * test itself says when to accept, read, speak and leave.
 *
 * Nothing runs on its own, so the order of events is the order of the lines of a test. Whatever a
 * peer sent is kept, byte for byte. Functions that wait fail the test when what they wait for does
 * not come. Connections belong to their origin and are freed with it. */
#ifndef TESTS_FLOW_KIT_ORIGIN_H
#define TESTS_FLOW_KIT_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/flow/kit_certificate.h"
#include "tests/flow/kit_stream.h"

struct origin;
struct origin_conn;

struct origin *origin_new(enum certificate_kind kind);
struct origin *origin_new_plain(void); /* without TLS */
/* The same at 127.0.0.2 and a given port; NULL if that is taken. */
struct origin *origin_new_beside(uint16_t port);
/* The same at [::1]; port 0: any. NULL where there is no IPv6, or the port is taken. */
struct origin *origin_new_plain6(uint16_t port);
void origin_free(struct origin *origin);
/* From the next connection on it is this that it serves; takes `context`. */
void origin_serve(struct origin *origin, SSL_CTX *context);
/* While it is deaf, whoever connects gets no answer at all, as if his packets were lost. */
void origin_deafen(const struct origin *origin, bool deaf);
uint16_t origin_port(const struct origin *origin);
int origin_listening(
    const struct origin *origin); /* its descriptor, readable when somebody connects */

/* ---- connections */

/* The next connection, after its handshake. */
struct origin_conn *origin_accept(struct origin *origin);
/* The next connection before its handshake, which the test does when it likes. */
struct origin_conn *origin_connected(struct origin *origin);
void origin_shake_hands(struct origin_conn *conn);
/* For a handshake of the test's own; borrowed. */
SSL *origin_tls(const struct origin_conn *conn);
/* The next connection, whose handshake must fail. */
void origin_accept_failing(struct origin *origin);
/* Fails the test if somebody has connected. */
void origin_untouched(const struct origin *origin);
/* Connections accepted so far. */
unsigned origin_accepted(const struct origin *origin);
bool origin_resumed(const struct origin_conn *conn);
/* The name that the peer asked for (SNI); NULL if none. */
const char *origin_server_name(const struct origin_conn *conn);

/* ---- listening to them */

/* The next head, with its empty line. Borrowed until the connection is read again. */
const char *origin_head(struct origin_conn *conn);
/* The next n bytes. */
const char *origin_bytes(struct origin_conn *conn, size_t n);
/* The next body in chunked coding, decoded; `n` may be NULL. */
const char *origin_chunked(struct origin_conn *conn, size_t *n);
/* Waits for the peer to leave; bytes that come before that are kept. */
enum ending origin_await_end(struct origin_conn *conn);
/* Bytes that have come and were not asked for. */
size_t origin_unread(const struct origin_conn *conn);

/* ---- speaking */

void origin_say(struct origin_conn *conn, const char *text);
void origin_send(struct origin_conn *conn, const void *bytes, size_t n);
/* As much as goes without waiting; 0 when the connection is full. */
size_t origin_offer(struct origin_conn *conn, const void *bytes, size_t n);
/* What is there, up to `room` bytes, without waiting and without keeping it; 0 when nothing is. */
size_t origin_take(struct origin_conn *conn, void *bytes, size_t room);
int origin_fd(const struct origin_conn *conn);
bool origin_has_pending(const struct origin_conn *conn);

/* ---- leaving */

void origin_close(struct origin_conn *conn); /* with close_notify */
void origin_cut(struct origin_conn *conn);   /* without */
void origin_reset(struct origin_conn *conn); /* RST */
/* Says goodbye on every open connection and waits until the peer has taken note. */
void origin_settle(struct origin *origin);

#endif

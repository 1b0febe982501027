/* tests/janus/gate.h - stands between a connection of libevhtp and its parser.
 *
 * libevhtp accepts, speaks TLS, keeps the request's life and calls the route. Its parser loses the
 * order, case and bytes that a test wants to see, fails on heads in pieces and over 8 KiB, and
 * miscounts bodies; so the gate takes complete heads and bodies off the input itself, keeps them
 * as an arrival, and shows the parser one short canonical request instead. */
#ifndef TESTS_JANUS_GATE_H
#define TESTS_JANUS_GATE_H

#include <evhtp/evhtp.h>

#include "tests/janus/exchange.h"

struct gates; /* all connections of the simulator */

struct gates *gates_new(struct sim *sim);
/* Closes what is open. */
void gates_free(struct gates *gates);

/* Puts a gate in front of a connection that was just accepted; it lives until libevhtp frees the
 * connection. */
void gate_install(struct gates *gates, evhtp_connection_t *connection);

/* The exchange that a request of libevhtp belongs to. */
struct exchange *gate_exchange(evhtp_request_t *request);

/* Bytes for the client, behind those already written. */
struct evbuffer *gate_output(struct exchange *x);
/* The answer is written; x->closing says what comes behind it. */
void gate_answered(struct exchange *x);
/* Ends the connection without close_notify at the end of this loop turn; `reset` sends a RST. */
void gate_cut(struct exchange *x, bool reset);
/* x->on_timer after `ms`. */
void gate_wait(struct exchange *x, long ms);

#endif

/* proxy/origin/circuit.h - addresses of origins that fail again and again are left alone for a while. Pure.
 *
 *   CLOSED --failures in a row, each soon after the one before--> OPEN --its time is over--> one probe
 *      ^                                                           ^                           |   |
 *      |                                                           `-- failed: twice as long --'   |
 *      `------------------------------------- connected, or answered ------------------------------'
 *
 * An address fails when no connection to it comes about, or when it is silent: a request was sent, and
 * nothing of a response came in time. Those who accept connections and then say nothing are not well, so
 * a connection ends a row of failures but not of silences; an answer ends both.
 *
 * A circuit is of one host at one address and port: other hosts may live behind the same address, and a
 * certificate that is wrong for one of them says nothing of the rest. Only what fails is remembered, so
 * that nothing is looked up while all is well. When there are too many, the one that failed longest ago
 * is forgotten. */
#ifndef PROXY_ORIGIN_CIRCUIT_H
#define PROXY_ORIGIN_CIRCUIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct circuits;

/* `failures` in a row open a circuit; 0: never. */
struct circuits *circuits_new(unsigned failures);
void circuits_free(struct circuits *circuits);

/* May we connect? True for a closed circuit, and once for one whose time is over: whoever is told so
 * connects, and says what became of it with one of those below. `left_ms`: how long it stays open;
 * 0 while somebody else probes. */
bool circuit_allows(struct circuits *circuits, const char *host, const struct sockaddr *address,
                    uint64_t now_ms, uint64_t *left_ms);

enum circuit_failure { CIRCUIT_UNREACHABLE, CIRCUIT_SILENT };
/* What was begun at `began_ms` has failed now. For how long the circuit opened just now; 0 if it did not. */
uint64_t circuit_failed(struct circuits *circuits, const char *host, const struct sockaddr *address,
                        enum circuit_failure how, uint64_t began_ms, uint64_t now_ms);
enum circuit_now {
    CIRCUIT_FINE,
    CIRCUIT_CLOSED,  /* just now */
    CIRCUIT_WAITING, /* it was silent: whoever connected says, too, whether it answered */
};
enum circuit_now circuit_connected(struct circuits *circuits, const char *host,
                                   const struct sockaddr *address);
/* A response has begun. True if the circuit closed just now. */
bool circuit_answered(struct circuits *circuits, const char *host, const struct sockaddr *address);
/* The attempt was given up and says nothing. */
void circuit_left(struct circuits *circuits, const char *host, const struct sockaddr *address);

/* True if nothing has failed lately: then there is nothing to be told of an answer. */
bool circuits_are_empty(const struct circuits *circuits);
/* How many are open or probed. */
unsigned circuits_n_open(const struct circuits *circuits);

#endif

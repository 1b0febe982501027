/* tests/janus/exchange.h - one request and its answer.
 *
 * Made by the gate when a head is complete, given to a route when the body is (routes marked early:
 * at once), freed by the gate at the end of a loop turn, after the answer has been flushed and the
 * body has arrived. A route answers within its function, or sets `refill` or a timer and goes on
 * later; it never frees anything. */
#ifndef TESTS_JANUS_EXCHANGE_H
#define TESTS_JANUS_EXCHANGE_H

#include <event2/buffer.h>

#include "tests/janus/sim.h"

enum { ARGUMENTS_MAX = 6 };

struct gate;
struct route;

/* What happens to the connection behind the answer. */
enum closing { CLOSING_NOT, CLOSING_SAID, CLOSING_SILENT };

struct exchange {
    struct sim *sim;
    struct gate *gate;
    struct arrival *arrival;
    const struct route *route;
    struct text arguments[ARGUMENTS_MAX]; /* what the {} of the route's pattern matched */
    struct evbuffer *fields;              /* header lines that the route has added */
    bool recorded;
    bool answered; /* everything is written, perhaps not yet flushed */
    enum closing closing;

    /* Called whenever all that was written has been flushed, until `answered`. */
    void (*refill)(struct exchange *x);
    struct event *timer;
    void (*on_timer)(struct exchange *x);

    /* State of the knobs that stream (knobs_stream.c). */
    uint64_t offset, left;
    size_t piece;
    long every_ms;
    bool chunked;
    enum { FINALE_END, FINALE_CUT, FINALE_RESET } finale;
};

static inline const struct head *exchange_head(const struct exchange *x)
{
    return &x->arrival->head;
}

static inline unsigned long long exchange_parameter(const struct exchange *x, const char *name,
                                                    unsigned long long fallback)
{
    return query_number(exchange_head(x)->query, name, fallback);
}

#endif

#include "tests/janus/gate.h"

#include <stdlib.h>

#include <openssl/ssl.h>

#include "config/memory.h"
#include "tests/janus/intake.h"
#include "tests/janus/reply.h"
#include "tests/janus/routes.h"

/* What the input is taken for.
 *
 *   HEAD --head--> BODY --its end--> NOTHING --answer flushed--> HEAD
 *     `------ no body ----------------^
 * The answer may be flushed before the end of the body (early routes): then BODY leads to HEAD. */
enum input_state { INPUT_HEAD, INPUT_BODY, INPUT_NOTHING };

enum { INPUT_MAX = 256 * 1024 }; /* read ahead of an answer; then reading stops */

struct gate {
    struct gates *gates;
    struct gate *next, **link;
    evhtp_connection_t *connection;
    struct bufferevent *bev;
    bufferevent_data_cb library_read, library_write;
    bufferevent_event_cb library_event;
    struct event *later; /* for what must not happen inside a callback of libevhtp */
    bool secured, cutting, reset, library_busy;
    struct channel channel;
    enum input_state input;
    struct intake intake;
    struct exchange *x;
};

struct gates {
    struct sim *sim;
    struct gate *first;
};

static void advance(struct gate *gate);

static struct sim *sim_of(const struct gate *gate)
{
    return gate->gates->sim;
}

struct evbuffer *gate_output(struct exchange *x)
{
    return bufferevent_get_output(x->gate->bev);
}

/* --- the life of an exchange --- */

static void on_timer(evutil_socket_t fd, short events, void *arg)
{
    struct exchange *x = arg;

    (void)fd;
    (void)events;
    x->on_timer(x);
}

void gate_wait(struct exchange *x, long ms)
{
    struct timeval delay = { ms / 1000, ms % 1000 * 1000 };

    if (!x->timer)
        x->timer = evtimer_new(sim_of(x->gate)->base, on_timer, x);
    evtimer_add(x->timer, &delay);
}

static void begin_exchange(struct gate *gate, struct text raw)
{
    struct exchange *x = mem_alloc(1, sizeof(*x));

    gate->channel.request++;
    sim_of(gate)->stats.requests++;
    x->sim = sim_of(gate);
    x->gate = gate;
    x->arrival = arrival_new(raw, &gate->channel);
    x->fields = evbuffer_new();
    gate->x = x;
    if (!exchange_head(x)->keep_alive || x->arrival->fault)
        x->closing = CLOSING_SAID;
    routes_find(x);
}

static void end_exchange(struct gate *gate, enum arrival_end end)
{
    struct exchange *x = gate->x;

    if (!x)
        return;
    gate->x = NULL;
    if (end == ARRIVAL_ABORTED)
        sim_of(gate)->stats.aborted++;
    arrival_settle(x->arrival, end);
    arrival_unref(x->arrival);
    evbuffer_free(x->fields);
    if (x->timer)
        event_free(x->timer);
    free(x);
}

struct exchange *gate_exchange(evhtp_request_t *request)
{
    struct gate *gate = evhtp_connection_get_hooks(request->conn)->on_connection_fini_arg;

    return gate->x;
}

void gate_answered(struct exchange *x)
{
    x->answered = true;
    x->refill = NULL;
    evhtp_send_reply_end(x->gate->connection->request);
    if (evbuffer_get_length(gate_output(x)) == 0) /* then no write callback would follow */
        event_active(x->gate->later, EV_TIMEOUT, 0);
}

void gate_cut(struct exchange *x, bool reset)
{
    x->gate->cutting = true;
    x->gate->reset = reset;
    event_active(x->gate->later, EV_TIMEOUT, 0);
}

/* Shows libevhtp's parser a request that it cannot misread; its callback is the dispatcher. What
 * the client sent behind waits aside meanwhile. */
static void ask_library(struct gate *gate)
{
    static const char canonical[] = "GET / HTTP/1.1\r\n\r\n";
    struct evbuffer *input = bufferevent_get_input(gate->bev);
    struct evbuffer *aside = evbuffer_new();

    evbuffer_remove_buffer(input, aside, evbuffer_get_length(input));
    evbuffer_prepend(input, canonical, sizeof(canonical) - 1);
    gate->library_busy = true;
    gate->library_read(gate->bev, gate->connection);
    evbuffer_prepend_buffer(input, aside);
    evbuffer_free(aside);
}

static void note(struct exchange *x)
{
    if (!x->recorded && !(x->route->flags & ROUTE_CONTROL))
        record_add(x->sim->record, x->arrival);
    x->recorded = true;
}

static void ask(struct gate *gate)
{
    note(gate->x);
    ask_library(gate);
}

/* --- what arrives --- */

static bool has_body(const struct head *head)
{
    return head->chunked || head->length > 0;
}

static void end_body(struct gate *gate, bool complete)
{
    gate->input = INPUT_NOTHING;
    arrival_end_body(gate->x->arrival, complete);
    if (!complete)
        gate->x->closing = CLOSING_SAID;
    if (gate->library_busy)
        return; /* answering early, and not done yet: settle() follows */
    if (!gate->x->answered)
        ask(gate);
    else if (complete)
        event_active(gate->later, EV_TIMEOUT, 0); /* answered long ago: settle() */
    else
        gate_cut(gate->x, false);
}

static void start_body(struct gate *gate)
{
    const struct head *head = exchange_head(gate->x);
    bool early = gate->x->route->flags & ROUTE_EARLY;

    if (gate->x->arrival->fault || !has_body(head)) {
        end_body(gate, !gate->x->arrival->fault);
        return;
    }
    gate->input = INPUT_BODY;
    intake_start_body(&gate->intake, head);
    if (early)
        ask(gate);
    else if (head->expects_continue)
        reply_informational(gate->x, 100, "Continue", "");
}

/* False: more input is needed. */
static bool take_head(struct gate *gate)
{
    struct text raw = intake_head(&gate->intake, bufferevent_get_input(gate->bev));

    if (!raw.at)
        return false;
    begin_exchange(gate, raw);
    if (raw.len == HEAD_BYTES_MAX)
        gate->x->arrival->fault = "head is too large";
    if (gate->x->arrival->fault)
        routes_refuse(gate->x);
    start_body(gate);
    return true;
}

/* False: more input is needed. */
static bool take_body(struct gate *gate)
{
    struct arrival *arrival = gate->x->arrival;

    if (!intake_body(&gate->intake, bufferevent_get_input(gate->bev), arrival))
        return false;
    if (arrival->fault)
        routes_refuse(gate->x);
    end_body(gate, !arrival->fault);
    return true;
}

static void advance(struct gate *gate)
{
    bool more = true;

    while (more && gate->input != INPUT_NOTHING)
        more = gate->input == INPUT_HEAD ? take_head(gate) : take_body(gate);
    if (evbuffer_get_length(bufferevent_get_input(gate->bev)) > INPUT_MAX)
        bufferevent_disable(gate->bev, EV_READ);
}

/* --- callbacks of the connection --- */

/* Ends the exchange if it has come to its end on both sides. The gate may be gone afterwards. */
static void settle(struct gate *gate)
{
    struct exchange *x = gate->x;

    if (!x || !x->answered || evbuffer_get_length(gate_output(x)) > 0)
        return;
    x->arrival->end = ARRIVAL_ANSWERED;
    if (gate->library_busy) {
        bool closes = x->closing != CLOSING_NOT;

        gate->library_busy = false;
        if (closes)
            evhtp_request_disable_flag(gate->connection->request, EVHTP_REQ_FLAG_KEEPALIVE);
        gate->library_write(gate->bev, gate->connection); /* ends the request or the connection */
        if (closes)
            return;
    }
    if (gate->input == INPUT_BODY)
        return;
    end_exchange(gate, ARRIVAL_ANSWERED);
    gate->input = INPUT_HEAD;
    bufferevent_enable(gate->bev, EV_READ);
    advance(gate);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    (void)bev;
    advance(arg);
}

static void on_write(struct bufferevent *bev, void *arg)
{
    struct gate *gate = arg;

    /* libevhtp would close a connection on which no request has begun (after 100 Continue). */
    if (gate->x && gate->x->refill && evbuffer_get_length(bufferevent_get_output(bev)) == 0)
        gate->x->refill(gate->x);
    settle(gate);
}

static void on_later(evutil_socket_t fd, short events, void *arg)
{
    struct gate *gate = arg;
    struct linger linger = { 1, 0 };

    (void)fd;
    (void)events;
    if (!gate->cutting) {
        settle(gate);
        return;
    }
    if (gate->connection->ssl)
        SSL_set_quiet_shutdown(gate->connection->ssl, 1);
    if (gate->reset)
        setsockopt(gate->connection->sock, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    evhtp_connection_free(gate->connection);
}

static void on_secured(struct gate *gate)
{
    SSL *ssl = gate->connection->ssl;
    const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    struct stats *stats = &sim_of(gate)->stats;

    gate->secured = true;
    snprintf(gate->channel.sni, sizeof(gate->channel.sni), "%s", sni ? sni : "");
    gate->channel.tls = SSL_get_version(ssl);
    gate->channel.cipher = SSL_get_cipher_name(ssl);
    gate->channel.resumed = SSL_session_reused(ssl);
    if (gate->channel.resumed)
        stats->resumed++;
    else
        stats->full++;
}

static void on_event(struct bufferevent *bev, short events, void *arg)
{
    struct gate *gate = arg;

    if (events & BEV_EVENT_CONNECTED)
        on_secured(gate);
    else if (!gate->secured)
        sim_of(gate)->stats.failed++;
    errno = 0; /* libevhtp takes a stale EAGAIN for "not closed after all" */
    gate->library_event(bev, events, gate->connection);
}

/* libevhtp frees the connection, for whatever reason. */
static evhtp_res on_fini(evhtp_connection_t *connection, void *arg)
{
    struct gate *gate = arg;

    (void)connection;
    if (gate->x) {
        note(gate->x); /* its body never came to an end */
        end_exchange(gate, gate->x->arrival->end == ARRIVAL_ANSWERED ? ARRIVAL_ANSWERED
                                                                     : ARRIVAL_ABORTED);
    }
    sim_of(gate)->stats.open--;
    event_free(gate->later);
    *gate->link = gate->next;
    if (gate->next)
        gate->next->link = gate->link;
    free(gate);
    return EVHTP_RES_OK;
}

void gate_install(struct gates *gates, evhtp_connection_t *connection)
{
    struct gate *gate = mem_alloc(1, sizeof(*gate));

    gate->gates = gates;
    gate->next = gates->first;
    gate->link = &gates->first;
    if (gate->next)
        gate->next->link = &gate->next;
    gates->first = gate;
    gate->connection = connection;
    gate->bev = connection->bev;
    gate->later = event_new(gates->sim->base, -1, EV_PERSIST, on_later, gate);
    gate->channel = (struct channel){ .connection = ++gates->sim->stats.connections };
    gates->sim->stats.open++;
    if (!connection->ssl) { /* --plain: there is no handshake to wait for */
        gate->secured = true;
        gate->channel.tls = gate->channel.cipher = "none";
    }
    bufferevent_getcb(gate->bev, &gate->library_read, &gate->library_write, &gate->library_event,
                      NULL);
    bufferevent_setcb(gate->bev, on_read, on_write, on_event, gate);
    evhtp_connection_set_hook(connection, evhtp_hook_on_connection_fini, (evhtp_hook)on_fini, gate);
}

struct gates *gates_new(struct sim *sim)
{
    struct gates *gates = mem_alloc(1, sizeof(*gates));

    gates->sim = sim;
    return gates;
}

void gates_free(struct gates *gates)
{
    while (gates->first)
        evhtp_connection_free(gates->first->connection);
    free(gates);
}

#include "proxy/origin/origin.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/address_class.h"
#include "proxy/log.h"
#include "proxy/loop.h"
#include "proxy/origin/circuit.h"
#include "proxy/tally.h"

enum origin_state { RESOLVING, CONNECTING, HANDSHAKE, OPEN, FAILED, CLOSED };

struct origin {
    const struct origin_context *context;
    const struct origin_owner *owner;
    void *arg;
    enum origin_state state;
    bool tls;
    struct stream_socket socket;
    struct tls_stream *ssl;
    struct tls_session *session;
    struct destination destination; /* path and query are not kept */
    struct resolution *resolution;
    bool is_looked_up; /* a name, and no address */
    struct addresses addresses;
    size_t next_address;
    bool
        on_trial; /* CONNECTING or HANDSHAKE: the current address's circuit waits for what becomes of it */
    uint64_t circuit_left_ms; /* the shortest that a circuit we met stays open */
    size_t n_circuits_met;
    struct deadline deadline; /* while not OPEN */
    struct deadline attempt;  /* while CONNECTING, if another address is left to try */
    struct job job;           /* tells of a failure, later frees */
    enum outcome outcome;     /* of FAILED */
    char detail[LIMIT_DETAIL_BYTES];
    struct origin_facts facts;
    size_t asked_at; /* socket.sent, when a kept connection was taken for a request */
};

static void on_io(int fd, short what, void *arg);
static void connect_next(struct origin *origin);

/* ---- circuits ---- */

static const struct sockaddr *current_address(const struct origin *origin)
{
    return (const struct sockaddr *)&origin->addresses.items[origin->next_address - 1];
}

static void say_circuit(const struct origin *origin, uint64_t open_ms)
{
    char address[ADDRESS_TEXT_MAX];

    if (!origin->context->log)
        return;
    address_text(current_address(origin), address);
    if (open_ms)
        log_message(origin->context->log, LOG_WARNING, "circuit_open",
                    "%s at %s is left alone for %llu ms: %s", origin->destination.host, address,
                    (unsigned long long)open_ms, origin->detail);
    else
        log_message(origin->context->log, LOG_INFO, "circuit_closed", "%s at %s answers again",
                    origin->destination.host, address);
}

/* origin->detail says why. */
static void note_address_failed(struct origin *origin)
{
    if (!origin->on_trial)
        return;
    origin->on_trial = false;
    uint64_t open_ms = circuit_failed(origin->context->circuits, origin->destination.host,
                                      current_address(origin), loop_now_ms(origin->context->loop));
    if (open_ms)
        say_circuit(origin, open_ms);
}

static void note_address_works(struct origin *origin)
{
    if (!origin->on_trial)
        return;
    origin->on_trial = false;
    if (circuit_succeeded(origin->context->circuits, origin->destination.host,
                          current_address(origin)))
        say_circuit(origin, 0);
}

/* Nobody wants to know any more, or it was we who could not. */
static void note_nothing(struct origin *origin)
{
    if (!origin->on_trial)
        return;
    origin->on_trial = false;
    circuit_left(origin->context->circuits, origin->destination.host, current_address(origin));
}

static bool circuit_is_closed(struct origin *origin, const struct sockaddr *address)
{
    uint64_t left_ms;

    if (!origin->context->circuits)
        return true;
    if (circuit_allows(origin->context->circuits, origin->destination.host, address,
                       loop_now_ms(origin->context->loop), &left_ms)) {
        origin->on_trial = true;
        return true;
    }
    if (origin->n_circuits_met++ == 0 || left_ms < origin->circuit_left_ms)
        origin->circuit_left_ms = left_ms;
    return false;
}

/* ---- counting ---- */

/* Once a name; an address is none. */
static void tally_lookup(struct origin *origin, bool found)
{
    if (origin->is_looked_up)
        tally_looked_up(origin->context->tally, found, loop_now_us() - origin->facts.opened_us);
    origin->is_looked_up = false;
}

static void tally_failure(struct origin *origin, enum outcome outcome)
{
    if (origin->state == RESOLVING)
        tally_lookup(origin, outcome == OUTCOME_ADDRESS_DENIED);
    else if (origin->state == HANDSHAKE)
        tally_handshake_failed(origin->context->tally, outcome);
}

/* ---- endings ---- */

static struct origin *origin_of_job(struct job *job)
{
    return (struct origin *)(void *)((char *)job - offsetof(struct origin, job));
}

static void tell_failure(struct job *job)
{
    struct origin *origin = origin_of_job(job);

    origin->owner->failed(origin->arg, origin->outcome, origin->detail);
}

static void fail(struct origin *origin, enum outcome outcome, const char *detail)
{
    deadline_clear(&origin->deadline);
    deadline_clear(&origin->attempt);
    tally_failure(origin, outcome);
    origin->state = FAILED;
    origin->outcome = outcome;
    snprintf(origin->detail, sizeof(origin->detail), "%s", detail ? detail : "");
    note_address_failed(origin);
    origin->job.run = tell_failure;
    loop_defer(origin->context->loop, &origin->job);
}

static void free_origin(struct job *job)
{
    free(origin_of_job(job));
}

void origin_close(struct origin *origin)
{
    if (!origin)
        return;
    assert(origin->state != CLOSED);
    deadline_clear(&origin->deadline);
    deadline_clear(&origin->attempt);
    note_nothing(origin);
    resolution_cancel(origin->resolution);
    tls_end(origin->ssl);
    socket_close(&origin->socket);
    origin->state = CLOSED;
    origin->job.run = free_origin;
    loop_defer(origin->context->loop, &origin->job);
}

static void on_deadline(struct deadline *deadline)
{
    struct origin *origin =
        (struct origin *)(void *)((char *)deadline - offsetof(struct origin, deadline));

    fail(origin, OUTCOME_CONNECT_TIMEOUT,
         origin->state == RESOLVING   ? "resolving the name took too long"
         : origin->state == HANDSHAKE ? "the TLS handshake took too long"
                                      : "connecting took too long");
}

/* ---- handshake ---- */

static void become_open(struct origin *origin)
{
    deadline_clear(&origin->deadline);
    note_address_works(origin);
    origin->state = OPEN;
    origin->facts.connect_us = (unsigned)(loop_now_us() - origin->facts.opened_us);
    origin->facts.resumed = origin->ssl && tls_is_resumed(origin->ssl);
    tally_connected(origin->context->tally, origin->facts.connect_us, origin->tls,
                    origin->facts.resumed);
    origin->owner->ready(origin->arg);
}

static void shake_hands(struct origin *origin)
{
    enum outcome outcome;
    int result = tls_handshake(origin->ssl, &outcome);

    if (result == 1)
        become_open(origin);
    else if (result == TLS_FAILED)
        fail(origin, outcome, tls_trouble(origin->ssl));
}

/* ---- connecting ---- */

/* Ours, not the address's: no descriptor, no memory, no port left. */
static bool is_own_lack(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
           error == EADDRNOTAVAIL;
}

static void note_failure(struct origin *origin, int error)
{
    origin->outcome = is_own_lack(error)      ? OUTCOME_OVERLOADED
                      : error == ECONNREFUSED ? OUTCOME_CONNECT_REFUSED
                                              : OUTCOME_CONNECT_FAILED;
    snprintf(origin->detail, sizeof(origin->detail), "%s", strerror(error));
    if (is_own_lack(error))
        note_nothing(origin);
    else
        note_address_failed(origin);
}

static void try_another(struct origin *origin, int error)
{
    deadline_clear(&origin->attempt);
    socket_close(&origin->socket);
    note_failure(origin, error);
    connect_next(origin);
}

/* One address that does not answer must not use up the time of the others. */
static void on_attempt_over(struct deadline *deadline)
{
    try_another((struct origin *)(void *)((char *)deadline - offsetof(struct origin, attempt)),
                ETIMEDOUT);
}

static void on_connected(struct origin *origin)
{
    int error = 0;
    socklen_t len = sizeof(error);

    getsockopt(origin->socket.fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        try_another(origin, error);
        return;
    }
    if (!origin->socket.writable)
        return;
    deadline_clear(&origin->attempt);
    if (!origin->tls) {
        become_open(origin);
        return;
    }
    origin->state = HANDSHAKE;
    origin->ssl =
        tls_begin(origin->context->tls, &origin->destination, &origin->socket, origin->session);
    shake_hands(origin);
}

static void on_io(int fd, short what, void *arg)
{
    struct origin *origin = arg;

    (void)fd;
    socket_note(&origin->socket, what);
    if (origin->state == CONNECTING)
        on_connected(origin);
    else if (origin->state == HANDSHAKE)
        shake_hands(origin);
    else if (origin->state == OPEN)
        origin->owner->io(origin->arg);
}

/* All that is left is left alone; an address that failed just now says more than that. */
static void fail_on_circuits(struct origin *origin)
{
    char detail[sizeof(origin->detail)];

    snprintf(detail, sizeof(detail),
             origin->circuit_left_ms
                 ? "it failed again and again, and is tried again in %llu ms"
                 : "it failed again and again; another request is trying it now",
             (unsigned long long)origin->circuit_left_ms);
    fail(origin, OUTCOME_CIRCUIT_OPEN, detail);
}

/* Tries one address after the other; the last failure is the one that is told. */
static void connect_next(struct origin *origin)
{
    while (origin->next_address < origin->addresses.n) {
        const struct sockaddr_storage *address = &origin->addresses.items[origin->next_address++];
        if (!circuit_is_closed(origin, (const struct sockaddr *)address))
            continue;
        int fd = socket_connect((const struct sockaddr *)address, address->ss_family == AF_INET6
                                                                      ? sizeof(struct sockaddr_in6)
                                                                      : sizeof(struct sockaddr_in));
        if (fd >= 0) {
            origin->state = CONNECTING;
            if (!socket_watch(&origin->socket, origin->context->loop, fd, on_io, origin)) {
                socket_close(&origin->socket);
                note_failure(origin, ENOMEM);
                continue;
            }
            if (origin->next_address < origin->addresses.n)
                deadline_set(origin->context->attempts, &origin->attempt);
            return;
        }
        note_failure(origin, errno);
    }
    if (origin->n_circuits_met == origin->addresses.n) {
        fail_on_circuits(origin);
        return;
    }
    char detail[sizeof(origin->detail)];
    memcpy(detail, origin->detail, sizeof(detail));
    fail(origin, origin->outcome, detail);
}

/* ---- resolving ---- */

/* A listener on every address (0.0.0.0, ::) is behind all that are this machine's. */
static bool is_behind(const struct sockaddr *own, const struct sockaddr *address)
{
    if (address_port(own) != address_port(address))
        return false;
    return address_same_host(own, address) ||
           (address_classify(own) == ADDRESS_UNSPECIFIED && address_is_local(address));
}

static bool is_own_listener(const struct origin_context *context, const struct sockaddr *address)
{
    for (size_t i = 0; i < context->n_own; i++) {
        if (is_behind((const struct sockaddr *)&context->own[i], address))
            return true;
    }
    return false;
}

static bool may_connect(const struct origin_context *context, const struct sockaddr *address)
{
    return address_allowed(address, context->settings->allow_address,
                           context->settings->n_allow_address) &&
           !is_own_listener(context, address);
}

/* Keeps those that may be connected to, in order. What was refused is told if nothing is left. */
static void on_resolved(void *arg, const struct addresses *found, const char *why)
{
    struct origin *origin = arg;
    char refused[ADDRESS_TEXT_MAX] = "";

    origin->resolution = NULL;
    if (origin->state != RESOLVING)
        return;
    if (found->n == 0) {
        fail(origin, OUTCOME_DNS, why);
        return;
    }
    for (size_t i = 0; i < found->n; i++) {
        const struct sockaddr *address = (const struct sockaddr *)&found->items[i];
        if (may_connect(origin->context, address))
            origin->addresses.items[origin->addresses.n++] = found->items[i];
        else
            address_text(address, refused);
    }
    if (origin->addresses.n == 0) {
        fail(origin, OUTCOME_ADDRESS_DENIED, refused);
        return;
    }
    tally_lookup(origin, true);
    connect_next(origin);
}

/* --connect-to: the first rule that matches says where to connect instead. What is verified stays.
 */
static void where_to(const struct origin *origin, const char **host, uint16_t *port)
{
    const struct settings *settings = origin->context->settings;

    *host = origin->destination.host;
    *port = origin->destination.port;
    for (size_t i = 0; i < settings->n_connect_to; i++) {
        const struct connect_to *rule = &settings->connect_to[i];
        if ((rule->host[0] && strcasecmp(rule->host, *host) != 0) ||
            (rule->port && rule->port != *port))
            continue;
        if (rule->to_host[0])
            *host = rule->to_host;
        if (rule->to_port)
            *port = rule->to_port;
        return;
    }
}

struct origin *origin_open(const struct origin_context *context,
                           const struct destination *destination, struct tls_session *session,
                           const struct origin_owner *owner, void *arg)
{
    struct origin *origin = mem_alloc(1, sizeof(*origin));
    const char *host;
    uint16_t port;

    origin->context = context;
    origin->owner = owner;
    origin->arg = arg;
    origin->session = session;
    origin->tls = destination->scheme == SCHEME_HTTPS;
    origin->destination = *destination;
    origin->destination.path = origin->destination.query = TEXT_NONE;
    origin->socket.fd = -1;
    origin->outcome = OUTCOME_CONNECT_FAILED;
    origin->facts.opened_us = loop_now_us();
    origin->deadline.passed = on_deadline;
    origin->attempt.passed = on_attempt_over;
    deadline_set(context->connecting, &origin->deadline);
    where_to(origin, &host, &port);
    origin->is_looked_up = !address_of_literal(host, &(struct sockaddr_storage){ 0 });
    origin->resolution = resolve(context->resolver, host, port, on_resolved, origin);
    return origin;
}

/* ---- open ---- */

void origin_set_owner(struct origin *origin, const struct origin_owner *owner, void *arg)
{
    origin->owner = owner;
    origin->arg = arg;
}

ssize_t origin_receive(struct origin *origin, void *bytes, size_t len)
{
    if (origin->ssl)
        return tls_receive(origin->ssl, bytes, len);
    return socket_receive(&origin->socket, bytes, len);
}

ssize_t origin_send(struct origin *origin, const void *bytes, size_t len)
{
    struct iovec piece = { (void *)(uintptr_t)bytes, len };

    if (origin->ssl)
        return tls_send(origin->ssl, bytes, len);
    return socket_send(&origin->socket, &piece, 1);
}

/* Session tickets come unasked and are taken in by the read; content or an end is not quiet. */
bool origin_is_quiet(struct origin *origin)
{
    char byte;

    if (origin->state != OPEN || origin->socket.hung_up)
        return false;
    if (!origin->socket.readable && (!origin->ssl || !tls_has_pending(origin->ssl)))
        return true;
    return origin_receive(origin, &byte, 1) == ORIGIN_AGAIN;
}

bool origin_is_current(const struct origin *origin)
{
    return !origin->ssl || tls_is_current(origin->ssl);
}

const char *origin_trouble(const struct origin *origin)
{
    return origin->ssl ? tls_trouble(origin->ssl) : NULL;
}

bool origin_is_quiet_now(struct origin *origin)
{
    if (origin->state != OPEN || origin->socket.hung_up)
        return false;
    socket_look(&origin->socket);
    origin->asked_at = origin->socket.sent;
    return origin_is_quiet(origin);
}

bool origin_holds_part(const struct origin *origin)
{
    return origin->ssl && tls_has_pending(origin->ssl);
}

bool origin_spoke_early(const struct origin *origin)
{
    return socket_unacknowledged(&origin->socket) >= origin->socket.sent - origin->asked_at;
}

struct origin_facts origin_facts(const struct origin *origin)
{
    return origin->facts;
}

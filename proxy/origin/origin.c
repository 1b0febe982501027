#include "proxy/origin/origin.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/address_class.h"
#include "proxy/loop.h"

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
    struct addresses addresses;
    size_t next_address;
    struct deadline deadline; /* while not OPEN */
    struct deadline attempt;  /* while CONNECTING, if another address is left to try */
    struct job job;           /* tells of a failure, later frees */
    enum outcome outcome;     /* of FAILED */
    char detail[LIMIT_DETAIL_BYTES];
    uint64_t opened_us;
    struct origin_facts facts;
};

static void on_io(int fd, short what, void *arg);
static void connect_next(struct origin *origin);

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
    origin->state = FAILED;
    origin->outcome = outcome;
    snprintf(origin->detail, sizeof(origin->detail), "%s", detail ? detail : "");
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
    origin->state = OPEN;
    origin->facts.connect_us = (unsigned)(loop_now_us() - origin->opened_us);
    origin->facts.resumed = origin->ssl && tls_is_resumed(origin->ssl);
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

static void note_failure(struct origin *origin, int error)
{
    bool ours = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;

    origin->outcome = ours                    ? OUTCOME_OVERLOADED
                      : error == ECONNREFUSED ? OUTCOME_CONNECT_REFUSED
                                              : OUTCOME_CONNECT_FAILED;
    snprintf(origin->detail, sizeof(origin->detail), "%s", strerror(error));
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

/* Tries one address after the other; the last failure is the one that is told. */
static void connect_next(struct origin *origin)
{
    while (origin->next_address < origin->addresses.n) {
        const struct sockaddr_storage *address = &origin->addresses.items[origin->next_address++];
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
    if (origin->addresses.n == 0)
        fail(origin, OUTCOME_ADDRESS_DENIED, refused);
    else
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
    origin->opened_us = loop_now_us();
    origin->deadline.passed = on_deadline;
    origin->attempt.passed = on_attempt_over;
    deadline_set(context->connecting, &origin->deadline);
    where_to(origin, &host, &port);
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

struct origin_facts origin_facts(const struct origin *origin)
{
    return origin->facts;
}

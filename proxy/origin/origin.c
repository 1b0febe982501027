#include "proxy/origin/origin.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/memory.h"
#include "proxy/loop.h"
#include "proxy/origin/race.h"
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
    char place[HOST_MAX + 3]; /* where it leads: what --connect-to says may change meanwhile */
    struct resolution
        *resolution;          /* RESOLVING, and CONNECTING while one family is still asked for */
    struct race *race;        /* CONNECTING */
    struct trial trial;       /* of the address that won: its circuit waits until OPEN */
    struct deadline deadline; /* while not OPEN */
    struct deadline part;     /* of the state alone */
    uint64_t state_us;        /* when it began */
    struct job job;           /* tells of a failure, later frees */
    enum outcome outcome;     /* of FAILED */
    char detail[LIMIT_DETAIL_BYTES];
    struct origin_facts facts;
    size_t asked_at; /* socket.sent, when a kept connection was taken for a request */
};

/* ---- from state to state ---- */

/* What the state took that ends now. */
static void note_time(struct origin *origin)
{
    uint64_t now = loop_now_us();
    unsigned *spent = origin->state == RESOLVING    ? &origin->facts.dns_us
                      : origin->state == CONNECTING ? &origin->facts.tcp_us
                                                    : &origin->facts.tls_us;

    *spent = (unsigned)(now - origin->state_us);
    origin->facts.connect_us = (unsigned)(now - origin->facts.opened_us);
    origin->state_us = now;
}

static struct deadlines *time_of(struct deadlines *deadlines, unsigned length_ms)
{
    return length_ms ? deadlines : NULL; /* 0: it has none of its own */
}

static void enter(struct origin *origin, enum origin_state state, struct deadlines *time)
{
    note_time(origin);
    origin->state = state;
    deadline_clear(&origin->part);
    if (time)
        deadline_set(time, &origin->part);
}

/* Whatever is under way on the way to a connection. */
static void let_go(struct origin *origin)
{
    deadline_clear(&origin->part);
    resolution_cancel(origin->resolution);
    origin->resolution = NULL;
    race_free(origin->race);
    origin->race = NULL;
}

static struct origin *origin_of_job(struct job *job)
{
    return CONTAINER_OF(job, struct origin, job);
}

static void tell_failure(struct job *job)
{
    struct origin *origin = origin_of_job(job);

    origin->owner->failed(origin->arg, origin->outcome, origin->detail);
}

static void fail(struct origin *origin, enum outcome outcome, const char *detail)
{
    note_time(origin);
    deadline_clear(&origin->deadline);
    if (origin->state == HANDSHAKE)
        tally_handshake_failed(origin->context->tally, outcome);
    origin->state = FAILED;
    origin->outcome = outcome;
    snprintf(origin->detail, sizeof(origin->detail), "%s", detail ? detail : "");
    let_go(origin);
    trial_failed(&origin->trial, origin->detail);
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
    let_go(origin);
    trial_left(&origin->trial);
    tls_end(origin->ssl);
    socket_close(&origin->socket);
    origin->state = CLOSED;
    origin->job.run = free_origin;
    loop_defer(origin->context->loop, &origin->job);
}

static void fail_in_time(struct origin *origin)
{
    if (origin->state == RESOLVING) {
        fail(origin, OUTCOME_DNS_TIMEOUT, "resolving the name took too long");
    } else if (origin->state == HANDSHAKE) {
        fail(origin, OUTCOME_TLS_TIMEOUT, "the TLS handshake took too long");
    } else {
        race_stop(origin->race, "connecting took too long");
        fail(origin, OUTCOME_CONNECT_TIMEOUT, "connecting took too long");
    }
}

static void on_deadline(struct deadline *deadline)
{
    fail_in_time(CONTAINER_OF(deadline, struct origin, deadline));
}

static void on_part_over(struct deadline *deadline)
{
    fail_in_time(CONTAINER_OF(deadline, struct origin, part));
}

/* ---- handshake ---- */

static void become_open(struct origin *origin)
{
    enter(origin, OPEN, NULL);
    deadline_clear(&origin->deadline);
    trial_connected(&origin->trial);
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

static void on_io(int fd, short what, void *arg)
{
    struct origin *origin = arg;

    (void)fd;
    socket_note(&origin->socket, what);
    if (origin->state == HANDSHAKE)
        shake_hands(origin);
    else if (origin->state == OPEN)
        origin->owner->io(origin->arg);
}

/* ---- connecting ---- */

static void on_won(void *arg, int fd, const struct trial *trial)
{
    struct origin *origin = arg;

    origin->trial = *trial;
    if (!socket_watch(&origin->socket, origin->context->loop, fd, on_io, origin)) {
        socket_close(&origin->socket);
        trial_left(&origin->trial);
        fail(origin, OUTCOME_OVERLOADED, strerror(ENOMEM));
        return;
    }
    let_go(origin);
    origin->socket.writable = true;
    resolver_note_connected(origin->context->resolver, origin->place, origin_address(origin));
    if (!origin->tls) {
        become_open(origin);
        return;
    }
    enter(origin, HANDSHAKE,
          time_of(origin->context->shaking_hands, origin->context->settings->tls_ms));
    origin->ssl =
        tls_begin(origin->context->tls, &origin->destination, &origin->socket, origin->session);
    shake_hands(origin);
}

static void on_lost(void *arg, enum outcome outcome, const char *detail)
{
    fail(arg, outcome, detail);
}

static const struct race_owner race_owner = { on_won, on_lost };

/* ---- resolving ---- */

static void on_resolved(void *arg, const struct resolved *result)
{
    struct origin *origin = arg;

    if (!result->more)
        origin->resolution = NULL;
    if (result->outcome != RESOLVED) {
        fail(origin, result->outcome == RESOLVED_TOO_LATE ? OUTCOME_DNS_TIMEOUT : OUTCOME_DNS,
             result->why);
        return;
    }
    if (origin->state == RESOLVING) {
        enter(origin, CONNECTING,
              time_of(origin->context->reaching, origin->context->settings->tcp_ms));
        origin->race = race_new(origin->context, origin->destination.host, &race_owner, origin);
    }
    race_add(origin->race, result->found, result->more);
}

struct origin *origin_open(const struct origin_context *context,
                           const struct destination *destination, struct tls_session *session,
                           const struct origin_owner *owner, void *arg)
{
    struct origin *origin = mem_alloc(1, sizeof(*origin));

    origin->context = context;
    origin->owner = owner;
    origin->arg = arg;
    origin->session = session;
    origin->tls = destination->scheme == SCHEME_HTTPS;
    origin->destination = *destination;
    origin->destination.path = origin->destination.query = TEXT_NONE;
    struct origin_place place = origin_place(context, &origin->destination);
    snprintf(origin->place, sizeof(origin->place), "%s", place.host);
    origin->socket.fd = -1;
    origin->facts.opened_us = origin->state_us = loop_now_us();
    origin->deadline.passed = on_deadline;
    origin->part.passed = on_part_over;
    deadline_set(context->connecting, &origin->deadline);
    if (context->settings->dns_ms)
        deadline_set(context->resolving, &origin->part);
    origin->resolution = resolve(context->resolver, origin->place, place.port, on_resolved, origin);
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

ssize_t origin_send(struct origin *origin, const void *bytes, size_t len, bool more)
{
    struct iovec piece = { (void *)(uintptr_t)bytes, len };

    origin->socket.more = more;
    if (origin->ssl)
        return tls_send(origin->ssl, bytes, len);
    return socket_send(&origin->socket, &piece, 1);
}

void origin_push(struct origin *origin)
{
    socket_push(&origin->socket);
}

void origin_defer_wiping(struct origin *origin)
{
    if (origin->ssl)
        tls_defer_wiping(origin->ssl);
}

void origin_wipe(struct origin *origin)
{
    tls_wipe(origin->ssl);
}

void origin_note_answer(struct origin *origin)
{
    trial_answered(&origin->trial);
}

void origin_note_silence(struct origin *origin, unsigned waited_ms)
{
    trial_silent(&origin->trial, waited_ms);
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

const char *origin_why_not_quiet(const struct origin *origin)
{
    const char *trouble = origin_trouble(origin);

    return trouble && *trouble ? trouble : "it spoke or closed before it was asked";
}

bool origin_holds_part(const struct origin *origin)
{
    return origin->ssl && tls_has_pending(origin->ssl);
}

bool origin_spoke_early(const struct origin *origin)
{
    return socket_unacknowledged(&origin->socket) >= origin->socket.sent - origin->asked_at;
}

const struct sockaddr *origin_address(const struct origin *origin)
{
    return (const struct sockaddr *)&origin->trial.address;
}

struct origin_facts origin_facts(const struct origin *origin)
{
    return origin->facts;
}

/* One client connection: reads heads and lends itself to one exchange at a time. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/front_parts.h"
#include "proxy/http/held.h"
#include "proxy/peer.h"
#include "proxy/socket_unix.h"

/* Requests of one client that are begun in one turn before the others get theirs. */
enum { REQUESTS_PER_TURN = 32 };

static void read_heads(struct client *client);

/* ---- closing ---- */

static struct client *client_of_job(struct job *job)
{
    return CONTAINER_OF(job, struct client, job);
}

static void free_client(struct job *job)
{
    struct client *client = client_of_job(job);

    intake_reset(&client->intake);
    free(client->peer);
    free(client);
}

void client_close(struct client *client)
{
    struct front *front = client->front;

    assert(client->state != CLOSED);
    client->state = CLOSED;
    deadline_clear(&client->deadline);
    socket_close(&client->socket);
    LIST_REMOVE(client, link);
    client->job.run = free_client;
    loop_defer(front->loop, &client->job);
    front_client_left(front);
}

/* ---- lingering ---- */

static void read_away(struct client *client);

static void on_read_away_again(struct job *job)
{
    struct client *client = client_of_job(job);

    if (client->state == LINGERING)
        read_away(client);
}

/* Reads away what the client is still sending, until it has read our answer and closed, or LINGER_MS
 * is over: closing on unread bytes would be a reset, which may overtake the answer. */
static void read_away(struct client *client)
{
    char bytes[RELAY_BUFFER_BYTES];
    size_t moved = 0;
    ssize_t n = 1;

    while (n > 0 && moved < RELAY_TURN_BYTES) {
        n = socket_receive(&client->socket, bytes, sizeof(bytes));
        moved += n > 0 ? (size_t)n : 0;
    }
    if (n == 0 || n == SOCKET_FAILED) {
        client_close(client);
    } else if (n > 0) {
        client->job.run = on_read_away_again;
        loop_again(client->front->loop, &client->job);
    }
}

static void linger(struct client *client)
{
    client->state = LINGERING;
    intake_reset(&client->intake);
    shutdown(client->socket.fd, SHUT_WR);
    deadline_set(client->front->linger_deadlines, &client->deadline);
    read_away(client);
}

/* ---- reading heads ---- */

static void on_again(struct job *job)
{
    read_heads(client_of_job(job));
}

static void refuse(struct client *client, enum outcome outcome, const char *why)
{
    struct front *front = client->front;

    client->state = BUSY;
    deadline_clear(&client->deadline);
    void *exchange = front->handler->refuse(front->context, client, outcome, why);
    if (client->state == BUSY)
        client->exchange = exchange;
}

static enum outcome outcome_of(enum head_result result)
{
    return result == HEAD_TOO_LARGE         ? OUTCOME_HEAD_TOO_LARGE
           : result == HEAD_TARGET_TOO_LONG ? OUTCOME_TARGET_TOO_LONG
                                            : OUTCOME_BAD_REQUEST;
}

static void begin(struct client *client, size_t end)
{
    struct front *front = client->front;
    struct text raw = intake_raw(&client->intake);
    struct text bytes = { raw.at + client->scan.start, end - client->scan.start };
    const char *why;
    struct head head;

    enum head_result result = head_parse_request(bytes, &head, &why);
    if (result != HEAD_OK) {
        refuse(client, outcome_of(result), why);
        return;
    }
    intake_take_raw(&client->intake, client->scan.start);
    client->scan = (struct head_scan){ 0 };
    client->head_begun = false;
    if (client->socket.hung_up && client_has_left(client)) {
        client_close(client); /* no event will tell again */
        return;
    }
    client->state = BUSY;
    deadline_clear(&client->deadline);
    void *exchange = front->handler->begin(front->context, client, &head);
    if (client->state == BUSY)
        client->exchange = exchange;
}

/* Nothing complete is there: keep only what must be kept, and wait. */
static void wait_for_more(struct client *client)
{
    struct front *front = client->front;

    if (intake_is_empty(&client->intake)) {
        intake_reset(&client->intake);
        deadline_set(front->idle_deadlines, &client->deadline);
        front_room(front);
    } else if (!client->head_begun) {
        client->head_begun = true; /* once: a drip of bytes does not prolong it */
        deadline_set(front->head_deadlines, &client->deadline);
    }
}

static void refuse_long(struct client *client)
{
    bool in_first_line = client->scan.line == client->scan.start;

    refuse(client, in_first_line ? OUTCOME_TARGET_TOO_LONG : OUTCOME_HEAD_TOO_LARGE, NULL);
}

/* True if there may be more to read at once. */
static bool read_more(struct client *client)
{
    ssize_t n = client_receive(client);

    if (n > 0)
        return true;
    if (n == SOCKET_AGAIN)
        wait_for_more(client);
    else
        client_close(client);
    return false;
}

static bool read_one(struct client *client)
{
    const char *why;
    size_t end;
    struct text raw = intake_raw(&client->intake);
    enum head_result result = head_end(&client->scan, raw, &end, &why);

    if (result == HEAD_OK && end - client->scan.start <= LIMIT_HEAD_BYTES) {
        begin(client, end);
    } else if (result == HEAD_OK || (result == HEAD_MORE && raw.len >= LIMIT_HEAD_BYTES)) {
        refuse_long(client);
    } else if (result == HEAD_MORE && raw.len && held_is_full()) {
        refuse(client, OUTCOME_OVERLOADED, NULL); /* a head that comes in pieces waits in memory */
    } else if (result == HEAD_MORE) {
        return read_more(client);
    } else {
        refuse(client, outcome_of(result), why);
    }
    return true;
}

static void read_heads(struct client *client)
{
    client->reading = true;
    for (unsigned n = 0; client->state == IDLE; n++) {
        if (client->front->draining && intake_is_empty(&client->intake)) {
            client_close(client);
        } else if (n == REQUESTS_PER_TURN) {
            client->job.run = on_again;
            loop_again(client->front->loop, &client->job);
            break;
        } else if (!read_one(client)) {
            break;
        }
    }
    client->reading = false;
}

/* ---- events ---- */

static void on_io(int fd, short what, void *arg)
{
    struct client *client = arg;

    (void)fd;
    socket_note(&client->socket, what);
    if (client->state == IDLE)
        read_heads(client);
    else if (client->state == LINGERING)
        read_away(client);
    else if (client->state == BUSY)
        client->front->handler->io(client->exchange);
}

static void on_deadline(struct deadline *deadline)
{
    struct client *client = CONTAINER_OF(deadline, struct client, deadline);

    client_close(client);
}

/* ---- for the front ---- */

static void keep_peer(struct client *client, const struct sockaddr_storage *peer, socklen_t len)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)peer;

    struct unix_peer user = { .uid = (uid_t)-1 };

    if (peer->ss_family == AF_UNIX) {
        client->on_unix = true;
        unix_peer_of(client->socket.fd, &user);
        client->peer_id = user.uid;
        return;
    }
    client->peer_id = address_port((const struct sockaddr *)peer);
    if (peer->ss_family == AF_INET && ntohl(four->sin_addr.s_addr) == INADDR_LOOPBACK)
        return;
    client->peer = mem_alloc(1, sizeof(*client->peer));
    memcpy(client->peer, peer, len < sizeof(*peer) ? len : sizeof(*peer));
}

void client_new(struct front *front, int fd, const struct sockaddr_storage *peer, socklen_t len)
{
    struct client *client = mem_alloc(1, sizeof(*client));

    client->front = front;
    client->state = IDLE;
    client->deadline.passed = on_deadline;
    LIST_INSERT_HEAD(&front->clients, client, link);
    front->n_clients++;
    if (!socket_watch(&client->socket, front->loop, fd, on_io, client)) {
        client_close(client);
        return;
    }
    keep_peer(client, peer, len);
    deadline_set(front->idle_deadlines, &client->deadline);
}

bool client_close_idle(struct front *front)
{
    struct deadline *first = deadlines_first(front->idle_deadlines);

    if (!first)
        return false;
    client_close(CONTAINER_OF(first, struct client, deadline));
    return true;
}

void client_drop(struct client *client)
{
    if (client->state == BUSY && client->exchange)
        client->front->handler->gone(client->exchange);
    if (client->state != CLOSED)
        client_close(client);
}

/* ---- for the exchange ---- */

struct intake *client_intake(struct client *client)
{
    return &client->intake;
}

/* The intake grows only for a head that does not fit yet. */
ssize_t client_receive(struct client *client)
{
    struct intake *intake = &client->intake;
    size_t room, held = intake_raw(intake).len;
    uint32_t size = RELAY_BUFFER_BYTES;

    while (client->state == IDLE && size <= held && size < LIMIT_HEAD_BYTES)
        size *= 2;
    char *bytes = intake_room(intake, size, &room);
    if (!bytes)
        return SOCKET_AGAIN;
    ssize_t n = socket_receive(&client->socket, bytes, room);
    if (n > 0)
        intake_received(intake, (size_t)n);
    return n;
}

bool client_has_more(const struct client *client)
{
    return client->socket.readable;
}

ssize_t client_send(struct client *client, const struct iovec *pieces, int n)
{
    return socket_send(&client->socket, pieces, n);
}

bool client_keeps_up(const struct client *client)
{
    return socket_unacknowledged(&client->socket) <= CLIENT_SEND_BYTES / 2 * 3;
}

/* The real clients close on their own time-out and retry, so what they no longer wait for must not be
 * carried out at leisure. A client that only says it has nothing more to send still gets its answer. */
bool client_has_left(struct client *client)
{
    enum socket_peer peer = socket_peer(&client->socket);

    return peer == PEER_RESET || (peer == PEER_DONE && !peer_holds_its_end(client->socket.fd));
}

int client_descriptor(const struct client *client)
{
    return client->socket.fd;
}

void client_address(const struct client *client, char out[ADDRESS_TEXT_MAX])
{
    static const struct text loopback = TEXT_INIT("127.0.0.1:");

    if (client->on_unix) {
        snprintf(out, ADDRESS_TEXT_MAX, "unix:uid=%" PRId64,
                 client->peer_id == (uint32_t)-1 ? -1 : (int64_t)client->peer_id);
        return;
    }
    if (client->peer) {
        address_text((const struct sockaddr *)client->peer, out);
        return;
    }
    memcpy(out, loopback.at, loopback.len);
    out[loopback.len + text_put_uint(out + loopback.len, client->peer_id)] = '\0';
}

void client_finish(struct client *client, enum client_next next)
{
    assert(client->state == BUSY);
    client->exchange = NULL;
    if (next == CLIENT_KEEP) {
        client->state = IDLE;
        if (!client->reading)
            read_heads(client);
    } else if (next == CLIENT_LINGER) {
        linger(client);
    } else {
        socket_abort(&client->socket);
        client_close(client);
    }
}

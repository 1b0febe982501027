#include "proxy/front.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/front_parts.h"
#include "proxy/log.h"

struct listener {
    LIST_ENTRY(listener) link;
    struct front *front;
    struct event *event;
    int fd, per_turn;
};

/* ---- accepting ---- */

/* What the system has no watch for is tried again after a pause. */
static void watch_listener(struct front *front, const struct listener *listener)
{
    if (event_add(listener->event, NULL) != 0)
        deadline_set(front->pause_deadlines, &front->pause);
}

static void set_accepting(struct front *front, bool accepting)
{
    struct listener *listener;

    LIST_FOREACH(listener, &front->listeners, link) {
        if (accepting)
            watch_listener(front, listener);
        else
            event_del(listener->event);
    }
}

void front_room(struct front *front)
{
    if (front->full && !front->draining)
        set_accepting(front, true);
    front->full = false;
}

/* All are busy. Whoever knocks waits in the kernel's queue. */
static void wait_for_room(struct front *front)
{
    log_message(front->log, LOG_WARNING, "accept_paused",
                "%zu clients are connected, all of them busy", front->n_clients);
    set_accepting(front, false);
    front->full = true;
}

void front_client_left(struct front *front)
{
    front->n_clients--;
    front_room(front);
    if (front->n_clients == 0 && front->leaving)
        front->handler->emptied(front->context);
}

static void pause_accepting(struct front *front, int error)
{
    log_message(front->log, LOG_WARNING, "accept_paused", "%s", strerror(error));
    set_accepting(front, false);
    deadline_set(front->pause_deadlines, &front->pause);
}

static void on_pause_over(struct deadline *deadline)
{
    struct front *front = CONTAINER_OF(deadline, struct front, pause);

    if (!front->full && !front->draining)
        set_accepting(front, true);
}

static void on_accept(evutil_socket_t listening, short what, void *arg)
{
    const struct listener *listener = arg;
    struct front *front = listener->front;

    (void)what;
    if (front->n_clients >= front->max_clients && !client_close_idle(front)) {
        wait_for_room(front);
        return;
    }
    for (int n = 0; n < listener->per_turn; n++) {
        struct sockaddr_storage peer = { 0 };
        socklen_t len = sizeof(peer);
        int fd = accept4(listening, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            client_new(front, fd, &peer, len);
            if (front->n_clients < front->max_clients)
                continue;
            return; /* whether there is need for room, the next event tells */
        }
        int error = errno;
        if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM)
            pause_accepting(front, error);
        if (error != ECONNABORTED && error != EINTR)
            return;
    }
}

/* ---- the front ---- */

static size_t max_clients_of(struct front_limits limits)
{
    return limits.max_clients ? limits.max_clients : SIZE_MAX;
}

struct front *front_new(struct loop *loop, struct log *log, struct front_limits limits,
                        const struct front_handler *handler, void *context)
{
    struct front *front = mem_alloc(1, sizeof(*front));

    front->loop = loop;
    front->log = log;
    front->max_clients = max_clients_of(limits);
    front->handler = handler;
    front->context = context;
    front->head_deadlines = deadlines_new(loop, limits.head_ms);
    front->idle_deadlines = deadlines_new(loop, limits.idle_ms);
    front->linger_deadlines = deadlines_new(loop, LINGER_MS);
    front->pause_deadlines = deadlines_new(loop, ACCEPT_PAUSE_MS);
    front->pause.passed = on_pause_over;
    LIST_INIT(&front->clients);
    LIST_INIT(&front->listeners);
    return front;
}

void front_set_limits(struct front *front, struct front_limits limits)
{
    front->max_clients = max_clients_of(limits);
    deadlines_set_length(front->head_deadlines, limits.head_ms);
    deadlines_set_length(front->idle_deadlines, limits.idle_ms);
    if (front->n_clients < front->max_clients)
        front_room(front);
}

static void close_listeners(struct front *front)
{
    struct listener *listener;

    while ((listener = LIST_FIRST(&front->listeners))) {
        LIST_REMOVE(listener, link);
        event_free(listener->event);
        close(listener->fd);
        free(listener);
    }
}

void front_free(struct front *front)
{
    struct client *client;

    if (!front)
        return;
    close_listeners(front);
    while ((client = LIST_FIRST(&front->clients)))
        client_drop(client);
    deadlines_free(front->head_deadlines);
    deadlines_free(front->idle_deadlines);
    deadlines_free(front->linger_deadlines);
    deadlines_free(front->pause_deadlines);
    free(front);
}

void front_listen(struct front *front, int fd, bool shared)
{
    struct listener *listener = mem_alloc(1, sizeof(*listener));

    listener->front = front;
    socket_limit_sending(fd, CLIENT_SEND_BYTES);
    listener->fd = fd;
    listener->per_turn = shared ? 1 : ACCEPT_PER_TURN;
    listener->event =
        event_new(loop_base(front->loop), fd, EV_READ | EV_PERSIST, on_accept, listener);
    watch_listener(front, listener);
    LIST_INSERT_HEAD(&front->listeners, listener, link);
}

void front_leave(struct front *front)
{
    close_listeners(front);
    front->leaving = true;
    if (front->n_clients == 0)
        front->handler->emptied(front->context);
}

void front_drain(struct front *front)
{
    struct client *client, *next;

    if (front->draining)
        return;
    front->draining = true;
    front_leave(front);
    for (client = LIST_FIRST(&front->clients); client; client = next) {
        next = LIST_NEXT(client, link);
        if (client->state == IDLE && intake_is_empty(&client->intake))
            client_close(client);
    }
}

size_t front_n_clients(const struct front *front)
{
    return front->n_clients;
}

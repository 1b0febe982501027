#include "proxy/sidecar_listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/memory.h"
#include "policy/address_class.h"
#include "proxy/limits.h"
#include "proxy/socket.h"
#include "proxy/socket_systemd.h"
#include "proxy/socket_unix.h"

struct listening {
    int fd; /* -1: taken */
    struct unix_file file;
    struct sockaddr_storage bound;
    bool admin, guard, handed; /* handed: by systemd:NAME */
};

struct listeners {
    const struct settings *settings;
    struct handed_sockets *handed;
    struct listening *items;
    size_t n;
    struct sockaddr_storage *own;
    size_t n_own;
    uint16_t *ports;
    size_t n_ports;
};

/* What one address is opened with. */
struct opening {
    struct listeners *listeners;
    const struct listen_address *address;
    struct place place;
    bool admin, guard;
    struct diags *diags;
};

static void keep(const struct opening *opening, int fd, const struct unix_file *file)
{
    struct listeners *listeners = opening->listeners;
    struct listening item = { .fd = fd,
                              .file = *file,
                              .admin = opening->admin,
                              .guard = opening->guard,
                              .handed = opening->address->kind == LISTEN_SYSTEMD };
    socklen_t len = sizeof(item.bound);

    getsockname(fd, (struct sockaddr *)&item.bound, &len);
    listeners->items = mem_grow(listeners->items, listeners->n, sizeof(*listeners->items));
    listeners->items[listeners->n++] = item;
    if (item.bound.ss_family != AF_UNIX) {
        listeners->own = mem_grow(listeners->own, listeners->n_own, sizeof(*listeners->own));
        listeners->own[listeners->n_own++] = item.bound;
    }
    if (!item.admin && !item.guard) {
        listeners->ports =
            mem_grow(listeners->ports, listeners->n_ports, sizeof(*listeners->ports));
        listeners->ports[listeners->n_ports++] =
            address_host_port((const struct sockaddr *)&item.bound);
    }
}

static void open_here(const struct opening *opening)
{
    const struct listen_address *address = opening->address;
    struct unix_file file = { .fd = -1 };
    char text[ADDRESS_TEXT_MAX], why[UNIX_WHY_MAX];
    int fd;

    if (address->kind == LISTEN_UNIX) {
        fd = unix_listen(address, LISTEN_BACKLOG, &file, why);
    } else {
        fd = socket_listen(address, LISTEN_BACKLOG);
        snprintf(why, sizeof(why), "%s", strerror(errno));
    }
    address_text((const struct sockaddr *)&address->socket, text);
    if (fd < 0)
        diag_fatal(opening->diags, opening->place, "cannot listen on %s: %s", text, why);
    else
        keep(opening, fd, &file);
}

/* ---- systemd:NAME ---- */

static bool is_open_to_others(int fd)
{
    struct sockaddr_storage bound = { 0 };
    socklen_t len = sizeof(bound);

    getsockname(fd, (struct sockaddr *)&bound, &len);
    return bound.ss_family != AF_UNIX &&
           address_classify((const struct sockaddr *)&bound) != ADDRESS_LOOPBACK;
}

static void keep_handed(const struct opening *opening, int fd)
{
    static const struct unix_file none = { .fd =
                                               -1 }; /* the service manager made it, and keeps it */

    if (is_open_to_others(fd) && !opening->listeners->settings->unsafe_listen && !opening->guard)
        diag_fatal(opening->diags, opening->place,
                   "systemd:%s is not a loopback address: whoever reaches it acts as the app; "
                   "--unsafe-listen allows it",
                   opening->address->name);
    keep(opening, fd, &none);
}

static void take_handed(const struct opening *opening)
{
    struct handed_sockets *handed = opening->listeners->handed;
    const char *name = opening->address->name, *left, *why;
    size_t n = 0;
    int fd;

    for (; (fd = handed_sockets_take(handed, name, &why)) >= 0; n++) {
        keep_handed(opening, fd);
        if (opening->admin)
            return; /* there is one */
    }
    left = handed_sockets_left(handed);
    if (why)
        diag_fatal(opening->diags, opening->place, "systemd:%s cannot be used: %s", name, why);
    else if (n == 0)
        diag_fatal(opening->diags, opening->place,
                   "no socket of the name %s was handed over (LISTEN_FDNAMES); %s%s", name,
                   left[0] ? "there are: " : "there is none at all", left);
}

/* ---- all of them ---- */

static void open_one(const struct opening *opening)
{
    if (opening->address->kind == LISTEN_SYSTEMD)
        take_handed(opening);
    else
        open_here(opening);
}

struct listeners *listeners_open(const struct settings *settings, struct diags *diags)
{
    struct listeners *listeners = mem_alloc(1, sizeof(*listeners));
    struct opening opening = { .listeners = listeners, .diags = diags };
    const char *left;

    listeners->settings = settings;
    listeners->handed = handed_sockets_new();
    opening.place.file = "--listen";
    for (size_t i = 0; i < settings->n_listen; i++) {
        opening.address = &settings->listen[i];
        open_one(&opening);
    }
    opening.place.file = "--guard-listen";
    opening.guard = true;
    for (size_t i = 0; i < settings->n_guard_listen; i++) {
        opening.address = &settings->guard_listen[i];
        open_one(&opening);
    }
    opening.guard = false;
    opening.place.file = "--admin";
    opening.address = &settings->admin;
    opening.admin = true;
    open_one(&opening);
    left = handed_sockets_left(listeners->handed);
    if (left[0])
        diag_warning(diags, (struct place){ .file = "LISTEN_FDS" },
                     "sockets that were handed over and that no option names: %s", left);
    return listeners;
}

void listeners_free(struct listeners *listeners)
{
    if (!listeners)
        return;
    for (size_t i = 0; i < listeners->n; i++) {
        unix_file_remove(&listeners->items[i].file);
        if (listeners->items[i].fd >= 0)
            close(listeners->items[i].fd);
    }
    handed_sockets_free(listeners->handed);
    free(listeners->items);
    free(listeners->own);
    free(listeners->ports);
    free(listeners);
}

size_t listeners_n(const struct listeners *listeners)
{
    return listeners->n;
}

bool listeners_is_guard(const struct listeners *listeners, size_t i)
{
    return listeners->items[i].guard;
}

int listeners_take(struct listeners *listeners, size_t i)
{
    int fd = listeners->items[i].fd;

    listeners->items[i].fd = -1;
    return fd;
}

int listeners_take_another(const struct listeners *listeners, size_t i, bool *shared)
{
    const struct listening *item = &listeners->items[i];

    *shared = item->handed || item->bound.ss_family == AF_UNIX;
    return *shared ? fcntl(item->fd, F_DUPFD_CLOEXEC, 0)
                   : socket_listen_beside(item->fd, LISTEN_BACKLOG);
}

const struct sockaddr_storage *listeners_own(const struct listeners *listeners, size_t *n)
{
    *n = listeners->n_own;
    return listeners->own;
}

const uint16_t *listeners_ports(const struct listeners *listeners, size_t *n)
{
    *n = listeners->n_ports;
    return listeners->ports;
}

bool listeners_first(const struct listeners *listeners, bool admin, char *out, size_t size)
{
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < listeners->n; i++) {
        const struct listening *item = &listeners->items[i];

        if (item->admin != admin || item->guard || (!admin && item->bound.ss_family == AF_UNIX))
            continue;
        address_text((const struct sockaddr *)&item->bound, text);
        snprintf(out, size, "%s", text);
        return true;
    }
    return false;
}

static void print(const struct listening *item, const char *name, FILE *out)
{
    char text[ADDRESS_TEXT_MAX];

    address_text((const struct sockaddr *)&item->bound, text);
    fprintf(out, " %s=%s", name, text);
}

void listeners_print(const struct listeners *listeners, FILE *out)
{
    for (size_t i = 0; i < listeners->n; i++) {
        if (!listeners->items[i].guard)
            print(&listeners->items[i], listeners->items[i].admin ? "admin" : "listen", out);
    }
    for (size_t i = 0; i < listeners->n; i++) {
        if (listeners->items[i].guard)
            print(&listeners->items[i], "guard", out);
    }
}

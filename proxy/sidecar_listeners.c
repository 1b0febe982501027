#include "proxy/sidecar_listeners.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/memory.h"
#include "policy/address_class.h"
#include "proxy/handover.h"
#include "proxy/limits.h"
#include "proxy/socket.h"
#include "proxy/socket_systemd.h"
#include "proxy/socket_unix.h"

struct listening {
    int fds[HANDOVER_AT_ONE_MAX]; /* one, until they are spread */
    size_t n_sockets, n_fds;      /* those behind are copies of the first */
    size_t n_taken;
    struct unix_file file;
    struct sockaddr_storage bound;
    bool admin, guard, single; /* single: no other can stand at the same place */
};

struct listeners {
    const struct settings *settings;
    struct handed_sockets *handed;
    struct handover_taken *taken; /* of whoever ran before us; NULL: nobody did */
    struct unix_file handover_file;
    int handover; /* -1: none, or taken */
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

static void keep(const struct opening *opening, const int *fds, size_t n_fds,
                 const struct unix_file *file)
{
    struct listeners *listeners = opening->listeners;
    struct listening item = { .n_sockets = n_fds,
                              .n_fds = n_fds,
                              .file = *file,
                              .admin = opening->admin,
                              .guard = opening->guard,
                              .single = opening->address->kind != LISTEN_TCP };
    socklen_t len = sizeof(item.bound);

    memcpy(item.fds, fds, n_fds * sizeof(*fds));
    getsockname(fds[0], (struct sockaddr *)&item.bound, &len);
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

static enum handover_role role_of(bool admin, bool guard)
{
    return admin ? HANDOVER_ADMIN : guard ? HANDOVER_GUARD : HANDOVER_LISTEN;
}

/* Those that whoever ran before us has opened, or a new one; 0: `why`. */
static size_t find_sockets(const struct opening *opening, int fds[HANDOVER_AT_ONE_MAX],
                           struct unix_file *file, char why[UNIX_WHY_MAX])
{
    const struct listen_address *address = opening->address;
    size_t n = handover_adopt(opening->listeners->taken, role_of(opening->admin, opening->guard),
                              (const struct sockaddr *)&address->socket, fds);

    if (n && address->kind == LISTEN_UNIX)
        unix_adopt(address, file);
    if (n)
        return n;
    if (address->kind == LISTEN_UNIX) {
        fds[0] = unix_listen(address, LISTEN_BACKLOG, file, why);
    } else {
        fds[0] = socket_listen(address, LISTEN_BACKLOG);
        snprintf(why, UNIX_WHY_MAX, "%s", strerror(errno));
    }
    return fds[0] >= 0;
}

static void open_here(const struct opening *opening)
{
    struct unix_file file = { .fd = -1 };
    char text[ADDRESS_TEXT_MAX], why[UNIX_WHY_MAX];
    int fds[HANDOVER_AT_ONE_MAX];
    size_t n = find_sockets(opening, fds, &file, why);

    address_text((const struct sockaddr *)&opening->address->socket, text);
    if (n == 0)
        diag_fatal(opening->diags, opening->place, "cannot listen on %s: %s", text, why);
    else
        keep(opening, fds, n, &file);
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
    keep(opening, &fd, 1, &none);
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

/* ---- --handover ---- */

static void open_handover(struct listeners *listeners, struct diags *diags)
{
    const struct place place = { .file = "--handover" };
    const char *path = listeners->settings->handover, *why;
    char text[ADDRESS_TEXT_MAX], reason[UNIX_WHY_MAX];
    struct listen_address address;
    int fds[HANDOVER_AT_ONE_MAX];

    snprintf(text, sizeof(text), "unix:%s", path);
    if (strlen(path) >= ADDRESS_TEXT_MAX - sizeof("unix:") ||
        !listen_address_parse(text_of(text), &address, &why)) {
        diag_fatal(diags, place, "must be a path of 107 bytes at most, without a comma");
        return;
    }
    if (handover_adopt(listeners->taken, HANDOVER_SELF, (const struct sockaddr *)&address.socket,
                       fds)) {
        listeners->handover = fds[0];
        unix_adopt(&address, &listeners->handover_file);
        return;
    }
    listeners->handover = unix_listen(&address, 1, &listeners->handover_file, reason);
    if (listeners->handover < 0)
        diag_fatal(diags, place, "cannot listen on %s: %s", text, reason);
}

int listeners_take_handover(struct listeners *listeners)
{
    int fd = listeners->handover;

    listeners->handover = -1;
    return fd;
}

void listeners_give(const struct listeners *listeners, int channel)
{
    for (size_t i = 0; i < listeners->n; i++) {
        const struct listening *item = &listeners->items[i];

        handover_give(channel, role_of(item->admin, item->guard), item->fds, item->n_sockets);
    }
}

void listeners_let_go(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->n; i++)
        unix_file_let_go(&listeners->items[i].file);
    unix_file_let_go(&listeners->handover_file);
}

void listeners_ready(struct listeners *listeners)
{
    handover_ready(listeners->taken);
    handover_taken_free(listeners->taken);
    listeners->taken = NULL;
}

/* ---- all of them ---- */

static void open_one(const struct opening *opening)
{
    if (opening->address->kind == LISTEN_SYSTEMD)
        take_handed(opening);
    else
        open_here(opening);
}

static void open_each(struct opening *opening, const char *option,
                      const struct listen_address *addresses, size_t n)
{
    opening->place.file = option;
    for (size_t i = 0; i < n; i++) {
        opening->address = &addresses[i];
        open_one(opening);
    }
}

struct listeners *listeners_open(const struct settings *settings, struct diags *diags)
{
    struct listeners *listeners = mem_alloc(1, sizeof(*listeners));
    struct opening clients = { .listeners = listeners, .diags = diags };
    struct opening guard = { .listeners = listeners, .diags = diags, .guard = true };
    struct opening admin = { .listeners = listeners, .diags = diags, .admin = true };
    const char *left;

    listeners->settings = settings;
    listeners->handed = handed_sockets_new();
    listeners->handover = listeners->handover_file.fd = -1;
    if (settings->handover)
        listeners->taken = handover_take(settings->handover);
    open_each(&clients, "--listen", settings->listen, settings->n_listen);
    open_each(&guard, "--guard-listen", settings->guard_listen, settings->n_guard_listen);
    open_each(&admin, "--admin", &settings->admin, 1);
    if (settings->handover)
        open_handover(listeners, diags);
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
        for (size_t k = listeners->items[i].n_taken; k < listeners->items[i].n_fds; k++)
            close(listeners->items[i].fds[k]);
    }
    unix_file_remove(&listeners->handover_file);
    if (listeners->handover >= 0)
        close(listeners->handover);
    handover_taken_free(listeners->taken);
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

int listeners_take(struct listeners *listeners, size_t i, size_t k)
{
    assert(k == listeners->items[i].n_taken);
    listeners->items[i].n_taken++;
    return listeners->items[i].fds[k];
}

static int open_another(struct listening *item)
{
    bool copies = item->single || item->n_fds > item->n_sockets;
    int fd = copies ? -1 : socket_listen_beside(item->fds[0], LISTEN_BACKLOG);

    if (fd < 0)
        return fcntl(item->fds[0], F_DUPFD_CLOEXEC, 0);
    item->n_sockets++;
    return fd;
}

size_t listeners_spread(struct listeners *listeners, size_t i, size_t n, bool *shared)
{
    struct listening *item = &listeners->items[i];

    for (int fd; item->n_fds < n && (fd = open_another(item)) >= 0;)
        item->fds[item->n_fds++] = fd;
    *shared = item->n_fds > item->n_sockets;
    return item->n_fds;
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

/* The limit: the same bytes through the same TLS, with no HTTP at all. Each plaintext connection has one
 * TLS connection to the origin for its life. So that the bytes are the same, what a client sends gets one
 * more line behind its first: as long as the header that a proxy adds.
 *
 *   pump --origin PORT --name HOST --ca FILE --add LINE       prints its port */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/wire.h"

enum { ROOM = 16 * 1024, EVENTS = 256 };

struct pair;
struct side {
    struct pair *pair; /* NULL: the listener */
    int fd;
};
struct pair {
    struct side client, origin;
    SSL *ssl;
    bool over;
};

static int epoll;
static char bytes[ROOM];
static const char *added;
static size_t added_len;

static void end_pair(struct pair *pair)
{
    if (pair->over)
        return;
    pair->over = true; /* never freed: an event of its other side may stand in the same batch */
    close(pair->client.fd);
    close(pair->origin.fd);
    SSL_free(pair->ssl);
}

static void await(int fd, short what)
{
    struct pollfd one = { .fd = fd, .events = what };

    poll(&one, 1, -1);
}

/* Both peers always read, so waiting here for room cannot last. */
static bool send_all(int fd, const char *from, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, from, n, MSG_NOSIGNAL);
        if (sent < 0)
            await(fd, POLLOUT);
        else {
            from += sent;
            n -= (size_t)sent;
        }
    }
    return true;
}

static bool encrypt_all(SSL *ssl, int fd, int n)
{
    int sent;

    while ((sent = SSL_write(ssl, bytes, n)) <= 0) {
        if (SSL_get_error(ssl, sent) != SSL_ERROR_WANT_WRITE)
            return false;
        await(fd, POLLOUT);
    }
    return true;
}

static void pump_up(struct pair *pair)
{
    ssize_t n = recv(pair->client.fd, bytes, sizeof bytes - added_len - 2, 0);
    char *lf = n > 0 ? memchr(bytes, '\n', (size_t)n) : NULL;

    if (lf && added_len) {
        memmove(lf + 1 + added_len + 2, lf + 1, (size_t)(bytes + n - lf - 1));
        memcpy(lf + 1, added, added_len);
        memcpy(lf + 1 + added_len, "\r\n", 2);
        n += (ssize_t)added_len + 2;
    }
    if (n <= 0 || !encrypt_all(pair->ssl, pair->origin.fd, (int)n))
        end_pair(pair);
}

static void pump_down(struct pair *pair)
{
    do {
        int n = SSL_read(pair->ssl, bytes, sizeof bytes);
        if (n <= 0) {
            if (SSL_get_error(pair->ssl, n) != SSL_ERROR_WANT_READ)
                end_pair(pair);
            return;
        }
        send_all(pair->client.fd, bytes, (size_t)n);
    } while (SSL_has_pending(pair->ssl));
}

static SSL *connect_tls(SSL_CTX *context, int fd, const char *name)
{
    SSL *ssl = SSL_new(context);
    int result;

    SSL_set_tlsext_host_name(ssl, name);
    SSL_set1_host(ssl, name);
    SSL_set_fd(ssl, fd);
    while ((result = SSL_connect(ssl)) != 1) {
        if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
            wire_die("handshake");
        await(fd, POLLIN);
    }
    return ssl;
}

static SSL_CTX *context_new(const char *ca)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (SSL_CTX_load_verify_file(context, ca) != 1)
        wire_die(ca);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_read_ahead(context, 1);
    return context;
}

int main(int argc, char **argv)
{
    SSL_CTX *context = context_new(wire_option(argc, argv, "--ca", "ca.pem"));
    const char *name = wire_option(argc, argv, "--name", "");
    uint16_t port, origin = (uint16_t)wire_number(argc, argv, "--origin", 0);
    struct side listener = { .fd = wire_listen(&port) };
    struct epoll_event events[EVENTS];

    added = wire_option(argc, argv, "--add", "");
    added_len = strlen(added);
    signal(SIGPIPE, SIG_IGN);
    wire_many_files();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    wire_watch(epoll, listener.fd, EPOLLIN, &listener);
    printf("%u\n", port);
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct side *side = events[i].data.ptr;
            int fd;
            if (side->pair && !side->pair->over)
                (side == &side->pair->client ? pump_up : pump_down)(side->pair);
            while (!side->pair && (fd = wire_accept(listener.fd)) >= 0) {
                struct pair *pair = calloc(1, sizeof *pair);
                pair->client = (struct side){ pair, fd };
                pair->origin = (struct side){ pair, wire_connect(origin) };
                pair->ssl = connect_tls(context, pair->origin.fd, name);
                wire_watch(epoll, pair->client.fd, EPOLLIN, &pair->client);
                wire_watch(epoll, pair->origin.fd, EPOLLIN, &pair->origin);
            }
        }
    }
}

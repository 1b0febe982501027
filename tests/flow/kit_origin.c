#include "tests/flow/kit_origin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/flow/kit_bytes.h"
#include "tests/flow/kit_wait.h"
#include "tests/unit/stories.h"

enum { BACKLOG = 128, PIECE = 16 * 1024 };

struct origin_conn {
    LIST_ENTRY(origin_conn) link;
    SSL *ssl; /* NULL without TLS */
    int fd;   /* -1: we have left */
    bool resumed;
    enum ending ending;
    struct bytes seen;
    size_t at;  /* of seen: up to here the test has read */
    char *kept; /* what was last lent out */
};

struct origin {
    SSL_CTX *context; /* NULL without TLS */
    int fd;
    uint16_t port;
    unsigned n_accepted;
    LIST_HEAD(, origin_conn) conns;
};

/* ---- the listener
 * ---------------------------------------------------------------------------------- */

/* The port has the same place in both kinds of address. */
union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

/* NULL if there is no such address. */
static struct origin *listen_at(union address address, SSL_CTX *context)
{
    struct origin *origin = calloc(1, sizeof(*origin));
    socklen_t len = sizeof(address);

    assert_non_null(origin);
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write() */
    LIST_INIT(&origin->conns);
    origin->context = context;
    origin->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(origin->fd, &address.any, len) != 0) {
        origin_free(origin);
        return NULL;
    }
    assert_int_equal(listen(origin->fd, BACKLOG), 0);
    getsockname(origin->fd, &address.any, &len);
    origin->port = ntohs(address.four.sin_port);
    return origin;
}

static struct origin *listen_on_loopback(SSL_CTX *context)
{
    union address address = { .four = { .sin_family = AF_INET,
                                        .sin_addr = { htonl(INADDR_LOOPBACK) } } };
    struct origin *origin = listen_at(address, context);

    assert_non_null(origin);
    return origin;
}

struct origin *origin_new(enum certificate_kind kind)
{
    return listen_on_loopback(certificate_context(kind));
}

struct origin *origin_new_plain(void)
{
    return listen_on_loopback(NULL);
}

struct origin *origin_new_beside(uint16_t port)
{
    union address address = { .four = { .sin_family = AF_INET,
                                        .sin_port = htons(port),
                                        .sin_addr = { htonl(INADDR_LOOPBACK + 1) } } };

    return listen_at(address, NULL);
}

struct origin *origin_new_plain6(uint16_t port)
{
    union address address = { .six = { .sin6_family = AF_INET6,
                                       .sin6_port = htons(port),
                                       .sin6_addr = IN6ADDR_LOOPBACK_INIT } };

    return listen_at(address, NULL);
}

void origin_serve(struct origin *origin, SSL_CTX *context)
{
    SSL_CTX_free(origin->context); /* connections hold theirs */
    origin->context = context;
}

void origin_deafen(const struct origin *origin, bool deaf)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = { 1, &nothing };

    assert_int_equal(setsockopt(origin->fd, SOL_SOCKET, deaf ? SO_ATTACH_FILTER : SO_DETACH_FILTER,
                                &filter, sizeof(filter)),
                     0);
}

uint16_t origin_port(const struct origin *origin)
{
    return origin->port;
}

int origin_listening(const struct origin *origin)
{
    return origin->fd;
}

static void leave(struct origin_conn *conn)
{
    if (conn->fd < 0)
        return;
    SSL_free(conn->ssl);
    conn->ssl = NULL;
    close(conn->fd);
    conn->fd = -1;
}

void origin_free(struct origin *origin)
{
    struct origin_conn *conn;

    if (!origin)
        return;
    while ((conn = LIST_FIRST(&origin->conns))) {
        LIST_REMOVE(conn, link);
        leave(conn);
        bytes_free(&conn->seen);
        free(conn->kept);
        free(conn);
    }
    close(origin->fd);
    SSL_CTX_free(origin->context);
    free(origin);
}

/* ---- connections
 * ----------------------------------------------------------------------------------- */

static bool shake_hands(struct origin_conn *conn)
{
    int result;

    do {
        ERR_clear_error();
        result = SSL_accept(conn->ssl);
    } while (result != 1 && stream_await(conn->fd, conn->ssl, result, "the handshake"));
    return result == 1;
}

struct origin_conn *origin_connected(struct origin *origin)
{
    struct origin_conn *conn = calloc(1, sizeof(*conn));

    assert_non_null(conn);
    conn->fd = -1;
    LIST_INSERT_HEAD(&origin->conns, conn, link);
    wait_for(origin->fd, POLLIN, "a connection to the origin");
    conn->fd = accept4(origin->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(conn->fd >= 0);
    bytes_add(&conn->seen, "", 0);
    origin->n_accepted++;
    if (origin->context) {
        conn->ssl = stream_tls(origin->context, conn->fd);
    }
    return conn;
}

struct origin_conn *origin_accept(struct origin *origin)
{
    struct origin_conn *conn = origin_connected(origin);

    if (conn->ssl)
        origin_shake_hands(conn);
    return conn;
}

void origin_shake_hands(struct origin_conn *conn)
{
    if (!shake_hands(conn))
        fail_msg("the handshake failed: %s", ERR_reason_error_string(ERR_peek_error()));
    conn->resumed = SSL_session_reused(conn->ssl);
}

SSL *origin_tls(const struct origin_conn *conn)
{
    return conn->ssl;
}

void origin_accept_failing(struct origin *origin)
{
    struct origin_conn *conn = origin_connected(origin);
    char byte;

    /* With TLS 1.3 the server is done before the client has judged the certificate. */
    if (shake_hands(conn)) {
        int result;
        do {
            ERR_clear_error();
            result = SSL_read(conn->ssl, &byte, 1);
        } while (result <= 0 && stream_await(conn->fd, conn->ssl, result, "the client's verdict"));
        if (result > 0)
            fail_msg("the handshake succeeded, and bytes came");
    }
    leave(conn);
}

void origin_untouched(const struct origin *origin)
{
    struct pollfd one = { .fd = origin->fd, .events = POLLIN };

    if (poll(&one, 1, 0) != 0)
        fail_msg("somebody connected to the origin");
}

unsigned origin_accepted(const struct origin *origin)
{
    return origin->n_accepted;
}

bool origin_resumed(const struct origin_conn *conn)
{
    return conn->resumed;
}

const char *origin_server_name(const struct origin_conn *conn)
{
    return SSL_get_servername(conn->ssl, TLSEXT_NAMETYPE_host_name);
}

/* ---- listening
 * ------------------------------------------------------------------------------------- */

/* Takes what comes next; false when the peer has left. */
static bool fill(struct origin_conn *conn, const char *what)
{
    assert_true(conn->fd >= 0);
    while (conn->ending == ENDING_NONE) {
        size_t n = origin_take(conn, bytes_room(&conn->seen, PIECE), PIECE);
        conn->seen.n += n;
        conn->seen.at[conn->seen.n] = '\0';
        if (n > 0)
            return true;
        if (conn->ending == ENDING_NONE)
            wait_for(conn->fd, POLLIN, what);
    }
    return false;
}

static void need(struct origin_conn *conn, const char *what)
{
    if (!fill(conn, what))
        fail_msg("the peer left; the origin waited for %s, and has:\n%s", what,
                 conn->seen.at + conn->at);
}

static const char *lend(struct origin_conn *conn, size_t n)
{
    free(conn->kept);
    conn->kept = text_copy(conn->seen.at + conn->at, n);
    conn->at += n;
    return conn->kept;
}

const char *origin_head(struct origin_conn *conn)
{
    const char *end;

    while (!(end = strstr(conn->seen.at + conn->at, "\r\n\r\n")))
        need(conn, "a head");
    return lend(conn, (size_t)(end + 4 - (conn->seen.at + conn->at)));
}

const char *origin_bytes(struct origin_conn *conn, size_t n)
{
    while (conn->seen.n - conn->at < n)
        need(conn, "a body");
    return lend(conn, n);
}

/* A line without its CRLF, taken. */
static char *take_line(struct origin_conn *conn)
{
    const char *end;

    while (!(end = strstr(conn->seen.at + conn->at, "\r\n")))
        need(conn, "a line of a chunked body");
    char *line = text_copy(conn->seen.at + conn->at, (size_t)(end - (conn->seen.at + conn->at)));
    conn->at += strlen(line) + 2;
    return line;
}

static size_t take_chunk_size(struct origin_conn *conn)
{
    char *line = take_line(conn), *rest;
    size_t size = strtoul(line, &rest, 16);

    if (rest == line || *rest)
        fail_msg("not a chunk's size: %s", line);
    free(line);
    return size;
}

const char *origin_chunked(struct origin_conn *conn, size_t *n)
{
    struct bytes body = { 0 };
    size_t size;

    bytes_add(&body, "", 0);
    while ((size = take_chunk_size(conn)) > 0) {
        bytes_add(&body, origin_bytes(conn, size), size);
        assert_string_equal(origin_bytes(conn, 2), "\r\n");
    }
    assert_string_equal(origin_bytes(conn, 2), "\r\n"); /* no trailers */
    if (n)
        *n = body.n;
    free(conn->kept);
    return conn->kept = body.at;
}

enum ending origin_await_end(struct origin_conn *conn)
{
    while (fill(conn, "the peer's end"))
        ;
    return conn->ending;
}

size_t origin_unread(const struct origin_conn *conn)
{
    return conn->seen.n - conn->at;
}

/* ---- speaking
 * -------------------------------------------------------------------------------------- */

size_t origin_offer(struct origin_conn *conn, const void *bytes, size_t n)
{
    size_t sent;

    if (!stream_offer(conn->fd, conn->ssl, bytes, n, &sent))
        fail_msg("the origin cannot send: the peer has left");
    return sent;
}

void origin_send(struct origin_conn *conn, const void *bytes, size_t n)
{
    const char *at = bytes;

    while (n > 0) {
        size_t sent = origin_offer(conn, at, n);
        at += sent;
        n -= sent;
        if (n > 0 && sent == 0)
            wait_for(conn->fd, POLLOUT, "room to send to the sidecar");
    }
}

void origin_say(struct origin_conn *conn, const char *text)
{
    origin_send(conn, text, strlen(text));
}

size_t origin_take(struct origin_conn *conn, void *bytes, size_t room)
{
    return stream_take(conn->fd, conn->ssl, bytes, room, &conn->ending);
}

int origin_fd(const struct origin_conn *conn)
{
    return conn->fd;
}

bool origin_has_pending(const struct origin_conn *conn)
{
    return conn->ssl && SSL_has_pending(conn->ssl);
}

/* ---- leaving
 * --------------------------------------------------------------------------------------- */

void origin_close(struct origin_conn *conn)
{
    ERR_clear_error();
    if (conn->ssl)
        SSL_shutdown(conn->ssl);
    leave(conn);
}

void origin_cut(struct origin_conn *conn)
{
    leave(conn);
}

void origin_reset(struct origin_conn *conn)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    leave(conn);
}

/* Once the peer's own end has come, it cannot use the connection for the next request any more. */
static void settle(struct origin_conn *conn)
{
    if (conn->ssl && SSL_is_init_finished(conn->ssl)) {
        ERR_clear_error();
        SSL_shutdown(conn->ssl);
    }
    shutdown(conn->fd, SHUT_WR);
    origin_await_end(conn);
    leave(conn);
}

void origin_settle(struct origin *origin)
{
    struct origin_conn *conn;
    int fd;

    while ((fd = accept4(origin->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        close(fd); /* the test failed before it took it */

    LIST_FOREACH(conn, &origin->conns, link) {
        if (conn->fd >= 0)
            settle(conn);
    }
}

/* The origin behind every proxy that is measured: TLS on loopback, bodies of stated sizes, nothing dear.
 *
 *   bench_origin DIR        writes DIR/ca.pem, prints "PORT PORT": the second resumes no session
 *
 *   /.../b/N   N bytes with a Content-Length       /.../c/N   the same, chunked
 *   /.../x/N   as b, then it closes                 a request's body is read and forgotten */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/wire.h"

enum { RECORD = 16 * 1024, HEAD_MAX = 8 * 1024, EVENTS = 256 };

struct connection {
    int fd;
    SSL *ssl; /* NULL: a listener */
    SSL_CTX *context;
    char in[HEAD_MAX + 1];
    size_t in_len;
    uint64_t body_left; /* of the request */
    bool body_chunked;
    uint64_t left; /* of the response's body */
    bool answering, chunked, closes, watches_write;
    char head[512];
    size_t head_len;
    char out[RECORD];
    size_t out_len;
};

static int epoll;
static char filler[RECORD];

/* ---- certificates ---- */

static X509 *draft(EVP_PKEY *key, const char *name, const char *extension, int id)
{
    X509 *made = X509_new();
    X509_EXTENSION *more = X509V3_EXT_conf_nid(NULL, NULL, id, extension);

    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), id);
    X509_gmtime_adj(X509_getm_notBefore(made), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made), 86400);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_add_ext(made, more, -1);
    X509_EXTENSION_free(more);
    return made;
}

/* An authority and what it signed for every host that the bench asks for. */
static void make_certificate(SSL_CTX *contexts[2], const char *folder)
{
    EVP_PKEY *authority_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *authority = draft(authority_key, "bench", "critical,CA:TRUE", NID_basic_constraints);
    X509 *leaf = draft(key, "origin", "DNS:*.vtexcommercestable.com.br", NID_subject_alt_name);
    char path[4096];

    X509_set_issuer_name(authority, X509_get_subject_name(authority));
    X509_sign(authority, authority_key, EVP_sha256());
    X509_set_issuer_name(leaf, X509_get_subject_name(authority));
    X509_sign(leaf, authority_key, EVP_sha256());
    for (int i = 0; i < 2; i++) {
        SSL_CTX_use_certificate(contexts[i], leaf);
        SSL_CTX_use_PrivateKey(contexts[i], key);
    }
    snprintf(path, sizeof path, "%s/ca.pem", folder);
    FILE *file = fopen(path, "we");
    if (!file || PEM_write_X509(file, authority) != 1 || fclose(file) != 0)
        wire_die(path);
}

static SSL_CTX *context_new(bool resumes)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"bench", 5);
    SSL_CTX_set_num_tickets(context, resumes ? 1 : 0);
    if (!resumes) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    }
    return context;
}

/* ---- connections ---- */

/* What OpenSSL says of this one must not be taken for the next one's. */
static void end_connection(struct connection *c)
{
    SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    ERR_clear_error();
    close(c->fd);
    free(c);
}

static void watch_write(struct connection *c, bool watches)
{
    if (c->watches_write == watches)
        return;
    c->watches_write = watches;
    wire_rewatch(epoll, c->fd, watches ? EPOLLIN | EPOLLOUT : EPOLLIN, c);
}

static bool wants(SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);

    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* ---- answering ---- */

static void stage(struct connection *c, const void *bytes, size_t n)
{
    memcpy(c->out + c->out_len, bytes, n);
    c->out_len += n;
}

/* Head and as much of the body as one record holds. */
static void fill(struct connection *c)
{
    char line[32];

    stage(c, c->head, c->head_len);
    c->head_len = 0;
    size_t room = RECORD - c->out_len - 64;
    size_t n = c->left < room ? (size_t)c->left : room;
    if (c->chunked && n)
        stage(c, line, (size_t)snprintf(line, sizeof line, "%zx\r\n", n));
    stage(c, filler, n);
    c->left -= n;
    if (c->chunked && n)
        stage(c, "\r\n", 2);
    if (c->chunked && !c->left)
        stage(c, "0\r\n\r\n", 5);
}

/* False if the connection has ended. */
static bool answer(struct connection *c)
{
    while (c->answering) {
        if (!c->out_len)
            fill(c);
        int n = SSL_write(c->ssl, c->out, (int)c->out_len);
        if (n <= 0 && wants(c->ssl, n)) {
            watch_write(c, true);
            return true;
        }
        if (n <= 0)
            break;
        c->out_len -= (size_t)n;
        memmove(c->out, c->out + n, c->out_len);
        if (!c->out_len && !c->left) {
            c->answering = false;
            watch_write(c, false);
            if (!c->closes)
                return true;
        }
    }
    if (!c->answering && !c->closes)
        return true;
    end_connection(c);
    return false;
}

static void begin_answer(struct connection *c, const char *target)
{
    const char *end = strchr(target, ' '), *last = memrchr(target, '/', (size_t)(end - target));
    char kind = last[-1], length[64];

    c->left = strtoull(last + 1, NULL, 10);
    c->chunked = kind == 'c';
    c->closes = kind == 'x';
    c->answering = true;
    snprintf(length, sizeof length,
             c->chunked ? "Transfer-Encoding: chunked" : "Content-Length: %llu",
             (unsigned long long)c->left);
    c->head_len = (size_t)snprintf(c->head, sizeof c->head,
                                   "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
                                   "Content-Type: application/json; charset=utf-8\r\n%s\r\n"
                                   "Server: origin\r\nCache-Control: no-cache\r\n"
                                   "x-request-id: 7c2f3b1e9a4d4f0c8e6b5a4d3c2b1a09\r\n"
                                   "%s\r\n",
                                   length, c->closes ? "Connection: close\r\n" : "");
}

/* ---- requests ---- */

static void take(struct connection *c, size_t n)
{
    c->in_len -= n;
    memmove(c->in, c->in + n, c->in_len);
    c->in[c->in_len] = '\0';
}

/* True when the body is over; its bytes are taken. A chunked one ends where its last chunk stands. */
static bool body_is_over(struct connection *c)
{
    if (c->body_chunked) {
        char *end = memmem(c->in, c->in_len, "0\r\n\r\n", 5);
        if (!end)
            take(c, c->in_len > 4 ? c->in_len - 4 : 0);
        else
            take(c, (size_t)(end + 5 - c->in));
        c->body_chunked = !end;
        return end != NULL;
    }
    size_t n = c->in_len < c->body_left ? c->in_len : (size_t)c->body_left;
    take(c, n);
    c->body_left -= n;
    return c->body_left == 0;
}

/* True if a whole request is there and its answer begins. */
static bool read_request(struct connection *c)
{
    char *end = c->head_len ? NULL : strstr(c->in, "\r\n\r\n");
    const char *length;

    if (!c->head_len && !end)
        return false;
    if (end) {
        end[2] = '\0';
        begin_answer(c, strchr(c->in, ' ') + 1);
        c->answering = false;
        length = strcasestr(c->in, "\r\ncontent-length:");
        c->body_left = length ? strtoull(length + 17, NULL, 10) : 0;
        c->body_chunked = strcasestr(c->in, "\r\ntransfer-encoding:") != NULL;
        take(c, (size_t)(end + 4 - c->in));
    }
    c->answering = body_is_over(c);
    return c->answering;
}

static void serve(struct connection *c)
{
    int n;

    if (c->answering && !answer(c))
        return;
    do {
        n = SSL_read(c->ssl, c->in + c->in_len, (int)(HEAD_MAX - c->in_len));
        if (n <= 0) {
            if (!wants(c->ssl, n))
                end_connection(c);
            return;
        }
        c->in_len += (size_t)n;
        c->in[c->in_len] = '\0';
        if (!c->answering && read_request(c) && !answer(c))
            return;
    } while (SSL_has_pending(c->ssl));
}

static void accept_all(struct connection *listener)
{
    int fd;

    while ((fd = wire_accept(listener->fd)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        c->fd = fd;
        c->ssl = SSL_new(listener->context);
        SSL_set_fd(c->ssl, fd);
        SSL_set_accept_state(c->ssl);
        wire_watch(epoll, fd, EPOLLIN, c);
    }
}

static void fill_filler(void)
{
    static const char row[] =
        "{\"id\":\"000017\",\"name\":\"Blue shirt\",\"price\":19.9,\"ok\":true},\n";

    for (size_t i = 0; i < sizeof filler; i++)
        filler[i] = row[i % (sizeof row - 1)];
}

int main(int argc, char **argv)
{
    static struct connection listeners[2];
    SSL_CTX *contexts[2] = { context_new(true), context_new(false) };
    struct epoll_event events[EVENTS];
    uint16_t ports[2];

    signal(SIGPIPE, SIG_IGN);
    wire_many_files();
    fill_filler();
    make_certificate(contexts, argc > 1 ? argv[1] : ".");
    epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        listeners[i].fd = wire_listen(&ports[i]);
        listeners[i].context = contexts[i];
        wire_watch(epoll, listeners[i].fd, EPOLLIN, &listeners[i]);
    }
    printf("%u %u\n", ports[0], ports[1]);
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->ssl)
                serve(c);
            else
                accept_all(c);
        }
    }
}

#include "tests/flow/kit_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/flow/kit_wait.h"
#include "tests/unit/stories.h"

enum { PIECE = 64 * 1024 };

struct client {
    LIST_ENTRY(client) link;
    int fd;
    SSL *ssl; /* NULL without TLS */
    enum ending ending;
    struct bytes seen;
    size_t at; /* of seen: up to here responses were read */
    struct response response;
    char *kept;
};

static LIST_HEAD(, client) clients = LIST_HEAD_INITIALIZER(clients);

/* ---- connections
 * ----------------------------------------------------------------------------------- */

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons(port),
                                 .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static struct client *connected(const struct sockaddr *address, socklen_t len)
{
    struct client *client = calloc(1, sizeof(*client));

    assert_non_null(client);
    client->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bytes_add(&client->seen, "", 0);
    LIST_INSERT_HEAD(&clients, client, link);
    if (connect(client->fd, address, len) != 0 && errno != EINPROGRESS)
        fail_msg("cannot connect to the sidecar: %s", strerror(errno));
    wait_for(client->fd, POLLOUT, "a connection to the sidecar");
    return client;
}

struct client *client_new(uint16_t port)
{
    struct sockaddr_in address = loopback(port);

    return connected((struct sockaddr *)&address, sizeof(address));
}

static struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    assert_true(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    return address;
}

struct client *client_new_unix(const char *path)
{
    struct sockaddr_un address = unix_address(path);

    return connected((struct sockaddr *)&address, sizeof(address));
}

bool client_unix_is_refused(const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = unix_address(path);
    bool refused = connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 &&
                   (errno == ECONNREFUSED || errno == ENOENT);

    close(fd);
    return refused;
}

void client_secure(struct client *client, SSL_CTX *context, const char *name)
{
    int result;

    client->ssl = stream_tls(context, client->fd);
    SSL_set_tlsext_host_name(client->ssl, name);
    assert_int_equal(SSL_set1_host(client->ssl, name), 1);
    SSL_set_verify(client->ssl, SSL_VERIFY_PEER, NULL);
    do {
        ERR_clear_error();
        result = SSL_connect(client->ssl);
    } while (result != 1 && stream_await(client->fd, client->ssl, result, "a handshake"));
    if (result != 1)
        fail_msg("no handshake with %s: %s", name, ERR_error_string(ERR_peek_error(), NULL));
}

bool client_is_refused(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(port);
    bool refused =
        connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno == ECONNREFUSED;

    close(fd);
    return refused;
}

void client_close(struct client *client)
{
    LIST_REMOVE(client, link);
    SSL_free(client->ssl);
    close(client->fd);
    bytes_free(&client->seen);
    bytes_free(&client->response.body);
    free(client->response.head);
    free(client->kept);
    free(client);
}

void client_shut(struct client *client)
{
    assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
}

void client_reset(struct client *client)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    client_close(client);
}

void clients_close(void)
{
    while (!LIST_EMPTY(&clients))
        client_close(LIST_FIRST(&clients));
}

int client_fd(const struct client *client)
{
    return client->fd;
}

/* ---- bytes
 * ----------------------------------------------------------------------------------------- */

size_t client_offer(struct client *client, const void *bytes, size_t n)
{
    size_t sent;

    if (!stream_offer(client->fd, client->ssl, bytes, n, &sent))
        fail_msg("the client cannot send: %s", strerror(errno));
    return sent;
}

void client_send(struct client *client, const void *bytes, size_t n)
{
    const char *at = bytes;

    while (n > 0) {
        size_t sent = client_offer(client, at, n);
        at += sent;
        n -= sent;
        if (sent == 0)
            wait_for(client->fd, POLLOUT, "room to send to the sidecar");
    }
}

void client_say(struct client *client, const char *text)
{
    client_send(client, text, strlen(text));
}

size_t client_take(struct client *client, void *bytes, size_t room)
{
    return stream_take(client->fd, client->ssl, bytes, room, &client->ending);
}

/* Takes what comes next; false when the sidecar has closed. */
static bool fill(struct client *client, const char *what)
{
    while (client->ending == ENDING_NONE) {
        size_t n = client_take(client, bytes_room(&client->seen, PIECE), PIECE);
        client->seen.n += n;
        client->seen.at[client->seen.n] = '\0';
        if (n > 0)
            return true;
        if (client->ending == ENDING_NONE)
            wait_for(client->fd, POLLIN, what);
    }
    return false;
}

/* ---- responses
 * ------------------------------------------------------------------------------------- */

static const char *unread(const struct client *client)
{
    return client->seen.at + client->at;
}

static bool need(struct client *client, size_t n)
{
    while (client->seen.n - client->at < n) {
        if (!fill(client, "a response's content"))
            return false;
    }
    return true;
}

static void take_content(struct client *client, size_t n)
{
    bytes_add(&client->response.body, unread(client), n);
    client->at += n;
}

static bool read_length(struct client *client, size_t n)
{
    bool whole = need(client, n);
    size_t there = client->seen.n - client->at;

    take_content(client, whole ? n : there);
    return whole;
}

/* A line of the chunked coding, without its CRLF; NULL if the connection ends before. */
static char *read_line(struct client *client)
{
    const char *end;

    while (!(end = strstr(unread(client), "\r\n"))) {
        if (!fill(client, "a line of the chunked coding"))
            return NULL;
    }
    char *line = text_copy(unread(client), (size_t)(end - unread(client)));
    client->at += strlen(line) + 2;
    return line;
}

static bool read_chunk_size(struct client *client, size_t *size)
{
    char *line = read_line(client), *rest;

    if (!line)
        return false;
    *size = strtoul(line, &rest, 16);
    if (rest == line || *rest)
        fail_msg("not a chunk's size: %s", line);
    free(line);
    return true;
}

static bool read_chunked(struct client *client)
{
    size_t size;

    do {
        if (!read_chunk_size(client, &size) || !read_length(client, size))
            return false;
        char *end = read_line(client);
        if (!end)
            return false;
        assert_string_equal(end, ""); /* and no trailers */
        free(end);
    } while (size > 0);
    return true;
}

static bool read_until_close(struct client *client)
{
    while (fill(client, "the end of a response"))
        ;
    take_content(client, client->seen.n - client->at);
    return client->ending == ENDING_CLEAN;
}

const struct response *client_head(struct client *client)
{
    struct response *response = &client->response;
    const char *end;

    while (!(end = strstr(unread(client), "\r\n\r\n"))) {
        if (!fill(client, "a response"))
            fail_msg("the connection ended %s before a response; there was:\n%s",
                     client->ending == ENDING_RESET ? "by a reset" : "cleanly", unread(client));
    }
    free(response->head);
    bytes_free(&response->body);
    bytes_add(&response->body, "", 0);
    response->head = text_copy(unread(client), (size_t)(end + 4 - unread(client)));
    client->at += strlen(response->head);
    if (strncmp(response->head, "HTTP/1.1 ", 9) != 0)
        fail_msg("not a status line: %s", response->head);
    response->status = (unsigned)strtoul(response->head + 9, NULL, 10);
    response->complete = response->chunked = false;
    return response;
}

const struct response *client_rest(struct client *client)
{
    struct response *response = &client->response;
    char *coding = head_field(response->head, "Transfer-Encoding");
    char *length = head_field(response->head, "Content-Length");

    if (coding && length)
        fail_msg("two framings at once:\n%s", response->head);
    response->chunked = coding != NULL;
    if (response->status < 200 || response->status == 204 || response->status == 304)
        response->complete = true;
    else if (coding)
        response->complete = read_chunked(client);
    else if (length)
        response->complete = read_length(client, strtoul(length, NULL, 10));
    else
        response->complete = read_until_close(client);
    free(coding);
    free(length);
    return response;
}

const struct response *client_response(struct client *client)
{
    client_head(client);
    return client_rest(client);
}

const struct response *client_response_to_head(struct client *client)
{
    client_head(client);
    client->response.complete = true;
    return &client->response;
}

const char *client_bytes(struct client *client, size_t n)
{
    if (!need(client, n))
        fail_msg("the connection ended; there was:\n%s", unread(client));
    free(client->kept);
    client->kept = text_copy(unread(client), n);
    client->at += n;
    return client->kept;
}

enum ending client_end(struct client *client)
{
    while (fill(client, "the end of the client's connection"))
        ;
    if (client->seen.n > client->at)
        fail_msg("before the end there came:\n%s", unread(client));
    return client->ending;
}

/* ---- expectations
 * ---------------------------------------------------------------------------------- */

void expect_status(const struct response *response, unsigned status)
{
    if (response->status != status)
        fail_msg("status %u was expected:\n%s%s", status, response->head, response->body.at);
}

void expect_answer(const struct response *response, unsigned status, const char *code,
                   const char *says)
{
    struct bytes field = { 0 };

    expect_status(response, status);
    bytes_print(&field, "{\"code\":\"%s\",\"message\":\"", code);
    bool same = response->complete && strncmp(response->body.at, field.at, strlen(field.at)) == 0 &&
                strstr(response->body.at, says);
    bytes_free(&field);
    if (!same)
        fail_msg("code %s and \"%s\" were expected:\n%s", code, says, response->body.at);
}

void expect_body(const struct response *response, const char *body)
{
    if (!response->complete || strcmp(response->body.at, body) != 0)
        fail_msg("%s body was expected: %s\n%s%s", response->complete ? "this" : "a whole", body,
                 response->head, response->body.at);
}

void expect_header(const struct response *response, const char *name, const char *value)
{
    char *found = head_field(response->head, name);
    bool same = value ? found && strcmp(found, value) == 0 : !found;

    free(found);
    if (!same)
        fail_msg("\"%s: %s\" was expected:\n%s", name, value ? value : "(not there)",
                 response->head);
}

/* tests/flow/kit_client.h - the client's side of the dialogue: a raw socket, and a reader of
 * responses that shares nothing with the product's.
 *
 * Clients that a test leaves open are closed by clients_close(). */
#ifndef TESTS_FLOW_KIT_CLIENT_H
#define TESTS_FLOW_KIT_CLIENT_H

#include "tests/flow/kit_bytes.h"
#include "tests/flow/kit_origin.h"

struct client;

struct response {
    unsigned status;
    char *head;        /* with its empty line */
    struct bytes body; /* decoded */
    bool chunked;
    bool complete; /* its framing says so */
};

struct client *client_new(uint16_t port);
/* By a Unix socket. */
struct client *client_new_unix(const char *path);
/* Connects to nobody: true if refused, or if nothing stands there. */
bool client_unix_is_refused(const char *path);
/* TLS from here on: shakes hands and checks that it is `name` who answers. Fails the test if not. */
void client_secure(struct client *client, SSL_CTX *context, const char *name);
/* Connects to nobody: true if refused. */
bool client_is_refused(uint16_t port);
void client_close(struct client *client);
void client_shut(struct client *client);  /* nothing more to say, but listening */
void client_reset(struct client *client); /* RST */
void clients_close(void);

void client_say(struct client *client, const char *text);
void client_send(struct client *client, const void *bytes, size_t n);
size_t client_offer(struct client *client, const void *bytes, size_t n);
size_t client_take(struct client *client, void *bytes, size_t room);
int client_fd(const struct client *client);

/* The next response, read to its end or to the connection's. Borrowed until the next is read. */
const struct response *client_response(struct client *client);
const struct response *client_response_to_head(struct client *client);
/* Its head alone; the content is read with client_bytes() or client_rest(). */
const struct response *client_head(struct client *client);
const char *client_bytes(struct client *client, size_t n);
/* The content of the response whose head was read. */
const struct response *client_rest(struct client *client);

/* Waits for the end of the connection; fails the test if bytes come before it. */
enum ending client_end(struct client *client);

/* ---- what is said about a response; each fails the test with the response */

void expect_status(const struct response *response, unsigned status);
/* One of our own answers: its code, and something that its message says. */
void expect_answer(const struct response *response, unsigned status, const char *code,
                   const char *says);
void expect_body(const struct response *response, const char *body);
/* value NULL: the header is not there */
void expect_header(const struct response *response, const char *name, const char *value);

#endif

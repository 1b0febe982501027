/* Origins that do not wait: for the request before they speak, or for its end before they answer. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST  "Host: any.partner.example\r\n"
#define GET   "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define EARLY "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly"

static const struct plan plain = { .plain = true,
                                   .options = { "--plaintext-host", "any.partner.example" } };

/* ---- before they are asked
 * ------------------------------------------------------------------------- */

/* Sends what OpenSSL has written so far, in one piece. */
static void flush(const struct origin_conn *conn)
{
    char *bytes;
    long n = BIO_get_mem_data(SSL_get_wbio(origin_tls(conn)), &bytes);

    assert_int_equal(send(origin_fd(conn), bytes, (size_t)n, MSG_NOSIGNAL), n);
    (void)BIO_reset(SSL_get_wbio(origin_tls(conn)));
}

/* The server has the last word of such a handshake. */
static void speak_with_finished(struct origin_conn *conn)
{
    SSL *tls = origin_tls(conn);

    SSL_set_max_proto_version(tls, TLS1_2_VERSION);
    while (SSL_accept(tls) != 1) {
        flush(conn);
        wait_for(origin_fd(conn), POLLIN, "the handshake");
    }
    assert_int_equal(SSL_write(tls, EARLY, (int)strlen(EARLY)), (int)strlen(EARLY));
}

/* Here it has not, but may go on behind its own part. */
static void speak_before_finished(struct origin_conn *conn)
{
    SSL *tls = origin_tls(conn);
    char byte;
    size_t n;

    while (SSL_read_early_data(tls, &byte, 1, &n) != SSL_READ_EARLY_DATA_FINISH) {
        flush(conn);
        wait_for(origin_fd(conn), POLLIN, "the handshake");
    }
    assert_int_equal(SSL_write_early_data(tls, EARLY, strlen(EARLY), &n), 1);
}

static struct hasty {
    const char *name;
    void (*speak)(struct origin_conn *conn);
    bool leaves;
} hasty[] = {
    { "an answer with the handshake's end, TLS 1.2", speak_with_finished, false },
    { "the same with TLS 1.2, and the origin leaves", speak_with_finished, true },
    { "an answer within the handshake, TLS 1.3", speak_before_finished, false },
    { "the same with TLS 1.3, and the origin leaves", speak_before_finished, true },
};

static void expect_refused(struct client *client, struct origin_conn *conn)
{
    expect_answer(client_response(client), 502, "OriginProtocol", "before it was asked");
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    assert_int_equal(origin_unread(conn), 0); /* and it was told nothing */
}

static void hasty_origin(void **state)
{
    const struct hasty *story = *state;
    struct world own;

    world_open(&own, NULL);
    struct client *client = world_client(&own);
    client_say(client, GET);
    struct origin_conn *conn = origin_connected(own.origin);
    SSL_set0_wbio(origin_tls(conn), BIO_new(BIO_s_mem()));
    story->speak(conn);
    flush(conn);
    if (story->leaves)
        shutdown(origin_fd(conn), SHUT_WR);
    expect_refused(client, conn);
    world_close(&own);
}

/* The sidecar is held while the connection comes about, so that it finds it open and the bytes there,
 * whatever the machine's load: its first packet is lost, and the kernel repeats it after a second. */
static void hasty_without_tls(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, &plain);
    origin_deafen(own.origin, true);
    struct client *client = world_client(&own);
    client_say(client, GET);
    for (int i = 0; i < 3; i++) /* by now it is connecting */
        expect_status(world_refused(&own, "GET /a HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 403);
    process_signal(own.sidecar, SIGSTOP);
    origin_deafen(own.origin, false);
    struct origin_conn *conn = origin_connected(own.origin);
    origin_say(conn, EARLY);
    process_signal(own.sidecar, SIGCONT);
    expect_refused(client, conn);
    world_close(&own);
}

/* ---- before they were told everything
 * -------------------------------------------------------------- */

enum { TRIES = 30, UPLOAD = 3 << 20 };

static struct upload {
    const char *name;
    struct plan plan;
} uploads[] = {
    { "413 to an upload, and the origin leaves", { 0 } },
    { "413 to an upload, and the origin leaves, without TLS",
      { .plain = true, .options = { "--plaintext-host", "any.partner.example" } } },
};

static void upload_refused(struct world *own)
{
    static char piece[256 * 1024];
    struct client *client = world_client(own);
    size_t sent = 0, n;
    int on = 1;

    client_say(client, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 20000000\r\n\r\n");
    while (sent < UPLOAD && (n = client_offer(client, piece, sizeof(piece))) > 0)
        sent += n;
    struct origin_conn *conn = origin_accept(own->origin);
    origin_head(conn); /* the rest is on its way just now */
    setsockopt(origin_fd(conn), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    origin_say(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n"
                     "Connection: close\r\n\r\nno!");
    origin_close(conn);
    const struct response *response = client_response(client);
    expect_status(response, 413);
    expect_body(response, "no!");
    client_close(client);
}

/* The sidecar learns from a failing send that the origin has left: the answer came before that. */
static void answered_every_time(void **state)
{
    const struct upload *story = *state;
    struct world own;

    world_open(&own, &story->plan);
    for (int i = 0; i < TRIES; i++)
        upload_refused(&own);
    world_close(&own);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, hasty, hasty_origin);
    stories_add(&stories, "an answer before the request, without TLS", hasty_without_tls, NULL);
    STORIES_ADD(&stories, uploads, answered_every_time);
    return flow_run("early", &stories, NULL, NULL);
}

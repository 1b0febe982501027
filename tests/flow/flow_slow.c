/* A thousand clients that read 1 KiB a second of a response of 1 MiB: memory stays within the budget, and
 * others are served. Through the release build ($JANUS_RELEASE_BIN_DIR), because a sanitizer's memory says
 * nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST "Host: any.partner.example\r\n"
#define GET  "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

enum {
    KIB = 1024,
    MIB = 1024 * KIB,
    READERS = 1000,
    BUDGET_MIB = 64,
    HELD_MIN_KIB = 4 * KIB,
    SECONDS = 5, /* in which they read on */
    SERVED_MAX_MS = 2000,
    PEAK_MAX_KIB = 160 * KIB, /* with OpenSSL's own, 32 KiB a connection */
};

static struct reader {
    struct client *client;
    struct origin_conn *conn;
    size_t offered;
} readers[READERS];

static char content[16 * KIB];

static void begin(struct world *own, struct reader *reader)
{
    int little = 4 * KIB;

    reader->client = world_client(own);
    setsockopt(client_fd(reader->client), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
    client_say(reader->client, GET);
    reader->conn = origin_accept(own->origin);
    origin_head(reader->conn);
    origin_say(reader->conn, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n"
                             "Connection: close\r\n\r\n");
    reader->offered = 0;
}

/* The origin gives all that is taken, the client takes 1 KiB. The kernel's buffers on the way may take most of
 * a response; then its exchange ends early, and holds nothing. */
static size_t go_on(struct reader *reader)
{
    char bytes[KIB];
    size_t sent = 1;

    while (sent > 0 && reader->offered < MIB) {
        size_t left = MIB - reader->offered;
        sent = origin_offer(reader->conn, content, left < sizeof(content) ? left : sizeof(content));
        reader->offered += sent;
    }
    return client_take(reader->client, bytes, sizeof(bytes));
}

static long long serve_somebody_else(struct world *own)
{
    long long before = now_ms();
    struct client *client = world_client(own);

    struct pollfd either[2] = { { .fd = client_fd(client), .events = POLLIN },
                                { .fd = origin_listening(own->origin), .events = POLLIN } };
    client_say(client, GET);
    assert_true(wait_any(either, 2, now_ms() + PATIENCE_MS));
    if (either[0].revents)
        fail_msg("refused: %s", client_response(client)->body.at);
    struct origin_conn *conn = origin_accept(own->origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    client_close(client);
    return now_ms() - before;
}

/* What /metrics says that the buffers hold. */
static size_t held_kib(const struct world *own)
{
    struct client *client = client_new(own->admin_port);

    client_say(client, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const char *line = strstr(client_response(client)->body.at, "\njanus_sidecar_buffer_bytes ");
    assert_non_null(line);
    size_t kib = strtoul(strchr(line, ' '), NULL, 10) / KIB;
    client_close(client);
    return kib;
}

static void raise_descriptors(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void thousand_slow_readers(void **state)
{
    const char *folder = getenv("JANUS_RELEASE_BIN_DIR");
    struct plan plan = { .bin_folder = folder, .options = { "--max-buffers", "64MiB" } };
    long long slowest = 0;
    size_t taken = 0;
    struct world own;

    (void)state;
    if (!folder || !*folder) {
        print_message("skipped: JANUS_RELEASE_BIN_DIR does not name the release build\n");
        skip();
    }
    raise_descriptors();
    world_open(&own, &plan);
    for (size_t i = 0; i < READERS; i++)
        begin(&own, &readers[i]);
    for (int second = 0; second < SECONDS; second++) {
        long long until = now_ms() + 1000;
        for (size_t i = 0; i < READERS; i++)
            taken += go_on(&readers[i]);
        long long took = serve_somebody_else(&own);
        slowest = took > slowest ? took : slowest;
        while (wait_any(NULL, 0, until)) /* the pace of the readers */
            ;
    }
    size_t peak = process_peak_kib(own.sidecar), held = held_kib(&own), given = 0;
    for (size_t i = 0; i < READERS; i++)
        given += readers[i].offered;
    print_message(
        "%zu KiB read by %d clients, %zu MiB given by the origin; others served in %lld ms at "
        "most; VmHWM %zu KiB, of which %zu KiB are buffers\n",
        taken / KIB, READERS, given / MIB, slowest, peak, held);
    assert_in_range(slowest, 0, SERVED_MAX_MS);
    assert_in_range(held, HELD_MIN_KIB,
                    BUDGET_MIB * KIB); /* the kernel takes little of it for us */
    if (peak > PEAK_MAX_KIB)
        fail_msg("the sidecar used %zu KiB", peak);
    clients_close();
    world_close(&own);
}

static struct single singles[] = {
    { "a thousand slow readers, 64 MiB of buffers", thousand_slow_readers },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, singles, single_run);
    return flow_run("slow", &stories, NULL, NULL);
}

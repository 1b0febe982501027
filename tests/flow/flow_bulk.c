/* Bodies that do not fit anywhere: whoever sends faster than the other reads must wait, and the
 * sidecar's memory stays small. The gigabytes run through the release build
 * ($JANUS_RELEASE_BIN_DIR), because a sanitizer's memory says nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST "Host: any.partner.example\r\n"

enum {
    MIB = 1024 * 1024,
    PERIOD = 65521, /* a prime: no buffer's size divides it */
    PIECE = 256 * 1024,
    STUCK_MAX = 96 * MIB,      /* more than all buffers of the kernel on the way */
    GROWTH_MAX_KIB = 4 * 1024, /* of the sidecar while it waits */
    GIGABYTE = 1024 * MIB,
    PEAK_MAX_KIB = 24 * 1024,
};

static struct world world;

/* ---- content that shows where it belongs
 * ----------------------------------------------------------- */

static char pattern[PERIOD + PIECE];

static void make_pattern(void)
{
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (char)((i % PERIOD) * 31 + (i % PERIOD) / 251);
}

static const char *content_at(size_t position)
{
    return pattern + position % PERIOD;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- two ends, one direction
 * ----------------------------------------------------------------------- */

struct flow {
    struct client *client;
    struct origin_conn *conn;
    bool down; /* from the origin to the client */
    size_t total, sent, received;
};

static size_t offer(const struct flow *flow)
{
    size_t n = least(flow->total - flow->sent, PIECE);

    return flow->down ? origin_offer(flow->conn, content_at(flow->sent), n)
                      : client_offer(flow->client, content_at(flow->sent), n);
}

static size_t take(struct flow *flow)
{
    static char bytes[PIECE];
    size_t room = least(flow->total - flow->received, PIECE);
    size_t n =
        flow->down ? client_take(flow->client, bytes, room) : origin_take(flow->conn, bytes, room);

    if (memcmp(bytes, content_at(flow->received), n) != 0)
        fail_msg("other bytes than were sent, behind %zu", flow->received);
    return n;
}

static void wait_for_any_of(const struct flow *up, const struct flow *down)
{
    struct pollfd fds[2] = {
        { .fd = client_fd(up->client), .events = POLLIN | (up->sent < up->total ? POLLOUT : 0) },
        { .fd = origin_fd(up->conn), .events = POLLIN | (down->sent < up->received ? POLLOUT : 0) },
    };

    if (!wait_any(fds, 2, now_ms() + PATIENCE_MS))
        fail_msg("all stands still: %zu up, %zu down", up->received, down->received);
}

static void wait_for_either(const struct flow *flow)
{
    int from = flow->down ? origin_fd(flow->conn) : client_fd(flow->client);
    int to = flow->down ? client_fd(flow->client) : origin_fd(flow->conn);
    struct pollfd fds[2] = { { .fd = to, .events = POLLIN },
                             { .fd = flow->sent < flow->total ? from : -1, .events = POLLOUT } };

    if (!wait_any(fds, 2, now_ms() + PATIENCE_MS))
        fail_msg("all stands still: %zu sent, %zu received", flow->sent, flow->received);
}

static void pump(struct flow *flow)
{
    while (flow->received < flow->total) {
        size_t sent = flow->sent < flow->total ? offer(flow) : 0, received = take(flow);
        flow->sent += sent;
        flow->received += received;
        if (sent == 0 && received == 0)
            wait_for_either(flow);
    }
}

/* Sends until nothing moves any more while nobody reads. */
static void fill_up(struct flow *flow)
{
    struct pollfd from = { .fd = flow->down ? origin_fd(flow->conn) : client_fd(flow->client),
                           .events = POLLOUT };

    do {
        size_t n;
        while (flow->sent < STUCK_MAX && (n = offer(flow)) > 0)
            flow->sent += n;
    } while (flow->sent < STUCK_MAX && wait_any(&from, 1, now_ms() + STALL_MS));
    if (flow->sent >= STUCK_MAX)
        fail_msg("%d MiB were taken, and nobody reads them", STUCK_MAX / MIB);
}

static struct flow begin_download(struct world *in, size_t total)
{
    struct flow flow = { .client = world_client(in), .down = true, .total = total };
    struct bytes head = { 0 };

    client_say(flow.client, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    flow.conn = origin_accept(in->origin);
    origin_head(flow.conn);
    bytes_print(&head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", total);
    origin_say(flow.conn, head.at);
    bytes_free(&head);
    expect_status(client_head(flow.client), 200);
    return flow;
}

static struct flow begin_upload(struct world *in, size_t total)
{
    struct flow flow = { .client = world_client(in), .total = total };
    struct bytes head = { 0 };

    bytes_print(&head, "POST /a HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", total);
    client_say(flow.client, head.at);
    bytes_free(&head);
    flow.conn = origin_accept(in->origin);
    origin_head(flow.conn);
    return flow;
}

static void end_upload(const struct flow *flow)
{
    origin_say(flow->conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    expect_body(client_response(flow->client), "ok");
}

/* ---- stories
 * --------------------------------------------------------------------------------------- */

static void waits_for_the_reader(struct flow *flow)
{
    size_t before = process_peak_kib(world.sidecar);

    fill_up(flow);
    size_t after = process_peak_kib(world.sidecar);
    if (after > before + GROWTH_MAX_KIB)
        fail_msg("the sidecar grew by %zu KiB while it waited", after - before);
    pump(flow);
}

static void slow_reader(void **state)
{
    struct flow flow = begin_download(&world, 2 * (size_t)STUCK_MAX);

    (void)state;
    waits_for_the_reader(&flow);
}

static void slow_origin(void **state)
{
    struct flow flow = begin_upload(&world, 2 * (size_t)STUCK_MAX);

    (void)state;
    waits_for_the_reader(&flow);
    end_upload(&flow);
}

/* Both at once, through one exchange: an echo that answers while it listens. */
static void both_ways(void **state)
{
    enum { TOTAL = 32 * MIB };
    struct flow up = begin_upload(&world, TOTAL), down = up;
    char head[80];

    (void)state;
    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", TOTAL);
    origin_say(up.conn, head);
    expect_status(client_head(up.client), 200);
    down.down = true;
    while (down.received < TOTAL) {
        size_t sent = up.sent < TOTAL ? offer(&up) : 0, heard = take(&up);
        up.sent += sent;
        up.received += heard;
        down.total = up.received; /* no more than was heard, or it would end before the upload */
        size_t said = down.sent < down.total ? offer(&down) : 0;
        down.sent += said;
        down.total = TOTAL;
        size_t echoed = take(&down);
        down.received += echoed;
        if (sent + heard + said + echoed == 0)
            wait_for_any_of(&up, &down);
    }
}

static void many_chunks(void **state)
{
    enum { CHUNKS = 400, SIZE = 500 }; /* little enough for the buffers on the way */
    struct client *client = world_client(&world);
    char head[16];

    (void)state;
    client_say(client, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    client_head(client);
    for (size_t i = 0; i < CHUNKS; i++) {
        snprintf(head, sizeof(head), "%x\r\n", (unsigned)SIZE);
        origin_say(conn, head);
        origin_send(conn, content_at(i * SIZE), SIZE);
        origin_say(conn, "\r\n");
    }
    origin_say(conn, "0\r\n\r\n");
    const struct response *response = client_rest(client);
    assert_true(response->complete);
    assert_int_equal(response->body.n, CHUNKS * SIZE);
    for (size_t i = 0; i < CHUNKS; i++)
        assert_memory_equal(response->body.at + i * SIZE, content_at(i * SIZE), SIZE);
}

/* ---- the gigabytes
 * --------------------------------------------------------------------------------- */

static void gigabytes(void **state)
{
    const char *folder = getenv("JANUS_RELEASE_BIN_DIR");
    struct plan plan = { .bin_folder = folder };
    struct world own;

    (void)state;
    if (!folder || !*folder) {
        print_message("skipped: JANUS_RELEASE_BIN_DIR does not name the release build\n");
        skip();
    }
    world_open(&own, &plan);
    long long before = now_ms();
    struct flow flow = begin_download(&own, GIGABYTE);
    pump(&flow);
    long long between = now_ms();
    world_settle(&own);
    flow = begin_upload(&own, GIGABYTE);
    pump(&flow);
    end_upload(&flow);
    size_t peak = process_peak_kib(own.sidecar);
    print_message("1 GiB down in %lld ms, 1 GiB up in %lld ms, VmHWM %zu KiB\n", between - before,
                  now_ms() - between, peak);
    if (peak > PEAK_MAX_KIB)
        fail_msg("the sidecar used %zu KiB", peak);
    world_close(&own);
}

static struct single singles[] = {
    { "a client that does not read", slow_reader },
    { "an origin that does not read", slow_origin },
    { "both ways at once", both_ways },
    { "400 chunks", many_chunks },
    { "1 GiB down, 1 GiB up, in 24 MiB", gigabytes },
};

int main(void)
{
    static struct stories stories;

    make_pattern();
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("bulk", &stories, &world, NULL);
}

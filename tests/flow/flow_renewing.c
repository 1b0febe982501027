/* While a refused request waits for another token, and what a flood of refusals costs: early refusals,
 * a source that is slow, clients and origins that leave at any byte, floods, long runs, a suspended
 * process. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "tests/flow/kit_renewal.h"
#include "tests/flow/kit_wait.h"

#define STORE_POST "POST /api/x HTTP/1.1\r\n" STORE
#define AT_WORK    "somebody is writing it"

static const struct plan patient = { .options = { "--token-overlap", "0s", "--token-wait", "1m" } };
static const struct plan hasty = { .options = { "--token-overlap", "0s", "--token-wait",
                                                "300ms" } };

/* Asks as often as it is refused. */
static const struct plan eager = { .options = { "--token-overlap", "0s", "--token-retry", "1ms",
                                                "--token-retry-max", "1ms" } };

/* A GET that was refused and waits for the file, which `*fd` holds open. */
static struct origin_conn *renewing(struct world *own, const struct plan *plan,
                                    struct client **client, int *fd)
{
    renewal_open(own, plan);
    *client = world_client(own);
    client_say(*client, GET_STORE);
    struct origin_conn *conn = origin_accept(own->origin);
    origin_head(conn);
    *fd = hold(own);
    origin_say(conn, REFUSAL);
    process_await_line(own->sidecar, AT_WORK);
    return conn;
}

/* ---- a slow source
 * ---------------------------------------------------------------------------------- */

static void comes_late(void **state)
{
    struct client *client;
    struct world own;
    int fd;
    struct origin_conn *conn = renewing(&own, &patient, &client, &fd);

    (void)state;
    release(fd, NEW);
    assert_non_null(strstr(origin_head(conn), "Cookie: " NEW "\r\n"));
    origin_say(conn, OK);
    const struct response *response = client_response(client);
    expect_body(response, "ok");
    expect_header(response, "Proxy-Status", RENEWED);
    expect_connections(&own, 1);
    renewal_close(&own);
}

static void one_refresh_for_all(void **state)
{
    enum { CROWD = 20 };
    struct client *client, *crowd[CROWD];
    struct origin_conn *conns[CROWD];
    struct world own;
    int fd;
    struct origin_conn *first = renewing(&own, &patient, &client, &fd);

    (void)state;
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = world_client(&own);
        client_say(crowd[i], GET_STORE);
        conns[i] = origin_accept(own.origin);
        origin_head(conns[i]);
        origin_say(conns[i], REFUSAL);
    }
    free(world_exchange(&own, "GET /a HTTP/1.1\r\nHost: any.partner.example\r\n\r\n"));
    release(fd, NEW);
    for (int i = 0; i <= CROWD; i++) {
        struct origin_conn *conn = i < CROWD ? conns[i] : first;
        assert_non_null(strstr(origin_head(conn), NEW));
        origin_say(conn, OK);
    }
    expect_body(client_response(client), "ok");
    for (int i = 0; i < CROWD; i++)
        expect_body(client_response(crowd[i]), "ok");
    expect_connections(&own, CROWD + 2);
    renewal_close(&own);
}

/* --token-wait passes. */
static void comes_too_late(void **state)
{
    struct client *client;
    struct world own;
    int fd;
    struct origin_conn *conn = renewing(&own, &hasty, &client, &fd);

    (void)state;
    const struct response *response = client_response(client);
    expect_status(response, 401);
    expect_body(response, "sorry");
    expect_header(response, "Proxy-Status", NOT_AGAIN);
    release(fd, NEW);
    process_await_line(own.sidecar, "event=token generation=2");
    client_say(client, GET_STORE);
    assert_non_null(strstr(origin_head(conn), NEW));
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    expect_connections(&own, 1);
    renewal_close(&own);
}

/* The origin leaves meanwhile, or its refusal goes on: that is no news before the refusal is needed. */
static void origin_leaves(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct client *client;
        struct world own;
        int fd;
        struct origin_conn *conn = renewing(&own, late ? &hasty : &patient, &client, &fd);
        origin_close(conn);
        if (late) {
            expect_body(client_response(client), "sorry");
        } else {
            release(fd, NEW);
            conn = origin_accept(own.origin);
            assert_non_null(strstr(origin_head(conn), NEW));
            origin_say(conn, OK);
            expect_body(client_response(client), "ok");
        }
        expect_connections(&own, late ? 1 : 2);
        if (late)
            close(fd);
        renewal_close(&own);
    }
}

static void client_leaves(void **state)
{
    (void)state;
    for (int resets = 0; resets < 2; resets++) {
        struct client *client;
        struct world own;
        int fd;
        struct origin_conn *conn = renewing(&own, &patient, &client, &fd);
        if (resets)
            client_reset(client);
        else
            client_close(client);
        process_await_line(own.sidecar, "outcome=client_gone");
        origin_await_end(conn);
        assert_int_equal(origin_unread(conn), 0);
        release(fd, NEW);
        process_await_line(own.sidecar, "event=token generation=2");
        goes_as(&own, NEW);
        expect_connections(&own, 2);
        renewal_close(&own);
    }
}

/* It is drained as any other: renewed if that comes in time, and refused if not. */
static void sigterm(void **state)
{
    (void)state;
    for (int in_time = 0; in_time < 2; in_time++) {
        struct client *client;
        struct world own;
        int fd;
        struct origin_conn *conn = renewing(&own, in_time ? &patient : &hasty, &client, &fd);
        process_signal(own.sidecar, SIGTERM);
        process_await_line(own.sidecar, "event=draining");
        if (in_time) {
            release(fd, NEW);
            assert_non_null(strstr(origin_head(conn), NEW));
            origin_say(conn, OK);
        }
        const struct response *response = client_response(client);
        expect_status(response, in_time ? 200 : 401);
        expect_header(response, "Connection", "close");
        assert_int_equal(process_wait(own.sidecar), 0);
        world_forget(&own);
        if (!in_time)
            close(fd);
    }
}

/* A second one, and --drain-timeout: whoever still waits is cut, and nothing leaks. */
static void drain_cut(void **state)
{
    static const struct plan brief = { .options = { "--token-overlap", "0s", "--token-wait", "1m",
                                                    "--drain-timeout", "100ms" } };

    (void)state;
    for (int twice = 0; twice < 2; twice++) {
        struct client *client;
        struct world own;
        int fd;
        renewing(&own, twice ? &patient : &brief, &client, &fd);
        process_signal(own.sidecar, SIGTERM);
        process_await_line(own.sidecar, "event=draining");
        if (twice)
            process_signal(own.sidecar, SIGTERM);
        assert_int_equal(process_wait(own.sidecar), twice);
        assert_null(strstr(process_log(own.sidecar), "ERROR: "));
        world_forget(&own);
        close(fd);
    }
}

/* ---- early refusals
 * --------------------------------------------------------------------------------- */

static void early(void **state)
{
    struct world own;

    (void)state;
    renewal_open(&own, NULL);
    struct client *client = world_client(&own);
    client_say(client, STORE_POST "Content-Length: 10\r\n\r\nhello");
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    assert_string_equal(origin_bytes(conn, 5), "hello");
    slip(&own, NEW);
    origin_say(conn, REFUSAL);
    struct origin_conn *again = origin_accept(own.origin);
    origin_await_end(conn); /* nobody knows what is left of the request there */
    assert_non_null(strstr(origin_head(again), NEW));
    assert_string_equal(origin_bytes(again, 5), "hello");
    client_say(client, "world" GET_STORE); /* and one behind it */
    assert_string_equal(origin_bytes(again, 5), "world");
    origin_say(again, OK);
    expect_body(client_response(client), "ok");
    assert_non_null(strstr(origin_head(again), NEW));
    origin_say(again, OK);
    expect_body(client_response(client), "ok");
    assert_int_equal(origin_unread(conn), 0);
    expect_connections(&own, 2);
    renewal_close(&own);
}

/* The rest comes while the token is waited for, and is far more than is kept. */
static void early_and_long(void **state)
{
    enum { PIECES = 40, PIECE = 4000 };
    static char piece[PIECE + 8];
    struct world own;

    (void)state;
    memcpy(piece, "fa0\r\n", 5);
    memset(piece + 5, 'p', PIECE);
    memcpy(piece + 5 + PIECE, "\r\n", 2);
    renewal_open(&own, &patient);
    struct client *client = world_client(&own);
    client_say(client, STORE_POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    assert_string_equal(origin_bytes(conn, 10), "5\r\nhello\r\n");
    int fd = hold(&own);
    origin_say(conn, REFUSAL);
    process_await_line(own.sidecar, AT_WORK);
    for (int i = 0; i < PIECES / 2; i++)
        client_say(client, piece);
    release(fd, NEW);
    conn = origin_accept(own.origin);
    assert_non_null(strstr(origin_head(conn), NEW));
    for (int i = 0; i < PIECES / 2; i++)
        client_say(client, piece);
    client_say(client, "0\r\n\r\n");
    size_t n;
    const char *body = origin_chunked(conn, &n);
    assert_int_equal(n, 5 + PIECES * PIECE);
    assert_memory_equal(body, "hellopppp", 9);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    expect_connections(&own, 2);
    renewal_close(&own);
}

/* Nothing new: the early 401 goes on, whole. */
static void early_in_vain(void **state)
{
    struct world own;

    (void)state;
    renewal_open(&own, NULL);
    struct client *client = world_client(&own);
    client_say(client, STORE_POST "Content-Length: 10\r\n\r\nhello");
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    assert_string_equal(origin_bytes(conn, 5), "hello");
    origin_say(conn, REFUSAL);
    const struct response *response = client_response(client);
    expect_status(response, 401);
    expect_body(response, "sorry");
    expect_header(response, "Proxy-Status", NOT_AGAIN);
    expect_connections(&own, 1);
    renewal_close(&own);
}

/* The origin refuses at once: the body has not been sent yet, and goes with the new token. */
static void expecting(void **state)
{
    (void)state;
    for (int told = 0; told < 2; told++) {
        struct world own;
        renewal_open(&own, NULL);
        struct client *client = world_client(&own);
        client_say(client, STORE_POST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        struct origin_conn *conn = origin_accept(own.origin);
        assert_non_null(strstr(origin_head(conn), "\r\nExpect: 100-continue\r\n"));
        if (told) {
            origin_say(conn, "HTTP/1.1 100 Continue\r\n\r\n");
            expect_status(client_response(client), 100);
            client_say(client, "hello");
            assert_string_equal(origin_bytes(conn, 5), "hello");
        }
        slip(&own, NEW);
        origin_say(conn, REFUSAL);
        conn = origin_accept(own.origin);
        assert_non_null(strstr(origin_head(conn), NEW));
        if (!told) {
            origin_say(conn, "HTTP/1.1 100 Continue\r\n\r\n");
            expect_status(client_response(client), 100);
            client_say(client, "hello");
        }
        assert_string_equal(origin_bytes(conn, 5), "hello");
        origin_say(conn, OK);
        expect_body(client_response(client), "ok");
        expect_connections(&own, 2);
        renewal_close(&own);
    }
}

static void pipelined(void **state)
{
    struct world own;

    (void)state;
    renewal_open(&own, NULL);
    struct client *client = world_client(&own);
    client_say(client, "GET /1 HTTP/1.1\r\n" STORE "\r\n" STORE_POST
                       "Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\n" STORE "\r\n");
    struct origin_conn *conn = origin_accept(own.origin);
    assert_non_null(strstr(origin_head(conn), OLD));
    slip(&own, NEW);
    origin_say(conn, REFUSAL);
    static const char *const starts[] = { "GET /1 ", "POST ", "GET /3 " };
    for (int i = 0; i < 3; i++) {
        const char *head = origin_head(conn);
        assert_non_null(strstr(head, NEW));
        assert_int_equal(strncmp(head, starts[i], strlen(starts[i])), 0);
        if (i == 1)
            assert_string_equal(origin_bytes(conn, 3), "abc");
        origin_say(conn, OK);
        const struct response *response = client_response(client);
        expect_body(response, "ok");
        expect_header(response, "Proxy-Status", i == 0 ? RENEWED : NULL);
    }
    expect_connections(&own, 1);
    renewal_close(&own);
}

/* ---- at every byte of the refusal
 * ------------------------------------------------------------------- */

static const char whole[] = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 12\r\n\r\nnot so, sir!";
enum { HEAD_LEN = sizeof(whole) - 1 - 12 };

static struct fault {
    const char *name;
    void (*leave)(struct origin_conn *conn); /* NULL: the client does */
    bool renews;
} faults[] = {
    { "the origin closes at every byte, a new token is there", origin_close, true },
    { "the origin closes at every byte, nothing is new", origin_close, false },
    { "the origin cuts at every byte, a new token is there", origin_cut, true },
    { "the origin cuts at every byte, nothing is new", origin_cut, false },
    { "the origin resets at every byte, nothing is new", origin_reset, false },
    { "the client leaves at every byte, a new token is there", NULL, true },
    { "the client leaves at every byte, nothing is new", NULL, false },
};

static void expect_the_end(const struct fault *story, struct world *own, struct client *client,
                           size_t n)
{
    if (story->renews && n >= HEAD_LEN) {
        struct origin_conn *conn = origin_accept(own->origin);
        origin_head(conn);
        origin_say(conn, OK);
        origin_close(conn);
        expect_body(client_response(client), "ok");
        return;
    }
    const struct response *response = client_response(client);
    if (story->leave == origin_reset && response->status == 502)
        return; /* a reset may overtake what was sent before it */
    expect_status(response, n < HEAD_LEN ? 502 : 401);
    if (response->complete != (n < HEAD_LEN || n == sizeof(whole) - 1))
        fail_msg("%zu bytes, and the response is %s", n,
                 response->complete ? "whole" : "not whole");
}

static void fault(void **state)
{
    const struct fault *story = *state;
    struct world own;
    char token[32];

    renewal_open(&own, &eager);
    for (size_t n = 0; n < sizeof(whole); n++) {
        struct client *client = world_client(&own);
        client_say(client, GET_STORE);
        struct origin_conn *conn = origin_accept(own.origin);
        origin_head(conn);
        snprintf(token, sizeof(token), "token-number-%zu", n);
        if (story->renews)
            slip(&own, token);
        origin_send(conn, whole, n);
        if (story->leave) {
            story->leave(conn);
            expect_the_end(story, &own, client, n);
            client_close(client);
        } else {
            client_close(client);
            process_await_line(own.sidecar, "event=exchange");
            origin_settle(own.origin);
        }
    }
    world_settle(&own);
    if (story->leave || !story->renews) /* else nobody knows which refusal was read in time */
        goes_as(&own, story->renews ? token : OLD);
    else
        free(world_exchange(&own, GET_STORE));
    renewal_close(&own);
}

/* The second attempt goes wrong, at any byte of its answer: it is the last one. But for a GET whose kept
 * connection died without a byte: that goes on a new one. */
static struct second {
    const char *name, *request;
    void (*leave)(struct origin_conn *conn);
    bool kept;
} seconds[] = {
    { "sent again, and the origin closes at every byte", GET_STORE, origin_close, true },
    { "sent again, and the origin cuts at every byte", GET_STORE, origin_cut, true },
    { "POST sent again, and the origin closes at every byte",
      STORE_POST "Content-Length: 0\r\n\r\n", origin_close, false },
};

static void second_fault(void **state)
{
    static const size_t head_len = sizeof(OK) - 1 - 2;
    const struct second *story = *state;
    struct world own;
    char token[32];

    renewal_open(&own, &eager);
    for (size_t n = 0; n < sizeof(OK); n++) {
        struct client *client = world_client(&own);
        client_say(client, story->request);
        struct origin_conn *conn = origin_accept(own.origin);
        origin_head(conn);
        snprintf(token, sizeof(token), "token-number-%zu", n);
        slip(&own, token);
        origin_say(conn, REFUSAL);
        struct origin_conn *other = story->kept ? conn : origin_accept(own.origin);
        assert_non_null(strstr(origin_head(other), token));
        origin_send(other, OK, n);
        story->leave(other);
        if (n == 0 && story->kept) {
            other = origin_accept(own.origin);
            assert_non_null(strstr(origin_head(other), token));
            origin_say(other, OK);
        }
        const struct response *response = client_response(client);
        bool passed = n >= head_len || (n == 0 && story->kept);
        expect_status(response, passed ? 200 : 502);
        assert_true(response->complete == (!passed || n == 0 || n == sizeof(OK) - 1));
        client_close(client);
        world_settle(&own);
    }
    renewal_close(&own);
}

/* ---- floods
 * ----------------------------------------------------------------------------------------- */

/* How often the token file was opened since it was last asked. */
static unsigned opened(int inotify)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    unsigned times = 0;
    ssize_t n;

    while ((n = read(inotify, events, sizeof(events))) > 0) {
        for (const char *at = events; at < events + n;) {
            const struct inotify_event *event = (const void *)at;
            times += (event->mask & IN_OPEN) != 0;
            at += sizeof(*event) + event->len;
        }
    }
    return times;
}

static size_t lines_with(const char *log, const char *needle)
{
    size_t n = 0;

    for (; (log = strstr(log, needle)); log += strlen(needle))
        n++;
    return n;
}

/* Every other route takes the token, or none does: neither the source nor the log is kept busy. */
static void flood(bool others_take_it)
{
    enum { FLOOD = 400 };
    struct world own;

    renewal_open(&own, NULL);
    int inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(inotify_add_watch(inotify, folder_name(own.folder, "token"), IN_OPEN) >= 0);
    struct client *client = world_client(&own);
    struct origin_conn *conn = NULL;
    long long since = now_ms();
    unsigned steps = 1;
    for (int i = 0; i < FLOOD; i++) {
        client_say(client, GET_STORE);
        conn = conn ? conn : origin_accept(own.origin);
        origin_head(conn);
        bool takes = others_take_it && i % 2;
        origin_say(conn, takes ? OK : REFUSAL);
        expect_status(client_response(client), takes ? 200 : 401);
    }
    for (long long step = 1000, took = now_ms() - since; took >= step; took -= step, step *= 2)
        steps++;
    unsigned reads = opened(inotify);
    if (reads == 0 || reads > steps + 2) /* two: the slow poll */
        fail_msg("the token file was opened %u times in %lld ms", reads, now_ms() - since);
    assert_true(lines_with(process_log(own.sidecar), "event=token") <= 2);
    expect_connections(&own, 1);
    close(inotify);
    renewal_close(&own);
}

static void flood_of_refusals(void **state)
{
    (void)state;
    flood(false);
}

static void flood_of_both(void **state)
{
    (void)state;
    flood(true);
}

/* A route that refuses every token, and a source that has a new one every time: each is tried once. */
static void insatiable(void **state)
{
    enum { TIMES = 100 };
    struct world own;
    char token[32];

    (void)state;
    renewal_open(&own, NULL);
    struct client *client = world_client(&own);
    struct origin_conn *conn = NULL;
    unsigned resends = 0, steps = 1;
    long long since = now_ms();
    for (int i = 0; i < TIMES; i++) {
        client_say(client, GET_STORE);
        conn = conn ? conn : origin_accept(own.origin);
        origin_head(conn);
        snprintf(token, sizeof(token), "insatiable-%d", i);
        slip(&own, token);
        origin_say(conn, REFUSAL);
        struct pollfd either[] = { { .fd = client_fd(client), .events = POLLIN },
                                   { .fd = origin_fd(conn), .events = POLLIN } };
        assert_true(wait_any(either, 2, now_ms() + PATIENCE_MS));
        if (!either[0].revents) {
            origin_head(conn);
            origin_say(conn, REFUSAL);
            resends++;
        }
        expect_status(client_response(client), 401);
    }
    for (long long step = 1000, took = now_ms() - since; took >= step; took -= step, step *= 2)
        steps++;
    assert_in_range(resends, 1, steps + 2);
    renewal_close(&own);
}

/* Two thousand of them: as many descriptors as before, and no more memory. */
static void two_thousand(void **state)
{
    enum { WARM = 300, TIMES = 2000, GROWTH_MAX_KIB = 2048 };
    size_t kib = 0, descriptors = 0;
    struct world own;
    char token[32];

    (void)state;
    renewal_open(&own, &eager);
    struct client *client = world_client(&own);
    struct origin_conn *conn = NULL;
    for (int i = 0; i < WARM + TIMES; i++) {
        client_say(client, GET_STORE);
        conn = conn ? conn : origin_accept(own.origin);
        origin_head(conn);
        snprintf(token, sizeof(token), "token-number-%d", i);
        slip(&own, token);
        origin_say(conn, REFUSAL);
        assert_non_null(strstr(origin_head(conn), token));
        origin_say(conn, OK);
        expect_body(client_response(client), "ok");
        if (i == WARM) {
            kib = process_now_kib(own.sidecar);
            descriptors = process_descriptors(own.sidecar);
        }
    }
    assert_int_equal(process_descriptors(own.sidecar), descriptors);
    size_t grown = process_now_kib(own.sidecar);
    printf("memory: %zu KiB, after %d renewals %zu KiB\n", kib, TIMES, grown);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed */
    assert_in_range(grown, 0, kib + GROWTH_MAX_KIB);
#endif
    expect_connections(&own, 1);
    renewal_close(&own);
}

/* ---- suspended
 * -------------------------------------------------------------------------------------- */

/* The token dies while nobody looks, and the new one is there before anybody does; told of or not. */
static void suspended(bool told)
{
    static const struct plan overlapping = { .options = { "--token-overlap", "1m" } };
    struct world own;

    renewal_open(&own, &overlapping);
    time_t end = time(NULL) + 3;
    char *dying = jwt_text("dying", end), *fresh = jwt_text("fresh", end + 600);
    folder_write(own.folder, "token", dying);
    process_await_line(own.sidecar, "event=token generation=2");
    goes_as(&own, dying);
    struct client *kept = world_client(&own);
    client_say(kept, GET_STORE);
    struct origin_conn *conn = origin_accept(own.origin);
    assert_non_null(strstr(origin_head(conn), dying));
    origin_say(conn, OK);
    expect_body(client_response(kept), "ok");
    process_signal(own.sidecar, SIGSTOP);
    while (time(NULL) <= end)
        wait_any(NULL, 0, now_ms() + 50); /* for the clock: the one event that nobody reports */
    if (told)
        folder_replace(own.folder, "token", fresh);
    else
        slip(&own, fresh);
    struct client *late = world_client(&own);
    client_say(kept, GET_STORE);
    client_say(late, GET_STORE);
    process_signal(own.sidecar, SIGCONT);
    assert_non_null(strstr(origin_head(conn), fresh));
    struct origin_conn *other = origin_accept(own.origin);
    assert_non_null(strstr(origin_head(other), fresh));
    origin_say(conn, OK);
    origin_say(other, OK);
    expect_body(client_response(kept), "ok");
    expect_body(client_response(late), "ok");
    assert_int_equal(origin_unread(conn) + origin_unread(other), 0);
    expect_connections(&own, 3);
    renewal_close(&own);
    free(dying);
    free(fresh);
}

static void suspended_told(void **state)
{
    (void)state;
    suspended(true);
}

static void suspended_untold(void **state)
{
    (void)state;
    suspended(false);
}

static struct single singles[] = {
    { "a token that is being written", comes_late },
    { "one refresh for all", one_refresh_for_all },
    { "--token-wait passes", comes_too_late },
    { "the origin leaves meanwhile", origin_leaves },
    { "the client leaves meanwhile", client_leaves },
    { "SIGTERM meanwhile", sigterm },
    { "the drain is cut meanwhile", drain_cut },
    { "refused while the upload is under way", early },
    { "and the rest is long", early_and_long },
    { "and nothing is new", early_in_vain },
    { "Expect: 100-continue", expecting },
    { "pipelined requests behind it", pipelined },
    { "a flood of refusals", flood_of_refusals },
    { "a flood, every other one is taken", flood_of_both },
    { "a route that no token pleases", insatiable },
    { "two thousand renewals", two_thousand },
    { "suspended, the new token was announced", suspended_told },
    { "suspended, the new token was not announced", suspended_untold },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, faults, fault);
    STORIES_ADD(&stories, seconds, second_fault);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("renewing", &stories, NULL, NULL);
}

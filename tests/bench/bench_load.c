/* Sends requests and says how long they took.
 *
 *   bench_load --port P --host H --path /... [--method M --post N --chunked 1]
 *              --clients C --ms T              closed loop: each client sends when it has its answer
 *              --rate R                        open loop: R requests a second, whether answered or not;
 *                                              a time counts from when a request was due, so a proxy
 *                                              that stalls is charged for all who waited
 *              --requests N                    or so many requests, and one of each client before that
 *              --hosts N                   N hosts in turn: h0000.H, h0001.H ...
 *              --watch PID                     processor time of that process, from its first to its last
 *   bench_load ... --hold idle|slow            one request a client, or one that is answered but not
 *                                              read; then "held", and it waits for its own input's end
 *
 * Prints one JSON object. Anything but a 200 of the right length ends it with an error. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/bench/histogram.h"
#include "tests/bench/processor.h"
#include "tests/bench/response.h"
#include "tests/bench/wire.h"

enum { ROOM = 256 * 1024, EVENTS = 256 };

struct client {
    int fd;
    uint64_t since_ns; /* when its request was due */
    struct response response;
    struct client *next_free;
};

static struct load {
    int epoll, timer;
    char *request;
    size_t request_len;
    char *host_number; /* four digits in the request; NULL: one host */
    uint64_t n_hosts;
    uint64_t expected; /* bytes of content; 0: whatever */
    uint64_t started_ns, until_ns, wanted;
    uint64_t sent, done, interval_ns;
    struct client *clients, *free_clients;
    size_t n_clients;
    struct histogram histogram;
    char bytes[ROOM];
} load;

/* ---- the request ---- */

static size_t add_body(char *at, size_t n, bool chunked)
{
    size_t len = 0;

    if (chunked)
        len = (size_t)sprintf(at, "%zx\r\n", n);
    memset(at + len, 'x', n);
    len += n;
    if (chunked)
        len += (size_t)sprintf(at + len, "\r\n0\r\n\r\n");
    return len;
}

/* What the platform's node client sends with an ordinary call. */
static void write_request(int argc, char **argv)
{
    size_t post = wire_number(argc, argv, "--post", 0);
    bool chunked = wire_number(argc, argv, "--chunked", 0) != 0;
    char framing[64] = "", host[300];

    load.n_hosts = wire_number(argc, argv, "--hosts", 0);
    snprintf(host, sizeof host, "%s%s", load.n_hosts ? "h0000." : "",
             wire_option(argc, argv, "--host", "localhost"));
    if (post && chunked)
        snprintf(framing, sizeof framing, "Transfer-Encoding: chunked\r\n");
    else if (post)
        snprintf(framing, sizeof framing, "Content-Length: %zu\r\n", post);
    load.request = malloc(post + 4096);
    load.request_len = (size_t)snprintf(
        load.request, 4096,
        "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json, text/plain, */*\r\n"
        "Accept-Encoding: gzip\r\nUser-Agent: vtex.bench@1.0.0\r\nX-Vtex-Tenant: storeacct\r\n"
        "x-request-id: 7c2f3b1e-9a4d-4f0c-8e6b-5a4d3c2b1a09\r\n%s\r\n",
        post ? "POST" : "GET", wire_option(argc, argv, "--path", "/"), host, framing);
    load.host_number = load.n_hosts ? strstr(load.request, "Host: h") + strlen("Host: h") : NULL;
    if (post)
        load.request_len += add_body(load.request + load.request_len, post, chunked);
}

/* ---- clients ---- */

static void name_host(uint64_t number)
{
    for (int i = 3; i >= 0; i--, number /= 10)
        load.host_number[i] = (char)('0' + number % 10);
}

static void send_request(struct client *client, uint64_t since_ns)
{
    size_t sent = 0;

    client->since_ns = since_ns;
    if (load.host_number)
        name_host(load.sent % load.n_hosts);
    while (sent < load.request_len) {
        ssize_t n = send(client->fd, load.request + sent, load.request_len - sent, MSG_NOSIGNAL);
        if (n < 0)
            wire_die("send");
        sent += (size_t)n;
    }
    load.sent++;
}

static bool is_over(uint64_t now)
{
    return load.wanted ? load.sent >= load.wanted : now >= load.until_ns;
}

static void answered(struct client *client)
{
    uint64_t now = wire_now_ns();

    if (load.expected && client->response.bytes != load.expected) {
        fprintf(stderr, "an answer of %llu bytes\n", (unsigned long long)client->response.bytes);
        exit(1);
    }
    load.done++;
    histogram_add(&load.histogram, (now - client->since_ns) / 100);
    if (load.interval_ns) {
        client->next_free = load.free_clients;
        load.free_clients = client;
    } else if (!is_over(now)) {
        send_request(client, now);
    }
}

/* Content that nobody looks at is thrown away in the kernel: the proxy is to be measured, not us. */
static ssize_t receive(struct client *client, bool *skipped)
{
    uint64_t opaque = response_opaque(&client->response);

    *skipped = opaque > 0;
    if (*skipped)
        return recv(client->fd, NULL, opaque < (1 << 30) ? (size_t)opaque : 1 << 30, MSG_TRUNC);
    return recv(client->fd, load.bytes, sizeof load.bytes, 0);
}

static void on_readable(struct client *client)
{
    bool skipped;
    ssize_t n = receive(client, &skipped);

    if (n < 0)
        return;
    enum response_result result = n == 0 ? RESPONSE_BAD
                                  : skipped
                                      ? response_skip(&client->response, (uint64_t)n)
                                      : response_take(&client->response, load.bytes, (size_t)n);
    if (result == RESPONSE_BAD) {
        fprintf(stderr, n ? "a bad answer: %.600s\n" : "the proxy has closed\n", load.bytes);
        exit(1);
    }
    if (result == RESPONSE_DONE)
        answered(client);
}

static void connect_clients(size_t n, uint16_t port)
{
    load.clients = calloc(n, sizeof *load.clients);
    load.n_clients = n;
    for (size_t i = 0; i < n; i++) {
        load.clients[i].fd = wire_connect(port);
        wire_watch(load.epoll, load.clients[i].fd, EPOLLIN, &load.clients[i]);
    }
}

/* ---- loops ---- */

static void turn(int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(load.epoll, events, EVENTS, timeout_ms);
    uint64_t expirations;

    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr)
            on_readable(events[i].data.ptr);
        else if (read(load.timer, &expirations, sizeof expirations) < 0)
            continue;
    }
    if (n == 0 && timeout_ms > 0) {
        fprintf(stderr, "no answer for %d ms\n", timeout_ms);
        exit(1);
    }
}

static void closed_loop(void)
{
    for (size_t i = 0; i < load.n_clients && !is_over(0); i++)
        send_request(&load.clients[i], wire_now_ns());
    while (load.done < load.sent)
        turn(20000);
}

static void send_what_is_due(void)
{
    uint64_t now = wire_now_ns(), due;

    while (load.free_clients && (due = load.started_ns + load.sent * load.interval_ns) <= now &&
           due < load.until_ns) {
        struct client *client = load.free_clients;
        load.free_clients = client->next_free;
        send_request(client, due);
    }
}

/* One request of each client that does not count: connections and handshakes are made before. */
static void warm_up(void)
{
    uint64_t wanted = load.wanted;

    load.wanted = load.n_clients;
    for (size_t i = 0; i < load.n_clients; i++)
        send_request(&load.clients[i], wire_now_ns());
    while (load.done < load.sent)
        turn(20000);
    load.wanted = wanted;
    load.sent = load.done = 0;
    load.free_clients = NULL;
    load.histogram = (struct histogram){ 0 };
}

static void open_loop(void)
{
    uint64_t total = (load.until_ns - load.started_ns) / load.interval_ns;
    struct itimerspec every = { .it_interval.tv_nsec = (long)load.interval_ns,
                                .it_value.tv_nsec = (long)load.interval_ns };

    for (size_t i = 0; i < load.n_clients; i++) {
        load.clients[i].next_free = load.free_clients;
        load.free_clients = &load.clients[i];
    }
    prctl(PR_SET_TIMERSLACK, 1);
    load.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    timerfd_settime(load.timer, 0, &every, NULL);
    wire_watch(load.epoll, load.timer, EPOLLIN, NULL);
    while (load.done < total) {
        turn(20000);
        send_what_is_due();
    }
}

static void hold(const char *how)
{
    char byte;

    load.until_ns = 0; /* one request each */
    for (size_t i = 0; i < load.n_clients; i++) {
        uint64_t done = load.done;
        send_request(&load.clients[i], wire_now_ns());
        while (strcmp(how, "idle") == 0 && load.done == done)
            turn(20000);
    }
    puts("held");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

static void print(const struct processor *spent)
{
    double seconds = (double)(wire_now_ns() - load.started_ns) / 1e9, n = (double)load.done;

    printf("{\"requests\":%.0f,\"per_second\":%.1f,\"cpu_us\":%.3f,\"user_us\":%.3f,\"system_us\":%"
           ".3f,"
           "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f}\n",
           n, n / seconds, (double)spent->total_ns / 1e3 / n, (double)spent->user_ns / 1e3 / n,
           (double)spent->system_ns / 1e3 / n, (double)histogram_at(&load.histogram, .5) / 10,
           (double)histogram_at(&load.histogram, .99) / 10,
           (double)histogram_at(&load.histogram, .999) / 10);
}

int main(int argc, char **argv)
{
    const char *how = wire_option(argc, argv, "--hold", NULL);
    pid_t watched = (pid_t)wire_number(argc, argv, "--watch", 0);
    uint64_t rate = wire_number(argc, argv, "--rate", 0);
    struct processor before, after;

    wire_many_files();
    write_request(argc, argv);
    load.expected = wire_number(argc, argv, "--expect", 0);
    load.wanted = wire_number(argc, argv, "--requests", 0);
    load.interval_ns = rate ? 1000000000 / rate : 0;
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    connect_clients(wire_number(argc, argv, "--clients", 1),
                    (uint16_t)wire_number(argc, argv, "--port", 0));
    if (!how)
        warm_up();
    before = processor_of(watched);
    load.started_ns = wire_now_ns();
    load.until_ns = load.started_ns + wire_number(argc, argv, "--ms", 1000) * 1000000;
    if (how)
        hold(how);
    else if (rate)
        open_loop();
    else
        closed_loop();
    after = processor_of(watched);
    struct processor spent = processor_spent(&before, &after);
    if (!how)
        print(&spent);
    return 0;
}

#include "tests/flow/kit_dns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/flow/kit_bytes.h"
#include "tests/flow/kit_wait.h"
#include "tests/unit/stories.h"

enum {
    MESSAGE_MAX = 65535,
    UDP_MAX = 1232, /* what does not fit is cut, as EDNS says */
    NAME_TEXT_MAX = 256,
    RECORDS_MAX = 512,
    ASKED_MAX = 1024,
    TYPE_A = 1,
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    TYPE_AAAA = 28,
    RCODE_FORMERR = 1,
    RCODE_SERVFAIL = 2,
    RCODE_NXDOMAIN = 3,
    RCODE_REFUSED = 5,
    FLAG_TC = 0x0200,
    CHAIN_MAX = 12,
    TCP_PATIENCE_S = 5,
    CALLERS_MAX = 32, /* by TCP, at once */
};

struct record {
    char name[NAME_TEXT_MAX], type[8], ttl[16], data[NAME_TEXT_MAX];
};

struct asked {
    char name[NAME_TEXT_MAX];
    unsigned type;
};

/* An answer that waits for its time. */
struct late {
    TAILQ_ENTRY(late) link;
    long long due_ms;
    struct sockaddr_storage to;
    socklen_t to_len;
    struct bytes message;
};

struct dns_server {
    int udp, tcp, news,
        stop; /* news: an eventfd that counts questions; stop: one that ends the thread */
    uint16_t port;
    pthread_t thread;
    TAILQ_HEAD(, late) late;
    int callers[CALLERS_MAX];
    size_t n_callers;
    pthread_mutex_t lock; /* for all below */
    struct record records[RECORDS_MAX];
    size_t n_records;
    struct asked asked[ASKED_MAX];
    size_t n_asked, n_by_tcp;
};

/* ---- messages ---- */

struct query {
    const uint8_t *bytes;
    size_t len; /* up to the end of its question */
    char name[NAME_TEXT_MAX];
    unsigned type;
    bool by_tcp;
};

static unsigned u16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static void put16(struct bytes *out, unsigned value)
{
    uint8_t two[2] = { (uint8_t)(value >> 8), (uint8_t)value };

    bytes_add(out, two, 2);
}

static void put32(struct bytes *out, unsigned long value)
{
    put16(out, (unsigned)(value >> 16) & 0xffff);
    put16(out, (unsigned)value & 0xffff);
}

static void put_name(struct bytes *out, const char *name)
{
    while (*name && strcmp(name, ".") != 0) {
        uint8_t length = (uint8_t)strcspn(name, ".");

        bytes_add(out, &length, 1);
        bytes_add(out, name, length);
        name += length + (name[length] == '.');
    }
    bytes_add(out, "", 1);
}

static bool read_query(const uint8_t *bytes, size_t n, struct query *query)
{
    size_t at = 12, out = 0;

    if (n < 17 || u16(bytes + 4) != 1)
        return false;
    while (at < n && bytes[at] && bytes[at] < 64 && at + 1 + bytes[at] < n &&
           out + bytes[at] + 2 < NAME_TEXT_MAX) {
        memcpy(query->name + out, bytes + at + 1, bytes[at]);
        out += bytes[at];
        query->name[out++] = '.';
        at += 1 + (size_t)bytes[at];
    }
    query->name[out ? out - 1 : 0] = '\0';
    if (at + 5 > n || bytes[at])
        return false;
    query->bytes = bytes;
    query->len = at + 5;
    query->type = u16(bytes + at + 1);
    return true;
}

static const char *type_name(unsigned type)
{
    return type == TYPE_A ? "A" : type == TYPE_AAAA ? "AAAA" : type == TYPE_CNAME ? "CNAME" : "?";
}

/* The head and the question; what follows counts itself in at `counts`. */
static void begin_answer(struct bytes *out, const struct query *query, unsigned flags)
{
    bytes_add(out, query->bytes, 2);
    put16(out, 0x8180 | flags); /* a response, recursion desired and available */
    put16(out, 1);
    put16(out, 0);
    put16(out, 0);
    put16(out, 0);
    bytes_add(out, query->bytes + 12, query->len - 12);
}

static void count_in(struct bytes *out, size_t section)
{
    uint8_t *at = (uint8_t *)out->at + 6 + 2 * section;
    unsigned n = u16(at) + 1;

    at[0] = (uint8_t)(n >> 8);
    at[1] = (uint8_t)n;
}

static void put_record(struct bytes *out, const char *owner, unsigned type, unsigned long ttl,
                       const void *data, size_t n)
{
    put_name(out, owner);
    put16(out, type);
    put16(out, 1);
    put32(out, ttl);
    put16(out, (unsigned)n);
    bytes_add(out, data, n);
    count_in(out, 0);
}

static void put_zone_record(struct bytes *out, const struct record *record)
{
    unsigned long ttl = strtoul(record->ttl, NULL, 10);
    struct bytes target = { 0 };
    uint8_t address[16];

    if (strcmp(record->type, "CNAME") == 0) {
        put_name(&target, record->data);
        put_record(out, record->name, TYPE_CNAME, ttl, target.at, target.n);
        bytes_free(&target);
    } else if (strcmp(record->type, "A") == 0 && inet_pton(AF_INET, record->data, address) == 1) {
        put_record(out, record->name, TYPE_A, ttl, address, 4);
    } else if (inet_pton(AF_INET6, record->data, address) == 1) {
        put_record(out, record->name, TYPE_AAAA, ttl, address, 16);
    }
}

/* ---- what the zone says ---- */

static bool is_plain(const struct record *record)
{
    return record->ttl[0] != '!';
}

/* The first line of that name and type that `plain` asks for. */
static const struct record *find(const struct dns_server *server, const char *name,
                                 const char *type, bool plain)
{
    for (size_t i = 0; i < server->n_records; i++) {
        const struct record *record = &server->records[i];

        if (strcasecmp(record->name, name) == 0 && is_plain(record) == plain &&
            (strcmp(type, "*") == 0 || strcmp(record->type, "*") == 0 ||
             strcmp(record->type, type) == 0))
            return record;
    }
    return NULL;
}

static void put_soa(struct bytes *out, const struct dns_server *server)
{
    const struct record *soa = find(server, ".", "SOA", true);
    const char *ttl = soa ? soa->ttl : "60";

    if (strcmp(ttl, "-") == 0)
        return;
    put_name(out, "test");
    put16(out, TYPE_SOA);
    put16(out, 1);
    put32(out, 86400); /* MINIMUM is less */
    put16(out, 22);
    put_name(out, ".");
    put_name(out, ".");
    for (int i = 0; i < 4; i++)
        put32(out, 1);
    put32(out, strtoul(ttl, NULL, 10));
    count_in(out, 1);
}

static void put_answer(struct bytes *out, const struct dns_server *server,
                       const struct query *query)
{
    const char *name = query->name, *type = type_name(query->type);
    const struct record *alias;
    size_t before;

    begin_answer(out, query, 0);
    for (int i = 0; i < CHAIN_MAX && (alias = find(server, name, "CNAME", true)); i++) {
        put_zone_record(out, alias);
        name = alias->data;
    }
    before = out->n;
    for (size_t i = 0; i < server->n_records; i++) {
        const struct record *record = &server->records[i];

        if (is_plain(record) && strcasecmp(record->name, name) == 0 &&
            strcmp(record->type, type) == 0)
            put_zone_record(out, record);
    }
    if (out->n != before)
        return;
    if (!find(server, name, "*", true) && !find(server, name, "*", false))
        out->at[3] |= RCODE_NXDOMAIN;
    put_soa(out, server);
}

static void put_bad_record(struct bytes *out, const struct query *query, const char *word)
{
    static const uint8_t address[4] = { 127, 0, 0, 1 };

    begin_answer(out, query, 0);
    if (strcmp(word, "!other") == 0) {
        put_record(out, "other.test", query->type, 60, address, 4);
    } else if (strcmp(word, "!loop") == 0) {
        put16(out, 0xc000 | (unsigned)out->n);
        put16(out, query->type);
        put16(out, 1);
        put32(out, 60);
        put16(out, 4);
        bytes_add(out, address, 4);
        count_in(out, 0);
    } else { /* !short */
        put_record(out, query->name, query->type, 60, address, 4);
        out->n -= 3;
    }
}

/* Nothing where nothing is to be said. */
static void put_misbehaviour(struct bytes *out, const struct dns_server *server,
                             const struct query *query, const char *word)
{
    if (strcmp(word, "!drop") == 0)
        return;
    if (strcmp(word, "!servfail") == 0)
        begin_answer(out, query, RCODE_SERVFAIL);
    else if (strcmp(word, "!refused") == 0)
        begin_answer(out, query, RCODE_REFUSED);
    else if (strcmp(word, "!formerr") == 0)
        begin_answer(out, query, RCODE_FORMERR);
    else if (strcmp(word, "!garbage") == 0)
        bytes_add(out, "\xff\xff\xff", 3);
    else if (strcmp(word, "!cut") == 0 && !query->by_tcp)
        begin_answer(out, query, FLAG_TC);
    else if (strcmp(word, "!loop") == 0 || strcmp(word, "!short") == 0 ||
             strcmp(word, "!other") == 0)
        put_bad_record(out, query, word);
    else
        put_answer(out, server, query);
    if (strcmp(word, "!stranger") == 0)
        out->at[0] ^= 1;
    if (strcmp(word, "!question") == 0)
        out->at[13] ^= 1;
}

/* ---- serving ---- */

static void note(struct dns_server *server, const struct query *query)
{
    struct asked *asked = &server->asked[server->n_asked % ASKED_MAX];
    uint64_t one = 1;

    snprintf(asked->name, sizeof(asked->name), "%s", query->name);
    asked->type = query->type;
    server->n_asked++;
    server->n_by_tcp += query->by_tcp;
    if (write(server->news, &one, sizeof(one)) < 0)
        abort();
}

/* How long the answer is to wait. */
static long long answer(struct dns_server *server, const struct query *query, struct bytes *out)
{
    long long wait_ms = 0;

    pthread_mutex_lock(&server->lock);
    const struct record *bad = find(server, query->name, type_name(query->type), false);
    if (!bad)
        put_answer(out, server, query);
    else
        put_misbehaviour(out, server, query, bad->ttl);
    if (bad && strcmp(bad->ttl, "!late") == 0)
        wait_ms = strtol(bad->data, NULL, 10);
    note(server, query); /* now that what it is told cannot change any more */
    pthread_mutex_unlock(&server->lock);
    return wait_ms;
}

static void serve_udp(struct dns_server *server)
{
    uint8_t bytes[UDP_MAX];
    struct late *late = calloc(1, sizeof(*late));
    struct query query = { .by_tcp = false };

    late->to_len = sizeof(late->to);
    ssize_t n =
        recvfrom(server->udp, bytes, sizeof(bytes), 0, (struct sockaddr *)&late->to, &late->to_len);
    if (n <= 0 || !read_query(bytes, (size_t)n, &query)) {
        free(late);
        return;
    }
    late->due_ms = answer(server, &query, &late->message);
    late->due_ms += now_ms();
    if (late->message.n > UDP_MAX) {
        late->message.n = 0;
        begin_answer(&late->message, &query, FLAG_TC);
    }
    TAILQ_INSERT_TAIL(&server->late, late, link);
}

static bool read_all(int fd, uint8_t *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = recv(fd, bytes + at, n - at, 0);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

static void answer_by_tcp(struct dns_server *server, int fd, const struct query *query)
{
    struct bytes message = { 0 }, framed = { 0 };

    answer(server, query, &message);
    put16(&framed, (unsigned)message.n);
    bytes_add(&framed, message.at, message.n);
    if (message.n && send(fd, framed.at, framed.n, MSG_NOSIGNAL) < 0)
        abort();
    bytes_free(&message);
    bytes_free(&framed);
}

static void take_caller(struct dns_server *server)
{
    struct timeval patience = {
        .tv_sec = TCP_PATIENCE_S
    }; /* for the rest of a question that has begun */
    int fd = accept(server->tcp, NULL, NULL);

    if (fd < 0)
        return;
    if (server->n_callers == CALLERS_MAX)
        abort();
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    server->callers[server->n_callers++] = fd;
}

/* One question; who keeps his connection open keeps nobody else waiting. */
static bool serve_caller(struct dns_server *server, int fd)
{
    static uint8_t bytes[MESSAGE_MAX];
    struct query query = { .by_tcp = true };
    uint8_t length[2];

    if (!read_all(fd, length, 2) || !read_all(fd, bytes, u16(length)) ||
        !read_query(bytes, u16(length), &query))
        return false;
    answer_by_tcp(server, fd, &query);
    return true;
}

/* From the last: whoever leaves makes room for one that was looked at. */
static void serve_callers(struct dns_server *server, const struct pollfd *fds)
{
    for (size_t i = server->n_callers; i-- > 0;) {
        if (!fds[i].revents || serve_caller(server, fds[i].fd))
            continue;
        close(fds[i].fd);
        server->callers[i] = server->callers[--server->n_callers];
    }
}

static void send_due(struct dns_server *server)
{
    struct late *late, *next;

    for (late = TAILQ_FIRST(&server->late); late; late = next) {
        next = TAILQ_NEXT(late, link);
        if (late->due_ms > now_ms())
            continue;
        if (late->message.n) /* whoever asked may have gone */
            sendto(server->udp, late->message.at, late->message.n, 0, (struct sockaddr *)&late->to,
                   late->to_len);
        TAILQ_REMOVE(&server->late, late, link);
        bytes_free(&late->message);
        free(late);
    }
}

static void *serve(void *arg)
{
    struct dns_server *server = arg;

    for (;;) {
        struct pollfd fds[3 + CALLERS_MAX] = { { .fd = server->udp, .events = POLLIN },
                                               { .fd = server->tcp, .events = POLLIN },
                                               { .fd = server->stop, .events = POLLIN } };
        for (size_t i = 0; i < server->n_callers; i++)
            fds[3 + i] = (struct pollfd){ .fd = server->callers[i], .events = POLLIN };
        poll(fds, 3 + server->n_callers, TAILQ_EMPTY(&server->late) ? -1 : 5);
        if (fds[2].revents)
            return NULL;
        serve_callers(server, fds + 3);
        if (fds[0].revents)
            serve_udp(server);
        if (fds[1].revents)
            take_caller(server);
        send_due(server);
    }
}

/* ---- the test's side ---- */

/* Both sockets at one port; another is tried when the other kind has it. */
static bool bind_both(struct dns_server *server)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(at);

    server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    server->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->tcp, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(server->tcp, (struct sockaddr *)&at, &len), 0);
    server->port = ntohs(at.sin_port);
    if (bind(server->udp, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(server->tcp, 16) == 0)
        return true;
    close(server->udp);
    close(server->tcp);
    return false;
}

void dns_server_say(struct dns_server *server, const char *zone)
{
    char line[3 * NAME_TEXT_MAX];

    pthread_mutex_lock(&server->lock);
    server->n_records = 0;
    while (*zone) {
        size_t n = strcspn(zone, "\n");
        struct record *record = &server->records[server->n_records];
        char *words = line, *word;
        char *fields[4] = { record->name, record->type, record->ttl, record->data };
        size_t rooms[4] = { NAME_TEXT_MAX, sizeof(record->type), sizeof(record->ttl),
                            NAME_TEXT_MAX };

        assert_true(n < sizeof(line) && server->n_records < RECORDS_MAX);
        memcpy(line, zone, n);
        line[n] = '\0';
        *record = (struct record){ .data = "" };
        for (size_t i = 0; i < 4 && (word = strsep(&words, " ")); i++)
            snprintf(fields[i], rooms[i], "%s", word);
        if (record->name[0])
            server->n_records++;
        zone += n + (zone[n] == '\n');
    }
    pthread_mutex_unlock(&server->lock);
}

struct dns_server *dns_server_new(const char *zone)
{
    struct dns_server *server = calloc(1, sizeof(*server));
    int tries = 0;

    while (!bind_both(server))
        assert_true(++tries < 20);
    server->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->stop = eventfd(0, EFD_CLOEXEC);
    TAILQ_INIT(&server->late);
    pthread_mutex_init(&server->lock, NULL);
    dns_server_say(server, zone);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    return server;
}

void dns_server_free(struct dns_server *server)
{
    uint64_t one = 1;
    struct late *late;

    if (!server)
        return;
    assert_true(write(server->stop, &one, sizeof(one)) > 0);
    pthread_join(server->thread, NULL);
    while ((late = TAILQ_FIRST(&server->late))) {
        TAILQ_REMOVE(&server->late, late, link);
        bytes_free(&late->message);
        free(late);
    }
    for (size_t i = 0; i < server->n_callers; i++)
        close(server->callers[i]);
    close(server->udp);
    close(server->tcp);
    close(server->news);
    close(server->stop);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

uint16_t dns_server_port(const struct dns_server *server)
{
    return server->port;
}

unsigned dns_server_asked(struct dns_server *server, const char *name, const char *type)
{
    unsigned n = 0;

    pthread_mutex_lock(&server->lock);
    assert_true(server->n_asked <= ASKED_MAX);
    for (size_t i = 0; i < server->n_asked; i++)
        n += strcasecmp(server->asked[i].name, name) == 0 &&
             (strcmp(type, "*") == 0 || strcmp(type_name(server->asked[i].type), type) == 0);
    pthread_mutex_unlock(&server->lock);
    return n;
}

unsigned dns_server_asked_by_tcp(struct dns_server *server)
{
    pthread_mutex_lock(&server->lock);
    unsigned n = (unsigned)server->n_by_tcp;
    pthread_mutex_unlock(&server->lock);
    return n;
}

void dns_server_await(struct dns_server *server, const char *name, const char *type, unsigned n)
{
    long long until = now_ms() + PATIENCE_MS;
    uint64_t news;

    while (dns_server_asked(server, name, type) < n) {
        struct pollfd fd = { .fd = server->news, .events = POLLIN };

        if (!wait_any(&fd, 1, until))
            fail_msg("%s %s was asked for %u times, not %u", name, type,
                     dns_server_asked(server, name, type), n);
        if (read(server->news, &news, sizeof(news)) < 0)
            continue;
    }
}

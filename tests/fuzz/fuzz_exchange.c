/* Whole exchanges: the real front, exchange, pool and keeper in this process, and both peers played by
 * the input. The kernel's part is socket pairs, put in where the parts meet it (CMake: --wrap).
 *
 * The input is what the peers say and do: bytes, with 0xff and a letter wherever something else begins.
 *   n  a new client, which speaks          c  it leaves          C  it speaks on
 *   O  the newest origin speaks            o  it leaves
 *   P  the origin before that speaks       t  the source has another token from now on
 *
 * What must hold, whatever they do:
 *   what reaches an origin is a row of requests as a strict reader sees them, to a host that the policy
 *   allows, with the token if and only if it is the one that takes it
 *   nothing that a client gets holds the token
 *   when all peers have left, no client, no exchange and no connection is left */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/manifest.h"
#include "config/memory.h"
#include "config/settings.h"
#include "proxy/caller.h"
#include "proxy/exchange.h"
#include "proxy/lag.h"
#include "proxy/limits.h"
#include "proxy/log.h"
#include "proxy/loop.h"
#include "proxy/origin/resolve.h"
#include "proxy/origin/tls.h"
#include "proxy/tally.h"
#include "proxy/token/keeper.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define JANUS_HOST "janus.partner.example"
#define TOKEN      "4d8a3f6c-THE-APP-TOKEN-"

enum {
    EVENT = 0xff,
    ORIGINS_MAX = 8,
    CLIENTS_MAX = 4,
    OUT_FIRST = 4096,
    OUT_MAX = OUT_FIRST * 256,
    TURNS_MAX = 400
};

/* Our end of a socket pair, and what came out of it. */
struct end {
    int fd; /* -1: we have left */
    size_t n, size;
    char *out;
};

static struct {
    struct loop *loop;
    struct front *front;
    struct origin_context origins;
    struct exchange_context exchanges;
    int bell[2]; /* the "listening socket": readable while a client is waiting */
    int waiting; /* its end of the pair; -1: none */
    unsigned token;
    bool seen_token; /* the input itself knows it */
    struct end *clients[CLIENTS_MAX], *peers[ORIGINS_MAX];
    size_t n_clients, n_peers;
} play = { .waiting = -1, .token = 1 };

/* ---- in the kernel's place ---- */

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
int __wrap_socket_connect(const struct sockaddr *address, socklen_t len);
bool __wrap_peer_holds_its_end(int fd);
enum realm __wrap_realm_of(const struct realms *realms, const struct destination *destination);

static int pair(struct end **ours)
{
    int ends[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    *ours = mem_alloc(1, sizeof(**ours));
    (*ours)->fd = ends[0];
    return ends[1];
}

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int client = play.waiting;
    char byte;

    (void)flags;
    if (client < 0) {
        errno = EAGAIN;
        return -1;
    }
    CHECK(read(fd, &byte, 1) == 1);
    memcpy(address, &from, sizeof(from));
    *len = sizeof(from);
    play.waiting = -1;
    return client;
}

int __wrap_socket_connect(const struct sockaddr *address, socklen_t len)
{
    (void)address;
    (void)len;
    if (play.n_peers == ORIGINS_MAX) {
        errno = ECONNREFUSED;
        return -1;
    }
    return pair(&play.peers[play.n_peers++]);
}

/* A socket pair has no half-closed clients. */
bool __wrap_peer_holds_its_end(int fd)
{
    (void)fd;
    return false;
}

/* No origin here speaks TLS, and one of them takes the token all the same. */
enum realm __wrap_realm_of(const struct realms *realms, const struct destination *destination)
{
    (void)realms;
    return strcmp(destination->host, JANUS_HOST) == 0 ? REALM_JANUS : REALM_FOREIGN;
}

/* ---- a source of tokens ---- */

static struct {
    struct token_source source;
    struct job job;
} source;

static void answer(struct job *job)
{
    char text[64];
    const char *why;

    (void)job;
    snprintf(text, sizeof(text), TOKEN "%08u", play.token);
    token_source_arrived(&source.source, token_new(text_of(text), &why));
}

static void fetch(struct token_source *asked)
{
    (void)asked;
    loop_defer(play.loop, &source.job);
}

static void free_source(struct token_source *asked)
{
    (void)asked;
}

/* ---- once a process ---- */

static const char manifest[] =
    "{\"vendor\":\"acme\",\"name\":\"x\",\"version\":\"1.0.0\",\"policies\":["
    "{\"name\":\"outbound-access\",\"attrs\":{\"host\":\"any.partner.example\",\"path\":\"*\"}},"
    "{\"name\":\"outbound-access\",\"attrs\":{\"host\":\"" JANUS_HOST "\",\"path\":\"/a*\"}}]}";

static struct settings *make_settings(void)
{
    static const char *const words[] = { "run",
                                         "--account",
                                         "storeacct",
                                         "--connect-to",
                                         "::127.0.0.1:9",
                                         "--allow-address",
                                         "127.0.0.0/8",
                                         "--plaintext-host",
                                         "any.partner.example",
                                         "--plaintext-host",
                                         JANUS_HOST,
                                         "--token-overlap",
                                         "0s" };
    struct diags diags = { 0 };
    struct strings rest = { 0 };
    struct settings *settings =
        settings_load(sizeof(words) / sizeof(words[0]), (char **)(uintptr_t)words, &rest, &diags);

    CHECK(settings && diags.fatal == 0);
    diags_fini(&diags);
    return settings;
}

static struct policy *make_policy(const struct settings *settings)
{
    struct diags diags = { 0 };
    struct manifest *parsed = manifest_parse("manifest.json", text_of(manifest), &diags);
    struct policy *policy = policy_new(parsed, settings, &diags);

    CHECK(policy_n_rules(policy) == 2);
    manifest_free(parsed);
    diags_fini(&diags);
    return policy;
}

static void make_keeper(struct exchange_context *x)
{
    static const struct token_source_kind kind = { "fuzz", NULL, fetch, free_source };
    static const struct token_rules rules = {
        .lifetime_ms = 3600 * 1000, .skew_ms = 1000, .backoff = { 1, 1 }, .now = clock_now
    };
    struct token_keeper *keeper;

    source.source.kind = &kind;
    source.source.label = "the fuzzer";
    source.job.run = answer;
    keeper = token_keeper_new(x->loop, x->log, &rules);
    token_keeper_add(keeper, &source.source);
    token_keeper_start(keeper);
    x->desk = token_keeper_desk(keeper);
}

static void on_emptied(void *context)
{
    (void)context;
}

static void make_front(struct exchange_context *x)
{
    static const struct front_handler handler = { exchange_begin, exchange_refuse, exchange_io,
                                                  exchange_gone, on_emptied };
    struct front_limits limits = { .head_ms = 10000, .idle_ms = 10000 };

    CHECK(pipe2(play.bell, O_NONBLOCK | O_CLOEXEC) == 0);
    play.front = front_new(x->loop, x->log, limits, &handler, x);
    front_listen(play.front, play.bell[0], false);
}

/* For a play in which somebody asks for TLS: its handshake meets what the seed says, and fails. */
static const struct tls *make_tls(const struct settings *settings)
{
    struct diags diags = { 0 };
    const struct tls *tls = tls_new(settings, &diags);

    CHECK(tls);
    diags_fini(&diags);
    return tls;
}

static void make_everything(void)
{
    struct settings *settings = make_settings();
    struct exchange_context *x = &play.exchanges;
    struct loop *loop = play.loop = loop_new();
    static struct tally tally;

    play.origins =
        (struct origin_context){ .loop = loop,
                                 .tls = make_tls(settings),
                                 .settings = settings,
                                 .resolver = resolver_new(loop, settings, NULL, &tally.names),
                                 .attempts = deadlines_new(loop, CONNECT_ATTEMPT_MS),
                                 .connecting = deadlines_new(loop, 5000) };
    play.origins.tally = &tally;
    *x = (struct exchange_context){
        .tally = &tally,
        .lag = lag_new(loop, &tally.lag),
        .loop = loop,
        .log = log_new(loop, open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_INFO),
        .settings = settings,
        .max_requests = settings->max_requests,
        .policy = make_policy(settings),
        .destination_rules = { .default_host = settings->default_host,
                               .plaintext_hosts = settings->plaintext_hosts.items,
                               .n_plaintext_hosts = settings->plaintext_hosts.n },
        .identity_rules = { .placeholder = text_of(settings->placeholder),
                            .store_cookie = TEXT("VtexIdclientAutCookie_storeacct"),
                            .inject = settings->inject },
        .token_deadlines = deadlines_new(loop, 5000),
        .response_deadlines = deadlines_new(loop, 5000),
        .idle_deadlines = deadlines_new(loop, 5000),
        .pool = pool_new(&play.origins),
    };
    x->callers = callers_new(settings, loop, x->log);
    make_keeper(x);
    make_front(x);
}

/* ---- a turn of the loop ---- */

static bool read_away(struct end *end)
{
    if (end->fd < 0 || end->n == OUT_MAX)
        return false;
    if (end->n == end->size)
        end->out = mem_resize(end->out, end->size = end->size ? end->size * 4 : OUT_FIRST, 1);
    ssize_t n = recv(end->fd, end->out + end->n, end->size - end->n, 0);
    end->n += n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* As long as anything comes out; a job that goes on in the next turn may need one that shows nothing. */
static void turn(void)
{
    unsigned silent = 0;

    for (unsigned i = 0; i < TURNS_MAX && silent < 3; i++) {
        bool moved = false;
        CHECK(event_base_loop(loop_base(play.loop), EVLOOP_NONBLOCK) >= 0);
        for (size_t j = 0; j < play.n_clients; j++)
            moved = read_away(play.clients[j]) || moved;
        for (size_t j = 0; j < play.n_peers; j++)
            moved = read_away(play.peers[j]) || moved;
        silent = moved ? 0 : silent + 1;
    }
}

/* ---- the play ---- */

static void leave(struct end *end)
{
    if (end && end->fd >= 0) {
        close(end->fd);
        end->fd = -1;
    }
}

static void arrive(void)
{
    if (play.n_clients == CLIENTS_MAX)
        return;
    play.waiting = pair(&play.clients[play.n_clients++]);
    CHECK(write(play.bell[1], "", 1) == 1);
    turn();
    CHECK(play.waiting < 0);
}

static void speak(struct end *end, const unsigned char *bytes, size_t n)
{
    while (end && end->fd >= 0 && n > 0) {
        ssize_t sent = send(end->fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        bytes += sent;
        n -= (size_t)sent;
        turn();
    }
}

static struct end *client(void)
{
    return play.n_clients ? play.clients[play.n_clients - 1] : NULL;
}

static struct end *peer(size_t before)
{
    return play.n_peers > before ? play.peers[play.n_peers - 1 - before] : NULL;
}

static void perform(unsigned char what, const unsigned char *bytes, size_t n)
{
    if (what == 'n')
        arrive();
    if (what == 'n' || what == 'C')
        speak(client(), bytes, n);
    else if (what == 'O')
        speak(peer(0), bytes, n);
    else if (what == 'P')
        speak(peer(1), bytes, n);
    else if (what == 'c')
        leave(client());
    else if (what == 'o')
        leave(peer(0));
    else if (what == 't')
        play.token++;
    turn();
}

static void perform_all(const unsigned char *at, size_t size)
{
    const unsigned char *end = at + size;
    unsigned char what = 'n';

    while (at < end) {
        const unsigned char *next = memchr(at, EVENT, (size_t)(end - at));
        perform(what, at, (size_t)((next ? next : end) - at));
        if (!next || end - next < 2)
            return;
        what = next[1];
        at = next + 2;
        if (at == end)
            perform(what, at, 0);
    }
}

/* ---- what must hold ---- */

static bool holds_token(struct text bytes)
{
    return memmem(bytes.at, bytes.len, TOKEN, sizeof(TOKEN) - 1) != NULL;
}

static void check_request(const struct head *head, struct text bytes)
{
    struct text host = head_value(head, HEADER_HOST);
    bool to_janus = text_eq(host, TEXT(JANUS_HOST)) || text_eq(host, TEXT(JANUS_HOST ":80"));
    bool to_any =
        text_eq(host, TEXT("any.partner.example")) || text_eq(host, TEXT("any.partner.example:80"));

    CHECK(to_janus || to_any || memchr(host.at, ':', host.len));
    CHECK(head->count[HEADER_HOST] == 1);
    if (!to_janus && !play.seen_token && !memchr(host.at, ':', host.len))
        CHECK(!holds_token(bytes));
}

enum { TLS_HANDSHAKE = 0x16 }; /* how a TLS record begins (RFC 8446, 5.1) */

/* A row of whole requests; the last may be cut anywhere. */
static void check_what_it_heard(const struct end *end)
{
    struct intake intake = { 0 };
    size_t room;

    if (end->n == 0)
        return;
    if (end->out[0] ==
        TLS_HANDSHAKE) { /* nobody answers it as TLS does: nothing may follow in the clear */
        CHECK(!holds_token((struct text){ end->out, end->n }));
        return;
    }
    memcpy(intake_room(&intake, (uint32_t)end->n, &room), end->out, end->n);
    intake_received(&intake, end->n);
    while (intake_raw(&intake).len > 0) {
        struct head_scan scan = { 0 };
        struct framing framing;
        struct body body;
        struct head head;
        const char *why;
        size_t length;
        enum head_result result = head_end(&scan, intake_raw(&intake), &length, &why);
        CHECK(result == HEAD_OK || result == HEAD_MORE);
        if (result == HEAD_MORE)
            break;
        struct text bytes = { intake_raw(&intake).at, length };
        CHECK(scan.start == 0 && head_parse_request(bytes, &head, &why) == HEAD_OK);
        CHECK(framing_of_request(&head, &framing, &why) == FRAMING_OK);
        check_request(&head, bytes);
        intake_take_raw(&intake, length);
        body_init(&body, framing);
        CHECK(body_take(&body, &intake) == BODY_OK);
        intake_take_content(&intake, intake_content(&intake).len);
        if (!body.done)
            break;
    }
    intake_reset(&intake);
}

static void check_what_it_got(const struct end *end)
{
    CHECK(end->n < 7 || memcmp(end->out, "HTTP/1.", 7) == 0);
    if (!play.seen_token)
        CHECK(!holds_token((struct text){ end->out, end->n }));
}

static void peers_leave(void)
{
    for (size_t i = 0; i < play.n_peers; i++)
        leave(play.peers[i]);
    turn();
}

/* A request that meets a dead connection may go again on a new one, as long as nobody has read to the
 * client's end: that peer leaves too. */
static void everybody_leaves(void)
{
    for (size_t i = 0; i < play.n_clients; i++)
        leave(play.clients[i]);
    turn();
    peers_leave();
    for (size_t i = 0; i <= ORIGINS_MAX && front_n_clients(play.front) > 0; i++)
        peers_leave();
    CHECK(front_n_clients(play.front) == 0);
    peers_leave();
}

static void free_end(struct end *end)
{
    free(end->out);
    free(end);
}

static void forget(void)
{
    for (size_t i = 0; i < play.n_clients; i++)
        free_end(play.clients[i]);
    for (size_t i = 0; i < play.n_peers; i++)
        free_end(play.peers[i]);
    play.n_clients = play.n_peers = 0;
}

/* The descriptors that are open: a new one is the lowest that is free. */
static int lowest_free(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (!play.loop) {
        make_everything();
        turn();
    }
    int free_at_first = lowest_free();
    /* in any of its forms, as far as these 13 bytes are the same in all of them */
    play.seen_token = memmem(data, size, "THE-APP-TOKEN", 13) != NULL;
    arrive();
    perform_all(data, size);
    everybody_leaves();
    for (size_t i = 0; i < play.n_peers; i++)
        check_what_it_heard(play.peers[i]);
    for (size_t i = 0; i < play.n_clients; i++)
        check_what_it_got(play.clients[i]);
    forget();
    CHECK(lowest_free() == free_at_first);
    return 0;
}

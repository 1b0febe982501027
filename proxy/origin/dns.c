#include "proxy/origin/dns.h"

#include <ares.h>
#include <assert.h>
#include <event2/event.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "config/memory.h"
#include "config/settings.h"
#include "proxy/loop.h"
#include "proxy/origin/dns_negative.h"
#include "proxy/origin/dns_sockets.h"
#include "proxy/socket.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define HOSTS       "/etc/hosts"

/* c-ares opens and closes sockets as it likes, and tells what it wants to hear of each. */
struct dns_socket {
    LIST_ENTRY(dns_socket) link;
    struct dns *dns;
    ares_socket_t fd;
    struct event *event;
};

/* What a file was like when it was last looked at. */
struct stamp {
    struct timespec changed;
    ino_t inode;
    off_t size;
};

struct dns {
    struct loop *loop;
    const struct settings *settings;
    struct helper *helper;       /* NULL: every socket is our own */
    ares_channel servers, files; /* name servers alone, the hosts file alone */
    LIST_HEAD(, dns_socket) sockets;
    struct event *timer; /* c-ares' next time-out; not set while no question is under way */
    size_t n_asked;      /* and not answered */
    struct stamp resolv_conf, hosts;
    int try_ms; /* of `servers` */
    unsigned hosts_edition;
};

struct question {
    struct dns *dns;
    enum ip_family family;
    dns_answered *answered;
    void *context;
};

static struct stamp stamp_of(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return (struct stamp){ .size = -1 };
    return (struct stamp){ status.st_mtim, status.st_ino, status.st_size };
}

/* True if the file is another than it was. */
static bool stamp_renew(struct stamp *stamp, const char *path)
{
    struct stamp now = stamp_of(path), old = *stamp;

    *stamp = now;
    return now.changed.tv_sec != old.changed.tv_sec || now.changed.tv_nsec != old.changed.tv_nsec ||
           now.inode != old.inode || now.size != old.size;
}

/* ---- c-ares on the loop ---- */

static void await_timeout(struct dns *dns)
{
    struct timeval in;

    if (ares_timeout(dns->servers, NULL, &in))
        event_add(dns->timer, &in);
    else
        event_del(dns->timer);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct dns *dns = arg;

    (void)fd;
    (void)what;
    ares_process_fd(dns->servers, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    await_timeout(dns);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct dns *dns =
        ((struct dns_socket *)arg)->dns; /* the socket may be gone after the next line */

    ares_process_fd(dns->servers, what & EV_READ ? fd : ARES_SOCKET_BAD,
                    what & EV_WRITE ? fd : ARES_SOCKET_BAD);
    await_timeout(dns);
}

static struct dns_socket *find_socket(struct dns *dns, ares_socket_t fd)
{
    struct dns_socket *found;

    LIST_FOREACH(found, &dns->sockets, link) {
        if (found->fd == fd)
            return found;
    }
    return NULL;
}

static void forget_socket(struct dns_socket *dns_socket)
{
    LIST_REMOVE(dns_socket, link);
    event_free(dns_socket->event);
    free(dns_socket);
}

static void on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct dns *dns = arg;
    struct dns_socket *known = find_socket(dns, fd);
    short what = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST);

    if (known && !readable && !writable) {
        forget_socket(known);
        return;
    }
    if (!readable && !writable)
        return;
    if (!known) {
        known = mem_alloc(1, sizeof(*known));
        known->dns = dns;
        known->fd = fd;
        known->event = event_new(loop_base(dns->loop), fd, what, on_socket, known);
        LIST_INSERT_HEAD(&dns->sockets, known, link);
    } else {
        event_del(known->event);
        event_assign(known->event, loop_base(dns->loop), fd, what, on_socket, known);
    }
    event_add(known->event, NULL); /* where that fails, the question ends with its time-out */
}

/* ---- channels ---- */

/* Each try waits twice as long as the one before: 1, 2 and 4 parts are the time that there is. */
enum { TRIES = 3, TRY_PARTS = 7, TRY_MS_MIN = 50 };

static int try_ms(const struct settings *settings)
{
    unsigned all = settings->dns_ms && settings->dns_ms < settings->connect_ms
                       ? settings->dns_ms
                       : settings->connect_ms;

    return all / TRY_PARTS < TRY_MS_MIN ? TRY_MS_MIN : (int)(all / TRY_PARTS);
}

static void set_servers(ares_channel channel, const struct settings *settings)
{
    size_t n = settings->n_resolver;
    struct ares_addr_port_node *nodes = mem_alloc(n, sizeof(*nodes));

    for (size_t i = 0; i < n; i++) {
        const struct sockaddr *address = (const struct sockaddr *)&settings->resolver[i];
        struct ip ip = ip_of_sockaddr(address);

        nodes[i].next = i + 1 < n ? &nodes[i + 1] : NULL;
        nodes[i].family = address->sa_family;
        memcpy(&nodes[i].addr, ip.bytes, address->sa_family == AF_INET6 ? 16 : 4);
        nodes[i].udp_port = nodes[i].tcp_port = address_port(address);
    }
    ares_set_servers_ports(channel, nodes);
    free(nodes);
}

static ares_channel channel_new(struct dns *dns, const char *lookups)
{
    char *order = strdup(lookups), *no_domain = NULL;
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
        .timeout = try_ms(dns->settings),
        .tries = TRIES,
        .ednspsz = DNS_UDP_BYTES,
        .lookups = order,
        .domains = &no_domain,
        .ndomains = 0,
        .sock_state_cb = on_state,
        .sock_state_cb_data = dns,
    };
    ares_channel channel;
    int status =
        ares_init_options(&channel, &options,
                          ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
                              ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS | ARES_OPT_SOCK_STATE_CB);

    free(order);
    if (status != ARES_SUCCESS)
        abort(); /* it lacks memory: a file that is missing or wrong is none to it */
    dns_use_helper(channel, dns->helper);
    if (lookups[0] == 'b' && dns->settings->n_resolver)
        set_servers(channel, dns->settings);
    return channel;
}

struct dns *dns_new(struct loop *loop, const struct settings *settings, struct helper *helper)
{
    struct dns *dns = mem_alloc(1, sizeof(*dns));

    dns->loop = loop;
    dns->settings = settings;
    dns->helper = helper;
    LIST_INIT(&dns->sockets);
    dns->timer = event_new(loop_base(loop), -1, 0, on_timeout, dns);
    dns->resolv_conf = stamp_of(RESOLV_CONF);
    dns->try_ms = try_ms(settings);
    dns->servers = channel_new(dns, "b");
    dns->files = channel_new(dns, "f");
    return dns;
}

void dns_free(struct dns *dns)
{
    if (!dns)
        return;
    ares_destroy(dns->servers);
    ares_destroy(dns->files);
    assert(LIST_EMPTY(&dns->sockets)); /* each was told of when it was closed */
    event_free(dns->timer);
    assert(dns->n_asked == 0);
    free(dns);
}

/* A laptop changes its network, and with it its name servers; a reload changes times. */
static void follow_changes(struct dns *dns)
{
    int now_ms = try_ms(dns->settings);

    if (dns->n_asked)
        return;
    bool moved = !dns->settings->n_resolver && stamp_renew(&dns->resolv_conf, RESOLV_CONF);
    if (!moved && now_ms == dns->try_ms)
        return;
    dns->try_ms = now_ms;
    ares_destroy(dns->servers);
    dns->servers = channel_new(dns, "b");
}

/* ---- questions ---- */

static const struct meaning {
    int status;
    enum dns_outcome outcome;
    const char *why;
} meanings[] = {
    { ARES_ENODATA, DNS_NO_ADDRESS, "the name has no address" },
    { ARES_ENOTFOUND, DNS_NO_NAME, "there is no such name" },
    { ARES_EBADNAME, DNS_NO_NAME, "this cannot be a name" },
    { ARES_ETIMEOUT, DNS_SILENT, "no name server answered in time" },
    { ARES_ESERVFAIL, DNS_FAILED, "the name server failed" },
    { ARES_EFORMERR, DNS_FAILED, "the name server did not understand the question" },
    { ARES_EBADRESP, DNS_FAILED, "the name server's answer is broken" },
    { ARES_ECONNREFUSED, DNS_FAILED,
      "no name server gave an answer: each failed, refused or could not be reached" },
};

static void put_meaning(struct dns_answer *answer, int status)
{
    answer->outcome = DNS_FAILED;
    answer->why = "the name server could not be asked";
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].status == status) {
            answer->outcome = meanings[i].outcome;
            answer->why = meanings[i].why;
        }
    }
}

/* The answer lives as long as the shortest of its records, CNAMEs included (c-ares counts those in). RFC 2181,
 * 8: a TTL with its highest bit set is none. */
static void put_address(struct dns_answer *answer, const void *bytes, size_t len, int ttl)
{
    uint32_t ttl_s = ttl < 0 ? 0 : (uint32_t)ttl;

    if (answer->n == 0 || ttl_s < answer->ttl_s)
        answer->ttl_s = ttl_s;
    answer->items[answer->n] = (struct ip){ { 0 } };
    memcpy(answer->items[answer->n++].bytes, bytes, len);
}

static int read_v4(struct dns_answer *answer, const unsigned char *bytes, int len)
{
    struct ares_addrttl found[LIMIT_NAME_ADDRESSES];
    int n = LIMIT_NAME_ADDRESSES;
    int status = ares_parse_a_reply(bytes, len, NULL, found, &n);

    for (int i = 0; status == ARES_SUCCESS && i < n; i++)
        put_address(answer, &found[i].ipaddr, sizeof(found[i].ipaddr), found[i].ttl);
    return status;
}

static int read_v6(struct dns_answer *answer, const unsigned char *bytes, int len)
{
    struct ares_addr6ttl found[LIMIT_NAME_ADDRESSES];
    int n = LIMIT_NAME_ADDRESSES;
    int status = ares_parse_aaaa_reply(bytes, len, NULL, found, &n);

    for (int i = 0; status == ARES_SUCCESS && i < n; i++)
        put_address(answer, &found[i].ip6addr, sizeof(found[i].ip6addr), found[i].ttl);
    return status;
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
    struct question *question = arg;
    struct dns_answer answer = { .outcome = DNS_FOUND };

    (void)timeouts;
    if (status == ARES_SUCCESS)
        status =
            question->family == IP_V6 ? read_v6(&answer, bytes, len) : read_v4(&answer, bytes, len);
    if (status == ARES_SUCCESS && answer.n == 0)
        status = ARES_ENODATA;
    answer.cut = answer.n == LIMIT_NAME_ADDRESSES;
    if (status != ARES_SUCCESS) {
        put_meaning(&answer, status);
        if (bytes && len > 0)
            dns_negative_ttl(bytes, (size_t)len, &answer.ttl_s);
    }
    question->answered(question->context, &answer);
    question->dns->n_asked--;
    free(question);
}

void dns_ask(struct dns *dns, const char *host, enum ip_family family, dns_answered *answered,
             void *context)
{
    enum { CLASS_IN = 1, TYPE_A = 1, TYPE_AAAA = 28 };
    struct question *question = mem_alloc(1, sizeof(*question));

    follow_changes(dns);
    *question = (struct question){ dns, family, answered, context };
    dns->n_asked++;
    ares_query(dns->servers, host, CLASS_IN, family == IP_V6 ? TYPE_AAAA : TYPE_A, on_answer,
               question);
    await_timeout(dns);
}

/* ---- the hosts file ---- */

unsigned dns_hosts_edition(struct dns *dns)
{
    if (stamp_renew(&dns->hosts, HOSTS))
        dns->hosts_edition++;
    return dns->hosts_edition;
}

struct hosts_answers {
    struct dns_answer *answers;
    bool found;
};

static void put_node(struct dns_answer *answers, const struct ares_addrinfo_node *node)
{
    struct dns_answer *answer = &answers[ip_family_of(node->ai_addr)];
    struct ip ip = ip_of_sockaddr(node->ai_addr);

    if (answer->n == LIMIT_NAME_ADDRESSES)
        answer->cut = true;
    else
        answer->items[answer->n++] = ip;
}

static void on_hosts(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
    struct hosts_answers *hosts = arg;

    (void)timeouts;
    if (status == ARES_SUCCESS) {
        for (const struct ares_addrinfo_node *node = result->nodes; node; node = node->ai_next) {
            put_node(hosts->answers, node);
            hosts->found = true;
        }
    }
    ares_freeaddrinfo(result);
}

/* A channel that knows files only answers before the call returns. */
bool dns_hosts_file(struct dns *dns, const char *host, struct dns_answer answers[N_IP_FAMILIES])
{
    static const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC,
                                                      .ai_socktype = SOCK_STREAM,
                                                      .ai_flags = ARES_AI_NOSORT };
    struct hosts_answers hosts = { answers, false };

    for (size_t i = 0; i < N_IP_FAMILIES; i++) {
        answers[i].n = 0;
        answers[i].cut = false;
        answers[i].ttl_s = DNS_HOSTS_FILE_S;
    }
    ares_getaddrinfo(dns->files, host, NULL, &hints, on_hosts, &hosts);
    for (size_t i = 0; i < N_IP_FAMILIES; i++) {
        answers[i].outcome = answers[i].n ? DNS_FOUND : DNS_NO_ADDRESS;
        answers[i].why = "the hosts file has no such address for the name";
    }
    return hosts.found;
}

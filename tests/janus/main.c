/* janus-sim: owns what lives as long as the process, and lets it go in order. */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "config/address.h"
#include "tests/janus/certificates.h"
#include "tests/janus/gate.h"
#include "tests/janus/options.h"
#include "tests/janus/routes.h"
#include "tests/janus/token.h"

enum { BACKLOG = 1024 };

static void on_signal(evutil_socket_t number, short events, void *arg)
{
    (void)number;
    (void)events;
    event_base_loopbreak(arg);
}

static evhtp_res on_accept(evhtp_connection_t *connection, void *arg)
{
    gate_install(arg, connection);
    return EVHTP_RES_OK;
}

static bool start_listening(evhtp_t *htp, const char *where)
{
    struct listen_address address;
    const char *why;

    if (!listen_address_parse(text_of(where), &address, &why)) {
        fprintf(stderr, "janus-sim: --listen %s: %s\n", where, why);
        return false;
    }
    if (address.kind != LISTEN_TCP) {
        fprintf(stderr, "janus-sim: --listen %s: the simulator speaks TLS over TCP only\n", where);
        return false;
    }
    if (evhtp_bind_sockaddr(htp, (struct sockaddr *)&address.socket, address.socket_len, BACKLOG) !=
        0) {
        fprintf(stderr, "janus-sim: cannot listen on %s: %s\n", where, strerror(errno));
        return false;
    }
    return true;
}

static void print_address(const evhtp_t *htp, const char *name)
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof(address);
    char host[64] = "", port[8] = "";
    bool six;

    getsockname(evconnlistener_get_fd(htp->server), (struct sockaddr *)&address, &len);
    getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    six = address.ss_family == AF_INET6;
    fprintf(stderr, " %s=%s%s%s:%s", name, six ? "[" : "", host, six ? "]" : "", port);
}

static void say_ready(const evhtp_t *htp, const evhtp_t *plain)
{
    fputs("ready", stderr);
    print_address(htp, "listen");
    if (plain)
        print_address(plain, "plain");
    fputc('\n', stderr);
}

/* `tls`: evhtp_free() frees it; NULL: a plain listener. */
static evhtp_t *make_server(struct sim *sim, struct gates *gates, const char *where, SSL_CTX *tls)
{
    evhtp_t *htp = evhtp_new(sim->base, NULL);

    if (!htp)
        return NULL;
    htp->ssl_ctx = tls;
    evhtp_disable_flag(htp, EVHTP_FLAG_ENABLE_100_CONT); /* the gate's */
    evhtp_enable_flag(htp, EVHTP_FLAG_ENABLE_NODELAY);
    evhtp_set_post_accept_cb(htp, on_accept, gates);
    evhtp_set_gencb(htp, routes_dispatch, NULL);
    if (start_listening(htp, where))
        return htp;
    evhtp_free(htp);
    return NULL;
}

static void loop(struct sim *sim)
{
    struct event *term = evsignal_new(sim->base, SIGTERM, on_signal, sim->base);
    struct event *interrupt = evsignal_new(sim->base, SIGINT, on_signal, sim->base);

    evsignal_add(term, NULL);
    evsignal_add(interrupt, NULL);
    event_base_dispatch(sim->base);
    event_free(term);
    event_free(interrupt);
}

static bool serve(struct sim *sim)
{
    struct gates *gates = gates_new(sim);
    SSL_CTX *tls = certificates_context(sim->certificates);
    evhtp_t *htp = tls ? make_server(sim, gates, sim->options->listen, tls) : NULL;
    evhtp_t *plain =
        htp && sim->options->plain ? make_server(sim, gates, sim->options->plain, NULL) : NULL;
    bool good = htp && (plain || !sim->options->plain);

    if (good) {
        say_ready(htp, plain);
        loop(sim);
    }
    if (plain)
        evhtp_unbind_socket(plain);
    if (htp)
        evhtp_unbind_socket(htp);
    gates_free(gates);
    event_base_loop(sim->base, EVLOOP_NONBLOCK); /* libevent frees bufferevents a turn later */
    if (plain)
        evhtp_free(plain);
    if (htp)
        evhtp_free(htp);
    return good;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct options options;
    struct sim sim = { .options = &options };
    int status = options_parse(argc, argv, &options);

    if (status >= 0)
        return status;
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    status = 1;
    sim.base = event_base_new();
    sim.record = record_new();
    sim.stats.routes = json_object();
    sim.grants = json_object();
    sim.overrides = json_object();
    sim.stats.private.keys = json_object();
    sim.certificates = certificates_new(&options);
    sim.tokens = sim.certificates ? tokens_new(&options) : NULL;
    if (sim.base && sim.tokens && serve(&sim))
        status = 0;
    tokens_free(sim.tokens);
    certificates_free(sim.certificates);
    json_decref(sim.stats.routes);
    json_decref(sim.grants);
    json_decref(sim.overrides);
    json_decref(sim.stats.private.keys);
    record_free(sim.record);
    if (sim.base)
        event_base_free(sim.base);
    return status;
}

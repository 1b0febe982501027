#include "proxy/sidecar.h"

#include <errno.h>
#include <event2/event.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/admin.h"
#include "proxy/exchange.h"
#include "proxy/http/held.h"
#include "proxy/log.h"
#include "proxy/loop.h"
#include "proxy/metrics.h"
#include "proxy/sidecar_metrics.h"
#include "proxy/sidecar_origins.h"
#include "proxy/sidecar_providers.h"
#include "proxy/sidecar_ready.h"
#include "proxy/sidecar_tls.h"
#include "proxy/sidecar_tokens.h"
#include "proxy/token/locked.h"
#include "proxy/token/report.h"

enum { SIGNALS = 3 };

struct sidecar {
    const struct settings *settings;
    struct loop *loop;
    struct log *log;

    struct live_policy *policy, *shadow; /* shadow: NULL without --shadow-manifest */
    struct live_providers *providers;    /* NULL without --provider-policies */

    /* identity */
    struct token_keeper *keeper;
    struct realms *realms;
    char *store_cookie;

    /* origins */
    struct tls *tls;
    struct origins *origins;

    /* clients */
    struct sockaddr_storage *own; /* addresses of our listeners, admin last */
    uint16_t *own_ports;
    int *fds;
    size_t n_own;
    struct front_handler handler;
    struct front *front;
    struct admin *admin;
    struct exchange_context exchanges;

    struct event *signals[SIGNALS];
    struct deadlines *drain_deadlines;
    struct deadline drain_deadline;
    int exit_code;
};

/* ---- addresses ---- */

static bool listen_on(struct sidecar *sidecar, const struct listen_address *address,
                      const char *option, struct diags *diags)
{
    char text[ADDRESS_TEXT_MAX];
    struct sockaddr_storage *own = &sidecar->own[sidecar->n_own];
    socklen_t len = sizeof(*own);
    int fd = socket_listen(address, LISTEN_BACKLOG);

    address_text((const struct sockaddr *)&address->socket, text);
    if (fd < 0) {
        diag_fatal(diags, (struct place){ .file = option }, "cannot listen on %s: %s", text,
                   strerror(errno));
        return false;
    }
    getsockname(fd, (struct sockaddr *)own, &len);
    sidecar->own_ports[sidecar->n_own] = address_port((const struct sockaddr *)own);
    sidecar->fds[sidecar->n_own++] = fd;
    return true;
}

static void listen_on_all(struct sidecar *sidecar, struct diags *diags)
{
    const struct settings *settings = sidecar->settings;
    size_t n = settings->n_listen + 1;

    sidecar->own = mem_alloc(n, sizeof(*sidecar->own));
    sidecar->own_ports = mem_alloc(n, sizeof(*sidecar->own_ports));
    sidecar->fds = mem_alloc(n, sizeof(*sidecar->fds));
    for (size_t i = 0; i < settings->n_listen; i++)
        listen_on(sidecar, &settings->listen[i], "--listen", diags);
    listen_on(sidecar, &settings->admin, "--admin", diags);
}

/* ---- readiness ---- */

static struct readiness_facts facts_of(const struct sidecar *sidecar)
{
    const struct exchange_context *exchanges = &sidecar->exchanges;
    struct token_facts token;

    token_keeper_attend(sidecar->keeper); /* does what is due; the facts only tell */
    token_keeper_facts(sidecar->keeper, &token);
    return (struct readiness_facts){
        .settings = sidecar->settings,
        .policy = live_policy_state(sidecar->policy),
        .shadow =
            sidecar->shadow ? live_policy_state(sidecar->shadow) : (struct live_policy_state){ 0 },
        .n_would_deny = exchanges->n_would_deny,
        .n_shadow_differences = exchanges->n_shadow_differences,
        .token = token,
        .draining = exchanges->draining,
        .n_clients = front_n_clients(sidecar->front),
        .n_active = exchanges->n_active,
        .n_overloaded = exchanges->n_overloaded,
        .n_retries_refused = exchanges->retries.n_refused,
        .n_circuits_open = origins_n_circuits_open(sidecar->origins),
        .held_bytes = held_bytes(),
    };
}

static char *write_readiness(void *context, unsigned *status)
{
    struct readiness_facts facts = facts_of(context);
    char *body = mem_alloc(READINESS_MAX, 1);

    *status = readiness_write(&facts, body, READINESS_MAX) ? 200 : 503;
    return body;
}

static char *write_token(void *context, unsigned *status)
{
    const struct sidecar *sidecar = context;
    struct token_facts facts;

    token_keeper_facts(sidecar->keeper, &facts);
    *status = facts.current ? 200 : 503;
    return token_report_text(&facts, sidecar->settings);
}

static char *write_metrics(void *context, unsigned *status)
{
    struct readiness_facts facts = facts_of(context);

    *status = 200;
    return sidecar_metrics(&facts);
}

static const struct admin_page pages[] = {
    { "/readyz", write_readiness, NULL },
    { "/token", write_token, NULL },
    { "/metrics", write_metrics, METRICS_CONTENT_TYPE },
};

/* ---- signals ---- */

static void on_emptied(void *context)
{
    struct exchange_context *exchanges = context;

    event_base_loopbreak(loop_base(exchanges->loop));
}

static void drain(struct sidecar *sidecar, const char *why)
{
    if (sidecar->exchanges.draining) {
        log_message(sidecar->log, LOG_WARNING, "drain_cut", "a second signal: ending now");
        event_base_loopbreak(loop_base(sidecar->loop));
        sidecar->exit_code = 1;
        return;
    }
    log_message(sidecar->log, LOG_INFO, "draining", "%s: %zu clients are connected", why,
                front_n_clients(sidecar->front));
    sidecar->exchanges.draining = true;
    deadline_set(sidecar->drain_deadlines, &sidecar->drain_deadline);
    front_drain(sidecar->front);
}

static void on_drain_deadline(struct deadline *deadline)
{
    struct sidecar *sidecar =
        (struct sidecar *)(void *)((char *)deadline - offsetof(struct sidecar, drain_deadline));

    log_message(sidecar->log, LOG_WARNING, "drain_cut",
                "%zu clients were still busy at --drain-timeout", front_n_clients(sidecar->front));
    sidecar->exit_code = 1;
    event_base_loopbreak(loop_base(sidecar->loop));
}

/* Both read the providers' files, whose findings are said once. */
static void build_live_policies(struct sidecar *sidecar, struct diags *diags)
{
    size_t n;

    sidecar->providers = live_providers_new(sidecar->settings->provider_policies);
    sidecar->policy = live_policy_new(sidecar->settings, false, diags);
    n = diags->n;
    if (sidecar->settings->shadow_manifest_file)
        sidecar->shadow = live_policy_new(sidecar->settings, true, diags);
    diags_drop_repeats(diags, n);
}

static void reload(void *context)
{
    struct sidecar *sidecar = context;
    struct diags told = { 0 };

    live_policy_reload(sidecar->policy, &told);
    if (sidecar->shadow)
        live_policy_reload(sidecar->shadow, &told);
    diags_fini(&told);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct sidecar *sidecar = arg;

    (void)what;
    if (number == SIGHUP) {
        sidecar_tls_reload(sidecar->tls, sidecar->settings, sidecar->log);
        live_providers_note(sidecar->providers);
        reload(sidecar);
        token_keeper_refresh(sidecar->keeper);
    } else {
        drain(sidecar, number == SIGTERM ? "SIGTERM" : "SIGINT");
    }
}

static void watch_signals(struct sidecar *sidecar)
{
    static const int numbers[SIGNALS] = { SIGTERM, SIGINT, SIGHUP };

    for (size_t i = 0; i < SIGNALS; i++) {
        sidecar->signals[i] =
            evsignal_new(loop_base(sidecar->loop), numbers[i], on_signal, sidecar);
        event_add(sidecar->signals[i], NULL);
    }
}

/* ---- building ---- */

static void build_identity(struct sidecar *sidecar)
{
    const struct settings *settings = sidecar->settings;
    size_t size = strlen(settings->account) + sizeof("VtexIdclientAutCookie_");

    sidecar->realms = realms_new(settings);
    sidecar->store_cookie = mem_alloc(1, size);
    snprintf(sidecar->store_cookie, size, "VtexIdclientAutCookie_%s", settings->account);
}

static void build_origins(struct sidecar *sidecar)
{
    sidecar->origins = origins_new(sidecar->loop, sidecar->log, sidecar->settings, sidecar->tls,
                                   sidecar->own, sidecar->n_own);
    sidecar->keeper = sidecar_tokens_new(sidecar->settings, sidecar->loop, sidecar->log,
                                         origins_pool(sidecar->origins));
}

static void build_exchanges(struct sidecar *sidecar)
{
    const struct settings *settings = sidecar->settings;

    sidecar->exchanges = (struct exchange_context){
        .loop = sidecar->loop,
        .log = sidecar->log,
        .settings = settings,
        .pool = origins_pool(sidecar->origins),
        .keeper = sidecar->keeper,
        .realms = sidecar->realms,
        .destination_rules = { .default_host = settings->default_host,
                               .plaintext_hosts = settings->plaintext_hosts.items,
                               .n_plaintext_hosts = settings->plaintext_hosts.n,
                               .own_ports = sidecar->own_ports,
                               .n_own_ports = settings->n_listen,
                               .own_addresses = settings->listen,
                               .n_own_addresses = settings->n_listen },
        .identity_rules = { .placeholder = text_of(settings->placeholder),
                            .store_cookie = text_of(sidecar->store_cookie),
                            .inject = settings->inject },
        .token_deadlines = deadlines_new(sidecar->loop, settings->token_wait_ms),
        .response_deadlines = deadlines_new(sidecar->loop, settings->response_ms),
        .idle_deadlines = deadlines_new(sidecar->loop, settings->idle_ms),
        .total_deadlines =
            settings->total_ms ? deadlines_new(sidecar->loop, settings->total_ms) : NULL,
    };
    held_set_limit(settings->max_buffers_bytes);
    RAND_bytes((unsigned char *)&sidecar->exchanges.id_prefix,
               sizeof(sidecar->exchanges.id_prefix));
}

static void build_policies(struct sidecar *sidecar)
{
    live_policy_follow(sidecar->policy, sidecar->loop, sidecar->log, &sidecar->exchanges.policy);
    if (sidecar->shadow)
        live_policy_follow(sidecar->shadow, sidecar->loop, sidecar->log,
                           &sidecar->exchanges.shadow);
    live_providers_follow(sidecar->providers, sidecar->loop, sidecar->log, reload, sidecar);
    if (sidecar->settings->mode == MODE_REPORT)
        log_message(sidecar->log, LOG_WARNING, "mode",
                    "--mode report: what the policies deny is forwarded");
}

static void build_front(struct sidecar *sidecar)
{
    struct front_limits limits = { sidecar->settings->head_ms, sidecar->settings->client_idle_ms,
                                   sidecar->settings->max_clients };

    sidecar->handler = (struct front_handler){ exchange_begin, exchange_refuse, exchange_io,
                                               exchange_gone, on_emptied };
    sidecar->front =
        front_new(sidecar->loop, sidecar->log, limits, &sidecar->handler, &sidecar->exchanges);
    for (size_t i = 0; i + 1 < sidecar->n_own; i++) {
        front_listen(sidecar->front, sidecar->fds[i]);
        sidecar->fds[i] = -1;
    }
    sidecar->admin = admin_new(sidecar->loop, sidecar->fds[sidecar->n_own - 1], pages,
                               sizeof(pages) / sizeof(pages[0]), sidecar);
    sidecar->fds[sidecar->n_own - 1] = -1;
}

/* Hundreds of clients with a connection each way: take all the descriptors that we may have. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* libevent speaks through one function a process and knows no context. */
static struct log *library_log;

static void on_library_message(int severity, const char *message)
{
    if (library_log && severity >= EVENT_LOG_MSG)
        log_message(library_log, LOG_WARNING, "libevent", "%s", message);
}

/* Our own sends ask for it (MSG_NOSIGNAL); libevhtp and the log's pipe do not. */
static void ignore_broken_pipes(void)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    sigaction(SIGPIPE, &ignore, NULL);
}

struct sidecar *sidecar_new(const struct settings *settings, struct diags *diags)
{
    struct sidecar *sidecar = mem_alloc(1, sizeof(*sidecar));

    raise_descriptor_limit();
    ignore_broken_pipes();
    locked_harden_process();
    sidecar->settings = settings;
    build_live_policies(sidecar, diags);
    sidecar->drain_deadline.passed = on_drain_deadline;
    sidecar->tls = tls_new(settings, diags);
    sidecar_tokens_check(settings, diags);
    listen_on_all(sidecar, diags);
    if (!sidecar->policy || !sidecar->tls || diags->fatal) {
        sidecar_free(sidecar);
        return NULL;
    }
    sidecar->loop = loop_new();
    sidecar->log = log_new(sidecar->loop, STDERR_FILENO, settings->log_level);
    library_log = sidecar->log;
    event_set_log_callback(on_library_message);
    sidecar->drain_deadlines = deadlines_new(sidecar->loop, settings->drain_ms);
    build_identity(sidecar);
    build_origins(sidecar);
    build_exchanges(sidecar);
    build_policies(sidecar);
    build_front(sidecar);
    watch_signals(sidecar);
    token_keeper_start(sidecar->keeper);
    if (!locked_is_locked())
        log_message(sidecar->log, LOG_INFO, "memory",
                    "the system does not lock memory for us (RLIMIT_MEMLOCK): secrets could be "
                    "swapped out");
    return sidecar;
}

/* ---- ending ---- */

/* Nothing of the process may wake up any more. Exchanges end here, if the drain was cut. */
static void silence(struct sidecar *sidecar)
{
    deadline_clear(&sidecar->drain_deadline);
    for (size_t i = 0; i < SIGNALS; i++)
        event_free(sidecar->signals[i]);
    front_free(sidecar->front);
    admin_free(sidecar->admin);
    token_keeper_free(sidecar->keeper);
    origins_silence(sidecar->origins);
    live_providers_free(sidecar->providers);
    live_policy_free(sidecar->policy);
    live_policy_free(sidecar->shadow);
    sidecar->policy = sidecar->shadow = NULL;
    sidecar->providers = NULL;
}

static void free_loop_things(struct sidecar *sidecar)
{
    silence(sidecar);
    event_base_loop(loop_base(sidecar->loop), EVLOOP_NONBLOCK); /* lets cancelled look-ups end */
    origins_free(sidecar->origins);
    deadlines_free(sidecar->drain_deadlines);
    deadlines_free(sidecar->exchanges.token_deadlines);
    deadlines_free(sidecar->exchanges.response_deadlines);
    deadlines_free(sidecar->exchanges.idle_deadlines);
    deadlines_free(sidecar->exchanges.total_deadlines);
    library_log = NULL;
    log_free(sidecar->log);
    loop_free(sidecar->loop);
    realms_free(sidecar->realms);
    free(sidecar->store_cookie);
}

void sidecar_free(struct sidecar *sidecar)
{
    if (!sidecar)
        return;
    if (sidecar->loop)
        free_loop_things(sidecar);
    for (size_t i = 0; i < sidecar->n_own; i++) {
        if (sidecar->fds[i] >= 0)
            close(sidecar->fds[i]);
    }
    live_providers_free(sidecar->providers);
    live_policy_free(sidecar->policy);
    live_policy_free(sidecar->shadow);
    tls_free(sidecar->tls);
    free(sidecar->own);
    free(sidecar->own_ports);
    free(sidecar->fds);
    free(sidecar);
}

/* Scripts wait for this line. */
static void say_ready(const struct sidecar *sidecar)
{
    char text[ADDRESS_TEXT_MAX];

    fputs("ready", stderr);
    for (size_t i = 0; i < sidecar->n_own; i++) {
        address_text((const struct sockaddr *)&sidecar->own[i], text);
        fprintf(stderr, " %s=%s", i + 1 < sidecar->n_own ? "listen" : "admin", text);
    }
    fputc('\n', stderr);
    fflush(stderr);
}

int sidecar_run(struct sidecar *sidecar)
{
    say_ready(sidecar);
    event_base_dispatch(loop_base(sidecar->loop));
    return sidecar->exit_code;
}

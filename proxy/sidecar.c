#include "proxy/sidecar.h"

#include <event2/event.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/admin.h"
#include "proxy/app.h"
#include "proxy/companion.h"
#include "proxy/exchange.h"
#include "proxy/handover.h"
#include "proxy/http/held.h"
#include "proxy/log.h"
#include "proxy/loop.h"
#include "proxy/metrics.h"
#include "proxy/notify.h"
#include "proxy/sidecar_graphql.h"
#include "proxy/sidecar_guard.h"
#include "proxy/sidecar_listeners.h"
#include "proxy/sidecar_metrics.h"
#include "proxy/sidecar_origins.h"
#include "proxy/sidecar_pages.h"
#include "proxy/sidecar_providers.h"
#include "proxy/sidecar_ready.h"
#include "proxy/sidecar_sandbox.h"
#include "proxy/sidecar_settings.h"
#include "proxy/sidecar_tls.h"
#include "proxy/sidecar_tokens.h"
#include "proxy/token/locked.h"
#include "proxy/token/report.h"

enum { EXIT_UNUSABLE = 2 };

struct sidecar {
    struct settings *settings;
    struct settings_source settings_source; /* argv NULL: none */
    bool settings_failed;
    struct loop *loop;
    struct notify *notify;
    struct log_sink *log_sink; /* until the log takes it */
    struct log *log;
    struct tally tally; /* of the loop */
    struct lag *lag;
    struct self *self;

    struct live_policy *policy, *shadow; /* shadow: NULL without --shadow-manifest */
    struct live_providers *providers;    /* NULL without --provider-policies */

    /* identity */
    struct token_keeper *keeper;
    struct realms *realms;
    char *store_cookie;

    /* origins */
    struct tls *tls;
    struct tls_watch *tls_watch;
    struct origins *origins;

    /* clients */
    struct listeners *listeners;
    struct helper *helper; /* NULL: --sandbox off */
    struct front_handler handler;
    struct callers *callers;
    struct companion *companion; /* NULL without --exit-with */
    struct front *front;
    struct admin *admin;
    struct handover *handover; /* NULL: no --handover, or we have been succeeded */
    struct exchange_context exchanges;

    /* GraphQL */
    struct graphql_catalog *schemas; /* NULL without --provider-schemas */
    struct graphql_gate *own_schema; /* until the guard has it */
    struct guard *guard;             /* NULL without --guard-listen */

    int signals; /* a signalfd, once it runs; 0: not yet */
    struct event *signalled;
    struct deadlines *delay_deadlines, *drain_deadlines, *total_deadlines;
    struct deadline delay_deadline, drain_deadline;
    bool told_to_end;
    int exit_code;
};

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
        .draining = exchanges->leaving,
        .settings_failed = sidecar->settings_failed,
        .n_clients = front_n_clients(sidecar->front),
        .n_active = exchanges->n_active,
        .n_overloaded = exchanges->n_overloaded,
        .n_retries_refused = exchanges->retries.n_refused,
        .n_circuits_open = origins_n_circuits_open(sidecar->origins),
        .held_bytes = held_bytes(),
        .n_log_lines_dropped = log_n_dropped(sidecar->log),
        .tally = &sidecar->tally,
        .graphql = exchanges->graphql_counts,
        .questions = guard_questions(sidecar->guard),
    };
}

static char *write_readiness(void *context, const char *query, unsigned *status)
{
    struct readiness_facts facts = facts_of(context);
    char *body = mem_alloc(READINESS_MAX, 1);

    (void)query;
    *status = readiness_write(&facts, body, READINESS_MAX) ? 200 : 503;
    return body;
}

static char *write_token(void *context, const char *query, unsigned *status)
{
    const struct sidecar *sidecar = context;
    struct token_facts facts;

    (void)query;
    token_keeper_facts(sidecar->keeper, &facts);
    *status = facts.current ? 200 : 503;
    return token_report_text(&facts, sidecar->settings);
}

static char *metrics_as(enum metrics_form form, const struct sidecar *sidecar, unsigned *status)
{
    struct readiness_facts facts = facts_of(sidecar);

    facts.self = self_look(sidecar->self);
    *status = 200;
    return sidecar_metrics(form, &facts);
}

static char *write_open_metrics(void *context, const char *query, unsigned *status)
{
    (void)query;
    return metrics_as(METRICS_OPEN, context, status);
}

static char *write_text_metrics(void *context, const char *query, unsigned *status)
{
    (void)query;
    return metrics_as(METRICS_TEXT, context, status);
}

static bool wants_open_metrics(const char *accept)
{
    return metrics_wanted(accept) == METRICS_OPEN;
}

static char *write_policy(void *context, const char *query, unsigned *status)
{
    struct readiness_facts facts = facts_of(context);

    (void)query;
    *status = 200;
    return page_policy(&facts);
}

static char *write_explanation(void *context, const char *query, unsigned *status)
{
    const struct sidecar *sidecar = context;

    return page_explain(sidecar->settings, sidecar->exchanges.policy,
                        &sidecar->exchanges.destination_rules, query, status);
}

/* ---- signals ---- */

static void break_if_empty(void *arg)
{
    const struct sidecar *sidecar = arg;

    if (front_n_clients(sidecar->front) == 0 && guard_n_clients(sidecar->guard) == 0)
        event_base_loopbreak(loop_base(sidecar->loop));
}

static void on_emptied(void *context)
{
    break_if_empty((char *)context - offsetof(struct sidecar, exchanges));
}

static void cut_now(struct sidecar *sidecar)
{
    log_message(sidecar->log, LOG_WARNING, "drain_cut", "a second signal: ending now");
    event_base_loopbreak(loop_base(sidecar->loop));
    sidecar->exit_code = 1;
}

static void drain(struct sidecar *sidecar, const char *why)
{
    if (sidecar->exchanges.draining) {
        cut_now(sidecar);
        return;
    }
    deadline_clear(&sidecar->delay_deadline);
    log_message(sidecar->log, LOG_INFO, "draining", "%s: %zu clients are connected", why,
                front_n_clients(sidecar->front));
    sidecar->exchanges.leaving = sidecar->exchanges.draining = true;
    notify_stopping(sidecar->notify);
    deadline_set(sidecar->drain_deadlines, &sidecar->drain_deadline);
    front_drain(sidecar->front);
    guard_drain(sidecar->guard);
}

static void on_delay_deadline(struct deadline *deadline)
{
    drain((struct sidecar *)(void *)((char *)deadline - offsetof(struct sidecar, delay_deadline)),
          "--drain-delay is over");
}

/* Whoever balances between us and others learns it first: /readyz says so, connections are not kept. */
static void begin_to_end(struct sidecar *sidecar, const char *why)
{
    bool again = sidecar->told_to_end;

    sidecar->told_to_end = true;
    if (again) {
        cut_now(sidecar);
    } else if (!sidecar->settings->drain_delay_ms || sidecar->exchanges.draining) {
        drain(sidecar, why);
    } else {
        log_message(sidecar->log, LOG_INFO, "leaving", "%s: no new connections after %u ms", why,
                    sidecar->settings->drain_delay_ms);
        sidecar->exchanges.leaving = true;
        guard_leave(sidecar->guard);
        notify_stopping(sidecar->notify);
        deadline_set(sidecar->delay_deadlines, &sidecar->delay_deadline);
    }
}

/* Our listeners have another owner. Clients stay until they have had one more response: closing an idle one could
 * cross its next request. */
static void on_succeeded(void *context)
{
    struct sidecar *sidecar = context;

    log_message(sidecar->log, LOG_INFO, "succeeded", "another has taken our listeners over");
    listeners_let_go(sidecar->listeners);
    handover_free(sidecar->handover);
    admin_free(sidecar->admin);
    sidecar->handover = NULL;
    sidecar->admin = NULL;
    sidecar->exchanges.leaving = true;
    deadline_set(sidecar->drain_deadlines, &sidecar->drain_deadline);
    guard_succeeded(sidecar->guard);
    front_leave(sidecar->front);
}

static void on_give(void *context, int channel)
{
    struct sidecar *sidecar = context;

    listeners_give(sidecar->listeners, channel);
}

static void on_drain_deadline(struct deadline *deadline)
{
    struct sidecar *sidecar =
        (struct sidecar *)(void *)((char *)deadline - offsetof(struct sidecar, drain_deadline));

    if (!sidecar->exchanges.draining) {
        drain(sidecar, "the clients that are left");
        return;
    }
    log_message(sidecar->log, LOG_WARNING, "drain_cut",
                "%zu clients were still busy at --drain-timeout", front_n_clients(sidecar->front));
    event_base_loopbreak(loop_base(sidecar->loop));
}

static void on_companion_ended(void *context)
{
    struct sidecar *sidecar = context;

    if (!sidecar->told_to_end)
        begin_to_end(sidecar, "the process of --exit-with has ended");
}

static struct front_limits limits_of(const struct settings *settings)
{
    return (struct front_limits){ settings->head_ms, settings->client_idle_ms,
                                  settings->max_clients };
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

static void reload_policies(struct sidecar *sidecar, struct diags *told)
{
    live_policy_reload(sidecar->policy, told);
    if (sidecar->shadow)
        live_policy_reload(sidecar->shadow, told);
}

static void reload(void *context)
{
    struct diags told = { 0 };

    reload_policies(context, &told);
    diags_fini(&told);
}

static void watch_tls(struct sidecar *sidecar)
{
    tls_watch_free(sidecar->tls_watch);
    sidecar->tls_watch =
        tls_watch_new(sidecar->tls, sidecar->settings, sidecar->loop, sidecar->log);
}

/* Whoever has copied something of the settings, or borrows a text of theirs, takes it anew. */
static void apply_settings(struct sidecar *sidecar)
{
    const struct settings *settings = sidecar->settings;
    struct exchange_context *exchanges = &sidecar->exchanges;

    log_set_level(sidecar->log, settings->log_level);
    held_set_limit(settings->max_buffers_bytes);
    front_set_limits(sidecar->front, limits_of(settings));
    origins_apply_settings(sidecar->origins);
    exchanges->destination_rules.default_host = settings->default_host;
    exchanges->destination_rules.plaintext_hosts = settings->plaintext_hosts.items;
    exchanges->destination_rules.n_plaintext_hosts = settings->plaintext_hosts.n;
    exchanges->identity_rules.placeholder = text_of(settings->placeholder);
    exchanges->identity_rules.inject = settings->inject;
    exchanges->total_deadlines = settings->total_ms ? sidecar->total_deadlines : NULL;
    deadlines_set_length(sidecar->total_deadlines, settings->total_ms);
    deadlines_set_length(exchanges->token_deadlines, settings->token_wait_ms);
    deadlines_set_length(exchanges->response_deadlines, settings->response_ms);
    deadlines_set_length(exchanges->idle_deadlines, settings->idle_ms);
    deadlines_set_length(sidecar->drain_deadlines, settings->drain_ms);
    deadlines_set_length(sidecar->delay_deadlines, settings->drain_delay_ms);
    guard_apply_settings(sidecar->guard, exchanges);
    watch_tls(sidecar);
}

static void reload_settings(struct sidecar *sidecar, struct diags *told)
{
    struct settings *retired = NULL;

    if (!sidecar->settings_source.argv)
        return;
    enum settings_reloaded result = sidecar_settings_reload(
        sidecar->settings, &sidecar->settings_source, sidecar->log, told, &retired);
    sidecar->settings_failed = result == SETTINGS_KEPT;
    if (result == SETTINGS_CHANGED)
        apply_settings(sidecar);
    settings_free(retired);
}

/* What cannot be read leaves in force what was. */
static void reload_schemas(struct sidecar *sidecar, struct diags *told)
{
    size_t n = told->n;
    struct graphql_catalog *schemas = schemas_load(sidecar->settings, told);
    struct graphql_gate *gate = own_schema_load(sidecar->settings, told);

    for (; n < told->n; n++)
        log_message(sidecar->log, told->items[n].level == DIAG_ERROR ? LOG_ERROR : LOG_WARNING,
                    "schema", "%s: %s", told->items[n].where, told->items[n].what);
    if (schemas) {
        graphql_catalog_free(sidecar->schemas);
        sidecar->exchanges.schemas = sidecar->schemas = schemas;
    }
    if (gate)
        guard_use(sidecar->guard, gate);
}

static void reload_all(struct sidecar *sidecar, struct diags *told)
{
    notify_reloading(sidecar->notify);
    log_reopen(sidecar->log);
    reload_settings(sidecar, told);
    sidecar_tls_reload(sidecar->tls, sidecar->settings, sidecar->log);
    live_providers_note(sidecar->providers);
    reload_policies(sidecar, told);
    reload_schemas(sidecar, told);
    token_keeper_refresh(sidecar->keeper);
    if (!sidecar->exchanges.draining)
        notify_ready(sidecar->notify);
}

static void take_signal(struct sidecar *sidecar, uint32_t number)
{
    struct diags told = { 0 };

    if (number == SIGHUP) {
        reload_all(sidecar, &told);
        diags_fini(&told);
    } else {
        begin_to_end(sidecar, number == SIGTERM ? "SIGTERM" : "SIGINT");
    }
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct signalfd_siginfo sent;

    (void)what;
    while (read(fd, &sent, sizeof(sent)) == (ssize_t)sizeof(sent))
        take_signal(arg, sent.ssi_signo);
}

/* ---- what the operator asks for by POST ---- */

static char *do_reload(void *context, const char *query, unsigned *status)
{
    struct sidecar *sidecar = context;
    struct diags told = { 0 };

    (void)query;
    log_message(sidecar->log, LOG_INFO, "asked", "POST /reload");
    reload_all(sidecar, &told);
    struct readiness_facts facts = facts_of(sidecar);
    char *body = page_reload(&facts, &told, status);
    diags_fini(&told);
    return body;
}

/* Says that we are about to leave, and serves on: for what balances between us and others, and for
 * kept connections, which each end with their next response. */
static char *do_drain(void *context, const char *query, unsigned *status)
{
    struct sidecar *sidecar = context;

    (void)query;
    *status = 200;
    if (!sidecar->exchanges.leaving)
        log_message(sidecar->log, LOG_INFO, "leaving", "POST /drain: connections are not kept");
    sidecar->exchanges.leaving = true;
    guard_leave(sidecar->guard);
    return text_dup(TEXT("{\"draining\":true}\n"));
}

/* As SIGTERM, but that the second one changes nothing. */
static char *do_quit(void *context, const char *query, unsigned *status)
{
    struct sidecar *sidecar = context;

    (void)query;
    *status = 200;
    if (!sidecar->told_to_end && !sidecar->exchanges.draining)
        begin_to_end(sidecar, "POST /quitquitquit");
    return text_dup(TEXT("{\"draining\":true,\"ending\":true}\n"));
}

static const struct admin_page pages[] = {
    { "/readyz", write_readiness, NULL, false, NULL },
    { "/token", write_token, NULL, false, NULL },
    { "/metrics", write_open_metrics, METRICS_OPEN_TYPE, false, wants_open_metrics },
    { "/metrics", write_text_metrics, METRICS_TEXT_TYPE, false, NULL },
    { "/policy", write_policy, NULL, false, NULL },
    { "/explain", write_explanation, NULL, false, NULL },
    { "/reload", do_reload, NULL, true, NULL },
    { "/drain", do_drain, NULL, true, NULL },
    { "/quitquitquit", do_quit, NULL, true, NULL },
};

/* Read, not caught: for a handler the kernel would put the registers on the stack, and with them whatever of a secret
 * was last moved or decrypted. */
static void watch_signals(struct sidecar *sidecar)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sidecar->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (sidecar->signals < 0)
        abort();
    sidecar->signalled = event_new(loop_base(sidecar->loop), sidecar->signals, EV_READ | EV_PERSIST,
                                   on_signal, sidecar);
    event_add(sidecar->signalled, NULL);
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

static void build_helper(struct sidecar *sidecar, struct diags *diags)
{
    size_t n_own;
    const struct sockaddr_storage *own = listeners_own(sidecar->listeners, &n_own);

    sidecar->helper = sidecar_helper_new(sidecar->settings, own, n_own, diags);
}

static void on_helper_lost(void *context)
{
    struct sidecar *sidecar = context;

    log_message(sidecar->log, LOG_ERROR, "helper_lost", "our helper has ended: so do we");
    sidecar->exit_code = 1;
    event_base_loopbreak(loop_base(sidecar->loop));
}

static void build_origins(struct sidecar *sidecar)
{
    size_t n_own;
    const struct sockaddr_storage *own = listeners_own(sidecar->listeners, &n_own);

    sidecar->origins = origins_new(sidecar->loop, sidecar->log, sidecar->settings, sidecar->tls,
                                   own, n_own, sidecar->helper, &sidecar->tally);
    sidecar->keeper = sidecar_tokens_new(sidecar->settings, sidecar->loop, sidecar->log,
                                         origins_pool(sidecar->origins), sidecar->helper);
}

static void build_exchanges(struct sidecar *sidecar)
{
    const struct settings *settings = sidecar->settings;
    size_t n_ports;
    const uint16_t *ports = listeners_ports(sidecar->listeners, &n_ports);

    sidecar->total_deadlines = deadlines_new(sidecar->loop, settings->total_ms);
    sidecar->exchanges = (struct exchange_context){
        .loop = sidecar->loop,
        .log = sidecar->log,
        .tally = &sidecar->tally,
        .lag = sidecar->lag,
        .settings = settings,
        .pool = origins_pool(sidecar->origins),
        .keeper = sidecar->keeper,
        .realms = sidecar->realms,
        .callers = sidecar->callers,
        .destination_rules = { .default_host = settings->default_host,
                               .plaintext_hosts = settings->plaintext_hosts.items,
                               .n_plaintext_hosts = settings->plaintext_hosts.n,
                               .own_ports = ports,
                               .n_own_ports = n_ports,
                               .own_addresses = settings->listen,
                               .n_own_addresses = settings->n_listen },
        .identity_rules = { .placeholder = text_of(settings->placeholder),
                            .store_cookie = text_of(sidecar->store_cookie),
                            .inject = settings->inject },
        .token_deadlines = deadlines_new(sidecar->loop, settings->token_wait_ms),
        .response_deadlines = deadlines_new(sidecar->loop, settings->response_ms),
        .idle_deadlines = deadlines_new(sidecar->loop, settings->idle_ms),
        .total_deadlines = settings->total_ms ? sidecar->total_deadlines : NULL,
        .schemas = sidecar->schemas,
        .graphql_counts = graphql_counts_new(),
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

static void build_guard(struct sidecar *sidecar)
{
    struct guard_plan plan = { .exchanges = &sidecar->exchanges,
                               .tls = sidecar->tls,
                               .helper = sidecar->helper,
                               .emptied = break_if_empty,
                               .arg = sidecar };

    if (!sidecar->own_schema)
        return;
    plan.own = listeners_own(sidecar->listeners, &plan.n_own);
    sidecar->guard = guard_new(&plan, sidecar->own_schema);
    sidecar->own_schema = NULL;
}

static void build_front(struct sidecar *sidecar)
{
    sidecar->handler = (struct front_handler){ exchange_begin, exchange_refuse, exchange_io,
                                               exchange_gone, on_emptied };
    sidecar->front = front_new(sidecar->loop, sidecar->log, limits_of(sidecar->settings),
                               &sidecar->handler, &sidecar->exchanges);
    size_t last = listeners_n(sidecar->listeners) - 1;
    for (size_t i = 0; i < last; i++) {
        if (listeners_is_guard(sidecar->listeners, i))
            guard_listen(sidecar->guard, listeners_take(sidecar->listeners, i));
        else
            front_listen(sidecar->front, listeners_take(sidecar->listeners, i));
    }
    struct admin_rules rules = { .pages = pages,
                                 .n_pages = sizeof(pages) / sizeof(pages[0]),
                                 .context = sidecar,
                                 .hosts = &sidecar->settings->admin_hosts,
                                 .callers = sidecar->callers };
    sidecar->admin = admin_new(sidecar->loop, listeners_take(sidecar->listeners, last), &rules);
    struct handover_rules successor = { on_give, on_succeeded, sidecar };
    int fd = listeners_take_handover(sidecar->listeners);
    if (fd >= 0)
        sidecar->handover = handover_new(sidecar->loop, fd, &successor);
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

struct sidecar *sidecar_new(struct settings *settings, struct diags *diags)
{
    struct sidecar *sidecar = mem_alloc(1, sizeof(*sidecar));

    raise_descriptor_limit();
    ignore_broken_pipes();
    locked_harden_process();
    sidecar->settings = settings;
    build_live_policies(sidecar, diags);
    sidecar->drain_deadline.passed = on_drain_deadline;
    sidecar->delay_deadline.passed = on_delay_deadline;
    sidecar->tls = tls_new(settings, diags);
    sidecar_tokens_check(settings, diags);
    callers_check(settings, diags);
    sidecar->log_sink = log_sink_open(&settings->log, diags);
    sidecar->companion = companion_open(settings, diags);
    guard_check(settings, diags);
    sidecar->schemas = schemas_load(settings, diags);
    sidecar->own_schema = own_schema_load(settings, diags);
    sidecar->listeners = listeners_open(settings, diags);
    if (!diags->fatal)
        build_helper(sidecar, diags);
    if (!sidecar->policy || !sidecar->tls || diags->fatal) {
        sidecar_free(sidecar);
        return NULL;
    }
    sidecar->loop = loop_new();
    sidecar->notify = notify_new(sidecar->loop);
    sidecar->log =
        log_open(sidecar->loop, sidecar->log_sink, settings->log_level, settings->log_format);
    sidecar->log_sink = NULL;
    library_log = sidecar->log;
    event_set_log_callback(on_library_message);
    sidecar->lag = lag_new(sidecar->loop, &sidecar->tally.lag);
    sidecar->self = self_new();
    sidecar->drain_deadlines = deadlines_new(sidecar->loop, settings->drain_ms);
    sidecar->delay_deadlines = deadlines_new(sidecar->loop, settings->drain_delay_ms);
    build_identity(sidecar);
    build_origins(sidecar);
    sidecar->callers = callers_new(settings, sidecar->loop, sidecar->log);
    build_exchanges(sidecar);
    build_policies(sidecar);
    if (sidecar->helper)
        helper_watch(sidecar->helper, sidecar->loop, on_helper_lost, sidecar);
    build_guard(sidecar);
    build_front(sidecar);
    watch_tls(sidecar);
    companion_watch(sidecar->companion, sidecar->loop, on_companion_ended, sidecar);
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
    deadline_clear(&sidecar->delay_deadline);
    deadline_clear(&sidecar->drain_deadline);
    handover_free(sidecar->handover);
    companion_free(sidecar->companion);
    sidecar->companion = NULL;
    if (sidecar->signalled)
        event_free(sidecar->signalled);
    if (sidecar->signals > 0)
        close(sidecar->signals);
    notify_free(sidecar->notify);
    guard_silence(sidecar->guard); /* each tells the other that it is empty: both must be there */
    front_free(sidecar->front);
    admin_free(sidecar->admin);
    callers_free(sidecar->callers);
    token_keeper_free(sidecar->keeper);
    tls_watch_free(sidecar->tls_watch);
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
    guard_free(sidecar->guard);
    origins_free(sidecar->origins);
    helper_free(sidecar->helper);
    sidecar->helper = NULL;
    deadlines_free(sidecar->drain_deadlines);
    deadlines_free(sidecar->delay_deadlines);
    deadlines_free(sidecar->exchanges.token_deadlines);
    deadlines_free(sidecar->exchanges.response_deadlines);
    deadlines_free(sidecar->exchanges.idle_deadlines);
    deadlines_free(sidecar->total_deadlines);
    library_log = NULL;
    lag_free(sidecar->lag);
    self_free(sidecar->self);
    log_free(sidecar->log);
    loop_free(sidecar->loop);
    realms_free(sidecar->realms);
    free(sidecar->store_cookie);
    graphql_counts_free(sidecar->exchanges.graphql_counts);
}

void sidecar_settings_from(struct sidecar *sidecar, struct settings_source source)
{
    sidecar->settings_source = source;
}

void sidecar_free(struct sidecar *sidecar)
{
    if (!sidecar)
        return;
    if (sidecar->loop)
        free_loop_things(sidecar);
    companion_free(sidecar->companion);
    helper_free(sidecar->helper);
    listeners_free(sidecar->listeners);
    live_providers_free(sidecar->providers);
    live_policy_free(sidecar->policy);
    live_policy_free(sidecar->shadow);
    tls_free(sidecar->tls);
    log_sink_free(sidecar->log_sink);
    graphql_catalog_free(sidecar->schemas);
    graphql_gate_unref(sidecar->own_schema);
    free(sidecar);
}

/* Scripts wait for this line. */
static void say_ready(const struct sidecar *sidecar)
{
    fputs("ready", stderr);
    listeners_print(sidecar->listeners, stderr);
    fputc('\n', stderr);
    fflush(stderr);
}

/* `app`: that exec runs, or 0. */
static int serve(struct sidecar *sidecar, pid_t app)
{
    char sandbox[SANDBOX_TEXT_MAX];

    if (!sidecar_sandbox_enter(sidecar->settings, app, sidecar->log, sandbox)) {
        fprintf(stderr, "janus-sidecar: error: --sandbox require: in force is only: %s\n", sandbox);
        return EXIT_UNUSABLE;
    }
    say_ready(sidecar);
    notify_ready(sidecar->notify);
    listeners_ready(sidecar->listeners);
    event_base_dispatch(loop_base(sidecar->loop));
    /* One turn more, in which the answer to /quitquitquit leaves. Without ONCE it would last for as long as
     * anything happens. */
    event_base_loop(loop_base(sidecar->loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    return sidecar->exit_code;
}

int sidecar_run(struct sidecar *sidecar)
{
    watch_signals(sidecar);
    return serve(sidecar, 0);
}

/* ---- beside an app ---- */

struct guest_end {
    struct sidecar *sidecar;
    int status;
};

static void on_app_ended(void *context, int status)
{
    struct guest_end *end = context;

    end->status = status;
    drain(end->sidecar, "the app has ended");
}

static void on_late_signal(void *context)
{
    drain(((struct guest_end *)context)->sidecar, "a signal");
}

void sidecar_guest_prepare(struct sidecar_guest *guest)
{
    getrlimit(RLIMIT_NOFILE, &guest->files);
    getrlimit(RLIMIT_CORE, &guest->core);
    app_hold_signals();
}

/* Where the app finds us, and what it sends where the token is due. VTEX's clients speak http:// then; what
 * insists on https:// gets our 405, which says what to do, and not a way around us. */
static char **variables_of(const struct sidecar *sidecar, const char *address)
{
    static const char *const proxies[] = { "http_proxy", "HTTP_PROXY", "https_proxy",
                                           "HTTPS_PROXY" };
    enum { N_PROXIES = 4, N = 9, VALUE_MAX = 512 };
    const char *not = getenv("no_proxy");
    char **variables = mem_alloc(N + 1, sizeof(*variables)), admin[256] = "";

    for (size_t i = 0; i < N; i++)
        variables[i] = mem_alloc(VALUE_MAX, 1);
    for (size_t i = 0; i < N_PROXIES; i++)
        snprintf(variables[i], VALUE_MAX, "%s=http://%s", proxies[i], address);
    listeners_first(sidecar->listeners, true, admin, sizeof(admin));
    snprintf(variables[4], VALUE_MAX, "no_proxy=localhost,127.0.0.1,::1%s%s", not ? "," : "",
             not ? not : "");
    snprintf(variables[5], VALUE_MAX, "NO_PROXY=%s", variables[4] + strlen("no_proxy="));
    snprintf(variables[6], VALUE_MAX, "VTEX_IO=true");
    snprintf(variables[7], VALUE_MAX, "JANUS_PLACEHOLDER=%s", sidecar->settings->placeholder);
    snprintf(variables[8], VALUE_MAX, "JANUS_ADMIN=%s", admin);
    return variables;
}

static void free_variables(char **variables)
{
    for (size_t i = 0; variables[i]; i++)
        free(variables[i]);
    free(variables);
}

int sidecar_run_beside(struct sidecar *sidecar, const struct sidecar_guest *guest)
{
    static const char *const hidden[] = { "JANUS_APPKEY", "JANUS_APPTOKEN", "JANUS_LISTEN", NULL };
    struct guest_end end = { sidecar, 1 };
    char address[256];

    if (!listeners_first(sidecar->listeners, false, address, sizeof(address))) {
        fputs(
            "janus-sidecar: error: --listen: exec needs a port: http_proxy names no Unix socket\n",
            stderr);
        return EXIT_UNUSABLE;
    }
    char **variables = variables_of(sidecar, address);
    struct app_plan plan = { guest->argv, variables, hidden, guest->files, guest->core };
    struct app *app = app_start(sidecar->loop, &plan, on_app_ended, on_late_signal, &end);
    free_variables(variables);
    if (app && serve(sidecar, app_pid(app)) == EXIT_UNUSABLE)
        end.status = EXIT_UNUSABLE;
    app_free(app);
    return end.status;
}

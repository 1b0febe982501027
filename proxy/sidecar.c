#include "proxy/sidecar.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/admin.h"
#include "proxy/lag.h"
#include "proxy/log.h"
#include "proxy/log_library.h"
#include "proxy/notify.h"
#include "proxy/self.h"
#include "proxy/sidecar_graphql.h"
#include "proxy/sidecar_guard.h"
#include "proxy/sidecar_listeners.h"
#include "proxy/sidecar_origins.h"
#include "proxy/sidecar_parts.h"
#include "proxy/sidecar_providers.h"
#include "proxy/sidecar_tls.h"
#include "proxy/sidecar_tokens.h"
#include "proxy/token/locked.h"
#include "proxy/token/realm.h"

/* ---- signals ---- */

static void on_emptied(void *context)
{
    const struct sidecar *sidecar = context;

    event_base_loopbreak(loop_base(sidecar->loop));
}

void sidecar_drain(struct sidecar *sidecar, const char *why)
{
    if (sidecar->draining) {
        log_message(sidecar->log, LOG_WARNING, "drain_cut", "a second signal: ending now");
        event_base_loopbreak(loop_base(sidecar->loop));
        sidecar->exit_code = 1;
        return;
    }
    log_message(sidecar->log, LOG_INFO, "draining", "%s: %zu clients are connected", why,
                crew_facts(sidecar->crew)->n_clients);
    sidecar->leaving = sidecar->draining = true;
    notify_stopping(sidecar->notify);
    deadline_set(sidecar->drain_deadlines, &sidecar->drain_deadline);
    crew_drain(sidecar->crew);
}

static void on_drain_deadline(struct deadline *deadline)
{
    struct sidecar *sidecar =
        (struct sidecar *)(void *)((char *)deadline - offsetof(struct sidecar, drain_deadline));

    log_message(sidecar->log, LOG_WARNING, "drain_cut",
                "%zu clients were still busy at --drain-timeout",
                crew_facts(sidecar->crew)->n_clients);
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

/* What cannot be read leaves in force what was. */
static void reload_schemas(struct sidecar *sidecar, struct diags *told)
{
    size_t n = told->n;
    struct graphql_catalog *schemas = schemas_load(sidecar->settings, told);
    struct graphql_gate *gate = own_schema_load(sidecar->settings, told);

    for (; n < told->n; n++)
        log_message(sidecar->log, told->items[n].level == DIAG_ERROR ? LOG_ERROR : LOG_WARNING,
                    "schema", "%s: %s", told->items[n].where, told->items[n].what);
    if (schemas)
        crew_set_schemas(sidecar->crew, schemas);
    if (gate)
        crew_set_gate(sidecar->crew, gate);
    graphql_catalog_unref(schemas);
    graphql_gate_unref(gate);
}

void sidecar_reload(struct sidecar *sidecar, struct diags *told)
{
    notify_reloading(sidecar->notify);
    crew_reopen_logs(sidecar->crew);
    if (sidecar_tls_reload(sidecar->tls, sidecar->settings, sidecar->log))
        crew_renew_tls(sidecar->crew);
    live_providers_note(sidecar->providers);
    reload_policies(sidecar, told);
    reload_schemas(sidecar, told);
    token_keeper_refresh(sidecar->keeper);
    if (!sidecar->draining)
        notify_ready(sidecar->notify);
}

static void take_signal(struct sidecar *sidecar, uint32_t number)
{
    struct diags told = { 0 };

    if (number == SIGHUP) {
        sidecar_reload(sidecar, &told);
        diags_fini(&told);
    } else {
        sidecar_drain(sidecar, number == SIGTERM ? "SIGTERM" : "SIGINT");
    }
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct signalfd_siginfo sent;

    (void)what;
    while (read(fd, &sent, sizeof(sent)) == (ssize_t)sizeof(sent))
        take_signal(arg, sent.ssi_signo);
}

/* Read, not caught: the kernel would put the registers on the stack for a handler, and with them whatever of a
 * secret was last moved or decrypted. */
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

static void build_origins(struct sidecar *sidecar)
{
    size_t n_own;
    const struct sockaddr_storage *own = listeners_own(sidecar->listeners, &n_own);

    sidecar->origins = origins_new(
        sidecar->loop, sidecar->log, sidecar->settings, sidecar->tls, own, n_own,
        crew_size(sidecar->settings) > 1 ? crew_size(sidecar->settings) + 1 : 1, &sidecar->tally);
    sidecar->keeper = sidecar_tokens_new(sidecar->settings, sidecar->loop, sidecar->log,
                                         origins_pool(sidecar->origins));
}

static struct destination_rules rules_of(const struct sidecar *sidecar)
{
    const struct settings *settings = sidecar->settings;
    size_t n_ports;
    const uint16_t *ports = listeners_ports(sidecar->listeners, &n_ports);

    return (struct destination_rules){ .default_host = settings->default_host,
                                       .plaintext_hosts = settings->plaintext_hosts.items,
                                       .n_plaintext_hosts = settings->plaintext_hosts.n,
                                       .own_ports = ports,
                                       .n_own_ports = n_ports,
                                       .own_addresses = settings->listen,
                                       .n_own_addresses = settings->n_listen };
}

static void build_crew(struct sidecar *sidecar)
{
    size_t last = listeners_n(sidecar->listeners) - 1;

    sidecar->destination_rules = rules_of(sidecar);
    struct crew_plan plan = { .settings = sidecar->settings,
                              .loop = sidecar->loop,
                              .log = sidecar->log,
                              .tally = &sidecar->tally,
                              .lag = sidecar->lag,
                              .origins = sidecar->origins,
                              .tls = sidecar->tls,
                              .keeper = sidecar->keeper,
                              .callers = sidecar->callers,
                              .listeners = sidecar->listeners,
                              .realms = sidecar->realms,
                              .store_cookie = sidecar->store_cookie,
                              .schemas = sidecar->schemas,
                              .gate = sidecar->own_schema,
                              .destination_rules = &sidecar->destination_rules,
                              .emptied = on_emptied,
                              .context = sidecar };
    sidecar->crew = crew_new(&plan);
    graphql_catalog_unref(sidecar->schemas);
    graphql_gate_unref(sidecar->own_schema);
    sidecar->schemas = NULL;
    sidecar->own_schema = NULL;
    sidecar->admin = sidecar_admin_new(sidecar, listeners_take(sidecar->listeners, last));
}

static void on_policy(void *context, struct policy *policy)
{
    crew_set_policy(((struct sidecar *)context)->crew, policy);
}

static void on_shadow(void *context, struct policy *policy)
{
    crew_set_shadow(((struct sidecar *)context)->crew, policy);
}

static void build_policies(struct sidecar *sidecar)
{
    live_policy_follow(sidecar->policy, sidecar->loop, sidecar->log, on_policy, sidecar);
    if (sidecar->shadow)
        live_policy_follow(sidecar->shadow, sidecar->loop, sidecar->log, on_shadow, sidecar);
    live_providers_follow(sidecar->providers, sidecar->loop, sidecar->log, reload, sidecar);
    if (sidecar->settings->mode == MODE_REPORT)
        log_message(sidecar->log, LOG_WARNING, "mode",
                    "--mode report: what the policies deny is forwarded");
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
    callers_check(settings, diags);
    sidecar->log_sink = log_sink_open(&settings->log, diags);
    guard_check(settings, diags);
    sidecar->schemas = schemas_load(settings, diags);
    sidecar->own_schema = own_schema_load(settings, diags);
    sidecar->listeners = listeners_open(settings, diags);
    if (!sidecar->policy || !sidecar->tls || diags->fatal) {
        sidecar_free(sidecar);
        return NULL;
    }
    sidecar->loop = loop_new();
    sidecar->notify = notify_new(sidecar->loop);
    sidecar->log =
        log_open(sidecar->loop, sidecar->log_sink, settings->log_level, settings->log_format);
    sidecar->log_sink = NULL;
    log_library(sidecar->log);
    sidecar->lag = lag_new(sidecar->loop, &sidecar->tally.lag);
    sidecar->self = self_new();
    sidecar->drain_deadlines = deadlines_new(sidecar->loop, settings->drain_ms);
    build_identity(sidecar);
    build_origins(sidecar);
    sidecar->callers = callers_new(settings, sidecar->loop, sidecar->log);
    build_crew(sidecar);
    build_policies(sidecar);
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
    if (sidecar->signalled)
        event_free(sidecar->signalled);
    if (sidecar->signals > 0)
        close(sidecar->signals);
    notify_free(sidecar->notify);
    crew_silence(sidecar->crew);
    admin_free(sidecar->admin);
    callers_free(sidecar->callers);
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
    crew_free(sidecar->crew);
    origins_free(sidecar->origins);
    deadlines_free(sidecar->drain_deadlines);
    log_library(NULL);
    lag_free(sidecar->lag);
    self_free(sidecar->self);
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
    listeners_free(sidecar->listeners);
    live_providers_free(sidecar->providers);
    live_policy_free(sidecar->policy);
    live_policy_free(sidecar->shadow);
    tls_free(sidecar->tls);
    log_sink_free(sidecar->log_sink);
    graphql_catalog_unref(sidecar->schemas);
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

int sidecar_serve(struct sidecar *sidecar)
{
    crew_start(sidecar->crew);
    say_ready(sidecar);
    notify_ready(sidecar->notify);
    event_base_dispatch(loop_base(sidecar->loop));
    /* One turn more, in which the answer to /quitquitquit leaves. Without ONCE it would last for as long as
     * anything happens. */
    event_base_loop(loop_base(sidecar->loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    return sidecar->exit_code;
}

int sidecar_run(struct sidecar *sidecar)
{
    watch_signals(sidecar);
    return sidecar_serve(sidecar);
}

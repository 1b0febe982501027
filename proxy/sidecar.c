#include "proxy/sidecar.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "config/memory.h"
#include "proxy/admin.h"
#include "proxy/companion.h"
#include "proxy/handover.h"
#include "proxy/helper.h"
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
#include "proxy/sidecar_sandbox.h"
#include "proxy/sidecar_tls.h"
#include "proxy/sidecar_tokens.h"
#include "proxy/token/locked.h"
#include "proxy/token/realm.h"

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

static void build_origins(struct sidecar *sidecar)
{
    unsigned n_workers = crew_size(sidecar->settings);
    size_t n_own;
    const struct sockaddr_storage *own = listeners_own(sidecar->listeners, &n_own);

    sidecar->origins =
        origins_new(sidecar->loop, sidecar->log, sidecar->settings, sidecar->tls, own, n_own,
                    n_workers > 1 ? n_workers + 1 : 1, sidecar->helper, &sidecar->tally);
    sidecar->keeper = sidecar_tokens_new(sidecar->settings, sidecar->loop, sidecar->log,
                                         origins_pool(sidecar->origins), sidecar->helper);
}

static void build_crew(struct sidecar *sidecar)
{
    sidecar->destination_rules = sidecar_rules(sidecar);
    struct crew_plan plan = { .settings = sidecar->settings,
                              .loop = sidecar->loop,
                              .log = sidecar->log,
                              .tally = &sidecar->tally,
                              .lag = sidecar->lag,
                              .origins = sidecar->origins,
                              .tls = sidecar->tls,
                              .keeper = sidecar->keeper,
                              .callers = sidecar->callers,
                              .helper = sidecar->helper,
                              .listeners = sidecar->listeners,
                              .realms = sidecar->realms,
                              .store_cookie = sidecar->store_cookie,
                              .schemas = sidecar->schemas,
                              .gate = sidecar->own_schema,
                              .destination_rules = &sidecar->destination_rules,
                              .emptied = sidecar_emptied,
                              .context = sidecar };
    sidecar->crew = crew_new(&plan);
    graphql_catalog_unref(sidecar->schemas);
    graphql_gate_unref(sidecar->own_schema);
    sidecar->schemas = NULL;
    sidecar->own_schema = NULL;
}

static void build_doors(struct sidecar *sidecar)
{
    size_t last = listeners_n(sidecar->listeners) - 1;
    struct handover_rules successor = { sidecar_give, sidecar_succeeded, sidecar };

    sidecar->admin = sidecar_admin_new(sidecar, listeners_take(sidecar->listeners, last, 0));
    int fd = listeners_take_handover(sidecar->listeners);
    if (fd >= 0)
        sidecar->handover = handover_new(sidecar->loop, fd, &successor);
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
    live_providers_follow(sidecar->providers, sidecar->loop, sidecar->log, sidecar_reload_policies,
                          sidecar);
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

/* What the settings name is looked at, and opened; false with a fatal finding. */
static bool open_all(struct sidecar *sidecar, struct diags *diags)
{
    const struct settings *settings = sidecar->settings;

    build_live_policies(sidecar, diags);
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
    return sidecar->policy && sidecar->tls && !diags->fatal;
}

static void build_loop(struct sidecar *sidecar)
{
    const struct settings *settings = sidecar->settings;

    sidecar->loop = loop_new();
    sidecar->notify = notify_new(sidecar->loop);
    sidecar->log =
        log_open(sidecar->loop, sidecar->log_sink, settings->log_level, settings->log_format);
    sidecar->log_sink = NULL;
    log_library(sidecar->log);
    sidecar->lag = lag_new(sidecar->loop, &sidecar->tally.lag);
    sidecar->self = self_new();
    sidecar_build_ending(sidecar);
}

static void build_all(struct sidecar *sidecar)
{
    build_loop(sidecar);
    build_identity(sidecar);
    build_origins(sidecar);
    sidecar->callers = callers_new(sidecar->settings, sidecar->loop, sidecar->log);
    build_crew(sidecar);
    build_policies(sidecar);
    build_doors(sidecar);
    sidecar_watch_tls(sidecar);
    token_keeper_start(sidecar->keeper);
}

struct sidecar *sidecar_new(struct settings *settings, struct diags *diags)
{
    struct sidecar *sidecar = mem_alloc(1, sizeof(*sidecar));

    raise_descriptor_limit();
    ignore_broken_pipes();
    locked_harden_process();
    sidecar->settings = settings;
    if (!open_all(sidecar, diags)) {
        sidecar_free(sidecar);
        return NULL;
    }
    build_all(sidecar);
    if (!locked_is_locked())
        log_message(sidecar->log, LOG_INFO, "memory",
                    "the system does not lock memory for us (RLIMIT_MEMLOCK): secrets could be "
                    "swapped out");
    return sidecar;
}

void sidecar_settings_from(struct sidecar *sidecar, struct settings_source source)
{
    sidecar->settings_source = source;
}

/* ---- ending ---- */

/* Nothing of the process may wake up any more. Exchanges end here, if the drain was cut. */
static void silence(struct sidecar *sidecar)
{
    sidecar_silence_ending(sidecar);
    notify_free(sidecar->notify);
    crew_silence(sidecar->crew);
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
    crew_free(sidecar->crew);
    origins_free(sidecar->origins);
    helper_free(sidecar->helper);
    sidecar->helper = NULL;
    deadlines_free(sidecar->drain_deadlines);
    deadlines_free(sidecar->delay_deadlines);
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
    companion_free(sidecar->companion);
    helper_free(sidecar->helper);
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

int sidecar_serve(struct sidecar *sidecar, pid_t app)
{
    char sandbox[SANDBOX_TEXT_MAX];

    if (!sidecar_sandbox_enter(sidecar->settings, app, sidecar->log, sandbox)) {
        fprintf(stderr, "janus-sidecar: error: --sandbox require: in force is only: %s\n", sandbox);
        return EXIT_UNUSABLE;
    }
    crew_start(sidecar->crew);
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
    sidecar_watch_signals(sidecar);
    return sidecar_serve(sidecar, 0);
}

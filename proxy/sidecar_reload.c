/* All that comes from files is read again while requests run: the settings first, because they say which. */
#include "proxy/log.h"
#include "proxy/notify.h"
#include "proxy/sidecar_graphql.h"
#include "proxy/sidecar_listeners.h"
#include "proxy/sidecar_origins.h"
#include "proxy/sidecar_parts.h"
#include "proxy/sidecar_providers.h"
#include "proxy/sidecar_tls.h"
#include "proxy/token/keeper.h"

/* ---- policies ---- */

static void reload_policies(struct sidecar *sidecar, struct diags *told)
{
    live_policy_reload(sidecar->policy, told);
    if (sidecar->shadow)
        live_policy_reload(sidecar->shadow, told);
}

void sidecar_reload_policies(void *context)
{
    struct diags told = { 0 };

    reload_policies(context, &told);
    diags_fini(&told);
}

/* ---- trust and certificates ---- */

static void on_tls(void *context)
{
    crew_renew_tls(((struct sidecar *)context)->crew);
}

void sidecar_watch_tls(struct sidecar *sidecar)
{
    tls_watch_free(sidecar->tls_watch);
    sidecar->tls_watch = tls_watch_new(sidecar->tls, sidecar->settings, sidecar->loop, sidecar->log,
                                       on_tls, sidecar);
}

/* ---- settings ---- */

struct destination_rules sidecar_rules(const struct sidecar *sidecar)
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

/* Whoever has copied something of the settings, or borrows a text of theirs, takes it anew; the crew is the last, and
 * lets go of what was before. */
static void apply_settings(void *context, struct settings *retired)
{
    struct sidecar *sidecar = context;
    const struct settings *settings = sidecar->settings;

    log_set_level(sidecar->log, settings->log_level);
    origins_apply_settings(sidecar->origins);
    sidecar->destination_rules = sidecar_rules(sidecar);
    deadlines_set_length(sidecar->drain_deadlines, settings->drain_ms);
    deadlines_set_length(sidecar->delay_deadlines, settings->drain_delay_ms);
    sidecar_watch_tls(sidecar);
    crew_apply_settings(sidecar->crew, retired);
}

static void reload_settings(struct sidecar *sidecar, struct diags *told)
{
    if (sidecar->settings_source.argv)
        sidecar->settings_failed =
            sidecar_settings_reload(sidecar->settings, &sidecar->settings_source, sidecar->log,
                                    told, apply_settings, sidecar) == SETTINGS_KEPT;
}

/* ---- schemas ---- */

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

/* ---- all of it ---- */

void sidecar_reload(struct sidecar *sidecar, struct diags *told)
{
    notify_reloading(sidecar->notify);
    crew_reopen_logs(sidecar->crew);
    reload_settings(sidecar, told);
    tls_watch_look(sidecar->tls_watch);
    live_providers_note(sidecar->providers);
    reload_policies(sidecar, told);
    reload_schemas(sidecar, told);
    token_keeper_refresh(sidecar->keeper);
    if (!sidecar->draining)
        notify_ready(sidecar->notify);
}

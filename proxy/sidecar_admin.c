/* What the admin listener says, and what it does when asked by POST. */
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/admin.h"
#include "proxy/log.h"
#include "proxy/metrics.h"
#include "proxy/self.h"
#include "proxy/sidecar_metrics.h"
#include "proxy/sidecar_pages.h"
#include "proxy/sidecar_parts.h"
#include "proxy/sidecar_ready.h"
#include "proxy/token/report.h"

/* ---- what there is to read ---- */

static struct readiness_facts facts_of(const struct sidecar *sidecar)
{
    const struct worker_facts *served = crew_facts(sidecar->crew);
    struct token_facts token;

    token_keeper_attend(sidecar->keeper); /* does what is due; the facts only tell */
    token_keeper_facts(sidecar->keeper, &token);
    token.n_waiting = served->n_waiting; /* at whatever desk */
    return (struct readiness_facts){
        .settings = sidecar->settings,
        .policy = live_policy_state(sidecar->policy),
        .shadow =
            sidecar->shadow ? live_policy_state(sidecar->shadow) : (struct live_policy_state){ 0 },
        .n_would_deny = served->n_would_deny,
        .n_shadow_differences = served->n_shadow_differences,
        .token = token,
        .draining = sidecar->leaving,
        .settings_failed = sidecar->settings_failed,
        .n_clients = served->n_clients,
        .n_active = served->n_active,
        .n_overloaded = served->n_overloaded,
        .n_retries_refused = served->n_retries_refused,
        .n_circuits_open = served->n_circuits_open,
        .held_bytes = served->held_bytes,
        .n_log_lines_dropped = served->n_log_lines_dropped,
        .tally = &served->tally,
        .graphql = served->graphql,
        .questions = sidecar->settings->n_guard_listen ? &served->questions : NULL,
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

    return page_explain(sidecar->settings, live_policy_current(sidecar->policy),
                        &sidecar->destination_rules, query, status);
}

/* ---- what the operator asks for by POST ---- */

static char *do_reload(void *context, const char *query, unsigned *status)
{
    struct sidecar *sidecar = context;
    struct diags told = { 0 };

    (void)query;
    log_message(sidecar->log, LOG_INFO, "asked", "POST /reload");
    sidecar_reload(sidecar, &told);
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
    if (!sidecar->leaving)
        log_message(sidecar->log, LOG_INFO, "leaving", "POST /drain: connections are not kept");
    sidecar_leave(sidecar);
    return text_dup(TEXT("{\"draining\":true}\n"));
}

/* As SIGTERM, but that the second one changes nothing. */
static char *do_quit(void *context, const char *query, unsigned *status)
{
    struct sidecar *sidecar = context;

    (void)query;
    *status = 200;
    if (!sidecar->told_to_end && !sidecar->draining)
        sidecar_begin_to_end(sidecar, "POST /quitquitquit");
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

struct admin *sidecar_admin_new(struct sidecar *sidecar, int fd)
{
    struct admin_rules rules = { .pages = pages,
                                 .n_pages = sizeof(pages) / sizeof(pages[0]),
                                 .context = sidecar,
                                 .hosts = &sidecar->settings->admin_hosts,
                                 .callers = sidecar->callers };

    return admin_new(sidecar->loop, fd, &rules);
}

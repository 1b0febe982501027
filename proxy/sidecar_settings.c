#include "proxy/sidecar_settings.h"

#include <stdio.h>
#include <string.h>

#include "config/settings_change.h"
#include "proxy/caller.h"
#include "proxy/log.h"
#include "proxy/origin/tls.h"
#include "proxy/sidecar_findings.h"
#include "proxy/sidecar_policy.h"

/* ---- query ---- */

static void try_policy(const struct settings *fresh, bool shadow, struct diags *diags)
{
    live_policy_free(live_policy_new(fresh, shadow, diags));
}

/* Who we stand beside is in the policies, the realms, hosts made from templates, and the token: never half of it. */
static void refuse_another_app(const struct settings *in_force, const struct settings *fresh,
                               struct diags *told)
{
    if (strcmp(in_force->account, fresh->account) != 0 ||
        strcmp(in_force->workspace, fresh->workspace) != 0 ||
        strcmp(in_force->region, fresh->region) != 0)
        diag_fatal(told, (struct place){ .file = fresh->config_file },
                   "account, workspace and region cannot change while it runs: restart it");
}

/* What a start with them would find. */
static void look_for_faults(const struct settings *fresh, bool tls, struct diags *told)
{
    try_policy(fresh, false, told);
    if (fresh->shadow_manifest_file)
        try_policy(fresh, true, told);
    if (tls)
        tls_free(tls_new(fresh, told));
    callers_check(fresh, told);
}

/* The trust is large, and most changes are about something else. */
static void note_tls(void *context, const char *name, bool live)
{
    bool *tls = context;

    (void)live;
    *tls |= strcmp(name, "ca-file") == 0 || strcmp(name, "client-cert") == 0 ||
            strcmp(name, "pin") == 0;
}

/* ---- commit ---- */

enum { NAMES_MAX = 1024 };

struct change {
    char live[NAMES_MAX];
    struct diags *told;
};

static void note(void *context, const char *name, bool live)
{
    struct change *change = context;
    size_t used = strlen(change->live);

    if (live)
        snprintf(change->live + used, sizeof(change->live) - used, "%s%s", used ? "," : "", name);
    else
        diag_warning(change->told, (struct place){ .file = name },
                     "has changed; it takes effect with a restart");
}

/* Each time: whoever asked for it waits for the line, and it is no repeat that could be held back. */
static void say(struct log *log, enum log_level level, const char *event, const char *what)
{
    log_begin(log, level, event);
    log_text(log, "message", text_of(what));
    log_end(log);
}

static enum settings_reloaded take(struct settings *in_force, struct settings *fresh,
                                   struct log *log, struct diags *told, settings_apply *apply,
                                   void *context)
{
    struct change change = { .told = told };

    settings_each_change(in_force, fresh, note, &change);
    if (!change.live[0]) {
        settings_free(fresh);
        return SETTINGS_SAME;
    }
    settings_take_live(in_force, fresh);
    apply(context, fresh);
    say(log, LOG_INFO, "settings_reloaded", change.live);
    return SETTINGS_CHANGED;
}

enum settings_reloaded sidecar_settings_reload(struct settings *in_force,
                                               const struct settings_source *source,
                                               struct log *log, struct diags *told,
                                               settings_apply *apply, void *context)
{
    size_t from = told->n, fatal = told->fatal;
    struct settings *fresh = settings_load(source->argc, source->argv, NULL, told);
    enum settings_reloaded result = SETTINGS_KEPT;
    bool tls = false;

    if (told->fatal == fatal && settings_each_change(in_force, fresh, note_tls, &tls)) {
        refuse_another_app(in_force, fresh, told);
        look_for_faults(fresh, tls, told);
    }
    diags_drop_repeats(told, from);
    if (told->fatal == fatal)
        result = take(in_force, fresh, log, told, apply, context);
    else
        settings_free(fresh);
    findings_log(log, told, from);
    if (result == SETTINGS_KEPT)
        say(log, LOG_ERROR, "settings_reload_failed", "the settings of before stay in force");
    return result;
}

/* proxy/sidecar_settings.h - the settings read again: query, commit, rollback.
 *
 *   query     all of it is read as at a start, and the policies, the trust and the caller's secret are built with it
 *   rollback  one fatal finding, and all of the old settings stay in force
 *   commit    the live ones change places, in the main loop's struct, and are handed out; what needs a restart is named */
#ifndef PROXY_SIDECAR_SETTINGS_H
#define PROXY_SIDECAR_SETTINGS_H

#include "config/diag.h"
#include "config/settings.h"

struct log;

/* What the settings were read from besides the environment and the file. Borrowed. */
struct settings_source {
    int argc;
    char **argv;
};

enum settings_reloaded { SETTINGS_SAME, SETTINGS_CHANGED, SETTINGS_KEPT };

/* Hands `in_force` out, before anybody is told that it changed. Takes `retired`, the values of before, and frees it once
 * nobody borrows them. */
typedef void settings_apply(void *context, struct settings *retired);

/* Findings go into `told` and the log. */
enum settings_reloaded sidecar_settings_reload(struct settings *in_force,
                                               const struct settings_source *source,
                                               struct log *log, struct diags *told,
                                               settings_apply *apply, void *context);

#endif

/* proxy/sidecar_settings.h - the settings read again: query, commit, rollback.
 *
 *   query     all of it is read as at a start, and the policies, the trust and the caller's secret are built with it
 *   rollback  one fatal finding, and all of the old settings stay in force
 *   commit    the live ones change places, in the struct that everybody borrows; what needs a restart is named */
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

/* Findings go into `told` and the log. With SETTINGS_CHANGED `*retired` has the values of before, which the caller
 * frees once nobody borrows them. */
enum settings_reloaded sidecar_settings_reload(struct settings *in_force,
                                               const struct settings_source *source,
                                               struct log *log, struct diags *told,
                                               struct settings **retired);

#endif

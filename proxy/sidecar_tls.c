#include "proxy/sidecar_tls.h"

#include "proxy/log.h"

/* One file has a finding or two: there is no flood to fear. */
static void log_findings(struct log *log, const struct diags *diags)
{
    for (size_t i = 0; i < diags->n; i++)
        log_message(log, diags->items[i].level == DIAG_ERROR ? LOG_ERROR : LOG_WARNING, "finding",
                    "%s: %s", diags->items[i].where, diags->items[i].what);
}

bool sidecar_tls_reload(struct tls *tls, const struct settings *settings, struct log *log)
{
    struct diags diags = { 0 };
    enum tls_reloaded result = tls_reload(tls, settings, &diags);

    log_findings(log, &diags);
    if (result == TLS_CHANGED)
        log_message(log, LOG_INFO, "tls_reloaded", "trust and certificates were read again");
    else if (result == TLS_KEPT)
        log_message(log, LOG_ERROR, "tls_reload_failed",
                    "the trust and the certificates of before stay in force");
    diags_fini(&diags);
    return result == TLS_CHANGED;
}

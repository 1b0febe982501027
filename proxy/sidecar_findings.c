#include "proxy/sidecar_findings.h"

enum { FINDINGS_LOGGED_MAX = 50 }; /* `validate` shows all; the log's buffer is not for thousands */

static void log_findings_of(struct log *log, const struct diags *diags, size_t from,
                            enum diag_level level, size_t *room)
{
    for (size_t i = from; i < diags->n && *room; i++) {
        const struct diag *finding = &diags->items[i];

        if (finding->level != level)
            continue;
        log_message(log, level == DIAG_ERROR ? LOG_ERROR : LOG_WARNING, "finding", "%s: %s",
                    finding->where, finding->what);
        (*room)--;
    }
}

void findings_log(struct log *log, const struct diags *diags, size_t from)
{
    size_t room = FINDINGS_LOGGED_MAX, n = diags->n - from;

    log_findings_of(log, diags, from, DIAG_ERROR, &room);
    log_findings_of(log, diags, from, DIAG_WARNING, &room);
    if (n > FINDINGS_LOGGED_MAX)
        log_message(log, LOG_WARNING, "finding", "%zu more: run janus-sidecar validate",
                    n - FINDINGS_LOGGED_MAX);
}
